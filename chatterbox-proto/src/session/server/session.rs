//! The server's side of one connection: names, then messages that are really from whom they say.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::capability::accounts::Proof;
use crate::capability::commands::{Answer, Call};
use crate::capability::ids::{Query, Resume};
use crate::capability::{Capabilities, Capability};
use crate::client_frame::{ClientFrame, ClientKeys, Known, Messages, Tags};
use crate::code::{Code, Fault, Faults, Refusal};
use crate::destination::Destination;
use crate::entry::Entry;
use crate::limits;
use crate::name::{ALL, Username};

/// A message that passed everything one connection can know: it is a tuple, and its SRC is the joined name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting<'a> {
    /// Its place in the frame.
    pub index: usize,
    /// Where it goes.
    pub destination: Destination,
    /// The message, its SRC in the spelling of the joined name.
    pub entry: Entry<'a>,
    /// What its acknowledgement is to be called (ID-3).
    pub tag: Option<Cow<'a, str>>,
}

/// What a name is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The name.
    pub name: Username,
    /// What is in force if it is accepted; `None` when nothing was offered, which is answered by the base protocol.
    pub agreed: Option<Capabilities>,
    /// What proves that the name is the user's; only with `accounts`.
    pub proof: Option<Proof>,
    /// Which session to go on with; only with `ids`.
    pub resume: Option<Resume>,
    /// MESSAGES of the same frame, to be handed back with the answer.
    pub messages: InFrame<'a>,
}

/// What the server has to do because of a frame, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<'a> {
    /// Ask the roster for this name, then tell the session with [`ServerSession::claimed`].
    Claim(Box<Claim<'a>>),
    /// Answer that the name is refused.
    Refuse(Refusal),
    /// Store and deliver.
    Post(Vec<Posting<'a>>),
    /// Answer with one ERROR.
    Error(Faults),
    /// Answer with a page of history (ID-6).
    History(Query),
    /// Run a command (CM-2).
    Call(Call),
    /// Hand an answer to the command that asked (CM-4).
    Answer(Answer),
    /// Answer with PONG (PI-1).
    Ping(i64),
    /// Note that the other end has come this far (PI-1).
    Pong(i64),
    /// Close the connection once everything is said.
    Close,
}

/// What stood in MESSAGES, if anything.
pub type InFrame<'a> = Option<Result<Messages<'a>, Fault>>;

#[derive(Debug)]
enum State {
    /// No name yet; so many were refused.
    Greeting {
        refused: u32,
    },
    Joined(Username),
}

/// A name that the connection had before, and until when messages under it are still taken (RN-3).
#[derive(Debug)]
struct Former {
    name: Username,
    until: u64,
}

/// Of the names that somebody had in the last seconds, no more than this are remembered.
const FORMER_NAMES: usize = 8;

/// One connection, as the server sees it.
#[derive(Debug)]
pub struct ServerSession {
    state: State,
    name_limit: usize,
    /// What this server speaks.
    spoken: Capabilities,
    /// What was offered last and is spoken, or is in force.
    agreed: Capabilities,
    #[expect(clippy::box_collection, reason = "few connections have any")]
    former: Option<Box<VecDeque<Former>>>,
}

impl ServerSession {
    /// A new connection to a server that speaks `spoken`; names may have `name_limit` characters (NM-2).
    pub fn new(name_limit: usize, spoken: Capabilities) -> Self {
        Self {
            state: State::Greeting { refused: 0 },
            name_limit,
            spoken,
            agreed: Capabilities::NONE,
            former: None,
        }
    }

    /// Which keys of the next frame count, for [`ClientFrame::parse_as`].
    pub fn known(&self) -> Known {
        match self.state {
            State::Greeting { .. } => Known::Joining,
            State::Joined(_) => Known::Agreed(self.agreed),
        }
    }

    /// What is in force, or would be if the name that was asked for last is accepted.
    pub fn agreed(&self) -> Capabilities {
        self.agreed
    }

    /// Goes on under another name. Messages that say the old one are taken until `until`, of any clock (RN-3).
    pub fn renamed(&mut self, name: Username, until: u64) {
        if let State::Joined(current) = &mut self.state {
            let old = std::mem::replace(current, name);
            let former = self.former.get_or_insert_default();
            if former.len() == FORMER_NAMES {
                former.pop_front();
            }
            former.push_back(Former { name: old, until });
        }
    }

    /// Whether there are former names, which [`ServerSession::forget_names`] has to be told the time for.
    pub fn has_former_names(&self) -> bool {
        self.former.is_some()
    }

    /// Takes messages under former names no more whose time is over.
    pub fn forget_names(&mut self, now: u64) {
        if let Some(former) = &mut self.former {
            former.retain(|former| now < former.until);
        }
        self.former.take_if(|former| former.is_empty());
    }

    /// The name under which the connection has joined.
    pub fn name(&self) -> Option<&Username> {
        match &self.state {
            State::Joined(name) => Some(name),
            State::Greeting { .. } => None,
        }
    }

    /// Takes one frame: what it was read as, or what was wrong with it.
    pub fn receive<'a>(&mut self, frame: Result<ClientFrame<'a>, Fault>) -> Vec<Action<'a>> {
        let mut frame = match frame {
            Ok(frame) => frame,
            Err(fault) => return vec![Action::Error(fault.into())],
        };
        let mut actions = Vec::new();
        let keys = frame.keys.take();
        match (frame.username, &self.state) {
            (None, _) => {
                if keys.as_ref().is_some_and(|keys| keys.offer.is_some()) {
                    actions.push(Action::Error(Code::OfferNotNow.into()));
                }
            }
            (Some(Err(fault)), _) => actions.push(Action::Error(fault.into())),
            (Some(Ok(_)), State::Joined(_)) => {
                actions.push(Action::Error(Code::AlreadyJoined.into()));
            }
            (Some(Ok(text)), State::Greeting { .. }) => {
                return match self.offered(keys) {
                    Ok(offered) => self.ask(&text, offered, frame.messages),
                    Err(fault) => {
                        actions.push(Action::Error(fault.into()));
                        self.messages(frame.messages, None, &mut actions);
                        actions
                    }
                };
            }
        }
        let Some(mut keys) = keys else {
            self.messages(frame.messages, None, &mut actions);
            return actions;
        };
        self.messages(frame.messages, keys.tags.take(), &mut actions);
        self.others(*keys, &mut actions);
        actions
    }

    /// What stands beside a name, as far as it counts; what is wrong with it keeps the name from being taken (CP-3).
    fn offered(&self, keys: Option<Box<ClientKeys<'_>>>) -> Result<Offered, Fault> {
        let Some(keys) = keys else { return Ok(Offered::default()) };
        let Some(offer) = keys.offer.transpose()? else { return Ok(Offered::default()) };
        let agreed = offer.and(self.spoken);
        let proof = keys.proof.filter(|_| agreed.has(Capability::Accounts)).transpose()?;
        let resume = keys.resume.filter(|_| agreed.has(Capability::Ids)).transpose()?;
        Ok(Offered { agreed: Some(agreed), proof, resume })
    }

    fn ask<'a>(&mut self, text: &str, offered: Offered, messages: InFrame<'a>) -> Vec<Action<'a>> {
        let Offered { agreed, proof, resume } = offered;
        self.agreed = agreed.unwrap_or_default();
        match Username::parse_within(text, self.name_limit) {
            Ok(name) => {
                vec![Action::Claim(Box::new(Claim { name, agreed, proof, resume, messages }))]
            }
            Err(error) => self.refused(error.into(), messages),
        }
    }

    /// What stands beside messages: what is asked for comes in this order, PING last, since its answer is behind all.
    fn others<'a>(&self, keys: ClientKeys<'a>, actions: &mut Vec<Action<'a>>) {
        let mut add = |action: Option<Result<Action<'a>, Fault>>| {
            actions.extend(
                action.map(|action| action.unwrap_or_else(|fault| Action::Error(fault.into()))),
            );
        };
        add(keys.history.map(|history| history.map(Action::History)));
        add(keys.call.map(|call| call.map(Action::Call)));
        add(keys.answer.map(|answer| answer.map(Action::Answer)));
        add(keys.pong.map(|pong| pong.map(Action::Pong)));
        add(keys.ping.map(|ping| ping.map(Action::Ping)));
    }

    /// Takes the roster's answer to [`Action::Claim`].
    pub fn claimed<'a>(
        &mut self,
        claim: Result<Username, Refusal>,
        messages: InFrame<'a>,
    ) -> Vec<Action<'a>> {
        match claim {
            Err(refusal) => self.refused(refusal, messages),
            Ok(name) => {
                self.state = State::Joined(name);
                let mut actions = Vec::new();
                self.messages(messages, None, &mut actions);
                actions
            }
        }
    }

    fn refused<'a>(&mut self, refusal: Refusal, messages: InFrame<'a>) -> Vec<Action<'a>> {
        let mut actions = vec![Action::Refuse(refusal)];
        self.messages(messages, None, &mut actions);
        if let State::Greeting { refused } = &mut self.state {
            *refused += 1;
            if *refused >= limits::NAME_TRIES {
                actions.push(Action::Close);
            }
        }
        actions
    }

    fn messages<'a>(
        &self,
        messages: InFrame<'a>,
        tags: Option<Result<Tags<'a>, Fault>>,
        actions: &mut Vec<Action<'a>>,
    ) {
        let mut tags = match tags.transpose() {
            Ok(tags) => tags,
            // Nothing of the frame is delivered (ID-3).
            Err(fault) => return actions.push(Action::Error(fault.into())),
        };
        let messages = match (messages, &self.state) {
            (None, _) if tags.is_some() => {
                return actions.push(Action::Error(Code::BadTags.into()));
            }
            (None, _) => return,
            (Some(Err(fault)), _) => return actions.push(Action::Error(fault.into())),
            (Some(Ok(_)), State::Greeting { .. }) => {
                return actions.push(Action::Error(Code::NotJoined.into()));
            }
            (Some(Ok(messages)), State::Joined(_)) => messages,
        };
        if tags.as_ref().is_some_and(|tags| tags.len() != messages.count) {
            return actions.push(Action::Error(Code::BadTags.into()));
        }
        let mut tag = |index: usize| tags.as_mut()?.get_mut(index)?.take();
        let mut postings = Vec::with_capacity(messages.entries.len());
        let mut faults = Faults::new();
        for (index, entry) in messages.entries {
            let tag = tag(index);
            match self.check(index, entry) {
                Ok(posting) => postings.push(Posting { tag, ..posting }),
                Err((code, name)) => {
                    faults.note(|| Fault::message(index, code).about(&name));
                    if let Some(tag) = tag {
                        faults.refuse(tag, code);
                    }
                }
            }
        }
        for (index, code) in messages.refused {
            if let Some(tag) = tag(index) {
                faults.refuse(tag, code);
            }
        }
        faults.merge(messages.faults);
        if !postings.is_empty() {
            actions.push(Action::Post(postings));
        }
        if !faults.is_empty() {
            actions.push(Action::Error(faults));
        }
    }

    /// SRC is checked for every message by itself (SR-1, SR-2).
    fn check<'a>(
        &self,
        index: usize,
        mut entry: Entry<'a>,
    ) -> Result<Posting<'a>, (Code, Cow<'a, str>)> {
        let Some(name) = self.name() else { return Err((Code::NotJoined, entry.source)) };
        if entry.source != name.as_str() {
            let mine = |source: &str| {
                name.is(source)
                    || self.former.iter().flat_map(|all| &**all).any(|old| old.name.is(source))
            };
            if !mine(&entry.source) {
                return Err((Code::SourceNotYou, entry.source));
            }
            entry.source = Cow::Owned(name.as_str().to_owned());
        }
        let destination = if entry.destination == ALL {
            Destination::All
        } else {
            // What can't be a name is nobody's.
            let Ok(name) = Username::parse_within(&entry.destination, self.name_limit) else {
                return Err((Code::NoSuchUser, entry.destination));
            };
            Destination::User(name)
        };
        Ok(Posting { index, destination, entry, tag: None })
    }
}

/// What stood beside a name.
#[derive(Default)]
struct Offered {
    agreed: Option<Capabilities>,
    proof: Option<Proof>,
    resume: Option<Resume>,
}
