//! The server's side of one connection: names, then messages that are really from whom they say.

use std::borrow::Cow;

use crate::client_frame::{ClientFrame, Messages};
use crate::code::{Code, Fault, Faults, Refusal};
use crate::entry::Entry;
use crate::name::Username;
use crate::{ALL, limits};

/// Where a message goes (DE-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Everybody.
    All,
    /// One user, by a name that could be one; whether they are here is the roster's to say.
    User(Username),
}

/// A message that passed everything one connection can know: it is a tuple, and its SRC is the joined name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting<'a> {
    /// Its place in the frame.
    pub index: usize,
    /// Where it goes.
    pub destination: Destination,
    /// The message, its SRC in the spelling of the joined name.
    pub entry: Entry<'a>,
}

/// What the server has to do because of a frame, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<'a> {
    /// Ask the roster for this name, then tell the session with [`ServerSession::claimed`].
    Claim {
        /// The name.
        name: Username,
        /// MESSAGES of the same frame, to be handed back with the answer.
        messages: InFrame<'a>,
    },
    /// Answer that the name is refused.
    Refuse(Refusal),
    /// Store and deliver.
    Post(Vec<Posting<'a>>),
    /// Answer with one ERROR.
    Error(Faults),
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

/// One connection, as the server sees it.
#[derive(Debug)]
pub struct ServerSession {
    state: State,
    name_limit: usize,
}

impl ServerSession {
    /// A new connection; names may have `name_limit` characters (NM-2).
    pub fn new(name_limit: usize) -> Self {
        Self { state: State::Greeting { refused: 0 }, name_limit }
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
        let frame = match frame {
            Ok(frame) => frame,
            Err(fault) => return vec![Action::Error(fault.into())],
        };
        let mut actions = Vec::new();
        match (frame.username, &self.state) {
            (None, _) => {}
            (Some(Err(fault)), _) => actions.push(Action::Error(fault.into())),
            (Some(Ok(_)), State::Joined(_)) => {
                actions.push(Action::Error(Code::AlreadyJoined.into()));
            }
            (Some(Ok(text)), State::Greeting { .. }) => {
                return match Username::parse_within(&text, self.name_limit) {
                    Ok(name) => vec![Action::Claim { name, messages: frame.messages }],
                    Err(error) => self.refused(error.into(), frame.messages),
                };
            }
        }
        self.messages(frame.messages, &mut actions);
        actions
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
                self.messages(messages, &mut actions);
                actions
            }
        }
    }

    fn refused<'a>(&mut self, refusal: Refusal, messages: InFrame<'a>) -> Vec<Action<'a>> {
        let mut actions = vec![Action::Refuse(refusal)];
        self.messages(messages, &mut actions);
        if let State::Greeting { refused } = &mut self.state {
            *refused += 1;
            if *refused >= limits::NAME_TRIES {
                actions.push(Action::Close);
            }
        }
        actions
    }

    fn messages<'a>(&self, messages: InFrame<'a>, actions: &mut Vec<Action<'a>>) {
        let messages = match (messages, &self.state) {
            (None, _) => return,
            (Some(Err(fault)), _) => return actions.push(Action::Error(fault.into())),
            (Some(Ok(_)), State::Greeting { .. }) => {
                return actions.push(Action::Error(Code::NotJoined.into()));
            }
            (Some(Ok(messages)), State::Joined(_)) => messages,
        };
        let mut postings = Vec::with_capacity(messages.entries.len());
        let mut faults = Faults::new();
        for (index, entry) in messages.entries {
            match self.check(index, entry) {
                Ok(posting) => postings.push(posting),
                Err((code, name)) => faults.note(|| Fault::message(index, code).about(&name)),
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
            if !name.is(&entry.source) {
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
        Ok(Posting { index, destination, entry })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> ServerSession {
        ServerSession::new(limits::USERNAME_CHARS)
    }

    fn joined(name: &str) -> ServerSession {
        let mut session = session();
        let name = Username::parse(name).unwrap();
        assert_eq!(session.claimed(Ok(name), None), []);
        session
    }

    fn codes(actions: &[Action<'_>]) -> Vec<(Option<usize>, Code)> {
        let faults = actions.iter().flat_map(|action| match action {
            Action::Error(faults) => faults.listed().to_vec(),
            _ => vec![],
        });
        faults.map(|fault| (fault.index, fault.code)).collect()
    }

    #[test]
    fn a_name_is_claimed_and_messages_of_its_frame_wait_for_the_answer() {
        let mut session = session();
        let body = br#"{"MESSAGES": [["ann", "ALL", 1, "x"]], "USERNAME": "ann"}"#;
        let mut actions = session.receive(ClientFrame::parse(body));
        let Some(Action::Claim { name, messages }) = actions.pop() else { panic!() };
        let actions = session.claimed(Ok(name), messages.clone());
        assert!(matches!(&actions[..], [Action::Post(postings)] if postings.len() == 1));

        let mut other = self::session();
        let actions = other.claimed(Err(Refusal::Taken), messages);
        assert_eq!(actions[0], Action::Refuse(Refusal::Taken));
        assert_eq!(codes(&actions), [(None, Code::NotJoined)]);
    }

    #[test]
    fn b6_nothing_is_taken_before_joining() {
        let actions = session()
            .receive(ClientFrame::parse(br#"{"MESSAGES": [["ann", "ALL", 1, "x"]]}"#))
            .len();
        assert_eq!(actions, 1);
    }

    #[test]
    fn every_source_is_checked_not_just_the_first() {
        let body = br#"{"MESSAGES": [["ann", "ALL", 1, "x"], ["bob", "ALL", 1, "y"], ["ANN", "bob", 1, "z"],
            ["annie", "ALL", 1, "w"], 5, ["ann", "not a name", 1, "v"]]}"#;
        let actions = joined("ann").receive(ClientFrame::parse(body));
        let Action::Post(postings) = &actions[0] else { panic!() };
        assert_eq!(postings.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(postings[1].entry.source, "ann", "delivered in the joined spelling");
        assert_eq!(postings[1].destination, Destination::User(Username::parse("bob").unwrap()));
        assert_eq!(
            codes(&actions),
            [
                (Some(1), Code::SourceNotYou),
                (Some(3), Code::SourceNotYou),
                (Some(4), Code::MessageNotList),
                (Some(5), Code::NoSuchUser),
            ]
        );
    }

    #[test]
    fn a_second_name_is_an_error_and_its_messages_still_count() {
        let body = br#"{"USERNAME": "bob", "MESSAGES": [["ann", "ALL", 1, "x"]]}"#;
        let mut session = joined("ann");
        let actions = session.receive(ClientFrame::parse(body));
        assert_eq!(codes(&actions), [(None, Code::AlreadyJoined)]);
        assert!(matches!(&actions[1], Action::Post(_)));
        assert_eq!(session.name().unwrap().as_str(), "ann");
    }

    #[test]
    fn names_may_be_tried_a_few_times() {
        let mut session = session();
        for attempt in 1..=limits::NAME_TRIES {
            let actions = session.receive(ClientFrame::parse(br#"{"USERNAME": "a b"}"#));
            assert!(matches!(actions[0], Action::Refuse(Refusal::Name(_))));
            assert_eq!(actions.contains(&Action::Close), attempt == limits::NAME_TRIES);
        }
    }

    #[test]
    fn a_faulty_frame_changes_nothing() {
        let mut session = joined("ann");
        for body in [&b"xyz"[..], b"[1]", b"{}", b"", b"{\"MESSAGES\": 5}", b"{\"USERNAME\": 5}"] {
            let actions = session.receive(ClientFrame::parse(body));
            assert!(matches!(&actions[..], [Action::Error(faults)] if faults.listed().len() == 1));
        }
        assert_eq!(session.name().unwrap().as_str(), "ann");
    }
}
