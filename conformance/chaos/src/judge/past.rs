//! The past that a base client is told when it joins, against the log. All of what was said to everybody, and to this name, has to be in
//! it (HI-1, HI-2), so from its oldest message to its newest one nothing may be missing. That it reaches up to the moment of joining is
//! shown by what comes behind it: the session has to be told all that is newer than its newest message.

use std::collections::BTreeSet;

use super::{
    findings::{Findings, Kind},
    log::Log,
};
use crate::evidence::{Entry, Name, PAST, Place, Print, Seen, Side};

/// Looks for holes, and for messages with words that are on no page. `base` is the witness, and `name` what it is called.
///
/// A message with such words between two others stands for one that is missing there: it was altered. Where none is missing, it is on no
/// page, and lost.
pub(super) fn look(base: Name, name: &str, told: &[Seen], log: &Log, findings: &mut Findings) {
    let ids: BTreeSet<u64> = told.iter().map(|seen| seen.id).filter(|id| *id > 0).collect();
    // What is stored under two ids is told under the first of them, and is found as that.
    let prints: BTreeSet<Print> = told.iter().map(|seen| seen.print).collect();
    // Only the newest of a long past are kept, so that its beginning is known only where it is short.
    let from = if told.len() < PAST { 0 } else { ids.first().copied().unwrap_or(u64::MAX) };
    let to = ids.last().copied().unwrap_or_default();
    let is_due = |entry: &Entry| match entry.place {
        Some(Place::Lobby) => true,
        Some(Place::User(to)) => to == base,
        _ => false,
    };
    let entries = log.entries.values();
    let mut due =
        entries.filter(|entry| is_due(entry) && (from..=to).contains(&entry.id)).peekable();
    let mut strange = 0_usize;
    for seen in told {
        if seen.id == 0 {
            if seen.side == Side::Foreign {
                findings
                    .add(Kind::Leaked, || format!("{name} was told something for somebody else"));
            } else {
                strange += 1;
            }
            continue;
        }
        while let Some(entry) = due.next_if(|entry| entry.id <= seen.id) {
            if prints.contains(&entry.print) {
                continue;
            }
            if strange > 0 {
                strange -= 1;
                findings.add(Kind::Altered, || {
                    format!(
                        "{name} was told something else in place of {} when it joined",
                        entry.id
                    )
                });
            } else {
                findings.add(Kind::Missing, || {
                    format!("{name} was not told {} when it joined", entry.id)
                });
            }
        }
        lost(name, std::mem::take(&mut strange), findings);
    }
    lost(name, strange, findings);
}

fn lost(name: &str, count: usize, findings: &mut Findings) {
    for _ in 0..count {
        findings.add(Kind::Lost, || {
            format!("{name} was told something that is on no page when it joined")
        });
    }
}
