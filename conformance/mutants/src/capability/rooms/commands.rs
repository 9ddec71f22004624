//! The commands for rooms: finds the room that one is about, asks who may, and has it done.

use std::time::Duration;

use conformance_suite::fault::Fault;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::state::{Call, Refusal, Reply},
    saying::stranger,
    table::{COMMANDS, Needs, Place, Spec, find},
};
use crate::{
    chat::{Chat, Member},
    session::Session,
};

/// What becomes of a command.
pub(in super::super) enum Done {
    Reply(Reply),
    /// It asks something first; whether the answer is secret.
    Asks(&'static str, bool),
}

impl<R: Into<Reply>> From<R> for Done {
    fn from(reply: R) -> Self {
        Self::Reply(reply.into())
    }
}

/// A command that is about to be done: the room that it is about, and the other arguments.
pub(super) struct Order<'a> {
    pub(super) member: Member,
    /// 0 where it is about none.
    pub(super) number: u64,
    pub(super) rest: Vec<&'a str>,
    pub(super) answer: Option<&'a str>,
}

impl Order<'_> {
    /// All of the rest from a place on, as it was typed.
    pub(super) fn text(&self, from: usize) -> String {
        self.rest.get(from..).unwrap_or_default().join(" ")
    }
}

pub(super) const MISSING: Refusal = Refusal::new("bad-arguments", "something is missing");
pub(super) const NO_SUCH_ROOM: Refusal = Refusal::new("no-such-room", "there is no such room");
const FORBIDDEN: Refusal = Refusal::new("forbidden", "you may not");

/// The entries of the catalogue.
pub(in super::super) fn catalogue(level: u8) -> impl Iterator<Item = Value> {
    COMMANDS.iter().filter(move |spec| spec.level <= level).map(|spec| {
        let arguments = spec.arguments.iter().map(|(name, kind, optional, rest)| {
            json!({"NAME": name, "TYPE": kind, "OPTIONAL": optional, "REST": rest})
        });
        json!({"NAME": spec.name, "ALIASES": spec.aliases, "HELP": spec.name,
            "ARGUMENTS": arguments.collect::<Vec<_>>(),
            "EXAMPLE": format!("/{}", spec.name), "LEVEL": spec.level})
    })
}

impl Session {
    /// Does a command for rooms; `None` when it is none.
    pub(in super::super) async fn room_command(&self, name: &str, call: &Call) -> Option<Done> {
        let spec = find(name)?;
        if !self.agreed.has("rooms") {
            // Levels are there without rooms, too, and are nothing that this server has.
            if matches!(spec.place, Place::Nth(_)) {
                return None;
            }
            return Some(Refusal::new("needs-capability", "it needs the capability rooms").into());
        }
        if spec.name == "join" && self.shared.faults.has(Fault::RoomJoinGap) {
            // LAST is looked up, and others write before the membership begins.
            self.shared.chat.lock().await.look_early(call);
            sleep(Duration::from_millis(60)).await;
        }
        let mut chat = self.shared.chat.lock().await;
        let member = chat.member(self.connection)?.clone();
        Some(chat.room_command(spec, member, call))
    }
}

impl Chat {
    fn look_early(&mut self, call: &Call) {
        let number = call.at(0).and_then(|name| self.rooms.find(name, &self.faults));
        if let Some(room) = number.and_then(|number| self.rooms.get_mut(number)) {
            room.stale = Some(room.last);
        }
    }

    fn room_command(&mut self, spec: &Spec, member: Member, call: &Call) -> Done {
        let f = self.faults.clone();
        let order = match self.order(spec, member, call) {
            Ok(order) => order,
            Err(refusal) => return refusal.into(),
        };
        match self.authorise(spec, &order) {
            Ok(()) => self.carry_out(spec, &order),
            Err(refusal) if refusal == FORBIDDEN && f.acts(Fault::RoomRefusedDone) => {
                let _ = self.carry_out(spec, &order);
                refusal.into()
            }
            Err(refusal) => refusal.into(),
        }
    }

    /// Resolves the room among the arguments of a call.
    fn order<'a>(&self, spec: &Spec, member: Member, call: &'a Call) -> Result<Order<'a>, Refusal> {
        let mut rest: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        let first_is_room =
            rest.first().is_some_and(|first| first.starts_with('#') || *first == "ALL");
        let at = match spec.place {
            Place::Nowhere => None,
            Place::First if rest.is_empty() => return Err(MISSING),
            Place::First => Some(0),
            Place::FirstOrDefault => first_is_room.then_some(0),
            Place::Nth(at) => (rest.len() > at).then_some(at),
        };
        let number = match at {
            Some(at) => {
                let name = rest.remove(at);
                if name.eq_ignore_ascii_case("ALL") {
                    return Err(FORBIDDEN);
                }
                self.rooms.find(name, &self.faults).ok_or(NO_SUCH_ROOM)?
            }
            None if spec.place == Place::FirstOrDefault => {
                let default = self.rooms.defaults.get(&member.party());
                *default.ok_or(FORBIDDEN)?
            }
            None => 0,
        };
        Ok(Order { member, number, rest, answer: call.answer.as_deref() })
    }

    /// Whether somebody may do this (RL-1).
    fn authorise(&self, spec: &Spec, order: &Order<'_>) -> Result<(), Refusal> {
        let f = &self.faults;
        let party = order.member.party();
        if u8::from(order.member.account.is_some()) < spec.level {
            return Err(FORBIDDEN);
        }
        let Some(room) = self.rooms.get(order.number) else {
            // A level on the server, or nobody's business: nobody here has level 5.
            return if spec.name == "set-perm" { Err(FORBIDDEN) } else { Ok(()) };
        };
        if spec.needs == Needs::Nothing {
            return Ok(());
        }
        if !room.has(&party) {
            return Err(stranger(room, f));
        }
        let needed = match spec.needs {
            Needs::Level(level) => level,
            Needs::Inviting if room.closed => 2,
            _ => 0,
        };
        let enough = room.level_of(&party) >= needed || f.acts(Fault::RoomCommandsForAll);
        if enough { Ok(()) } else { Err(FORBIDDEN) }
    }

    fn carry_out(&mut self, spec: &Spec, order: &Order<'_>) -> Done {
        match spec.name {
            "rooms" => self.list_rooms(order).into(),
            "list" => self.list_members(order).into(),
            "invitations" => self.list_invitations(order).into(),
            "default" => self.set_default(order).into(),
            "join" => self.enter(order),
            "create-room" => self.create(order).into(),
            "leave" => self.walk_out(order).into(),
            "kick-from" => self.kick_from(order).into(),
            "delete-room" => self.delete(order),
            "say" => self.say(order).into(),
            "topic" => self.set_topic(order).into(),
            "set-room" => self.set_room(order),
            "clear" => self.clear(order),
            "invite" => self.invite(order).into(),
            "uninvite" => self.uninvite(order).into(),
            "set-perm" => self.set_level(order).into(),
            _ => self.show_level(order).into(),
        }
    }
}
