//! What a member asks for beyond the base protocol: acknowledgements, pages, commands, PONG.

use std::collections::VecDeque;
use std::sync::Arc;

use chatterbox_hub::{Event, SessionId};
use chatterbox_proto::capability::commands::{CommandRequest, Outcome, OutcomeCode};
use chatterbox_proto::capability::ids::Query;
use chatterbox_proto::capability::{Request, ping};
use chatterbox_proto::session::{Destination, Posting};
use chatterbox_proto::{Code, Faults, limits};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::access::{CommandInput, RequestHandler};
use crate::chat::paging::Pages;
use crate::chat::posts::{Acks, Tags};
use crate::chat::shared::{Chat, Handle};

/// Typed commands that one frame may hold.
const TYPED: usize = 16;

const TOO_MUCH: &str = "too many commands are waiting, this one was not taken";

const TOO_LONG: &str = "a command is not longer than 16 KiB, this one was not taken";

/// What is kept for a member who agreed to something.
pub(super) struct Requests {
    pub(super) session: Option<SessionId>,
    pub(super) pages: Arc<Pages>,
    /// Where commands go, if somebody serves them.
    pub(super) commands: Option<mpsc::Sender<CommandInput>>,
    /// Who knows what a message of the member to itself begins with that is a command.
    pub(super) legacy: Option<Arc<dyn RequestHandler>>,
    /// The tags of the records that wait to be posted, where there is a session.
    pub(super) tags: VecDeque<Option<Arc<str>>>,
    /// Messages that had been sent before.
    pub(super) known: Acks,
    questions: Vec<Question>,
}

enum Question {
    Page(Query),
    Ping(i64),
    Command(CommandInput),
    /// A typed command that is answered with this text instead.
    NotTaken(&'static str),
}

impl Requests {
    pub(super) fn new(session: Option<SessionId>, pages: Arc<Pages>) -> Self {
        Self {
            session,
            pages,
            commands: None,
            legacy: None,
            tags: VecDeque::new(),
            known: Vec::new(),
            questions: Vec::new(),
        }
    }

    /// Takes what is not of the base protocol.
    pub(super) fn take(&mut self, request: Request) {
        self.questions.push(match request {
            Request::History(query) => Question::Page(query),
            Request::Ping(number) => Question::Ping(number),
            Request::Command(request) => Question::Command(CommandInput::Request(request)),
            Request::Pong(number) => {
                // Nobody waits for one that comes too late for the queue.
                let _ = self.hand_on(CommandInput::Pong(number));
                return;
            }
        });
    }

    /// Takes a message that is a command of a base client; says whether it is one.
    pub(super) fn is_command(&mut self, member: &Handle, posting: &Posting<'_>) -> bool {
        let (Some(handler), Destination::User(name)) = (&self.legacy, &posting.destination) else {
            return false;
        };
        let is_own = name.is(&posting.entry.source) && member.chat().who(name) == Some(member.id());
        let Some(prefix) = is_own.then(|| handler.legacy_prefix()).flatten() else { return false };
        let Some(command) = posting.entry.content.strip_prefix(prefix.as_str()) else {
            return false;
        };
        // Without a word it is just something that was said.
        if command.trim_start().is_empty() {
            return false;
        }
        if command.len() > limits::COMMAND && self.questions.len() < TYPED {
            self.questions.push(Question::NotTaken(TOO_LONG));
        } else if self.questions.len() < TYPED {
            self.questions.push(Question::Command(CommandInput::Typed(command.to_owned())));
        } else if self.questions.len() == TYPED {
            self.questions.push(Question::NotTaken(TOO_MUCH));
        }
        true
    }

    /// Whether the session has sent a message with this tag before; it is acknowledged again then.
    pub(super) fn has_sent(&mut self, chat: &Chat, tag: &str) -> bool {
        let known = self.session.and_then(|session| chat.known_tag(session, tag));
        self.known.extend(known.map(|id| (tag.into(), id)));
        known.is_some()
    }

    /// The tags of the next records that are posted.
    pub(super) fn tags_of(&mut self, records: usize) -> Option<Tags> {
        let each: Vec<_> = self.tags.drain(..records.min(self.tags.len())).collect();
        let session = self.session?;
        each.iter().any(Option::is_some).then_some(Tags { session, each })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.questions.is_empty()
    }

    pub(super) fn is_due(&self) -> bool {
        self.known.len() >= limits::TAGS || !self.questions.is_empty()
    }

    /// Answers what was asked, in order, and hands on what others answer.
    pub(super) async fn answer(&mut self, member: &Handle) {
        for question in std::mem::take(&mut self.questions) {
            let answer = match question {
                Question::Page(query) => Some(self.page(member, &query).await),
                Question::Ping(number) => Some(Event::own(ping::pong(number))),
                Question::Command(input) => self.hand_on(input).err().and_then(not_taken),
                Question::NotTaken(text) => Some(Event::error(text)),
            };
            if let Some(answer) = answer {
                member.tell_when_read(answer).await;
            }
        }
    }

    /// Hands an input to whoever serves it, or back when too much is waiting there. It is never waited for: that one may
    /// be waiting for us.
    fn hand_on(&self, input: CommandInput) -> Result<(), CommandInput> {
        let Some(commands) = &self.commands else { return Err(input) };
        commands.try_send(input).map_err(TrySendError::into_inner)
    }

    async fn page(&self, member: &Handle, query: &Query) -> Event {
        let Some(name) = member.name() else { return Event::error("good bye") };
        match self.pages.answer(query, &name, &member.hidden()).await {
            Ok(page) => Event::own(page),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a page can't be read");
                Event::error(&Faults::from(Code::NotRead).text())
            }
        }
    }
}

/// What a member is told of an input that was not taken.
fn not_taken(input: CommandInput) -> Option<Event> {
    match input {
        CommandInput::Request(CommandRequest::Call(call)) => {
            let busy = Outcome::new(&call.id, OutcomeCode::Busy, TOO_MUCH);
            Some(Event::own(busy.to_object()))
        }
        CommandInput::Request(CommandRequest::Answer(_)) => {
            Some(Event::error(&Faults::from(Code::AnswerToNothing).text()))
        }
        CommandInput::Typed(_) => Some(Event::error(TOO_MUCH)),
        CommandInput::Pong(_) => None,
    }
}
