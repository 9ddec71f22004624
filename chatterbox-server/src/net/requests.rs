//! What a member asks for beyond the base protocol: acknowledgements, pages, commands, PONG.

use std::collections::VecDeque;
use std::sync::Arc;

use chatterbox_hub::{Event, SessionId};
use chatterbox_proto::capability::commands::{Answer, Call, Outcome, OutcomeCode};
use chatterbox_proto::capability::ids::Query;
use chatterbox_proto::capability::ping;
use chatterbox_proto::session::{Action, Destination, Posting};
use chatterbox_proto::{Code, Faults, limits};
use tokio::sync::mpsc;

use crate::access::{Gate, Request};
use crate::chat::paging::Pages;
use crate::chat::sequencer::{Acks, Tags};
use crate::chat::shared::{Chat, Handle};

/// Typed commands that one frame may hold.
const TYPED: usize = 16;

const TOO_MUCH: &str = "too many commands are waiting, this one was not taken";

const TOO_LONG: &str = "a command is not longer than 16 KiB, this one was not taken";

/// What is kept for a member who agreed to something.
pub(super) struct Asked {
    pub(super) session: Option<SessionId>,
    pub(super) pages: Arc<Pages>,
    /// Where commands go, if somebody serves them.
    pub(super) requests: Option<mpsc::Sender<Request>>,
    /// Who knows what a message of the member to itself begins with that is a command.
    pub(super) legacy: Option<Arc<dyn Gate>>,
    /// The tags of the records that wait to be posted, where there is a session.
    pub(super) tags: VecDeque<Option<Arc<str>>>,
    /// Messages that had been sent before.
    pub(super) known: Acks,
    questions: Vec<Question>,
}

enum Question {
    Page(Query),
    Call(Call),
    Answer(Answer),
    Typed(String),
    TooMany,
    TooLong,
    Ping(i64),
}

impl Asked {
    pub(super) fn new(session: Option<SessionId>, pages: Arc<Pages>) -> Self {
        Self {
            session,
            pages,
            requests: None,
            legacy: None,
            tags: VecDeque::new(),
            known: Vec::new(),
            questions: Vec::new(),
        }
    }

    /// Takes what is not of the base protocol.
    pub(super) fn take(&mut self, action: Action<'_>) {
        self.questions.extend(match action {
            Action::History(query) => Some(Question::Page(query)),
            Action::Call(call) => Some(Question::Call(call)),
            Action::Answer(answer) => Some(Question::Answer(answer)),
            Action::Ping(number) => Some(Question::Ping(number)),
            Action::Pong(number) => {
                // Nobody waits for one that comes too late for the queue.
                let _ = self.hand_on(Request::Pong(number));
                None
            }
            // What others do with it is theirs.
            _ => None,
        });
    }

    /// Takes a message that is a command of a base client; says whether it is one.
    pub(super) fn is_command(&mut self, member: &Handle, posting: &Posting<'_>) -> bool {
        let (Some(gate), Destination::User(name)) = (&self.legacy, &posting.destination) else {
            return false;
        };
        let is_own = name.is(&posting.entry.source) && member.chat().who(name) == Some(member.id());
        let Some(prefix) = is_own.then(|| gate.legacy_prefix()).flatten() else { return false };
        let Some(command) = posting.entry.content.strip_prefix(prefix.as_str()) else {
            return false;
        };
        // Without a word it is just something that was said.
        if command.trim_start().is_empty() {
            return false;
        }
        if command.len() > limits::COMMAND && self.questions.len() < TYPED {
            self.questions.push(Question::TooLong);
        } else if self.questions.len() < TYPED {
            self.questions.push(Question::Typed(command.to_owned()));
        } else if self.questions.len() == TYPED {
            self.questions.push(Question::TooMany);
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
            match question {
                Question::Page(query) => {
                    member.tell_when_read(self.page(member, &query).await).await;
                }
                Question::Ping(number) => {
                    member.tell_when_read(Event::own(ping::pong(number))).await;
                }
                Question::Call(call) => {
                    let id = call.id.clone();
                    if self.hand_on(Request::Call(call)).is_err() {
                        let busy = Outcome::new(&id, OutcomeCode::Busy, TOO_MUCH);
                        member.tell_when_read(Event::own(busy.to_object())).await;
                    }
                }
                Question::Answer(answer) => {
                    if self.hand_on(Request::Answer(answer)).is_err() {
                        let text = Faults::from(Code::AnswerToNothing).text();
                        member.tell_when_read(Event::error(&text)).await;
                    }
                }
                Question::Typed(command) => {
                    if self.hand_on(Request::Typed(command)).is_err() {
                        member.tell_when_read(Event::error(TOO_MUCH)).await;
                    }
                }
                Question::TooMany => member.tell_when_read(Event::error(TOO_MUCH)).await,
                Question::TooLong => member.tell_when_read(Event::error(TOO_LONG)).await,
            }
        }
    }

    /// Hands a request to whoever serves it, unless too much is waiting there. It is never waited for: that one may be
    /// waiting for us.
    fn hand_on(&self, request: Request) -> Result<(), ()> {
        let requests = self.requests.as_ref().ok_or(())?;
        requests.try_send(request).map_err(drop)
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
