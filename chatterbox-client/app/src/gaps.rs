//! Gaps: what was missed in rooms while the connection was lost, and did not come with the welcome (RH-6). It is fetched by
//! pages of history; what is said meanwhile waits for it, so everything is shown once and in its order.

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::{Id, Page, Query, Side};
use chatterbox_proto::session::{Message, Room};
use chatterbox_proto::{WireText, limits};

use crate::output::MessageKind;

/// The pages that are fetched of one gap, and their size: for a person, and for a program.
const PERSON: (u16, u16) = (10, 100);
const PROGRAM: (u16, u16) = (40, limits::PAGE);

/// The most that waits for the pages of one room. What is more is on the pages themselves.
const HELD: usize = 1000;
const HELD_BYTES: usize = 512 * 1024;

/// The gaps that are being filled.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    open: Vec<Gap>,
    for_program: bool,
}

#[derive(Debug)]
struct Gap {
    room: String,
    number: u64,
    /// The last message that was shown.
    after: Id,
    pages_left: u16,
    /// How many messages the pages had.
    count: usize,
    held: VecDeque<(Message, MessageKind)>,
    bytes: usize,
}

/// What a page of a gap has brought.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub(crate) messages: Vec<(Message, MessageKind)>,
    /// The next page is asked for.
    pub(crate) next: Option<Query>,
    /// The gap is over.
    pub(crate) end: Option<End>,
    /// What has waited for that.
    pub(crate) rest: Vec<(Message, MessageKind)>,
}

/// How a gap has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// How many messages the pages had.
    pub(crate) count: usize,
    /// Whether these are all.
    pub(crate) complete: bool,
}

impl Gaps {
    pub(crate) fn new(for_program: bool) -> Self {
        Self { open: Vec::new(), for_program }
    }

    fn bounds(&self) -> (u16, u16) {
        if self.for_program { PROGRAM } else { PERSON }
    }

    /// Messages of a room were missed behind this one; gives the query for the first page, unless it is asked for already.
    pub(crate) fn open(&mut self, room: &Room, after: Id) -> Option<Query> {
        if self.open.iter().any(|gap| gap.number == room.number) {
            return None;
        }
        let gap = Gap {
            room: room.name.as_wire().to_owned(),
            number: room.number,
            after,
            pages_left: self.bounds().0,
            count: 0,
            held: VecDeque::new(),
            bytes: 0,
        };
        let query = self.query(&gap);
        self.open.push(gap);
        Some(query)
    }

    fn query(&self, gap: &Gap) -> Query {
        let (side, limit) = (Side::After(gap.after), self.bounds().1);
        Query { with: WireText::new(gap.room.clone()), side, limit }
    }

    /// The queries of all gaps, on a new connection.
    pub(crate) fn queries(&self) -> Vec<Query> {
        self.open.iter().map(|gap| self.query(gap)).collect()
    }

    /// Whether the messages of a room are being fetched.
    pub(crate) fn has(&self, room: &str) -> bool {
        self.open.iter().any(|gap| gap.room == room)
    }

    /// Lets a message wait for the pages before it, if there are any; otherwise it comes back.
    pub(crate) fn hold(
        &mut self,
        room: &str,
        message: Message,
        kind: MessageKind,
    ) -> Option<Message> {
        let Some(gap) = self.open.iter_mut().find(|gap| gap.room == room) else {
            return Some(message);
        };
        gap.bytes += message.content.as_wire().len();
        gap.held.push_back((message, kind));
        while gap.held.len() > HELD || gap.bytes > HELD_BYTES {
            let Some((oldest, _)) = gap.held.pop_front() else { break };
            gap.bytes -= oldest.content.as_wire().len();
        }
        None
    }

    /// A page came that belongs to a gap.
    pub(crate) fn page_received(&mut self, page: Page) -> Filled {
        let Page { with, messages, more, code } = page;
        let Some(place) = self.open.iter().position(|gap| gap.room == with.as_wire()) else {
            return Filled::default();
        };
        let Some(gap) = self.open.get_mut(place) else { return Filled::default() };
        let before = gap.after;
        let mut filled = Filled::default();
        for paged in messages {
            if paged.id > gap.after {
                gap.after = paged.id;
                gap.count += 1;
                filled.messages.push((paged.into(), MessageKind::Missed));
            }
        }
        // A page that brings nothing on would be asked for without end.
        let goes_on = more && code.is_none() && gap.after > before;
        gap.pages_left = gap.pages_left.saturating_sub(1);
        if goes_on && gap.pages_left > 0 {
            filled.next = self.open.get(place).map(|gap| self.query(gap));
            return filled;
        }
        let (rest, count) = self.close(place);
        filled.rest = rest;
        filled.end = Some(End { count, complete: !more && code.is_none() });
        filled
    }

    /// Gives up the gap of a room; what has waited for it comes back.
    pub(crate) fn give_up(&mut self, room: &str) -> Vec<(Message, MessageKind)> {
        let place = self.open.iter().position(|gap| gap.room == room);
        place.map(|place| self.close(place).0).unwrap_or_default()
    }

    /// Gives up all gaps of rooms that `keep` does not name.
    pub(crate) fn retain(
        &mut self,
        keep: impl Fn(&str, u64) -> bool,
    ) -> Vec<(Message, MessageKind)> {
        let mut rest = Vec::new();
        while let Some(place) = self.open.iter().position(|gap| !keep(&gap.room, gap.number)) {
            rest.extend(self.close(place).0);
        }
        rest
    }

    fn close(&mut self, place: usize) -> (Vec<(Message, MessageKind)>, usize) {
        let gap = self.open.remove(place);
        let shown = |id: Option<Id>| id.is_some_and(|id| id <= gap.after);
        let rest = gap.held.into_iter().filter(|(message, _)| !shown(message.id)).collect();
        (rest, gap.count)
    }
}
