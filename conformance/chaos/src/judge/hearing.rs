//! One testimony against the log: what was acknowledged is stored; what a session had to see it has seen, once,
//! in the order of the ids; and nothing that was not for it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    findings::{Findings, Kind},
    log::Log,
    past,
};
use crate::evidence::{
    Entry, Evidence, Name, Place, Seen, Session, Side, Testimony, Welcome, What,
};

/// What one session has seen so far.
#[derive(Default)]
struct Sitting {
    seen: HashSet<u64>,
    /// Everything above this id had to come.
    from: u64,
    /// The greatest id that came.
    newest: u64,
    /// The rooms of which the user is a member, and the id behind which all of it had to come.
    rooms: BTreeMap<u16, u64>,
    /// Ranges of rooms that were not sent: from behind the first to the second.
    gaps: Vec<(u16, u64, u64)>,
    /// Memberships that have ended: the room, and the range in which they held.
    past: Vec<(u16, u64, u64)>,
}

/// Hears one witness.
pub(super) struct Hearing<'a> {
    evidence: &'a Evidence,
    testimony: &'a Testimony,
    log: &'a Log,
    findings: &'a mut Findings,
    sitting: Option<Sitting>,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(
        evidence: &'a Evidence,
        testimony: &'a Testimony,
        log: &'a Log,
        findings: &'a mut Findings,
    ) -> Self {
        Self { evidence, testimony, log, findings, sitting: None }
    }

    /// Goes through all that the witness has seen.
    pub(super) fn hear(mut self) {
        for event in &self.testimony.events {
            match &event.what {
                What::Welcomed(welcome) => self.welcomed(welcome),
                What::Saw(seen) => self.saw(*seen),
                What::Entered(room, last) => {
                    if let Some(sitting) = &mut self.sitting {
                        sitting.rooms.entry(*room).or_insert(*last);
                    }
                }
                What::Sent(_)
                | What::Acked(..)
                | What::Refused(..)
                | What::Came(_)
                | What::Went(_)
                | What::Noticed
                | What::OffClock
                | What::TurnedAway(_)
                | What::Closed(_) => {}
            }
        }
        let settled = self.testimony.settled;
        self.rise(if settled { self.evidence.end } else { 0 });
        self.answers();
        self.order();
    }

    fn name(&self) -> &'a str {
        self.evidence.names.get(usize::from(self.testimony.name)).map_or("?", String::as_str)
    }

    fn welcomed(&mut self, welcome: &Welcome) {
        if welcome.session == Session::New || self.sitting.is_none() {
            self.rise(0);
            // A welcome has the newest of what there was: all that comes later has to come.
            let from = welcome.messages.iter().map(|seen| seen.id).max().unwrap_or_default();
            let newest = if self.testimony.base { 0 } else { from };
            self.sitting = Some(Sitting { from, newest, ..Sitting::default() });
            if self.testimony.base {
                // It has the past, which is sorted, and has nothing twice (OR-1, HI-4), and has no holes (HI-1, HI-2).
                let (me, name) = (self.testimony.name, self.name());
                past::look(me, name, &welcome.messages, self.log, self.findings);
                let known = welcome.messages.iter().filter(|seen| seen.id > 0);
                known.for_each(|seen| self.saw(*seen));
            }
            return;
        }
        if let Some(sitting) = &mut self.sitting {
            for room in &welcome.gaps {
                let of_room = welcome.messages.iter().filter(|seen| seen.side == Side::Room(*room));
                let first = of_room.map(|seen| seen.id).min();
                let end = first.map_or(u64::MAX, |first| first.saturating_sub(1));
                sitting.gaps.push((*room, sitting.newest, end));
            }
            for room in &welcome.left {
                if let Some(from) = sitting.rooms.remove(room) {
                    sitting.past.push((*room, from, sitting.newest));
                }
            }
        }
        for seen in &welcome.messages {
            self.saw(*seen);
        }
    }

    fn saw(&mut self, seen: Seen) {
        let name = self.name();
        let Some(sitting) = &mut self.sitting else { return };
        if seen.id == 0 {
            // Base clients are told no ids; this one was looked for on the pages, in vain.
            let (kind, what) = match seen.side {
                Side::Foreign => (Kind::Leaked, "something for somebody else"),
                _ => (Kind::Lost, "something that is on no page"),
            };
            return self.findings.add(kind, || format!("{name} was told {what}"));
        }
        if !sitting.seen.insert(seen.id) {
            self.findings.add(Kind::Doubled, || format!("{name} was told {} twice", seen.id));
        } else if seen.id <= sitting.newest {
            self.findings.add(Kind::Disordered, || {
                format!("{name} was told {} behind {}", seen.id, sitting.newest)
            });
        }
        sitting.newest = sitting.newest.max(seen.id);
        match seen.side {
            Side::Foreign => self.findings.add(Kind::Leaked, || {
                format!("{name} was told {}, which is for somebody else", seen.id)
            }),
            Side::Room(room) if !sitting.rooms.contains_key(&room) => {
                self.findings.add(Kind::Leaked, || {
                    format!("{name} was told {} of a room without being a member", seen.id)
                });
            }
            _ => {}
        }
        match self.log.entries.get(&seen.id) {
            None if seen.side == Side::Foreign => {}
            None => self
                .findings
                .add(Kind::Lost, || format!("{name} was told {}, which is on no page", seen.id)),
            Some(entry) if entry.print != seen.print => self.findings.add(Kind::Altered, || {
                format!("{name} was told something else as {} than the pages say", seen.id)
            }),
            Some(_) => {}
        }
    }

    /// A session is over: all that it had to see up to its last message, or up to `end`, it has seen.
    fn rise(&mut self, end: u64) {
        let Some(sitting) = self.sitting.take() else { return };
        let end = end.max(sitting.newest);
        let name = self.name();
        if end <= sitting.from {
            return;
        }
        for (id, entry) in self.log.entries.range(sitting.from + 1..=end) {
            if due(entry, &sitting, self.testimony.name) && !sitting.seen.contains(id) {
                self.findings.add(Kind::Missing, || format!("{name} was not told {id}"));
            }
        }
    }

    /// What became of the posts: acknowledged ones are stored once, refused ones are not.
    fn answers(&mut self) {
        let name = self.name();
        let mut acked: HashMap<u32, u64> = HashMap::new();
        let mut refused: HashMap<u32, &str> = HashMap::new();
        for event in &self.testimony.events {
            match &event.what {
                What::Acked(post, id) => {
                    if let Some(before) = acked.insert(*post, *id).filter(|before| before != id) {
                        self.findings.add(Kind::Doubled, || {
                            format!(
                                "post {post} of {name} was acknowledged as {before} and as {id}"
                            )
                        });
                    }
                }
                What::Refused(post, code) => drop(refused.insert(*post, code)),
                _ => {}
            }
        }
        let print = |n: &u32| {
            usize::try_from(*n)
                .ok()
                .and_then(|n| self.testimony.posts.get(n))
                .map(|post| post.print)
        };
        let mut acked: Vec<_> = acked.into_iter().collect();
        acked.sort_unstable();
        for (post, id) in &acked {
            match (self.log.entries.get(id), print(post)) {
                (None, _) => self.findings.add(Kind::Lost, || {
                    format!("post {post} of {name} was acknowledged as {id}, which is on no page")
                }),
                (Some(entry), Some(print)) if entry.print == print => {}
                _ => self.findings.add(Kind::Altered, || {
                    format!(
                        "post {post} of {name} was acknowledged as {id}, which is another message"
                    )
                }),
            }
            refused.remove(post);
        }
        if refused.is_empty() {
            return;
        }
        let stored: HashSet<_> = self.log.entries.values().map(|entry| entry.print).collect();
        let mut refused: Vec<_> = refused.into_iter().collect();
        refused.sort_unstable();
        for (post, code) in refused {
            if print(&post).is_some_and(|print| stored.contains(&print)) {
                self.findings.add(Kind::RefusedStored, || {
                    format!("post {post} of {name} was refused ({code}), and is stored")
                });
            }
        }
    }

    /// Posts to one user that were sent again: the first try may have been refused, as to somebody who was not there,
    /// which the sender never heard. Then what stood behind it was stored before it, and rightly so.
    fn unsure(&self) -> HashSet<usize> {
        let (mut sent, mut again) = (HashSet::new(), HashSet::new());
        for event in &self.testimony.events {
            let What::Sent(post) = event.what else { continue };
            let Ok(post) = usize::try_from(post) else { continue };
            let private = self
                .testimony
                .posts
                .get(post)
                .is_some_and(|post| matches!(post.place, Place::User(_)));
            if !sent.insert(post) && private {
                again.insert(post);
            }
        }
        again
    }

    /// What the user sent is stored in the order in which it was sent, session by session.
    fn order(&mut self) {
        let name = self.name();
        let mut last: HashMap<u32, usize> = HashMap::new();
        let mut once = HashSet::new();
        let unsure = self.unsure();
        for (id, entry) in &self.log.entries {
            let Some((who, n)) = self.log.author(entry.print) else { continue };
            // What is stored twice has been found, and is in no wrong place.
            if !once.insert(entry.print) {
                continue;
            }
            let mine = self.evidence.testimonies.get(who);
            if !mine.is_some_and(|mine| std::ptr::eq(mine, self.testimony)) {
                continue;
            }
            let Some(post) = self.testimony.posts.get(n) else { continue };
            if unsure.contains(&n) {
                continue;
            }
            match last.get(&post.session) {
                Some(before) if *before > n => self.findings.add(Kind::Disordered, || {
                    format!("post {n} of {name} was stored as {id}, behind its post {before}")
                }),
                _ => drop(last.insert(post.session, n)),
            }
        }
    }
}

/// Whether a session had to see a message.
fn due(entry: &Entry, sitting: &Sitting, me: Name) -> bool {
    match entry.place {
        Some(Place::Lobby) => true,
        Some(Place::User(to)) => to == me,
        Some(Place::Room(room)) => {
            let member = sitting.rooms.get(&room).is_some_and(|from| entry.id > *from)
                || sitting
                    .past
                    .iter()
                    .any(|(of, from, to)| *of == room && (from + 1..=*to).contains(&entry.id));
            let gap = sitting.gaps.iter().any(|(of, from, to)| {
                *of == room && (from.saturating_add(1)..=*to).contains(&entry.id)
            });
            member && !gap
        }
        None => false,
    }
}
