//! Judges a server: selects the cases, finds the subject, runs the schedule, and reports.

use std::sync::Arc;

use conformance_kit::clock;

use super::{
    find::{find, name_of},
    runner::{ManagedServer, Plan, ServerRunner},
    subject::{RunError, Subject},
};
use crate::{
    case::Isolation,
    cases,
    claims::Claims,
    clause,
    report::{Header, Report},
    run::{Options, Unwatched, Watch, schedule::Schedule},
    select,
};

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
    let (shared, server) = find(subject, options, seed).await?;
    let shared = Arc::new(shared);
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
    watch.begins(&header, &selected.iter().map(|(case, _)| case.row()).collect::<Vec<_>>());
    let fresh = matches!(subject, Subject::Spawned { fresh: true, .. });
    let managed = server.map(|server| ManagedServer::new(server, fresh));
    // Who names a case that leaves much behind wants it asked.
    let heavy = options.heavy
        || selected.iter().any(|(case, _)| {
            case.isolation == Isolation::Heavy && named.iter().any(|pattern| pattern.names(case))
        });
    shared.set_claims(claims);
    shared.set_account(options.account.clone());
    shared.set_staff(options.staff.clone());
    let plan = Plan {
        heavy,
        feeds: selected.iter().any(|(case, _)| case.isolation == Isolation::Last),
        scale: options.timeout_scale,
    };
    let runner = ServerRunner::new(Arc::clone(&shared), managed, plan);
    let (runner, (cases, bugs)) = Schedule::new(runner, options, seed, selected).run(watch).await;
    let output = runner.output();
    let took_ms = u64::try_from(shared.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Report { header, cases, took_ms, bugs, stale: Vec::new(), output, trouble: None })
}
