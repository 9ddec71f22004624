//! Who is said to be here: nobody twice, nobody who is gone, and nobody is said to be gone who is here.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Findings, Kind};
use crate::evidence::{
    Closing, Evidence, Fault, Micros, Name, Place, SECOND, Session, Testimony, What,
};

/// So far the moment at which one user sees something may be from the moment at which another does.
const APART: Micros = 2 * SECOND;
/// Within this time several users see one notice.
const ONE_NOTICE: Micros = 3 * SECOND;
/// A connection that ended so long before, or after, a fault of its node, ended because of it.
const CAUSE: Micros = 5 * SECOND;
/// A node that is restarted in order holds the places of its users at least so long.
const DRAIN: Micros = SECOND;

/// The word for a message to nobody.
const NOBODY: &str = "no-such-user";

/// A connection of a user.
#[derive(Debug, Clone, Copy)]
struct Stay {
    node: u16,
    from: Micros,
    until: Micros,
    resumed: bool,
    /// Whether the user ended it.
    mine: bool,
    /// Whether it took the session over from a connection that was still there.
    moved: bool,
}

/// A notice that somebody is gone.
#[derive(Debug, Clone, Copy)]
struct Gone {
    at: Micros,
    name: Name,
    /// Whether the same witness saw that user come back soon.
    back: bool,
}

/// Looks at all lists and notices.
pub(super) fn look(evidence: &Evidence, findings: &mut Findings) {
    let mut stays: BTreeMap<Name, Vec<Stay>> = BTreeMap::new();
    for testimony in &evidence.testimonies {
        stays.entry(testimony.name).or_default().extend(stays_of(testimony));
    }
    let settled: BTreeSet<Name> = evidence
        .testimonies
        .iter()
        .filter(|testimony| testimony.settled)
        .map(|testimony| testimony.name)
        .collect();
    for testimony in &evidence.testimonies {
        look_for_refusals(evidence, testimony, &stays, findings);
    }
    let mut notices = Vec::new();
    for testimony in &evidence.testimonies {
        notices.extend(watch(evidence, testimony, &settled, findings));
    }
    notices.sort_by_key(|gone: &Gone| (gone.name, gone.at));
    let mut last: Option<(Name, Micros)> = None;
    for gone in notices {
        let none = Vec::new();
        if !is_false(evidence, stays.get(&gone.name).unwrap_or(&none), gone) {
            continue;
        }
        let counted = last
            .is_some_and(|(name, at)| name == gone.name && gone.at.saturating_sub(at) < ONE_NOTICE);
        if !counted {
            last = Some((gone.name, gone.at));
            findings.add(Kind::FalseAccusation, || {
                let seconds = gone.at / SECOND;
                format!("{} was announced as gone at {seconds} s", name_of(evidence, gone.name))
            });
        }
    }
}

fn name_of(evidence: &Evidence, name: Name) -> &str {
    evidence.names.get(usize::from(name)).map_or("?", String::as_str)
}

fn stays_of(testimony: &Testimony) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    let (mut open, mut moved) = (false, false);
    for event in &testimony.events {
        match &event.what {
            What::Welcomed(welcome) => {
                stays.push(Stay {
                    node: welcome.node,
                    from: event.at,
                    until: Micros::MAX,
                    resumed: welcome.session == Session::Resumed,
                    mine: false,
                    moved,
                });
                moved = false;
                open = true;
            }
            What::Closed(why) if open => {
                open = false;
                moved = *why == Closing::Moved;
                if let Some(stay) = stays.last_mut() {
                    (stay.until, stay.mine) = (event.at, moved || *why == Closing::Mine);
                }
            }
            _ => {}
        }
    }
    stays
}

/// Follows the list of one witness; gives the notices that it can be asked about.
fn watch(
    evidence: &Evidence,
    testimony: &Testimony,
    settled: &BTreeSet<Name>,
    findings: &mut Findings,
) -> Vec<Gone> {
    let me = name_of(evidence, testimony.name);
    let mut here: BTreeSet<Name> = BTreeSet::new();
    let mut notices: Vec<Gone> = Vec::new();
    let mut node = 0;
    for event in &testimony.events {
        match &event.what {
            What::Welcomed(welcome) => {
                node = welcome.node;
                here = welcome.users.iter().copied().collect();
                if here.len() < welcome.users.len() {
                    findings
                        .add(Kind::NameTwice, || format!("a name is twice in the list of {me}"));
                }
            }
            What::Came(name) => {
                let now = event.at;
                for gone in notices.iter_mut().rev().take_while(|gone| now - gone.at < APART) {
                    gone.back |= gone.name == *name;
                }
                // A server may tell newcomers of themselves (UJ-3).
                if !here.insert(*name) && *name != testimony.name {
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
                // Whoever is at a node in trouble hears of things late.
                if !troubled(evidence, node, event.at) {
                    notices.push(Gone { at: event.at, name: *name, back: false });
                }
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

/// Looks for private messages that were refused as to nobody, although their recipient had long been there and stayed.
fn look_for_refusals(
    evidence: &Evidence,
    testimony: &Testimony,
    stays: &BTreeMap<Name, Vec<Stay>>,
    findings: &mut Findings,
) {
    for event in &testimony.events {
        let What::Refused(post, code) = &event.what else { continue };
        let post = usize::try_from(*post).ok().and_then(|post| testimony.posts.get(post));
        let Some(Place::User(to)) = post.map(|post| post.place) else { continue };
        let settled = |stay: &Stay| {
            stay.from.saturating_add(CAUSE) < event.at
                && event.at.saturating_add(APART) < stay.until
                && !troubled(evidence, stay.node, event.at)
        };
        let there = stays.get(&to).is_some_and(|stays| stays.iter().any(settled));
        if code == NOBODY && there {
            findings.add(Kind::Unreachable, || {
                let (me, to) = (name_of(evidence, testimony.name), name_of(evidence, to));
                format!("{me} could not write to {to} at {} s", event.at / SECOND)
            });
        }
    }
}

/// Whether a node has a fault at this moment, or has just had one.
fn troubled(evidence: &Evidence, node: u16, at: Micros) -> bool {
    evidence.faults.iter().any(|struck| {
        struck.node == Some(node)
            && struck.from <= at.saturating_add(APART)
            && at <= struck.until.saturating_add(evidence.grace)
    })
}

/// Whether a user was announced as gone without reason.
fn is_false(evidence: &Evidence, stays: &[Stay], gone: Gone) -> bool {
    let at = gone.at;
    if let Some(stay) = stays.iter().find(|stay| stay.from < at && at < stay.until) {
        // Whoever has just come may have been announced before that, and again afterwards.
        let took_over = stay.moved && stay.resumed;
        let settled_in = took_over || stay.from.saturating_add(APART) < at;
        let leaves = stay.until.saturating_sub(at) < APART;
        return !leaves && (settled_in || !gone.back) && !troubled(evidence, stay.node, at);
    }
    let before = stays.iter().filter(|stay| stay.until <= at).max_by_key(|stay| stay.until);
    let after = stays.iter().filter(|stay| stay.from >= at).min_by_key(|stay| stay.from);
    let (Some(before), Some(after)) = (before, after) else { return false };
    if before.mine || !after.resumed {
        return false;
    }
    let away = after.from.saturating_sub(before.until);
    evidence.faults.iter().any(|struck| {
        let near = struck.node == Some(before.node)
            && struck.from <= before.until.saturating_add(SECOND)
            && before.until <= struck.until.saturating_add(CAUSE);
        near && match struck.fault {
            Fault::NodeKilled => away < evidence.hold,
            Fault::RollingRestart => away < DRAIN,
            _ => false,
        }
    })
}
