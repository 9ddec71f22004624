//! Finds out, before the first case, how a subject speaks: TLS or not, which byte order, whether
//! its length counts itself. Each deviation is charged to one case; then it is spoken, so that one
//! habit does not hide all else.

use std::time::Duration;

use conformance_kit::{
    clock::Clock,
    net::dial::{self, DialError, Link},
    nonce::Nonces,
    trace::{Kind, Trace},
    wire::{ascii::ascii, prefix::Prefix, recognise::first_frame},
};
use serde_json::json;
use thiserror::Error;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, sink},
    time::timeout,
};

use super::quirks::{Greeting, Quirks, TlsGreeting, TlsMode};
use crate::{invariants::Invariant, server::shared::Shared};

/// Why a run can't begin at all.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GreetingError {
    /// Nobody is there.
    #[error("nobody answers: {0}")]
    Unreachable(DialError),
    /// The certificate is not trusted; that is a matter of options, not of the subject.
    #[error("{0}")]
    Untrusted(DialError),
}

/// Tries everything in turn and stores the result in the shared state.
///
/// # Errors
/// When the subject is not there, or when the options don't trust its certificate.
pub async fn greet(
    shared: &Shared,
    mode: TlsMode,
    nonces: &mut Nonces,
    trace: &Trace,
    scale: f64,
) -> Result<(), GreetingError> {
    let (tls, mut first) = find_transport(shared, mode, nonces, trace).await?;
    if matches!(tls, TlsGreeting::Broken(_)) {
        shared.set_greeting(Greeting { tls, join: None });
        return Ok(());
    }
    let mut join = None;
    let met = matches!(tls, TlsGreeting::Plaintext(_));
    if met || find_prefix(shared, &mut first, nonces, trace).await {
        // The slowest of three: a run must not fail for the fastest moment of its beginning.
        for _ in 0..3 {
            let clock = Clock::start();
            if try_join(shared, None, shared.quirks().reads, nonces, trace).await.is_some() {
                join = join.max(Some(clock.elapsed()));
            }
        }
    }
    if let Some(time) = join {
        shared.set_timing(conformance_kit::timing::Timing::measured(time, scale));
    }
    shared.set_greeting(Greeting { tls, join });
    Ok(())
}

/// Finds out about TLS. The connection that worked is handed on: a server may die of one that ends
/// without a name, and that is not for the greeting to find out.
async fn find_transport(
    shared: &Shared,
    mode: TlsMode,
    nonces: &mut Nonces,
    trace: &Trace,
) -> Result<(TlsGreeting, Option<Link>), GreetingError> {
    if mode == TlsMode::Off {
        shared.set_transport(shared.transport().without_tls());
        let link = open(shared, trace).await.map_err(GreetingError::Unreachable)?;
        return Ok((TlsGreeting::Off, Some(link)));
    }
    let reason = match open(shared, trace).await {
        Ok(link) => return Ok((TlsGreeting::Works, Some(link))),
        Err(error @ DialError::Certificate(_)) => return Err(GreetingError::Untrusted(error)),
        Err(
            error @ (DialError::Tcp(_)
            | DialError::TcpSlow(_)
            | DialError::Upgrade(_)
            | DialError::UpgradeSlow(_)),
        ) => return Err(GreetingError::Unreachable(error)),
        Err(error) => error.to_string(),
    };
    if mode == TlsMode::On {
        return Ok((TlsGreeting::Broken(reason), None));
    }
    let with_tls = shared.transport();
    shared.set_transport(with_tls.without_tls());
    if find_prefix(shared, &mut None, nonces, trace).await {
        return Ok((TlsGreeting::Plaintext(reason), None));
    }
    shared.set_transport(with_tls);
    Ok((TlsGreeting::Broken(reason), None))
}

/// Tries every way to write a length until somebody answers `USERNAME`.
async fn find_prefix(
    shared: &Shared,
    first: &mut Option<Link>,
    nonces: &mut Nonces,
    trace: &Trace,
) -> bool {
    // A WebSocket knows the length of a message, and it is written in one way.
    let known = shared.transport().websocket.is_some();
    for reads in Prefix::ALL.into_iter().take(if known { 1 } else { Prefix::ALL.len() }) {
        if let Some(sends) = try_join(shared, first.take(), reads, nonces, trace).await {
            shared.set_quirks(Quirks { sends, reads });
            for (who, prefix) in [("sends", sends), ("expects", reads)] {
                if prefix.counts_itself {
                    let what = format!("the server {who} a length that counts its own four bytes");
                    shared.invariants.charge(Invariant::Length, "the first contact", &what);
                }
            }
            return true;
        }
    }
    false
}

/// Joins, on a connection of its own unless there is one, and says how the answer's length was
/// written.
async fn try_join(
    shared: &Shared,
    link: Option<Link>,
    reads: Prefix,
    nonces: &mut Nonces,
    trace: &Trace,
) -> Option<Prefix> {
    let mut link = match link {
        Some(link) => link,
        None => open(shared, trace).await.ok()?,
    };
    let name = nonces.name("hello");
    shared.remember_name(&name);
    let bytes = reads.frame(ascii(&json!({"USERNAME": name})).as_bytes());
    trace.bytes("greeting", Kind::Sent, &bytes);
    let sending = async {
        link.stream.write_all(&bytes).await?;
        link.stream.flush().await
    };
    let patience = shared.timing().patience;
    timeout(patience, sending).await.ok()?.ok()?;
    // The ordinary dialect gets all the time there is; the exotic ones are tried more briefly.
    let wait = if reads == Prefix::NETWORK { patience } else { patience.mul_f64(0.4) };
    let answer = timeout(wait, read_answer(&mut link, trace)).await.ok()?;
    let _ = timeout(Duration::from_secs(1), link.stream.shutdown()).await;
    // Input left unread would turn the end of the connection into a reset.
    let _ = timeout(shared.timing().settle, tokio::io::copy(&mut link.stream, &mut sink())).await;
    answer
}

async fn open(shared: &Shared, trace: &Trace) -> Result<Link, DialError> {
    let transport = shared.transport();
    let opened = dial::dial(shared.address(), &transport, shared.timing().patience).await;
    match &opened {
        Ok(link) => {
            let with = transport.describe(link.tls.as_ref());
            trace.note("greeting", Kind::Opened, &format!("{} with {with}", shared.address()));
        }
        Err(error) => trace.note("greeting", Kind::Note, &error.to_string()),
    }
    opened
}

async fn read_answer(link: &mut Link, trace: &Trace) -> Option<Prefix> {
    let mut received = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    // A history of a few megabytes may come with the answer; nobody needs more to be recognised.
    while received.len() < 64 * 1024 * 1024 {
        let count = link.stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        let bytes = buffer.get(..count)?;
        trace.bytes("greeting", Kind::Received, bytes);
        received.extend_from_slice(bytes);
        if let Some(prefix) = recognise(&received) {
            return Some(prefix);
        }
    }
    None
}

/// Finds the frame with the answer, and the dialect of its length.
fn recognise(mut bytes: &[u8]) -> Option<Prefix> {
    loop {
        let first = first_frame(bytes)?;
        if first.value.get("USERNAME_ACCEPTED").is_some() {
            // A length that fits no dialect is charged frame by frame.
            return Some(first.prefix.unwrap_or(Prefix::NETWORK));
        }
        bytes = first.rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_recognised() {
        for prefix in Prefix::ALL {
            let mut bytes = prefix.frame(br#"{"INFO": "hello"}"#);
            bytes.extend(prefix.frame(br#"{"USERNAME_ACCEPTED": true} "#));
            assert_eq!(recognise(&bytes), Some(prefix));
            assert_eq!(recognise(&bytes[..30]), None);
        }
        assert_eq!(recognise(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
    }
}
