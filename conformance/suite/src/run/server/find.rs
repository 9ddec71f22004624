//! Finds the subject, or starts it, and learns how it speaks.

use std::{sync::Arc, time::Duration};

use conformance_kit::{
    clock,
    net::{
        dial::{DialError, Transport},
        tls,
    },
    nonce::Nonces,
    subject::spawn::Spawned,
    timing::Timing,
    trace::Trace,
};
use rustls::pki_types::ServerName;

use super::subject::{RunError, Subject};
use crate::{
    invariants::Invariants,
    run::Options,
    server::{
        probe::{self, GreetingError},
        shared::Shared,
    },
};

/// How long a server that was started may take until it listens.
const STARTING: Duration = Duration::from_secs(15);

/// Finds the subject, after starting it when that is wanted.
pub(super) async fn find(
    subject: &Subject,
    spawned: Option<&mut Spawned>,
    options: &Options,
    seed: u64,
) -> Result<Shared, RunError> {
    let Some(spawned) = spawned else { return prepare(subject, options, seed).await };
    let failed = |error: String, spawned: &Spawned| RunError::Spawn {
        error,
        output: conformance_kit::escape::shorten(spawned.output().trim(), 2_000),
    };
    let target = match spawned.start().await {
        Ok(target) => target,
        Err(error) => return Err(failed(error.to_string(), spawned)),
    };
    let clock = clock::Clock::start();
    loop {
        match prepare(&Subject::Running(target.clone()), options, seed).await {
            Err(RunError::Unreachable { error, .. }) => {
                if !spawned.is_running() {
                    return Err(failed("it has ended".to_owned(), spawned));
                }
                if clock.elapsed() > STARTING.mul_f64(options.timeout_scale.max(1.0)) {
                    return Err(failed(error.to_string(), spawned));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
}

pub(super) fn name_of(subject: &Subject) -> String {
    match subject {
        Subject::Running(target) => target.to_string(),
        Subject::At { host, .. } => host.clone(),
        Subject::Spawned { command, .. } => command.clone(),
    }
}

/// Finds the subject and learns how it speaks.
async fn prepare(subject: &Subject, options: &Options, seed: u64) -> Result<Shared, RunError> {
    let target = name_of(subject);
    let (host, addresses) = match subject {
        Subject::Running(target) => {
            let found = target.resolve().await;
            let error = |error| RunError::Lookup { target: target.to_string(), error };
            (target.host.clone(), found.map_err(error)?)
        }
        Subject::At { host, addresses } => (host.clone(), addresses.clone()),
        // Started and looked up by the caller.
        Subject::Spawned { command, .. } => return Err(RunError::Name(command.clone())),
    };
    let config = tls::configuration(&options.trust, options.keylog.clone())?;
    let name = options.sni.clone().unwrap_or(host);
    let name = ServerName::try_from(name.clone()).map_err(|_| RunError::Name(name))?;
    let transport = Transport::Tls(Arc::new(config), name);
    let mut nonces = Nonces::new(seed, "greeting");
    let mark = format!("malformed-{}", nonces.letters(8));
    let mut last = DialError::TcpSlow(Duration::ZERO);
    for address in &addresses {
        let shared = Shared::new(
            *address,
            addresses.clone(),
            transport.clone(),
            Timing::unmeasured(options.timeout_scale),
            Invariants::new(mark.clone(), nonces.number()),
        );
        let trace = Trace::new(shared.clock);
        let scale = options.timeout_scale;
        match probe::greet(&shared, options.tls, &mut nonces, &trace, scale).await {
            Ok(()) => return Ok(shared),
            Err(GreetingError::Untrusted(error)) => {
                return Err(RunError::Untrusted { target, error });
            }
            Err(GreetingError::Unreachable(error)) => last = error,
        }
    }
    Err(RunError::Unreachable { target, error: last })
}
