//! What the pages of all had in the run before, against those of this one: each node has it still, in the same words, and nothing has come
//! into it. What is gone from its beginning on was said too long ago for the server to keep it, which is no fault.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::findings::{Findings, Kind};
use crate::evidence::{Entry, Evidence, Pages, Place, Print};

/// What was said in one place.
type Said = BTreeMap<u64, Print>;

/// Looks at the pages of each node.
pub(super) fn look(evidence: &Evidence, findings: &mut Findings) {
    for pages in public(evidence) {
        for (told, kept) in places(evidence, pages) {
            if !is_cut_short(&told, &kept) {
                compare(&told, &kept, findings);
            }
        }
        if evidence.before.is_all {
            look_for_more(&evidence.before.told, pages, findings);
        }
    }
}

/// Whether a node has forgotten the beginning of what was said in the run before, and nothing behind that, so that its pages can't be
/// looked at.
#[must_use]
pub fn keeps_too_little(evidence: &Evidence) -> bool {
    let mut places = public(evidence).flat_map(|pages| places(evidence, pages));
    places.any(|(told, kept)| is_cut_short(&told, &kept))
}

fn public(evidence: &Evidence) -> impl Iterator<Item = &Pages> {
    evidence.pages.iter().filter(|pages| pages.reader.is_none())
}

/// For each place, what was said there in the run before, and what a node has of earlier runs. Servers bound each place by itself.
fn places(evidence: &Evidence, pages: &Pages) -> Vec<(Said, Said)> {
    let mut kept = by_place(&pages.older);
    let told = by_place(&evidence.before.told).into_iter();
    told.map(|(place, told)| (told, kept.remove(&place).unwrap_or_default())).collect()
}

fn by_place(entries: &[Entry]) -> BTreeMap<Option<Place>, Said> {
    let mut places: BTreeMap<Option<Place>, Said> = BTreeMap::new();
    for entry in entries {
        places.entry(entry.place).or_default().insert(entry.id, entry.print);
    }
    places
}

/// Whether all that is gone is older than all that is there.
fn is_cut_short(told: &Said, kept: &Said) -> bool {
    let Some((first, _)) = kept.first_key_value() else { return false };
    let mut gone = told.keys().filter(|id| !kept.contains_key(*id)).peekable();
    gone.peek().is_some() && gone.all(|id| id < first)
}

fn compare(told: &Said, kept: &Said, findings: &mut Findings) {
    for (id, print) in told {
        match kept.get(id) {
            None => findings.add(Kind::Lost, || format!("message {id} of before is gone")),
            Some(now) if now != print => findings
                .add(Kind::Altered, || format!("message {id} of before has other words now")),
            Some(_) => {}
        }
    }
}

/// What has come into the run before since: what was said there, under another id, or what nobody has said.
fn look_for_more(told: &[Entry], pages: &Pages, findings: &mut Findings) {
    let known: HashSet<u64> = told.iter().map(|entry| entry.id).collect();
    let prints: HashMap<Print, u64> = told.iter().map(|entry| (entry.print, entry.id)).collect();
    for entry in pages.older.iter().filter(|entry| !known.contains(&entry.id)) {
        let id = entry.id;
        match prints.get(&entry.print) {
            Some(before) => findings.add(Kind::Doubled, || {
                format!("message {before} of before is stored as {id}, too, by now")
            }),
            None => findings.add(Kind::Invented, || {
                format!("message {id} was not there before, and nobody sent it since")
            }),
        }
    }
}
