//! Grades clients: the suite is the server, and operates the client as its user would.
//!
//! The twin of [`run`](mod@crate::run): a [`hands`] gives a case its hands, a [`session`] is one
//! client that came to the [`listener`] of the suite, an [`operator`] is that client and whoever operates
//! it, the [`screen`] is what it shows, a [`peer`] its connection, and the [`profile`] says how it
//! wants to be operated.

use std::sync::Arc;

use conformance_kit::{
    authority::{Authority, AuthorityError},
    clock,
    nonce::Nonces,
};
use thiserror::Error;

use super::client_schedule as schedule;
use crate::{
    cases, clause,
    client::{Means, Profile, Shared, probe, profile::ProfileError, shared::Pace},
    invariants::Invariants,
    report::{Header, Report},
    run::{Options, Unwatched, Watch},
    select::{self, SelectError},
    verdict::Verdict,
};

/// A client that is to be judged.
#[derive(Clone)]
pub struct Client {
    /// Its command line, with `{host}`, `{port}`, `{ca}` and perhaps `{name}`; may be empty when a
    /// person starts it.
    pub command: Vec<String>,
    /// How it is operated.
    pub means: Means,
    /// How to operate it.
    pub profile: Profile,
}

/// Why there is no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The selection is none.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The profile can't work.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// No command, and nobody who would start the client.
    #[error("which client? give its command after --")]
    NoCommand,
    /// The command line does not say where the server is.
    #[error("the command holds no {0}, so the client would not find the suite's server")]
    NoPlace(&'static str),
    /// Certificates could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The client can't be started.
    #[error("{0}")]
    Start(String),
}

impl ClientError {
    /// The exit code: 64 for a wrong command line, 69 when the client can't be started.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Select(_) | Self::Profile(_) | Self::NoCommand | Self::NoPlace(_) => 64,
            Self::Start(_) => 69,
            Self::Authority(_) => 70,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoCommand | Self::NoPlace(_) => Some(
                "for example: conformance client -- python3 client.py {host} -p {port} -ca {ca}",
            ),
            Self::Start(_) => Some("does the command work when you type it yourself?"),
            _ => None,
        }
    }
}

/// Judges a client.
///
/// # Errors
/// When there is nothing to judge: a wrong selection, or a client that can't be started. Whatever
/// the client does wrong is in the report instead.
pub async fn run(client: &Client, options: &Options) -> Result<Report, ClientError> {
    run_watched(client, options, &mut Unwatched).await
}

/// Judges a client and tells of each result as soon as it is there.
///
/// # Errors
/// As [`run`].
pub async fn run_watched(
    client: &Client,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Report, ClientError> {
    client.check()?;
    let all: Vec<_> = cases::client_cases().collect();
    let selected = select::select(&all, &options.only, &options.skip)?;
    let seed = options.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let started = clock::unix_seconds();
    let mut nonces = Nonces::new(seed, "client");
    let people = matches!(client.means, Means::Person(_));
    let pace = if people { Pace::of_people } else { Pace::unmeasured };
    let shared = Arc::new(Shared::new(
        client.command.clone(),
        client.means.clone(),
        client.profile.clone(),
        Authority::make()?,
        Invariants::new(format!("malformed-{}", nonces.letters(8)), nonces.number()),
        pace(options.timeout_scale),
    ));
    if let Err(Verdict::Inconclusive { reason }) =
        probe::greet(&shared, seed, options.timeout_scale).await
    {
        return Err(ClientError::Start(reason));
    }
    let mut options = options.clone();
    if people {
        // One person, one client.
        options.jobs = 1;
    }
    let header = Header {
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        edition: clause::edition(),
        target: client.name(),
        address: client.means.word().to_owned(),
        seed,
        strict: options.strict,
        started,
        command: options.command.clone(),
    };
    watch.begins(&header, &selected.iter().map(|(case, _)| *case).collect::<Vec<_>>());
    let (cases, bugs) = schedule::run(&shared, &options, seed, selected, watch).await;
    Ok(Report {
        header,
        cases,
        took_ms: u64::try_from(shared.clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        bugs,
        stale: Vec::new(),
        output: String::new(),
    })
}

impl Client {
    fn check(&self) -> Result<(), ClientError> {
        self.profile.check()?;
        match self.means {
            Means::Person(_) => return Ok(()),
            _ if self.command.is_empty() => return Err(ClientError::NoCommand),
            // An adapter is told.
            Means::Adapter => return Ok(()),
            Means::Terminal | Means::Pipe => {}
        }
        let holds = |place: &str| {
            self.command.iter().chain(self.profile.env.values()).any(|word| word.contains(place))
        };
        if holds("{port}") { Ok(()) } else { Err(ClientError::NoPlace("{port}")) }
    }

    fn name(&self) -> String {
        if self.command.is_empty() { "a client".to_owned() } else { self.command.join(" ") }
    }
}
