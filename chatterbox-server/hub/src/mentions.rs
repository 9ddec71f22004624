//! Whom a message mentions: of the names that its sender has put, those of people who can read it (MT-4).

use std::collections::{HashMap, HashSet};

use chatterbox_proto::session::Destination;
use chatterbox_proto::{ALL, Code, LookupKey, NameKey as _, Username, limits};

use crate::hub::Hub;
use crate::identity::Identity;
use crate::ids::MemberId;
use crate::level::Level;
use crate::replica::rooms::definition::RoomMember;
use crate::replica::rooms::room::Room;

/// One name of MENTIONS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// Of somebody who can read the message, or the word for everybody, as it is told.
    Reader(String),
    /// Nobody in the lobby has it; if an account has, it can read the message later.
    Account(Username),
}

/// A name that a sender has put, and the word for everybody if it is that.
struct Wanted<'n> {
    name: &'n str,
    key: LookupKey,
    all: Option<String>,
}

impl Hub {
    /// The names of a message of a member to this destination that are of people who can read it, each once and in their order. Names
    /// of others are left out without a word. Of a room that the member is not in, none is told.
    ///
    /// # Errors
    /// [`Code::MentionForbidden`] where the word for everybody is among them, and the member's level there is too low.
    pub fn mentions(
        &self,
        by: MemberId,
        to: &Destination<LookupKey, LookupKey>,
        names: &[String],
    ) -> Result<Vec<Mention>, Code> {
        let Some(sender) = self.identity(by) else { return Ok(Vec::new()) };
        let (level, room) = match to {
            Destination::All => {
                let is_guest = sender.login.is_none();
                (if is_guest { Level::GUEST } else { sender.actor().level }, None)
            }
            Destination::Room(name) => {
                let room = self.replica.rooms.named(name.name_key());
                let room = room.filter(|room| self.replica.membership(by, room).is_some());
                let Some(room) = room else { return Ok(Vec::new()) };
                (self.replica.level_in(by, room), Some(room))
            }
            Destination::User(_) => (Level::GUEST, None),
        };
        let mut wanted: Vec<Wanted<'_>> = Vec::new();
        let mut seen = HashSet::new();
        for name in names.iter().take(limits::MENTIONS) {
            let Some(key) = LookupKey::of(name, 1 + limits::USERNAME_CHARS_MOST) else { continue };
            let all = word_for_all(to, room, name, &key);
            if all.is_some() && level < Level::MODERATOR {
                return Err(Code::MentionForbidden);
            }
            if seen.insert((all.is_some(), key.clone())) {
                wanted.push(Wanted { name, key, all });
            }
        }
        let away = room.map(|room| self.away(room, &wanted)).unwrap_or_default();
        let mut found = Vec::new();
        for Wanted { name, key, all } in wanted {
            let mention = all.map(Mention::Reader).or_else(|| match (to, room) {
                (_, Some(room)) => {
                    let told =
                        self.in_room(room, &key).or_else(|| away.get(key.name_key()).cloned());
                    told.map(Mention::Reader)
                }
                (Destination::User(other), None) => {
                    self.of_the_two(sender, other, name, &key).map(Mention::Reader)
                }
                (_, None) => match self.here(&key) {
                    Some(who) => Some(Mention::Reader(who.name.as_str().to_owned())),
                    None => Username::parse_within(name, limits::USERNAME_CHARS_MOST)
                        .ok()
                        .map(Mention::Account),
                },
            });
            found.extend(mention);
        }
        // Two names may be of one person.
        let mut told = HashSet::new();
        found.retain(|mention| match mention {
            Mention::Reader(name) => told.insert(name.clone()),
            Mention::Account(_) => true,
        });
        Ok(found)
    }

    fn here(&self, key: &LookupKey) -> Option<&Identity> {
        self.who(key).and_then(|id| self.identity(id))
    }

    /// The name in a roster of a member of a room who is here under this name.
    fn in_room(&self, room: &Room, key: &LookupKey) -> Option<String> {
        let id = self.who(key)?;
        self.replica.membership(id, room)?;
        self.identity(id).map(|who| who.name.as_str().to_owned())
    }

    /// The names in a roster of the accounts that are members of a room and have one of these names, by their keys. The accounts are
    /// walked through once for all names, and only where a name is of nobody who is here: a room has thousands of them.
    fn away(&self, room: &Room, wanted: &[Wanted<'_>]) -> HashMap<String, String> {
        let is_away =
            |one: &&Wanted<'_>| one.all.is_none() && self.in_room(room, &one.key).is_none();
        let keys: HashSet<&str> =
            wanted.iter().filter(is_away).map(|one| one.key.name_key()).collect();
        if keys.is_empty() {
            return HashMap::new();
        }
        let named = room.accounts().filter(|account| keys.contains(account.name.key()));
        let told = named.filter_map(|account| {
            let names = self.replica.roster_names(&RoomMember::Account(account.clone()));
            let name = names.first()?.as_str().to_owned();
            Some((account.name.key().to_owned(), name))
        });
        told.collect()
    }

    /// The name of one of the two who can read a private message.
    fn of_the_two(
        &self,
        sender: &Identity,
        other: &LookupKey,
        name: &str,
        key: &LookupKey,
    ) -> Option<String> {
        let is_of = |who: &&Identity| who.names().any(|name| name.key() == key.name_key());
        let known = [Some(sender), self.here(other)].into_iter().flatten().find(is_of);
        match known {
            Some(who) => Some(who.name.as_str().to_owned()),
            // An account whose user is not here, by the name that the message is for.
            None => (key.name_key() == other.name_key()).then(|| name.to_owned()),
        }
    }
}

/// The word for everybody, if the name is that: `ALL`, or in a room its name.
fn word_for_all(
    to: &Destination<LookupKey, LookupKey>,
    room: Option<&Room>,
    name: &str,
    key: &LookupKey,
) -> Option<String> {
    match (to, room) {
        (Destination::User(_), _) => None,
        _ if name == ALL => Some(ALL.to_owned()),
        (_, Some(room)) => {
            let own = &room.definition.name;
            (own.key() == key.name_key()).then(|| own.as_str().to_owned())
        }
        _ => None,
    }
}
