//! The newest ends of memberships, for sessions that are resumed: what happened to their rooms meanwhile (RH-6).

use std::collections::VecDeque;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::{Digest, Digester};
use crate::ids::MemberId;
use crate::record::RoomRef;
use crate::record::Sequence;

use crate::replica::rooms::room::Who;

/// So many ends are remembered, and so many members in all; the oldest go first. Who has lost a room before does not find it
/// among the others in any case.
const ENDS: usize = 1024;
const MEMBERS: usize = 100_000;

/// A code as it is told (RM-7).
type Code = &'static str;

/// Members of a room that are none any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Departure {
    /// The number of the record that says so.
    pub(crate) number: Sequence,
    pub(crate) room: RoomRef,
    /// Who, in order.
    who: Vec<Who>,
    /// `left`, `kicked`, `banned` or `deleted` (RM-7).
    #[serde(deserialize_with = "known_code")]
    pub(crate) code: Code,
    pub(crate) by: String,
    pub(crate) info: String,
}

/// The newest ones, oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Departures {
    all: VecDeque<Departure>,
    members: usize,
}

impl Departures {
    /// Notes that members of a room are none any more.
    pub(crate) fn note(
        &mut self,
        number: Sequence,
        room: RoomRef,
        mut who: Vec<Who>,
        code: Code,
        (by, info): (&str, &str),
    ) {
        who.sort_unstable();
        self.members += who.len();
        let (by, info) = (by.to_owned(), info.to_owned());
        self.all.push_back(Departure { number, room, who, code, by, info });
        while self.all.len() > ENDS || (self.members > MEMBERS && self.all.len() > 1) {
            self.members -= self.all.pop_front().map_or(0, |oldest| oldest.who.len());
        }
    }

    /// The rooms that somebody has lost behind a number of the log, oldest first.
    pub(crate) fn since(&self, who: Who, after: Sequence) -> impl Iterator<Item = &Departure> {
        let since = self.all.iter().filter(move |departure| departure.number > after);
        since.filter(move |departure| departure.who.binary_search(&who).is_ok())
    }

    /// The session of a guest goes on with another connection, which may ask for what has ended before.
    pub(crate) fn go_on(&mut self, before: MemberId, now: MemberId) {
        for Departure { who, .. } in &mut self.all {
            if let Ok(place) = who.binary_search(&Who::Guest(before)) {
                who.remove(place);
                let place = who.partition_point(|other| *other < Who::Guest(now));
                who.insert(place, Who::Guest(now));
            }
        }
    }

    /// How a room was deleted, if it was lately.
    pub(crate) fn of_room(&self, room: crate::RoomNumber) -> Option<&Departure> {
        let mut newest = self.all.iter().rev();
        newest.find(|departure| departure.room.number == room && departure.code == DELETED)
    }
}

/// What a departure may have as its code.
const CODES: [Code; 4] = ["left", "kicked", "banned", DELETED];

fn known_code<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    let code = String::deserialize(from)?;
    let known = CODES.into_iter().find(|known| *known == code);
    known.ok_or_else(|| D::Error::custom("an unknown code"))
}

/// The CODE of a room that was deleted.
pub(crate) const DELETED: &str = "deleted";

impl Digest for Departure {
    fn digest(&self, to: &mut Digester) {
        let Self { number, room, who, code, by, info } = self;
        to.add(number).add(&room.number).add(&room.name).add(who).add(*code).add(by).add(info);
    }
}

impl Digest for Departures {
    fn digest(&self, to: &mut Digester) {
        let Self { all, members } = self;
        to.add(all).add(members);
    }
}
