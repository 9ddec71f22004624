//! What follows from an act of moderation for the members of this node: who has to go, and who is told what (MO-7, MO-8, NO-2).

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use chatterbox_proto::{ALL, Entry, Exclusion, SERVER, Username};

use crate::encode::view::View;
use crate::event::Event;
use crate::hub::Hub;
use crate::ids::{MemberId, RoomNumber};
use crate::level::Level;
use crate::record::RoomRef;
use crate::replica::effect::{Moderated, ModerationTold};
use crate::stepping::{Applied, Outcome};
use crate::wake::Wake;

/// Of so many who have to go at once each is told by name; of more only how many they are.
const NAMED: usize = 5;

impl Hub {
    pub(crate) fn moderated(
        &mut self,
        moderated: Moderated,
        (by, now): &(Arc<str>, i64),
    ) -> Applied {
        let Moderated { left, removal, told, done } = moderated;
        let mut wakes = Vec::new();
        let is_seen = !left.is_empty() || matches!(told, Some(ModerationTold::PutOut { .. }));
        // The reason comes before the leaving.
        if let Some(told) = told {
            self.tell_moderation(told, by, *now, &mut wakes);
        }
        let ours: Vec<_> =
            left.into_iter().filter_map(|left| self.left(left, &mut wakes)).collect();
        if let Some(removal) = removal {
            self.removed.extend(ours.iter().map(|member| (*member, removal.clone())));
        }
        let applied = match is_seen {
            true => Applied::told(ours),
            false => Applied::unseen(Ok(Outcome::Done)),
        };
        Applied { wakes, outcome: Ok(Outcome::Moderated(done)), ..applied }
    }

    fn tell_moderation(&mut self, told: ModerationTold, by: &str, now: i64, wakes: &mut Vec<Wake>) {
        match told {
            ModerationTold::PutOut { names, is_ban, exclusion } => {
                for event in put_out(&names, is_ban, &exclusion, by, now) {
                    wakes.push(self.announce(event));
                }
            }
            ModerationTold::Mute { members, about, room, held } => {
                let told = MuteTold { about: &about, room: room.as_ref(), held: held.as_ref(), by };
                for member in &members {
                    wakes.extend(self.tell_own_mute(*member, &told));
                }
                let number = room.as_ref().map(|room| room.number);
                for member in self.staff(number, Level::HELPER) {
                    if !members.contains(&member) {
                        wakes.push(self.tell(member, told.for_others()));
                    }
                }
            }
        }
    }

    /// Tells somebody that they are muted, or not any more: as a notice, or as ERROR (NO-2).
    fn tell_own_mute(&mut self, member: MemberId, told: &MuteTold<'_>) -> Option<Wake> {
        let agreed = self.identity(member)?.agreed.unwrap_or_default();
        // Of a room nobody hears who does not speak of rooms (RM-4).
        if told.room.is_some() && !agreed.has(Capability::Rooms) {
            return None;
        }
        if View::of(agreed).notices() {
            return Some(self.tell(member, told.for_oneself()));
        }
        let text = told.words()?;
        Some(self.tell(member, Event::error(&text)))
    }

    /// Who is here, agreed to notices, and has a level: on the server, or as a member of a room in it.
    pub fn staff(&self, room: Option<RoomNumber>, level: Level) -> Vec<MemberId> {
        let room = room.map(|room| self.replica.rooms.get(room));
        let keeps = |member: MemberId| match room {
            None => self.identity(member).is_some_and(|who| who.actor().level >= level),
            Some(None) => false,
            Some(Some(room)) => {
                self.replica.membership(member, room).is_some()
                    && self.replica.level_in(member, room) >= level
            }
        };
        let people = self.replica.presence().people();
        people
            .filter(|(_, person)| {
                View::of(person.identity.agreed.unwrap_or_default()).notices()
                    && (level == Level::GUEST || person.identity.login.is_some())
            })
            .map(|(member, _)| member)
            .filter(|member| keeps(*member))
            .collect()
    }

    /// Who is told of a report about somebody: who keeps order on the server, or as a member of the room, and agreed to notices.
    /// Whoever it is about is not told, under whatever name they are here.
    pub fn told_of_report(&self, room: Option<RoomNumber>, about: &Username) -> Vec<MemberId> {
        let mut told = self.staff(None, Level::MODERATOR);
        if room.is_some() {
            // Of a room nobody hears who does not speak of rooms (RM-4).
            told.retain(|member| {
                self.identity(*member)
                    .and_then(|who| who.agreed)
                    .unwrap_or_default()
                    .has(Capability::Rooms)
            });
            told.extend(self.staff(room, Level::MODERATOR));
            told.sort_unstable();
            told.dedup();
        }
        let reported = self.find(about).and_then(|(_, who)| who.login.as_ref());
        told.retain(|member| {
            self.identity(*member).is_some_and(|who| {
                let same =
                    who.login.as_ref().zip(reported).is_some_and(|(a, b)| a.is_same_account(b));
                !same && who.name != *about && who.account() != Some(about)
            })
        });
        told
    }
}

/// What is told of a mute, or of its end where nothing is held against them any more.
struct MuteTold<'a> {
    about: &'a str,
    room: Option<&'a RoomRef>,
    held: Option<&'a Exclusion>,
    by: &'a str,
}

impl MuteTold<'_> {
    fn notice(&self, name: Option<&str>) -> Event {
        let code = if self.held.is_some() { NoticeCode::Muted } else { NoticeCode::Unmuted };
        let notice = NewNotice {
            name,
            room: self.room.map(|room| room.name.as_str()),
            by: Some(self.by),
            until: self.held.and_then(|held| held.until),
            ..NewNotice::new(code, self.held.map_or("", |held| &held.reason))
        };
        Event::told(notice.to_json().into())
    }

    fn for_oneself(&self) -> Event {
        self.notice(None)
    }

    fn for_others(&self) -> Event {
        self.notice(Some(self.about))
    }

    /// The same for who reads no notices; of an end they hear nothing (NO-2).
    fn words(&self) -> Option<String> {
        self.held.map(|held| format!("You are muted{held}"))
    }
}

/// That some had to go, for everybody (MO-8).
fn put_out(
    names: &[Username],
    is_ban: bool,
    exclusion: &Exclusion,
    by: &str,
    now: i64,
) -> Vec<Event> {
    let (code, verb) = match is_ban {
        true => (NoticeCode::Banned, "banned"),
        false => (NoticeCode::Kicked, "put out"),
    };
    let reason = match &*exclusion.reason {
        "" => ".".to_owned(),
        reason => format!(": {reason}"),
    };
    let until = exclusion.until.filter(|_| is_ban);
    let event = |who: &str, was: &str, name: Option<&str>| {
        let text = format!("{who} {was} {verb} by {by}{reason}");
        let entry = Entry {
            source: SERVER.into(),
            destination: ALL.into(),
            timestamp: now,
            content: text.into(),
        };
        let notice =
            NewNotice { name, by: Some(by), until, ..NewNotice::new(code, &exclusion.reason) };
        Event::announcement(Bytes::from(entry.to_json()), Bytes::from(notice.to_json()))
    };
    match names.len() {
        0..=NAMED => {
            names.iter().map(|name| event(name.as_str(), "was", Some(name.as_str()))).collect()
        }
        many => vec![event(&format!("{many} users"), "were", None)],
    }
}
