//! Who is said to be here: nobody twice, and nobody is said to be gone who was not there.

use std::collections::BTreeSet;

use super::{
    accusations::Gone,
    findings::{Findings, Kind},
};
use crate::evidence::{Evidence, Name, Testimony, What};

/// Looks at all lists; gives the notices that somebody is gone.
pub(super) fn look(evidence: &Evidence, findings: &mut Findings) -> Vec<Gone> {
    let settled: BTreeSet<Name> = evidence
        .testimonies
        .iter()
        .filter(|testimony| testimony.settled)
        .map(|testimony| testimony.name)
        .collect();
    let testimonies = evidence.testimonies.iter();
    testimonies.flat_map(|testimony| watch(evidence, testimony, &settled, findings)).collect()
}

fn name_of(evidence: &Evidence, name: Name) -> &str {
    evidence.names.get(usize::from(name)).map_or("?", String::as_str)
}

/// Follows the list of one witness; gives the notices of which it can say between which messages they came.
fn watch(
    evidence: &Evidence,
    testimony: &Testimony,
    settled: &BTreeSet<Name>,
    findings: &mut Findings,
) -> Vec<Gone> {
    let me = name_of(evidence, testimony.name);
    let mut here: BTreeSet<Name> = BTreeSet::new();
    let (mut notices, mut pending): (Vec<Gone>, Vec<Gone>) = (Vec::new(), Vec::new());
    let mut newest = 0;
    for event in &testimony.events {
        match &event.what {
            What::Welcomed(welcome) => {
                newest = welcome.messages.iter().map(|seen| seen.id).fold(newest, u64::max);
                pending.clear();
                here = welcome.users.iter().copied().collect();
                if here.len() < welcome.users.len() {
                    findings
                        .add(Kind::NameTwice, || format!("a name is twice in the list of {me}"));
                }
            }
            What::Saw(seen) if seen.id > 0 => {
                newest = newest.max(seen.id);
                notices.extend(pending.drain(..).map(|gone| Gone { before: seen.id, ..gone }));
            }
            What::Came(name) => {
                let is_new = here.insert(*name);
                // A server may tell newcomers of themselves (UJ-3).
                if !is_new && *name != testimony.name {
                    findings.add(Kind::NameTwice, || {
                        let name = name_of(evidence, *name);
                        format!("{me} was told that {name} has joined, who was there")
                    });
                }
            }
            What::Went(name) => {
                if !here.remove(name) {
                    findings.add(Kind::Presence, || {
                        let name = name_of(evidence, *name);
                        format!("{me} was told that {name} is gone, who was not there")
                    });
                }
                pending.push(Gone { at: event.at, name: *name, after: newest, before: u64::MAX });
            }
            _ => {}
        }
    }
    if testimony.settled {
        let others = |list: &BTreeSet<Name>| -> BTreeSet<Name> {
            list.iter().copied().filter(|name| *name != testimony.name).collect()
        };
        for name in others(&here).symmetric_difference(&others(settled)) {
            findings.add(Kind::Presence, || {
                let (name, is) = (name_of(evidence, *name), here.contains(name));
                format!("at the end {name} is {}on the list of {me}", if is { "" } else { "not " })
            });
        }
    }
    notices
}
