//! One name has one holder at a time. Clocks don't tell: two connections may both believe to have it while a
//! node is cut off. The log does: what was said under a name comes session by session, and no session goes on
//! once another had the name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    findings::{Findings, Kind},
    log::Log,
};
use crate::evidence::{Evidence, Name};

/// Looks whether the sessions of each name follow one another.
pub(super) fn look(evidence: &Evidence, log: &Log, findings: &mut Findings) {
    let mut now: BTreeMap<Name, (usize, u32)> = BTreeMap::new();
    let mut over: BTreeSet<(usize, u32)> = BTreeSet::new();
    for (id, entry) in &log.entries {
        let Some((who, n)) = log.author(entry.print) else { continue };
        let Some(testimony) = evidence.testimonies.get(who) else { continue };
        let Some(post) = testimony.posts.get(n) else { continue };
        let holder = (who, post.session);
        let before = now.insert(testimony.name, holder);
        if let Some(before) = before.filter(|before| *before != holder) {
            over.insert(before);
        }
        if over.contains(&holder) {
            findings.add(Kind::NameTwice, || {
                let name = evidence.names.get(usize::from(testimony.name));
                let name = name.map_or("?", String::as_str);
                format!("{name} said message {id} in a session that was over")
            });
        }
    }
}
