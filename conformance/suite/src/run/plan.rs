//! What a run would ask, before there is a subject to ask: for the report of one that never began.

use conformance_kit::clock;

use super::Options;
use crate::{
    case::{Judged, Row},
    cases,
    claims::Claims,
    clause,
    report::Header,
    select::{self, Selected},
};

/// The cases that a server would be asked; none when the selection is wrong.
#[must_use]
pub fn of_server(options: &Options) -> Vec<&'static Row> {
    let all: Vec<_> = cases::server_cases().collect();
    let Ok(named) = select::Pattern::parse_list(&options.only) else { return Vec::new() };
    let Ok(claims) = Claims::parse(&options.claims, &all) else { return Vec::new() };
    let mut selected = select::select(&all, &options.only, &options.skip).unwrap_or_default();
    selected.retain(|(case, _)| claims.concern(case, &named));
    rows(&selected)
}

/// The cases that a client would be asked; none when the selection is wrong.
#[must_use]
pub fn of_client(options: &Options) -> Vec<&'static Row> {
    let all: Vec<_> = cases::client_cases().collect();
    rows(&select::select(&all, &options.only, &options.skip).unwrap_or_default())
}

fn rows<J: Judged>(selected: &[Selected<J>]) -> Vec<&'static Row> {
    selected.iter().map(|(case, _)| case.row()).collect()
}

/// The head of the report of a run that never began.
#[must_use]
pub fn header(target: &str, options: &Options) -> Header {
    Header {
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        edition: clause::edition(),
        target: target.to_owned(),
        address: "not reached".to_owned(),
        seed: options.seed.unwrap_or_default(),
        strict: options.strict,
        started: clock::unix_seconds(),
        command: options.command.clone(),
    }
}
