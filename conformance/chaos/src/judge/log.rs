//! The whole log, put together from the pages of all nodes: they have to be equal, and to hold each message
//! once, what was acknowledged above all.

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map};

use super::findings::{Findings, Kind};
use crate::evidence::{Entry, Evidence, Name, Pages, Place, Print};

/// Who sent a post: the testimony, and the place among its posts.
pub(super) type Author = (usize, usize);

/// One list of pages: the lobby or a room, or what was said with one partner.
type Conversation = (Option<Place>, Option<Name>);

/// What was said, as the nodes tell it.
pub(super) struct Log {
    /// By id.
    pub(super) entries: BTreeMap<u64, Entry>,
    /// Who sent what.
    authors: HashMap<Print, Author>,
}

impl Log {
    /// Puts the pages together, and compares those of each node with those of the others.
    pub(super) fn of(evidence: &Evidence, findings: &mut Findings) -> Self {
        let mut authors = HashMap::new();
        for (who, testimony) in evidence.testimonies.iter().enumerate() {
            for (n, post) in testimony.posts.iter().enumerate() {
                authors.insert(post.print, (who, n));
            }
        }
        let mut entries: BTreeMap<u64, Entry> = BTreeMap::new();
        for entry in evidence.pages.iter().flat_map(|pages| &pages.entries) {
            match entries.entry(entry.id) {
                btree_map::Entry::Vacant(place) => drop(place.insert(*entry)),
                btree_map::Entry::Occupied(place) if place.get() != entry => {
                    findings.add(Kind::Differing, || {
                        format!("message {} is not the same everywhere", entry.id)
                    });
                }
                btree_map::Entry::Occupied(_) => {}
            }
        }
        let log = Self { entries, authors };
        log.compare_nodes(evidence, findings);
        log.look_for_doubles(findings);
        log
    }

    /// Who sent a message; nothing where nobody of the run did.
    pub(super) fn author(&self, print: Print) -> Option<Author> {
        self.authors.get(&print).copied()
    }

    fn compare_nodes(&self, evidence: &Evidence, findings: &mut Findings) {
        // What one reader is told by any node, all nodes tell.
        let mut readers: BTreeMap<Option<Name>, Vec<&Pages>> = BTreeMap::new();
        for pages in &evidence.pages {
            readers.entry(pages.reader).or_default().push(pages);
        }
        for (reader, pages) in readers {
            let all: BTreeSet<u64> =
                pages.iter().flat_map(|pages| pages.entries.iter().map(|entry| entry.id)).collect();
            for pages in pages {
                self.look_at(reader, pages, findings);
                let here: BTreeSet<u64> = pages.entries.iter().map(|entry| entry.id).collect();
                for id in all.difference(&here) {
                    findings.add(Kind::Differing, || {
                        format!("node {} does not tell message {id}", pages.node)
                    });
                }
            }
        }
    }

    /// The pages of one reader from one node: rising places by place, and nobody else's.
    fn look_at(&self, reader: Option<Name>, pages: &Pages, findings: &mut Findings) {
        let mut last: BTreeMap<Conversation, u64> = BTreeMap::new();
        for entry in &pages.entries {
            // Those of the private pages come conversation by conversation.
            let conversation = match (reader, entry.place) {
                (Some(me), Some(Place::User(to))) => {
                    let partner = if entry.src == Some(me) { Some(to) } else { entry.src };
                    (None, partner)
                }
                (_, place) => (place, None),
            };
            let before = last.insert(conversation, entry.id);
            if before.is_some_and(|before| before >= entry.id) {
                findings.add(Kind::Disordered, || {
                    format!("on pages of node {}, {} is behind {before:?}", pages.node, entry.id)
                });
            }
            let mine = match (reader, entry.place) {
                (Some(me), Some(Place::User(to))) => to == me || entry.src == Some(me),
                (None, Some(Place::User(_))) => false,
                _ => true,
            };
            if !mine {
                findings.add(Kind::Leaked, || {
                    format!("message {} is on a page of somebody else's", entry.id)
                });
            }
        }
    }

    fn look_for_doubles(&self, findings: &mut Findings) {
        let mut first: HashMap<Print, u64> = HashMap::new();
        for (id, entry) in &self.entries {
            if self.author(entry.print).is_none() {
                findings.add(Kind::Invented, || format!("nobody sent message {id}"));
            }
            if let Some(before) = first.insert(entry.print, *id) {
                findings.add(Kind::Doubled, || format!("{before} and {id} are one message"));
            }
        }
    }
}
