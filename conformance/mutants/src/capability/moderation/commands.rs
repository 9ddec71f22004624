//! The commands of moderation: asks who may, and has it done.

use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::state::{Call, Refusal, Reply},
    words::{FORBIDDEN, Order},
};
use crate::{
    chat::{Chat, Member},
    session::Session,
};

/// What becomes of a command.
pub(in super::super) enum Step {
    Reply(Reply),
    /// It asks something first.
    Asks(String),
}

impl<R: Into<Reply>> From<R> for Step {
    fn from(reply: R) -> Self {
        Self::Reply(reply.into())
    }
}

/// An argument: its name and type, whether it may be left out, and whether it takes the rest.
type Argument = (&'static str, &'static str, bool, bool);

#[derive(Debug)]
struct Spec {
    name: &'static str,
    /// The level on the server, or in the room that it is about.
    level: u8,
    arguments: &'static [Argument],
}

const USER: Argument = ("user", "user", false, false);
const WHOM: Argument = ("user", "text", false, false);
const ROOM: Argument = ("room", "room", false, false);
const ANY_ROOM: Argument = ("room", "room", true, false);
const TIME: Argument = ("duration", "duration", true, false);
const SILENT: Argument = ("silent", "text", true, false);
const REASON: Argument = ("reason", "text", true, true);
const TEXT: Argument = ("text", "text", false, true);
const NUMBER: Argument = ("number", "integer", false, false);
const ID: Argument = ("id", "integer", true, false);

const fn spec(name: &'static str, level: u8, arguments: &'static [Argument]) -> Spec {
    Spec { name, level, arguments }
}

const COMMANDS: &[Spec] = &[
    spec("kick", 2, &[USER, SILENT, REASON]),
    spec("mute", 3, &[USER, TIME, ANY_ROOM]),
    spec("unmute", 3, &[USER, ANY_ROOM]),
    spec("ban", 3, &[WHOM, TIME, SILENT, REASON]),
    spec("ban-from", 3, &[ROOM, USER, TIME, REASON]),
    spec("unban", 3, &[WHOM, ANY_ROOM]),
    spec("banned-users", 3, &[ANY_ROOM]),
    spec("broadcast", 4, &[ROOM, TEXT]),
    spec("server-broadcast", 5, &[TEXT]),
    spec("report", 0, &[USER, ID, REASON]),
    spec("reports", 3, &[]),
    spec("close-report", 3, &[NUMBER]),
    spec("audit", 4, &[("user", "user", true, false), ANY_ROOM]),
    spec("guests", 4, &[("state", "text", false, false)]),
    // In rooms it is a command for rooms.
    spec("set-perm", 4, &[]),
];

/// The entries of the catalogue.
pub(in super::super) fn catalogue(level: u8) -> impl Iterator<Item = Value> {
    let listed = COMMANDS.iter().filter(|spec| spec.name != "set-perm");
    listed.filter(move |spec| spec.level <= level).map(|spec| {
        let arguments = spec.arguments.iter().map(|(name, kind, optional, rest)| {
            json!({"NAME": name, "TYPE": kind, "OPTIONAL": optional, "REST": rest})
        });
        json!({"NAME": spec.name, "ALIASES": [], "HELP": spec.name,
            "ARGUMENTS": arguments.collect::<Vec<_>>(),
            "EXAMPLE": format!("/{}", spec.name), "LEVEL": spec.level})
    })
}

impl Session {
    /// Does a command of moderation; `None` when it is none.
    pub(in super::super) async fn moderate(&self, name: &str, call: &Call) -> Option<Step> {
        let spec = COMMANDS.iter().find(|spec| spec.name == name)?;
        if name == "set-perm" && call.arguments.len() > 2 {
            return None;
        }
        let mut chat = self.shared.chat.lock().await;
        let member = chat.member(self.connection)?.clone();
        Some(chat.moderate(spec, member, call))
    }
}

impl Chat {
    fn moderate(&mut self, spec: &Spec, member: Member, call: &Call) -> Step {
        let f = self.faults.clone();
        let room_first = matches!(spec.name, "ban-from" | "broadcast");
        let order = match self.read_order(member, call, room_first) {
            Ok(order) => order,
            Err(refusal) => return refusal.into(),
        };
        if self.level_in(&order.member.party(), order.room) >= spec.level {
            return self.act(spec.name, &order);
        }
        if f.acts(Fault::ModerationForAll)
            || (spec.name == "reports" && f.acts(Fault::ReportsForAll))
        {
            return self.act(spec.name, &order);
        }
        if spec.name == "kick"
            && let Some(name) = order.subject
            && f.acts(Fault::ForbiddenDone)
        {
            // Refused, and done all the same.
            for member in self.members.iter().filter(|member| member.name == name) {
                member.outbox.close();
            }
        }
        FORBIDDEN.into()
    }

    fn act(&mut self, name: &str, order: &Order<'_>) -> Step {
        let done = match name {
            "kick" => self.kick(order),
            "mute" => self.mute_somebody(order),
            "unmute" => self.unmute(order),
            "ban" => return self.ban(order),
            "ban-from" => self.ban_from(order),
            "unban" => self.unban(order),
            "banned-users" => Ok(self.list_bans(order)),
            "broadcast" | "server-broadcast" => self.broadcast(order),
            "report" => self.report(order),
            "reports" => Ok(self.list_reports()),
            "close-report" => self.close_report(order),
            "audit" => Ok(self.list_audit(order)),
            "set-perm" => self.set_server_level(order),
            _ => Ok(Reply::done("as it was")),
        };
        done.unwrap_or_else(Refusal::into).into()
    }
}
