//! The state of a connection after it has joined: the source of each message is checked against its name.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::capability::meta::NewMeta;
use crate::capability::{Capabilities, Capability, Request};
use crate::client_frame::{ClientFrame, ClientKeys, Known, Messages, Metas, Tags};
use crate::code::Code;
use crate::destination::Destination;
use crate::entry::Entry;
use crate::fault::{Fault, Faults};
use crate::limits;
use crate::lookup_key::{LookupKey, NameKey as _};
use crate::name::{ALL, Username};
use crate::room_name::RoomName;

/// A message that passed every check that one connection can make: it is well-formed, and its SRC is the joined name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting<'a> {
    /// Its index in MESSAGES.
    pub index: usize,
    /// The joined name.
    pub source: Username,
    /// The recipient, a room, or everybody; whether there is such a recipient has not been looked up yet.
    pub destination: Destination<LookupKey, LookupKey>,
    /// The message; SRC has the spelling of the joined name.
    pub entry: Entry<'a>,
    /// Its idempotency key, under which it is acknowledged (ID-3).
    pub tag: Option<Cow<'a, str>>,
    /// What goes with it (MT-2); nothing of it has been looked up yet.
    pub meta: Option<Box<NewMeta>>,
}

impl Posting<'_> {
    /// How much is said with it, in bytes: its text, and what goes with it.
    pub fn size(&self) -> usize {
        self.entry.content.len() + self.meta.as_ref().map_or(0, |meta| meta.size())
    }
}

/// An action of the server in response to a frame of a joined client; they are carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinedAction<'a> {
    /// Store the messages, then deliver them.
    Post(Vec<Posting<'a>>),
    /// Store and deliver the other messages of the frame, which [`JoinedSession::read_on`] gives a few at a time, then answer
    /// with the faults that it leaves, if there are any.
    ReadOn(Box<Unread<'a>>),
    /// Answer with one ERROR.
    Error(Faults),
    /// Serve a request of a capability.
    Request(Request),
}

/// The messages of a frame that have not been read yet, and the faults of those that have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread<'a> {
    messages: Messages<'a>,
    tags: Option<Tags<'a>>,
    metas: Option<Metas>,
    faults: Faults,
    /// Messages that were refused since somebody has asked.
    refused: usize,
}

impl Unread<'_> {
    /// The bytes that the next [`JoinedSession::read_on`] reads.
    pub fn next_bytes(&self) -> usize {
        self.messages.next_bytes()
    }

    /// How many messages were refused since the last call.
    pub fn take_refused(&mut self) -> usize {
        std::mem::take(&mut self.refused)
    }

    /// The faults of the whole frame, when all has been read.
    pub fn into_faults(self) -> Faults {
        let mut faults = self.faults;
        if !self.messages.faults().is_empty() {
            faults.merge(self.messages.faults().clone());
        }
        faults
    }
}

/// The lists that stand beside MESSAGES, where they are present.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    tags: Option<Result<Tags<'a>, Fault>>,
    metas: Option<Result<Metas, Fault>>,
}

impl<'a> Beside<'a> {
    fn take(keys: &mut ClientKeys<'a>) -> Self {
        Self { tags: keys.tags.take(), metas: keys.meta.take() }
    }

    /// Both lists, if they fit to so many messages; to none where there is no MESSAGES.
    fn fitting(self, messages: Option<usize>) -> Result<(Option<Tags<'a>>, Option<Metas>), Fault> {
        let (tags, metas) = (self.tags.transpose()?, self.metas.transpose()?);
        if tags.as_ref().is_some_and(|tags| Some(tags.count()) != messages) {
            return Err(Code::BadTags.into());
        }
        if metas.as_ref().is_some_and(|metas| Some(metas.count()) != messages) {
            return Err(Code::BadMeta.into());
        }
        Ok((tags, metas))
    }
}

/// The value of MESSAGES, if the key is present.
pub type InFrame<'a> = Option<Result<Messages<'a>, Fault>>;

/// A former name of the connection. Messages under it are accepted until a deadline (RN-3).
#[derive(Debug)]
struct Former {
    name: Username,
    until: u64,
}

/// The most former names that are kept; older ones are forgotten before their deadline.
const FORMER_NAMES: usize = 8;

/// The session of a connection that has joined.
#[derive(Debug)]
pub struct JoinedSession {
    name: Username,
    name_limit: usize,
    agreed: Capabilities,
    #[expect(clippy::box_collection, reason = "few connections have any")]
    former: Option<Box<VecDeque<Former>>>,
}

impl JoinedSession {
    /// A connection whose name was accepted, with these capabilities in force.
    pub(super) fn new(name: Username, name_limit: usize, agreed: Capabilities) -> Self {
        Self { name, name_limit, agreed, former: None }
    }

    /// Which keys of the next frame count, for [`ClientFrame::parse_as`].
    pub fn known(&self) -> Known {
        Known::Agreed(self.agreed)
    }

    /// The capabilities in force.
    pub fn agreed(&self) -> Capabilities {
        self.agreed
    }

    /// The name under which the connection has joined.
    pub fn name(&self) -> &Username {
        &self.name
    }

    /// Changes the name. Messages under the old one are accepted until the deadline `until`, by the clock of
    /// [`JoinedSession::forget_names`] (RN-3).
    pub fn renamed(&mut self, name: Username, until: u64) {
        let old = std::mem::replace(&mut self.name, name);
        let former = self.former.get_or_insert_default();
        if former.len() == FORMER_NAMES {
            former.pop_front();
        }
        former.push_back(Former { name: old, until });
    }

    /// Whether there are former names, so that [`JoinedSession::forget_names`] has to be called.
    pub fn has_former_names(&self) -> bool {
        self.former.is_some()
    }

    /// Forgets the former names whose deadline has passed.
    pub fn forget_names(&mut self, now: u64) {
        if let Some(former) = &mut self.former {
            former.retain(|former| now < former.until);
        }
        self.former.take_if(|former| former.is_empty());
    }

    /// Processes one frame, or the fault of a frame that could not be read.
    pub fn receive<'a>(&mut self, frame: Result<ClientFrame<'a>, Fault>) -> Vec<JoinedAction<'a>> {
        let frame = match frame {
            Ok(frame) => frame,
            Err(fault) => return vec![JoinedAction::Error(fault.into())],
        };
        let mut keys = frame.keys;
        let fault = match frame.username {
            Some(Ok(_)) => Some(Code::AlreadyJoined.into()),
            Some(Err(fault)) => Some(fault),
            None if keys.as_ref().is_some_and(|keys| keys.offer.is_some()) => {
                Some(Code::OfferNotNow.into())
            }
            None => None,
        };
        let mut actions: Vec<_> =
            fault.into_iter().map(|fault| JoinedAction::Error(fault.into())).collect();
        let beside = keys.as_mut().map(|keys| Beside::take(keys)).unwrap_or_default();
        self.messages(frame.messages, beside, &mut actions);
        for request in keys.into_iter().flat_map(|keys| keys.requests) {
            actions.push(match request {
                Ok(request) => JoinedAction::Request(request),
                Err(fault) => JoinedAction::Error(fault.into()),
            });
        }
        actions
    }

    pub(super) fn messages<'a>(
        &self,
        messages: InFrame<'a>,
        beside: Beside<'a>,
        actions: &mut Vec<JoinedAction<'a>>,
    ) {
        let messages = match messages.transpose() {
            Ok(messages) => messages,
            Err(fault) => return actions.push(JoinedAction::Error(fault.into())),
        };
        let (tags, metas) = match beside.fitting(messages.as_ref().map(Messages::count)) {
            Ok(beside) => beside,
            // Nothing of the frame is delivered (ID-3, MT-2).
            Err(fault) => return actions.push(JoinedAction::Error(fault.into())),
        };
        let Some(messages) = messages else { return };
        let mut unread = Unread { messages, tags, metas, faults: Faults::new(), refused: 0 };
        let postings = self.read_on(&mut unread).unwrap_or_default();
        if !postings.is_empty() {
            actions.push(JoinedAction::Post(postings));
        }
        if !unread.messages.is_empty() {
            return actions.push(JoinedAction::ReadOn(Box::new(unread)));
        }
        let faults = unread.into_faults();
        if !faults.is_empty() {
            actions.push(JoinedAction::Error(faults));
        }
    }

    /// Reads the next few messages of a frame: [`CHUNK_MESSAGES`](crate::client_frame::CHUNK_MESSAGES) at most, of which those
    /// with a fault are left out. `None` when there are no more.
    pub fn read_on<'a>(&self, unread: &mut Unread<'a>) -> Option<Vec<Posting<'a>>> {
        let Unread { messages, tags, metas, faults, refused } = unread;
        let chunk = messages.next_chunk()?;
        let mut tag = |index: usize| tags.as_mut()?.take(index);
        let mut postings = Vec::with_capacity(chunk.entries.len());
        for (index, entry) in chunk.entries {
            let tag = tag(index);
            match self.check(index, entry) {
                Ok(posting) => {
                    let meta = metas.as_mut().and_then(|metas| metas.take(index));
                    postings.push(Posting { tag, meta, ..posting });
                }
                Err((code, name)) => {
                    *refused += 1;
                    faults.note(|| Fault::message(index, code).about(&name));
                    if let Some(tag) = tag {
                        faults.refuse(tag, code);
                    }
                }
            }
        }
        *refused += chunk.refused.len();
        for (index, code) in chunk.refused {
            if let Some(tag) = tag(index) {
                faults.refuse(tag, code);
            }
        }
        Some(postings)
    }

    /// SRC is checked for every message by itself (SR-1, SR-2).
    fn check<'a>(
        &self,
        index: usize,
        mut entry: Entry<'a>,
    ) -> Result<Posting<'a>, (Code, Cow<'a, str>)> {
        let name = &self.name;
        if entry.source != name.as_str() {
            if !self.is_mine(&entry.source) {
                return Err((Code::SourceNotYou, entry.source));
            }
            entry.source = Cow::Owned(name.as_str().to_owned());
        }
        let destination = if entry.destination == ALL {
            Destination::All
        } else if RoomName::is_meant(&entry.destination) && self.agreed.has(Capability::Rooms) {
            let Some(key) = LookupKey::of(&entry.destination, 1 + limits::ROOM_NAME_CHARS) else {
                return Err((Code::NoSuchRoom, entry.destination));
            };
            Destination::Room(key)
        } else {
            // No user has a name that is not valid.
            let Some(key) = LookupKey::of(&entry.destination, self.name_limit) else {
                return Err((Code::NoSuchUser, entry.destination));
            };
            Destination::User(key)
        };
        Ok(Posting { index, source: self.name.clone(), destination, entry, tag: None, meta: None })
    }

    /// Whether a source on the wire is the name, or a former one: it is folded once, however many there are.
    fn is_mine(&self, source: &str) -> bool {
        let former = self.former.iter().flat_map(|all| &**all).map(|former| &former.name);
        let mine = former.chain([&self.name]);
        let longest = mine.clone().map(|name| name.as_str().chars().count()).max().unwrap_or(0);
        LookupKey::of(source, longest)
            .is_some_and(|key| mine.clone().any(|name| name.key() == key.name_key()))
    }
}
