//! The arguments of the commands: optional ones are told apart by their shape.

use conformance_suite::fault::Fault;

use super::super::state::{Call, Refusal};
use crate::chat::{Chat, Member};

pub(super) const MISSING: Refusal = Refusal::new("bad-arguments", "something is missing");
pub(super) const NO_SUCH_USER: Refusal = Refusal::new("no-such-user", "nobody has that name");
pub(super) const FORBIDDEN: Refusal = Refusal::new("forbidden", "you may not");
const NO_SUCH_ROOM: Refusal = Refusal::new("no-such-room", "there is no such room");

/// A command that is about to be done.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) member: Member,
    /// Whom, or what, it is about.
    pub(super) subject: Option<&'a str>,
    pub(super) room: Option<u64>,
    /// In seconds; `Some(None)` is for ever.
    pub(super) duration: Option<Option<i64>>,
    pub(super) silent: bool,
    pub(super) guests: bool,
    /// What is left: a reason, a text, a number.
    pub(super) rest: &'a [String],
    pub(super) answer: Option<&'a str>,
}

impl Order<'_> {
    pub(super) fn reason(&self) -> String {
        self.rest.join(" ")
    }

    pub(super) fn subject(&self) -> Result<&str, Refusal> {
        self.subject.ok_or(MISSING)
    }
}

/// How long, in seconds: `30s`, `10m`, `2h`, `7d`, `forever`.
fn duration(text: &str) -> Option<Option<i64>> {
    if text == "forever" {
        return Some(None);
    }
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: i64 = text.get(..text.len() - 1)?.parse().ok().filter(|number| *number > 0)?;
    Some(Some(number.checked_mul(unit)?))
}

impl Chat {
    /// Reads the arguments of a command that begins with a room, or with whom it is about.
    pub(super) fn read_order<'a>(
        &self,
        member: Member,
        call: &'a Call,
        room_first: bool,
    ) -> Result<Order<'a>, Refusal> {
        let mut order = Order {
            member,
            subject: None,
            room: None,
            duration: None,
            silent: false,
            guests: false,
            rest: &call.arguments,
            answer: call.answer.as_deref(),
        };
        let room = |name: &str| self.rooms.find(name, &self.faults).ok_or(NO_SUCH_ROOM);
        if room_first {
            let (first, rest) = order.rest.split_first().ok_or(MISSING)?;
            order.room = Some(room(first)?);
            order.rest = rest;
        }
        if let Some((subject, rest)) =
            order.rest.split_first().filter(|(first, _)| !first.starts_with('#'))
        {
            (order.subject, order.rest) = (Some(subject.as_str()), rest);
        }
        while let Some((word, rest)) = order.rest.split_first() {
            if let Some(time) = duration(word) {
                order.duration = Some(time);
            } else if word == "--silent" {
                order.silent = !self.faults.acts(Fault::SilentTold);
            } else if word == "guests" {
                order.guests = true;
            } else if word.starts_with('#') && order.room.is_none() {
                order.room = Some(room(word)?);
            } else {
                break;
            }
            order.rest = rest;
        }
        Ok(order)
    }
}
