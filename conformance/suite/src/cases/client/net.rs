//! `c.net`: every address that `getaddrinfo` returns.

use crate::{
    clause::Level,
    client::{Case, ClientHands, Setup, Where},
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[Case::new("c.net.v6", Level::Should, "GA-1", |c| Box::pin(v6(c)))
    .asks("It reaches a server that listens on ::1 only")
    .hint("Don't create the socket with AF_INET: go through what getaddrinfo returns, or use socket.create_connection.")
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::V4Only])];

async fn v6(c: &mut ClientHands) -> Outcome {
    match c.enter_with(&Setup { place: Where::V6Only, ..Setup::default() }).await {
        Ok(_) => Ok(Verdict::Pass),
        Err(Verdict::Inconclusive { reason }) => {
            Ok(Verdict::fail("the client joins when {host} is ::1", reason))
        }
        Err(other) => Err(other),
    }
}
