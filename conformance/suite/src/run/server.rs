//! Runs cases against a subject.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use conformance_kit::{
    clock,
    net::{
        dial::{DialError, Transport},
        target::Target,
        tls::{self, TlsSetupError},
    },
    nonce::Nonces,
    subject::spawn::Spawned,
    timing::Timing,
    trace::Trace,
};
use rustls::pki_types::ServerName;
use thiserror::Error;

use super::{Options, Unwatched, Watch, schedule};
use crate::{
    cases,
    claims::{ClaimError, Claims},
    clause,
    invariants::Invariants,
    report::{Header, Report},
    select::{self, SelectError},
    server::{
        probe::{self, GreetingError},
        shared::Shared,
    },
};

/// What is to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A server that is running; its name is looked up.
    Running(Target),
    /// A server that is running on these addresses, under this name in TLS.
    At {
        /// The name for TLS and reports.
        host: String,
        /// Where it listens; the first that answers is used.
        addresses: Vec<SocketAddr>,
    },
    /// A server that the suite starts itself, and again when it died.
    Spawned {
        /// A shell command, with `{host}` and `{port}`.
        command: String,
        /// A fresh server for every case.
        fresh: bool,
    },
}

/// Why there is no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The selection is none.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A claim is none.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The host is no name that TLS knows.
    #[error("{0:?} is no name for a TLS server")]
    Name(String),
    /// The name is not known.
    #[error("can't look up {target}: {error}")]
    Lookup {
        /// What was looked up.
        target: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The command does not start, or nobody listens.
    #[error("the server that was started does not answer: {error}; it printed: {output}")]
    Spawn {
        /// What is wrong.
        error: String,
        /// What it printed last, escaped.
        output: String,
    },
    /// Nobody is there.
    #[error("can't reach {target}: {error}")]
    Unreachable {
        /// The subject.
        target: String,
        /// What the network says of the last address.
        error: DialError,
    },
    /// The certificate is not trusted.
    #[error("the certificate of {target} is not trusted: {error}")]
    Untrusted {
        /// The subject.
        target: String,
        /// What TLS says.
        error: DialError,
    },
}

impl RunError {
    /// The exit code: 64 usage, 69 unreachable.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Select(_) | Self::Claim(_) | Self::Tls(_) | Self::Name(_) => 64,
            Self::Spawn { .. }
            | Self::Lookup { .. }
            | Self::Unreachable { .. }
            | Self::Untrusted { .. } => 69,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Untrusted { .. } => Some(
                "give the certificate of its authority with --ca FILE, or --insecure to accept every certificate (X.509 v1, too)",
            ),
            Self::Unreachable { .. } => Some("is the server running, and on this port?"),
            _ => None,
        }
    }
}

/// Judges a subject.
///
/// # Errors
/// When there is nothing to judge: nobody answers, or the options contradict themselves. Everything
/// that the subject does wrong is in the report instead.
pub async fn run(subject: &Subject, options: &Options) -> Result<Report, RunError> {
    run_watched(subject, options, &mut Unwatched).await
}

/// Judges a subject and tells of each result as soon as it is there.
///
/// # Errors
/// As [`run`].
pub async fn run_watched(
    subject: &Subject,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Report, RunError> {
    let all: Vec<_> = cases::server_cases().collect();
    let mut selected = select::select(&all, &options.only, &options.skip)?;
    let claims = Claims::parse(&options.claims, &all)?;
    let named = select::Pattern::parse_list(&options.only)?;
    selected.retain(|(case, _)| claims.concern(case, &named));
    let seed = options.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let mut spawned = match subject {
        Subject::Spawned { command, .. } => Some(Spawned::new(command)),
        _ => None,
    };
    let shared = Arc::new(find(subject, spawned.as_mut(), options, seed).await?);
    let header = Header {
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        edition: clause::edition(),
        target: name_of(subject),
        address: shared.address().to_string(),
        seed,
        strict: options.strict,
        started: clock::unix_seconds(),
        command: options.command.clone(),
    };
    watch.begins(&header, &selected.iter().map(|(case, _)| *case).collect::<Vec<_>>());
    let fresh = matches!(subject, Subject::Spawned { fresh: true, .. });
    let managed = spawned.map(|spawned| schedule::ManagedServer { spawned, fresh });
    let mut schedule =
        schedule::Schedule::new(Arc::clone(&shared), options, seed, selected, managed);
    shared.set_claims(claims.clone());
    shared.set_account(options.account.clone());
    schedule.claims = claims;
    schedule.run(watch).await;
    let output = schedule.output();
    let (cases, bugs) = schedule.finish();
    let took_ms = u64::try_from(shared.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Report { header, cases, took_ms, bugs, stale: Vec::new(), output })
}

/// How long a server that was started may take until it listens.
const STARTING: Duration = Duration::from_secs(15);

/// Finds the subject, after starting it when that is wanted.
async fn find(
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

fn name_of(subject: &Subject) -> String {
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
