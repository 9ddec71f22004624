//! The gate of flood control: whether what a member says in one frame is taken (FL-1 to FL-4).
//!
//! A frame is looked at as a whole before any of its messages is posted, since it costs by all that it says to one
//! destination. Every destination is admitted or refused then; afterwards what was paid for messages that were refused for
//! another reason, or were there already, is given back.

use chatterbox_hub::guard::flood::{FloodTo, MESSAGES, MOST_MESSAGES, cost};
use chatterbox_hub::{Event, Filing, RoomNumber, Speaker, To};
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode, one};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Code, NameKey, Username};

use crate::chat::handle::Handle;
use crate::flood::NewMute;

/// Decides about the frames of one member.
#[derive(Debug, Default)]
pub struct FloodGate {
    /// Whether the member agreed to `notices`.
    notices: bool,
    speaker: Option<Speaker>,
    counted: Vec<Counted>,
    /// That it is muted now, which it was not told yet.
    news: Option<NewMute>,
    /// Frames of which something was refused since somebody has asked.
    refused: u32,
}

/// What a frame says to one destination.
#[derive(Debug)]
struct Counted {
    /// The key of the room's name, as the frame has it.
    room: Option<String>,
    to: FloodTo,
    messages: usize,
    bytes: usize,
    /// The tokens that were taken.
    paid: u32,
    /// Why it is not taken.
    refusal: Option<Code>,
    /// What was taken of it, or has cost as much.
    taken: usize,
    taken_bytes: usize,
    /// After how many seconds more of it is taken than one frame may have.
    rest: u32,
}

impl FloodGate {
    /// A gate for a member that agreed to `notices`, or did not.
    pub fn new(notices: bool) -> Self {
        Self { notices, ..Self::default() }
    }

    /// Begins a frame. Says whether its messages have to be counted: those of staff and of these accounts are not.
    pub fn begin(&mut self, member: &Handle, exempt: &[Username]) -> bool {
        self.counted.clear();
        let speaker = member.chat().speaker(member.id(), exempt);
        self.speaker = speaker.filter(|speaker| !speaker.is_exempt);
        self.speaker.is_some()
    }

    /// Counts a message of the frame.
    pub fn count(
        &mut self,
        member: &Handle,
        to: &Destination<impl NameKey, impl NameKey>,
        bytes: usize,
    ) {
        let place = self.place(to).or_else(|| self.add(member, to));
        if let Some(counted) = place.and_then(|place| self.counted.get_mut(place)) {
            counted.messages += 1;
            counted.bytes = counted.bytes.saturating_add(bytes);
        }
    }

    fn place(&self, to: &Destination<impl NameKey, impl NameKey>) -> Option<usize> {
        self.counted.iter().position(|counted| match (to, counted.to, &counted.room) {
            (Destination::All, FloodTo::Room(_), None)
            | (Destination::User(_), FloodTo::Private, _) => true,
            (Destination::Room(name), _, Some(room)) => name.name_key() == room,
            _ => false,
        })
    }

    /// Adds a destination, unless nothing is counted there, since who is not in a room is refused anyway.
    fn add(
        &mut self,
        member: &Handle,
        to: &Destination<impl NameKey, impl NameKey>,
    ) -> Option<usize> {
        let (to, room) = match to {
            Destination::All => (FloodTo::Room(RoomNumber::LOBBY), None),
            Destination::User(_) => (FloodTo::Private, None),
            Destination::Room(name) => {
                let (room, is_staff) = member.chat().room_of_speaker(member.id(), name)?;
                let to = if is_staff { FloodTo::RoomOfStaff(room) } else { FloodTo::Room(room) };
                (to, Some(name.name_key().to_owned()))
            }
        };
        self.counted.push(Counted {
            room,
            to,
            messages: 0,
            bytes: 0,
            paid: 0,
            refusal: None,
            taken: 0,
            taken_bytes: 0,
            rest: 0,
        });
        Some(self.counted.len() - 1)
    }

    /// Decides about all that was counted of the frame.
    pub fn decide(&mut self, member: &Handle) {
        let Some(Speaker { number, .. }) = self.speaker else { return };
        if self.counted.is_empty() {
            return;
        }
        let flood = member.chat().flood();
        let muted = flood.muted(number).map(|until| Code::Muted(Some(until)));
        let mut is_flood = false;
        for counted in &mut self.counted {
            // Who is muted may still write to those who can undo it, and pays for it.
            let may_appeal = counted.to == FloodTo::Private;
            counted.refusal = muted;
            if muted.is_some() && !may_appeal {
                continue;
            }
            let tokens = cost(counted.messages.min(MOST_MESSAGES), counted.bytes);
            match flood.admit(number, counted.to, tokens) {
                Ok(()) => {
                    counted.paid = tokens;
                    if counted.messages > MOST_MESSAGES {
                        counted.rest = flood.wait(number, counted.to, MESSAGES.burst);
                    }
                }
                Err(code) => {
                    is_flood |= muted.is_none() && matches!(code, Code::Flood(_));
                    counted.refusal = muted.or(Some(code));
                }
            }
        }
        if is_flood {
            self.news = flood.refused(number).or(self.news);
        }
        self.refused += u32::from(self.counted.iter().any(|counted| counted.refusal.is_some()));
    }

    /// Why a message of the frame is not taken, if it is not.
    pub fn refusal(
        &self,
        member: &Handle,
        to: &Destination<impl NameKey, impl NameKey>,
    ) -> Option<Code> {
        let counted = self.counted.get(self.place(to)?)?;
        match (counted.refusal, to) {
            (Some(Code::Muted(_)), Destination::User(name))
                if counted.paid > 0 && member.chat().hears_the_muted(name) =>
            {
                None
            }
            (None, _) if counted.taken >= MOST_MESSAGES => Some(Code::Flood(counted.rest)),
            (refusal, _) => refusal,
        }
    }

    /// Notes that a message is taken as far as all else is concerned.
    ///
    /// # Errors
    /// [`Code::Flood`] when it is a private one to somebody new, and these were too many.
    pub fn take(
        &mut self,
        member: &Handle,
        to: &To,
        filing: &Filing,
        bytes: usize,
    ) -> Result<(), Code> {
        let Some(Speaker { number, .. }) = self.speaker else { return Ok(()) };
        if let Some(recipient) = &filing.to {
            let chat = member.chat();
            if let Err(code) = chat.flood().write_to(number, chat.recipient_number(recipient)) {
                self.refused += 1;
                return Err(code);
            }
        }
        let to = match to {
            Destination::All => FloodTo::Room(RoomNumber::LOBBY),
            Destination::Room(room) => FloodTo::Room(room.number),
            Destination::User(_) => FloodTo::Private,
        };
        if let Some(counted) = self.counted.iter_mut().find(|counted| counted.to.is_with(to)) {
            counted.taken += 1;
            counted.taken_bytes = counted.taken_bytes.saturating_add(bytes);
        }
        Ok(())
    }

    /// Keeps what was paid for a message that is not taken, since it has cost work to find that out.
    pub fn spend(&mut self, to: &Destination<impl NameKey, impl NameKey>, bytes: usize) {
        let place = self.place(to);
        if let Some(counted) = place.and_then(|place| self.counted.get_mut(place)) {
            counted.taken += 1;
            counted.taken_bytes = counted.taken_bytes.saturating_add(bytes);
        }
    }

    /// Ends the frame: what was paid for messages that were not taken is given back.
    pub fn end(&mut self, member: &Handle) {
        let Some(Speaker { number, .. }) = self.speaker.take() else { return };
        for counted in self.counted.drain(..) {
            let used = cost(counted.taken, counted.taken_bytes);
            if used < counted.paid {
                member.chat().flood().give_back(number, counted.to, counted.paid, used);
            }
        }
    }

    /// What the member is told once, when it is muted (FL-2).
    pub fn news(&mut self) -> Option<Event> {
        let NewMute { seconds, until } = self.news.take()?;
        let info = format!("You have said too much and are muted for {seconds} s.");
        if !self.notices {
            return Some(Event::error(&info));
        }
        let notice = NewNotice {
            until: Some(until),
            wait: Some(seconds),
            ..NewNotice::new(NoticeCode::Flood, &info)
        };
        Some(Event::own(one(&notice)))
    }

    /// Of how many frames something was refused since the last call.
    pub fn take_refused(&mut self) -> u32 {
        std::mem::take(&mut self.refused)
    }
}
