//! Each way to break what a chat leaves, and as what it has to be found.

use super::super::findings::Kind;
use crate::evidence::{
    Before, Closing, Death, Ending, Entry, Event, Evidence, Fault, Place, Post, Print, Seen,
    Session, Side, Struck, Welcome, What,
};

/// The last acknowledged post to such a place: who sent it, which one, its id.
pub(super) fn acknowledged(evidence: &Evidence, place: Place) -> (usize, u32, u64) {
    let last = |who: usize| {
        let testimony = &evidence.testimonies[who];
        testimony.events.iter().rev().find_map(|event| match event.what {
            What::Acked(n, id) if testimony.posts[n as usize].place == place => Some((who, n, id)),
            _ => None,
        })
    };
    (1..6).filter_map(last).max_by_key(|(_, _, id)| *id).unwrap()
}

fn drop_from_pages(evidence: &mut Evidence, id: u64) {
    for pages in &mut evidence.pages {
        pages.entries.retain(|entry| entry.id != id);
    }
}

/// Where one user was told a message outside of a welcome.
fn sighting(evidence: &Evidence, who: usize, id: u64) -> usize {
    let told = |event: &Event| matches!(event.what, What::Saw(seen) if seen.id == id);
    evidence.testimonies[who].events.iter().position(told).unwrap()
}

/// Before the last message that a user was told, which everybody was told, it did or saw these things.
fn before_last(evidence: &mut Evidence, who: usize, what: Vec<What>) {
    let events = &mut evidence.testimonies[who].events;
    let told = |event: &Event| matches!(event.what, What::Saw(_));
    let last = events.iter().rposition(told).unwrap();
    let at = events[last].at;
    events.splice(last..last, what.into_iter().map(|what| Event { at, what }));
}

/// The base client leaves behind all that was said but the last word, and joins again, which nobody hears of.
fn joined_again(evidence: &mut Evidence) -> &mut Welcome {
    let pages = evidence.pages.iter().filter(|pages| pages.node == 0);
    let mine = pages.filter(|pages| [None, Some(5)].contains(&pages.reader));
    let mut messages: Vec<Seen> = mine
        .flat_map(|pages| &pages.entries)
        .filter(|entry| entry.id < evidence.end)
        .filter_map(|entry| {
            let side = match entry.place? {
                Place::Lobby => Side::Lobby,
                Place::User(5) => Side::Me,
                _ => return None,
            };
            Some(Seen { id: entry.id, print: entry.print, side })
        })
        .collect();
    messages.sort_by_key(|seen| seen.id);
    let (session, users) = (Session::New, (0..6).collect());
    let (gaps, left) = (Vec::new(), Vec::new());
    let welcome = Welcome { node: 0, session, users, messages, gaps, left };
    before_last(evidence, 5, vec![What::Closed(Closing::Mine), What::Welcomed(welcome)]);
    let welcomes = evidence.testimonies[5].events.iter_mut().rev().find_map(|event| {
        if let What::Welcomed(welcome) = &mut event.what { Some(welcome) } else { None }
    });
    welcomes.unwrap()
}

/// What was said to all before the run, and what the pages have of it now: ids and fingerprints.
pub(super) fn said_before(evidence: &mut Evidence, told: &[(u64, u64)], kept: &[(u64, u64)]) {
    let entries = |said: &[(u64, u64)]| -> Vec<Entry> {
        let place = Some(Place::Lobby);
        let entry =
            |(id, print): &(u64, u64)| Entry { id: *id, print: Print(*print), src: None, place };
        said.iter().map(entry).collect()
    };
    evidence.before = Before { told: entries(told).into(), is_all: true };
    for pages in evidence.pages.iter_mut().filter(|pages| pages.reader.is_none()) {
        pages.older = entries(kept);
    }
}

pub(super) type Damage = fn(&mut Evidence);

/// Each way to break a chat, and as what it has to be found.
pub(super) const DAMAGES: &[(&str, Kind, Damage)] = &[
    ("an acknowledged message is on no page, and nobody saw it", Kind::Lost, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        drop_from_pages(evidence, id);
        for testimony in &mut evidence.testimonies {
            testimony
                .events
                .retain(|event| !matches!(event.what, What::Saw(seen) if seen.id == id));
        }
    }),
    ("a message that was seen is on no page", Kind::Lost, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::User(4));
        drop_from_pages(evidence, id);
        for testimony in &mut evidence.testimonies {
            testimony.events.retain(|event| !matches!(event.what, What::Acked(_, of) if of == id));
        }
    }),
    ("one node lacks a message", Kind::Differing, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let pages =
            evidence.pages.iter_mut().find(|pages| pages.node == 1 && pages.reader.is_none());
        pages.unwrap().entries.retain(|entry| entry.id != id);
    }),
    ("one node has other words", Kind::Differing, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let pages =
            evidence.pages.iter_mut().find(|pages| pages.node == 2 && pages.reader.is_none());
        let entry = pages.unwrap().entries.iter_mut().find(|entry| entry.id == id).unwrap();
        entry.src = Some(0);
    }),
    ("a user is told a message twice", Kind::Doubled, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let at = sighting(evidence, 0, id);
        let events = &mut evidence.testimonies[0].events;
        events.insert(at + 1, events[at].clone());
    }),
    ("a user is not told a message to all", Kind::Missing, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let at = sighting(evidence, 0, id);
        evidence.testimonies[0].events.remove(at);
    }),
    ("a user is not told a private message", Kind::Missing, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::User(4));
        let at = sighting(evidence, 4, id);
        evidence.testimonies[4].events.remove(at);
    }),
    ("a member is not told a message of a room", Kind::Missing, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Room(0));
        let at = sighting(evidence, 1, id);
        evidence.testimonies[1].events.remove(at);
    }),
    ("two messages change places for one user", Kind::Disordered, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let at = sighting(evidence, 0, id);
        let events = &mut evidence.testimonies[0].events;
        let told = |event: &Event| matches!(event.what, What::Saw(_));
        let before = events[..at].iter().rposition(told).unwrap();
        let what = events[before].what.clone();
        events[before].what = std::mem::replace(&mut events[at].what, what);
    }),
    ("a private message reaches a third user", Kind::Leaked, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::User(4));
        let at = sighting(evidence, 4, id);
        let What::Saw(seen) = evidence.testimonies[4].events[at].what else { unreachable!() };
        let (events, end) = (&mut evidence.testimonies[1].events, evidence.end);
        let told =
            |event: &Event| matches!(event.what, What::Saw(seen) if seen.id > id && seen.id <= end);
        let behind = events.iter().position(told).unwrap();
        let what = What::Saw(Seen { side: Side::Foreign, ..seen });
        events.insert(behind, Event { at: events[behind].at, what });
    }),
    ("a private message is on a third user's page", Kind::Leaked, |evidence| {
        let entry = evidence.pages.iter().find(|pages| pages.reader == Some(4)).unwrap();
        let entry = *entry.entries.last().unwrap();
        for pages in evidence.pages.iter_mut().filter(|pages| pages.reader == Some(1)) {
            pages.entries.push(entry);
        }
    }),
    ("a refused message is stored", Kind::RefusedStored, |evidence| {
        let (who, n, id) = acknowledged(evidence, Place::Lobby);
        for event in &mut evidence.testimonies[who].events {
            if matches!(event.what, What::Acked(_, of) if of == id) {
                event.what = What::Refused(n, "busy".to_owned());
            }
        }
    }),
    ("a private message is refused as to nobody", Kind::Unreachable, |evidence| {
        let place = Place::User(4);
        let post =
            Post { place, print: Print(2), session: evidence.testimonies[3].posts[0].session };
        let testimony = &mut evidence.testimonies[3];
        let n = u32::try_from(testimony.posts.len()).unwrap();
        testimony.posts.push(post);
        before_last(evidence, 3, vec![What::Sent(n), What::Refused(n, "no-such-user".to_owned())]);
    }),
    ("a message that nobody sent is stored", Kind::Invented, |evidence| {
        let id = evidence.end + 1;
        let (src, place) = (Some(1), Some(Place::Lobby));
        let entry = Entry { id, print: Print(1), src, place };
        for pages in evidence.pages.iter_mut().filter(|pages| pages.reader.is_none()) {
            pages.entries.push(entry);
        }
    }),
    ("a user is acknowledged a message of another's", Kind::Altered, |evidence| {
        let (who, n, _) = acknowledged(evidence, Place::Lobby);
        let end = evidence.end;
        for event in &mut evidence.testimonies[who].events {
            if let What::Acked(of, id) = &mut event.what
                && *of == n
            {
                *id = end;
            }
        }
    }),
    ("a name is told to have joined twice", Kind::NameTwice, |evidence| {
        let event = evidence.testimonies[0].events.last().unwrap().clone();
        evidence.testimonies[0].events.push(Event { what: What::Came(3), ..event });
    }),
    ("two sessions speak under one name by turns", Kind::NameTwice, |evidence| {
        // The middle one of three posts of user 4 is said to be another session's.
        let n = evidence.testimonies[4].posts.len() - 2;
        evidence.testimonies[4].posts[n].session = u32::MAX;
        let post = evidence.testimonies[4].posts[n - 1].session;
        evidence.testimonies[4].posts[n + 1].session = post;
    }),
    ("a user is announced as gone who is there", Kind::FalseAccusation, |evidence| {
        before_last(evidence, 0, vec![What::Went(3), What::Came(3)]);
    }),
    ("a base client is announced as gone who is there", Kind::FalseAccusation, |evidence| {
        before_last(evidence, 0, vec![What::Went(5), What::Came(5)]);
    }),
    ("a base client is told of somebody as gone who is there", Kind::FalseAccusation, |evidence| {
        before_last(evidence, 5, vec![What::Went(3), What::Came(3)]);
    }),
    ("a base client is told a message twice", Kind::Doubled, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let at = sighting(evidence, 5, id);
        let events = &mut evidence.testimonies[5].events;
        events.insert(at + 1, events[at].clone());
    }),
    ("a base client is not told a message to all", Kind::Missing, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Lobby);
        let at = sighting(evidence, 5, id);
        evidence.testimonies[5].events.remove(at);
    }),
    ("two messages change places for a base client", Kind::Disordered, |evidence| {
        let events = &mut evidence.testimonies[5].events;
        let told = |event: &Event| matches!(event.what, What::Saw(_));
        let last = events.iter().rposition(told).unwrap();
        let before = events[..last].iter().rposition(told).unwrap();
        let what = events[before].what.clone();
        events[before].what = std::mem::replace(&mut events[last].what, what);
    }),
    ("a base client is told a private message of others", Kind::Leaked, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::User(4));
        let at = sighting(evidence, 4, id);
        let What::Saw(seen) = evidence.testimonies[4].events[at].what else { unreachable!() };
        let events = &mut evidence.testimonies[5].events;
        let told = |event: &Event| matches!(event.what, What::Saw(seen) if seen.id > id);
        let behind = events.iter().position(told).unwrap();
        let what = What::Saw(Seen { side: Side::Foreign, ..seen });
        events.insert(behind, Event { at: events[behind].at, what });
    }),
    ("a base client is told a message of a room", Kind::Leaked, |evidence| {
        let (_, _, id) = acknowledged(evidence, Place::Room(0));
        let at = sighting(evidence, 1, id);
        let what = evidence.testimonies[1].events[at].what.clone();
        let events = &mut evidence.testimonies[5].events;
        let told = |event: &Event| matches!(event.what, What::Saw(seen) if seen.id > id);
        let behind = events.iter().position(told).unwrap();
        events.insert(behind, Event { at: events[behind].at, what });
    }),
    ("a base client's past has a message twice", Kind::Doubled, |evidence| {
        let welcome = joined_again(evidence);
        let seen = *welcome.messages.last().unwrap();
        welcome.messages.push(seen);
    }),
    ("a base client's past is out of order", Kind::Disordered, |evidence| {
        joined_again(evidence).messages.reverse();
    }),
    ("a base client's past has a hole", Kind::Missing, |evidence| {
        let messages = &mut joined_again(evidence).messages;
        messages.remove(messages.len() / 2);
    }),
    ("a base client's past lacks its beginning", Kind::Missing, |evidence| {
        joined_again(evidence).messages.remove(0);
    }),
    ("a base client's past lacks its end", Kind::Missing, |evidence| {
        joined_again(evidence).messages.pop();
    }),
    ("a base client's past has another text", Kind::Altered, |evidence| {
        let messages = &mut joined_again(evidence).messages;
        let middle = messages.len() / 2;
        (messages[middle].id, messages[middle].print) = (0, Print(3));
    }),
    ("a base client's past has one message more", Kind::Lost, |evidence| {
        let messages = &mut joined_again(evidence).messages;
        let more = Seen { id: 0, print: Print(3), side: Side::Lobby };
        messages.insert(messages.len() / 2, more);
    }),
    ("a base client's post is stored twice", Kind::Doubled, |evidence| {
        let again = evidence.end + 7;
        let mine = |entry: &Entry| entry.src == Some(5) && entry.place == Some(Place::Lobby);
        for pages in evidence.pages.iter_mut().filter(|pages| pages.reader.is_none()) {
            let entry = *pages.entries.iter().rev().find(|entry| mine(entry)).unwrap();
            pages.entries.push(Entry { id: again, ..entry });
        }
    }),
    ("a node that is told to end fails", Kind::Ended, |evidence| {
        let (fault, ended) = (Fault::RollingRestart, Some(Ending::Code(70)));
        evidence.faults.push(Struck { fault, node: Some(1), from: 0, until: 0, ended });
    }),
    ("a node that is told to end is ended by a signal", Kind::Ended, |evidence| {
        let (fault, ended) = (Fault::NodeStopped, Some(Ending::Signal(6)));
        evidence.faults.push(Struck { fault, node: Some(1), from: 0, until: 0, ended });
    }),
    ("a node ends by itself", Kind::Died, |evidence| {
        evidence.deaths.push(Death { at: 0, how: "n0 has ended by itself: exit code 101".into() });
    }),
    ("a server that is alone ends a connection without a reason", Kind::SentAway, |evidence| {
        evidence.alone = true;
        let events = &mut evidence.testimonies[0].events;
        let at = events.last().unwrap().at;
        events.push(Event { at, what: What::Closed(Closing::Lost) });
    }),
    ("a server that is alone answers a user nothing", Kind::Silent, |evidence| {
        evidence.alone = true;
        let events = &mut evidence.testimonies[0].events;
        let at = events.last().unwrap().at;
        events.push(Event { at, what: What::Closed(Closing::GaveUp) });
    }),
    ("a message of the run before is gone", Kind::Lost, |evidence| {
        said_before(evidence, &[(1, 4)], &[]);
    }),
    ("a message in the middle of the run before is gone", Kind::Lost, |evidence| {
        said_before(evidence, &[(1, 4), (2, 5), (3, 6)], &[(1, 4), (3, 6)]);
    }),
    ("a message of the run before has other words", Kind::Altered, |evidence| {
        said_before(evidence, &[(1, 4)], &[(1, 5)]);
    }),
    ("a message of the run before is stored again", Kind::Doubled, |evidence| {
        said_before(evidence, &[(1, 4), (2, 5)], &[(1, 4), (2, 5), (3, 4)]);
    }),
    ("a message has come into the run before", Kind::Invented, |evidence| {
        said_before(evidence, &[(1, 4)], &[(1, 4), (2, 5)]);
    }),
    ("a user who is there is missing from a list", Kind::Presence, |evidence| {
        let welcome = evidence.testimonies[5].events.iter_mut().rev().find_map(|event| {
            match &mut event.what {
                What::Welcomed(welcome) => Some(welcome),
                _ => None,
            }
        });
        welcome.unwrap().users.retain(|name| *name != 0);
    }),
];
