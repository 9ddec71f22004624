//! `list`, `explain` and what else the suite says about itself, for people and programs.

use std::fmt::Write as _;

use conformance_suite::{case::Row, cases, clause};
use serde_json::json;

pub(crate) fn list(json: bool) -> anyhow::Result<u8> {
    if json {
        let cases: Vec<_> = cases::rows().map(describe).collect();
        anstream::println!("{}", serde_json::to_string_pretty(&cases)?);
        return Ok(0);
    }
    for (group, title, cases) in cases::groups() {
        anstream::println!("{group}: {title}");
        for case in cases {
            let mut mark = if case.literal { " (literal reading)" } else { "" }.to_owned();
            if let Some(names) = claims(case) {
                let _ = write!(mark, " (only with --claims {names})");
            }
            anstream::println!(
                "  {:26} {:6} {:5} {}{mark}",
                case.id,
                case.level,
                case.clause,
                case.title
            );
        }
    }
    let (servers, clients) = (cases::server_cases().count(), cases::client_cases().count());
    anstream::println!("\n{servers} cases for servers, {clients} for clients");
    Ok(0)
}

/// The extensions that have to be claimed for a case.
fn claims(case: &Row) -> Option<String> {
    let names: Vec<&str> = case.extension.into_iter().chain(case.also.iter().copied()).collect();
    (!names.is_empty()).then(|| names.join(","))
}

fn describe(case: &Row) -> serde_json::Value {
    json!({
        "id": case.id,
        "revision": case.revision,
        "side": case.side,
        "group": case.group(),
        "clause": case.clause,
        "level": case.level,
        "literal": case.literal,
        "extension": case.extension,
        "also": case.also,
        "title": case.title,
        "hint": case.hint,
        "needs": case.needs,
    })
}

pub(crate) fn explain(id: &str) -> anyhow::Result<u8> {
    let Some(case) = cases::find(id) else {
        let near = cases::rows().map(|case| case.id).filter(|known| {
            known.split('.').any(|part| id.contains(part))
                || id.split('.').any(|part| known.contains(part))
        });
        let near: Vec<_> = near.take(8).collect();
        let instead =
            if near.is_empty() { "see `conformance list`".to_owned() } else { near.join(", ") };
        anyhow::bail!("there is no case {:?}; {instead}", conformance_kit::escape::visible(id));
    };
    let mut out = String::new();
    writeln!(out, "{}  {}", case.id, case.title)?;
    if let Some(clause) = clause::find(case.clause) {
        writeln!(
            out,
            "\n  {} {} (from: {})\n    {}",
            clause.id, clause.level, clause.origin, clause.rule
        )?;
    }
    let consequence = match case.level {
        conformance_suite::clause::Level::Must => "A violation fails.",
        conformance_suite::clause::Level::Should => "A violation fails only under --strict.",
        conformance_suite::clause::Level::Open => "Observed and reported, never failed.",
    };
    writeln!(out, "\n  level    {}. {consequence}", case.level)?;
    if case.literal {
        writeln!(out, "  reading  by the letter of the assignment; no points depend on it")?;
    }
    if let Some(names) = claims(case) {
        writeln!(out, "  asked    only with --claims {names}")?;
    }
    if !case.hint.is_empty() {
        writeln!(out, "  often    {}", case.hint)?;
    }
    if !case.needs.is_empty() {
        writeln!(out, "  needs    {}", case.needs.join(", "))?;
    }
    for (fault, what) in cases::noticed(case.id) {
        writeln!(out, "  notices  {fault}: {what}")?;
    }
    anstream::print!("{out}");
    Ok(0)
}

pub(crate) fn schema() -> anyhow::Result<u8> {
    anstream::print!("{}", conformance_suite::report::json::schema()?);
    Ok(0)
}

pub(crate) fn kill_matrix(clients: bool) -> anyhow::Result<u8> {
    let page = if clients { cases::client_kill_matrix() } else { cases::kill_matrix() };
    anstream::print!("{page}");
    Ok(0)
}
