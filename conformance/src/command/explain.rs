//! `list`, `explain` and what else the suite says about itself, for people and programs.

use std::fmt::Write as _;

use conformance_suite::{case::Row, cases, clause};
use serde_json::json;

use super::{again::program, say};

pub(crate) fn list(json: bool) -> anyhow::Result<u8> {
    if json {
        let cases: Vec<_> = cases::rows().map(describe).collect();
        say::line(serde_json::to_string_pretty(&cases)?)?;
        return Ok(0);
    }
    let mut out = String::new();
    for (group, title, cases) in cases::groups() {
        writeln!(out, "{group}: {title}")?;
        for case in cases {
            row(&mut out, case)?;
        }
    }
    let (servers, clients) = (cases::server_cases().count(), cases::client_cases().count());
    writeln!(out, "\n{servers} cases for servers, {clients} for clients")?;
    say::print(out)?;
    Ok(0)
}

/// One case in a list.
fn row(out: &mut String, case: &Row) -> std::fmt::Result {
    let mut mark = if case.literal { " (literal reading)" } else { "" }.to_owned();
    if let Some(names) = claims(case) {
        write!(mark, " (only with --claims {names})")?;
    }
    writeln!(out, "  {:26} {:6} {:5} {}{mark}", case.id, case.level, case.clause, case.title)
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

/// Explains a case, a clause or a group; an area of clauses, too.
pub(crate) fn explain(word: &str) -> anyhow::Result<u8> {
    let asked = word.trim();
    let out = if let Some(case) = cases::find(asked) {
        of_case(case)?
    } else if let Some((_, title, cases)) = cases::groups().find(|(group, _, _)| *group == asked) {
        of_group(asked, title, &cases)?
    } else {
        let is_meant = |clause: &&clause::Clause| {
            let area = clause.id.split('-').next().unwrap_or_default();
            clause.id.eq_ignore_ascii_case(asked) || area.eq_ignore_ascii_case(asked)
        };
        let clauses: Vec<_> = clause::CLAUSES.iter().filter(is_meant).collect();
        if clauses.is_empty() {
            let asked = conformance_kit::escape::visible(asked);
            anyhow::bail!("there is no case, group or clause {asked:?}; {}", instead(&asked));
        }
        clauses.into_iter().map(of_clause).collect::<Result<Vec<_>, _>>()?.join("\n")
    };
    say::print(out)?;
    Ok(0)
}

/// What may have been meant by a word that names nothing.
fn instead(asked: &str) -> String {
    let asked = asked.to_ascii_lowercase();
    let groups = cases::groups().map(|(group, _, _)| group.to_owned());
    let ids = cases::rows().map(|case| case.id.to_owned());
    let clauses = clause::CLAUSES.iter().map(|clause| clause.id.to_owned());
    let mut near: Vec<(f64, String)> = groups
        .chain(ids)
        .chain(clauses)
        .map(|known| (likeness(&asked, &known.to_ascii_lowercase()), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let near: Vec<String> = near.into_iter().take(6).map(|(_, known)| known).collect();
    if near.is_empty() {
        format!("see `{} list`", program())
    } else {
        format!("do you mean {}?", near.join(", "))
    }
}

/// How much a word is like one that is known, from 0 to 1; the last part of an id alone will do.
fn likeness(asked: &str, known: &str) -> f64 {
    let part = known.rsplit('.').next().unwrap_or(known);
    strsim::jaro_winkler(asked, known).max(strsim::jaro_winkler(asked, part))
}

fn of_group(group: &str, title: &str, cases: &[&Row]) -> Result<String, std::fmt::Error> {
    let mut out = format!("{group}  {title}\n\n");
    for case in cases {
        row(&mut out, case)?;
    }
    let first = cases.first().map_or("ID", |case| case.id);
    writeln!(out, "\nOne of them: {} explain {first}", program())?;
    Ok(out)
}

/// A clause, and the cases that ask about it.
fn of_clause(clause: &clause::Clause) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    rule(&mut out, clause)?;
    let about: Vec<_> = cases::rows().filter(|case| case.clause == clause.id).collect();
    if about.is_empty() {
        writeln!(out, "\n  No case asks about it.")?;
    } else {
        writeln!(out)?;
    }
    for case in about {
        row(&mut out, case)?;
    }
    Ok(out)
}

fn rule(out: &mut String, clause: &clause::Clause) -> std::fmt::Result {
    writeln!(out, "  {} {} (from: {})\n    {}", clause.id, clause.level, clause.origin, clause.rule)
}

fn of_case(case: &Row) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "{}  {}", case.id, case.title)?;
    if let Some(clause) = clause::find(case.clause) {
        writeln!(out)?;
        rule(&mut out, clause)?;
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
    Ok(out)
}

/// Prints the norm, or what goes beyond it, as it was when this program was built.
pub(crate) fn norm(capabilities: bool) -> anyhow::Result<u8> {
    say::print(if capabilities { clause::CAPABILITIES } else { clause::NORM })?;
    Ok(0)
}

pub(crate) fn schema() -> anyhow::Result<u8> {
    say::print(conformance_suite::report::json::schema()?)?;
    Ok(0)
}

pub(crate) fn kill_matrix(clients: bool) -> anyhow::Result<u8> {
    let page = if clients { cases::client_kill_matrix() } else { cases::kill_matrix() };
    say::print(page)?;
    Ok(0)
}
