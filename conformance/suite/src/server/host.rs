//! A server for the matrix and the fuzzer, running already or started by the suite.

use std::{sync::Arc, time::Duration};

use conformance_kit::{
    authority::Authority,
    net::tls::{self, TlsSetupError, Trust},
    nonce::Nonces,
    subject::{
        place::Place,
        server::{OpenError, Server, Waiting},
    },
};
use thiserror::Error;

use super::{first_contact::Contact, quirks::TlsMode, shared::Shared};

/// How long a server that was started may take to answer.
const START: Duration = Duration::from_secs(20);

/// How long a server that runs may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Why there is no server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// It can't be started.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Nobody answers.
    #[error("nobody answers at {0}; it printed: {1}")]
    Silent(String, String),
    /// There is an answer, and nobody can join.
    #[error("nobody can join at {0}; it printed: {1}")]
    NoJoin(String, String),
}

/// A server to talk to.
pub struct Host {
    /// How to talk to it.
    pub shared: Arc<Shared>,
    server: Server,
}

impl Host {
    /// Finds the server, or starts it, and learns how it speaks.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn open(
        place: &Place,
        authority: &Authority,
        seed: u64,
        scale: f64,
    ) -> Result<Self, HostError> {
        let mut server = Server::open(place, Some(authority)).await?;
        // Whether a certificate is good is the business of tls.cert.
        let config = Arc::new(tls::configuration(&Trust::Anything, None)?);
        let transport = server.target.transport(config, tls::server_name(&server.target.host));
        let mode = TlsMode::Auto.towards(&server.target);
        let waiting = Waiting::for_at_most(if server.is_ours() { START } else { ANSWER });
        let shared = loop {
            let addresses = server.target.resolve().await.unwrap_or_default();
            let contact = Contact {
                transport: transport.clone(),
                tls: mode,
                nonces: Nonces::new(seed, "host"),
                scale,
            };
            if let Ok(shared) = contact.meet(&addresses).await {
                break shared;
            }
            if waiting.again(&mut server).await.is_err() {
                return Err(HostError::Silent(server.target.to_string(), server.output()));
            }
        };
        if shared.greeting().join.is_none() {
            return Err(HostError::NoJoin(server.target.to_string(), server.output()));
        }
        Ok(Self { shared: Arc::new(shared), server })
    }

    /// Whether the process that was started still runs; true for those of others.
    pub fn is_running(&mut self) -> bool {
        self.server.is_running()
    }

    /// The process that was started.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.server.process()
    }

    /// The end of its output, escaped.
    #[must_use]
    pub fn output(&self) -> String {
        self.server.output()
    }
}
