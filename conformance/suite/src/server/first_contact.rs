//! Meets a server at the first of its addresses that answers.

use std::{net::SocketAddr, time::Duration};

use conformance_kit::{
    net::dial::{DialError, Transport},
    nonce::Nonces,
    timing::Timing,
    trace::Trace,
};

use super::{
    probe::{self, GreetingError},
    quirks::TlsMode,
    shared::Shared,
};
use crate::invariants::Invariants;

/// How to meet a server.
pub(crate) struct Contact {
    /// The layer between TCP and the frames.
    pub(crate) transport: Transport,
    /// Whether to speak TLS.
    pub(crate) tls: TlsMode,
    /// The source of its names and texts.
    pub(crate) nonces: Nonces,
    /// All waiting times are multiplied by this.
    pub(crate) scale: f64,
}

impl Contact {
    /// Learns how the server speaks, at the first address that answers.
    ///
    /// # Errors
    /// When none answers, or a certificate is not trusted.
    pub(crate) async fn meet(mut self, addresses: &[SocketAddr]) -> Result<Shared, GreetingError> {
        let mark = format!("malformed-{}", self.nonces.letters(8));
        let mut last = GreetingError::Unreachable(DialError::TcpSlow(Duration::ZERO));
        for address in addresses {
            let shared = Shared::new(
                *address,
                addresses.to_vec(),
                self.transport.clone(),
                Timing::unmeasured(self.scale),
                Invariants::new(mark.clone(), self.nonces.number()),
            );
            let trace = Trace::new(shared.clock);
            let greeting =
                probe::greet(&shared, self.tls, &mut self.nonces, &trace, self.scale).await;
            match greeting {
                Ok(()) => return Ok(shared),
                Err(error @ GreetingError::Untrusted(_)) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
