//! Judges a client: the suite is the server, and operates the client as its user would.

use std::sync::Arc;

use conformance_kit::{authority::Authority, clock, nonce::Nonces};

use super::{
    runner::ClientRunner,
    subject::{Client, ClientError},
};
use crate::{
    cases, clause,
    client::{
        Means, probe,
        shared::{Pace, Shared},
    },
    invariants::Invariants,
    report::{Header, Report},
    run::{Options, Unwatched, Watch, schedule::Schedule},
    select,
    verdict::Verdict,
};

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
    watch.begins(&header, &selected.iter().map(|(case, _)| case.row()).collect::<Vec<_>>());
    let runner = ClientRunner { shared: Arc::clone(&shared) };
    let (_, (cases, bugs)) = Schedule::new(runner, &options, seed, selected).run(watch).await;
    Ok(Report {
        header,
        cases,
        took_ms: u64::try_from(shared.clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        bugs,
        stale: Vec::new(),
        output: String::new(),
        trouble: None,
    })
}
