//! Requests beyond the base protocol: acknowledgements, pages of history, commands, PING and PONG.

use std::collections::VecDeque;
use std::sync::Arc;

use chatterbox_hub::{Event, Record, SessionId};
use chatterbox_proto::capability::commands::{CommandRequest, Outcome, OutcomeCode};
use chatterbox_proto::capability::e2ee::KeysRequest;
use chatterbox_proto::capability::files::FileRequest;
use chatterbox_proto::capability::ids::Query;
use chatterbox_proto::capability::marks::ReadUpTo;
use chatterbox_proto::capability::meta::FileToken;
use chatterbox_proto::capability::{Request, ping};
use chatterbox_proto::session::{Destination, Posting};
use chatterbox_proto::{Code, Faults, LookupKey, NameKey as _, Username, limits};
use tokio::sync::{Semaphore, mpsc};

use crate::access::{
    Authenticator, CommandInput, RequestHandler, RequestRoom, WAITING_REQUEST_BYTES, WaitingInput,
};
use crate::chat::handle::Handle;
use crate::chat::paging::Pages;
use crate::chat::posts::{Acks, Tags};
use crate::chat::shared::Chat;
use crate::chat::short_queue;
use crate::net::announcing::{Announcing, NotTaken, Taken};
use crate::net::put_off::PutOff;

/// Legacy commands that one frame may hold.
const TYPED: usize = 16;

const TOO_MUCH: &str = "too many commands are waiting, this one was not taken";

const TOO_LONG: &str = "a command is not longer than 16 KiB, this one was not taken";

/// The requests of a member that wait for their answers.
pub(super) struct Requests {
    pub(super) session: Option<SessionId>,
    pub(super) pages: Arc<Pages>,
    /// To the request handler, if there is one.
    pub(super) commands: Option<short_queue::Sender<WaitingInput>>,
    /// The memory for requests that wait for it.
    command_bytes: Arc<Semaphore>,
    /// To the transfers of the connection, if it may have any.
    pub(super) files: Option<mpsc::Sender<Box<FileRequest>>>,
    /// The handler that knows the prefix, where legacy commands are on.
    pub(super) legacy: Option<Arc<dyn RequestHandler>>,
    /// The idempotency keys of the records that wait to be posted.
    pub(super) tags: VecDeque<Option<Arc<str>>>,
    /// Duplicates of messages that are stored already, to be acknowledged again.
    pub(super) duplicates: Acks,
    /// The messages to who is not here.
    pub(super) put_off: PutOff,
    /// The messages that announce files.
    pub(super) announcing: Announcing,
    /// The name that the member has joined under, once it has another one and does not read of such changes.
    pub(super) joined_as: Option<Username>,
    pending: Vec<Pending>,
}

enum Pending {
    Page(Query),
    Ping(i64),
    Read(ReadUpTo),
    File(FileRequest),
    Keys(KeysRequest),
    Command(CommandInput),
    /// A legacy command that is rejected with this text.
    Rejected(&'static str),
}

impl Requests {
    pub(super) fn new(
        session: Option<SessionId>,
        pages: Arc<Pages>,
        accounts: Arc<dyn Authenticator>,
    ) -> Self {
        Self {
            session,
            pages,
            commands: None,
            command_bytes: Arc::new(Semaphore::new(WAITING_REQUEST_BYTES)),
            files: None,
            legacy: None,
            tags: VecDeque::new(),
            duplicates: Vec::new(),
            put_off: PutOff::new(accounts),
            announcing: Announcing::default(),
            joined_as: None,
            pending: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, request: Request) {
        self.pending.push(match request {
            Request::History(query) => Pending::Page(query),
            Request::Ping(number) => Pending::Ping(number),
            Request::Read(read) => Pending::Read(read),
            Request::Command(request) => Pending::Command(CommandInput::Request(request)),
            Request::File(request) => Pending::File(request),
            Request::Keys(request) => Pending::Keys(request),
            Request::Pong(number) => {
                // When the queue is full the PING counts as unanswered.
                let _ = self.hand_on(CommandInput::Pong(number));
                return;
            }
        });
    }

    /// Takes a message if it is a legacy command: a message to oneself that begins with the prefix.
    pub(super) fn is_command(&mut self, member: &Handle, posting: &Posting<'_>) -> bool {
        let (Some(handler), Destination::User(name)) = (&self.legacy, &posting.destination) else {
            return false;
        };
        let is_own =
            name.name_key() == posting.source.key() && member.chat().who(name) == Some(member.id());
        let Some(prefix) = is_own.then(|| handler.legacy_prefix()).flatten() else { return false };
        let Some(command) = posting.entry.content.strip_prefix(prefix.as_str()) else {
            return false;
        };
        // A prefix without a word is an ordinary message.
        if command.trim_start().is_empty() {
            return false;
        }
        if command.len() > limits::COMMAND && self.pending.len() < TYPED {
            self.pending.push(Pending::Rejected(TOO_LONG));
        } else if self.pending.len() < TYPED {
            self.pending.push(Pending::Command(CommandInput::Typed(command.to_owned())));
        } else if self.pending.len() == TYPED {
            self.pending.push(Pending::Rejected(TOO_MUCH));
        }
        true
    }

    /// Whether a message with this idempotency key is stored already; it is acknowledged again then.
    pub(super) fn is_duplicate(&mut self, chat: &Chat, tag: &str) -> bool {
        let known = self.session.and_then(|session| chat.known_tag(session, tag));
        self.duplicates.extend(known.map(|id| (tag.into(), id)));
        known.is_some()
    }

    /// Keeps the idempotency key of a record that waits to be posted at a place, and the file that it announces; with the index that it has
    /// in its frame.
    pub(super) fn keep(
        &mut self,
        place: usize,
        index: usize,
        tag: Option<&str>,
        file: Option<FileToken>,
    ) {
        let tag: Option<Arc<str>> = tag.map(Into::into);
        if let Some(file) = file {
            self.announcing.add(place, index, file, tag.clone());
        }
        self.tags.push_back(tag);
    }

    /// Takes the files for the messages that announce them; see [`Announcing::take`].
    pub(super) async fn take_files(
        &mut self,
        member: &Handle,
        records: &mut Vec<Record>,
    ) -> (Vec<Taken>, Vec<NotTaken>) {
        self.announcing.take(member, self.session, records, &mut self.tags).await
    }

    /// The idempotency keys of the next records that are posted.
    pub(super) fn take_tags(&mut self, records: usize) -> Option<Tags> {
        let each: Vec<_> = self.tags.drain(..records.min(self.tags.len())).collect();
        (self.session.is_some() && each.iter().any(Option::is_some)).then_some(each)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.duplicates.is_empty() && self.put_off.is_empty() && self.pending.is_empty()
    }

    pub(super) fn is_due(&self) -> bool {
        let is_waiting = !self.put_off.is_empty() || !self.pending.is_empty();
        is_waiting || self.duplicates.len() >= limits::TAGS
    }

    /// Answers pages and PINGs in order, and hands commands to the handler.
    pub(super) async fn answer(&mut self, member: &Handle) {
        for pending in std::mem::take(&mut self.pending) {
            let answer = match pending {
                Pending::Page(query) => Some(self.page(member, &query).await),
                Pending::Ping(number) => Some(Event::own(ping::pong(number))),
                Pending::Read(read) => {
                    member.read_up_to(&read);
                    None
                }
                Pending::File(request) => {
                    // Back-pressure: a client that sends more than is written waits here. Transfers never wait for this reader.
                    if let Some(files) = &self.files {
                        let _ = files.send(Box::new(request)).await;
                    }
                    None
                }
                Pending::Keys(request) => Box::pin(self.keys(member, request)).await,
                Pending::Command(input) => self.hand_on(input).err().and_then(rejected),
                Pending::Rejected(text) => Some(Event::error(text)),
            };
            if let Some(answer) = answer {
                member.tell_when_read(answer).await;
            }
        }
    }

    /// Hands an input to the handler, or back when its queue is full, in requests or in bytes. It never waits: the handler may wait for this reader,
    /// which answers its renames.
    fn hand_on(&self, input: CommandInput) -> Result<(), CommandInput> {
        let Some(commands) = &self.commands else { return Err(input) };
        let Some(room) = RequestRoom::take(&self.command_bytes, input.size()) else {
            return Err(input);
        };
        let waiting = WaitingInput { input, room };
        commands.try_send(waiting).map_err(|full| full.input)
    }

    /// Answers a request to the directory of keys. Where there is none, nobody has agreed to ask it.
    async fn keys(&self, member: &Handle, request: KeysRequest) -> Option<Event> {
        if !matches!(request, KeysRequest::Done(_)) {
            // Nobody holds an answer who has not read those before it.
            member.room().await;
            // A device may have been published at another node a moment ago.
            member.chat().catch_up().await;
        }
        self.put_off.keys()?.answer(member, request).await
    }

    async fn page(&self, member: &Handle, query: &Query) -> Event {
        // Nobody holds a page who has not read the answers before it.
        member.room().await;
        // What another node has told somebody else already is in the page as well.
        Box::pin(member.chat().catch_up()).await;
        let Some(user) = member.identity() else { return Event::error("good bye") };
        let filter = member.filter();
        match self.pages.answer(query, member.chat(), member.id(), &user, &filter).await {
            Ok(page) if is_no_secret(query, member.chat()) => Event::own_compressible(page),
            Ok(page) => Event::own(page),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a page can't be read");
                Event::error(&Faults::from(Code::NotRead).text())
            }
        }
    }
}

/// Whether a page is of what everybody may read (ZS-3): of the lobby, or of a room that is open to all. In another room somebody may
/// write who can't read all that stands on the page, and guess at it by how short their text makes it.
fn is_no_secret(query: &Query, chat: &Chat) -> bool {
    let is_open = || {
        let name = LookupKey::of(query.with.as_wire(), 1 + limits::ROOM_NAME_CHARS);
        name.is_some_and(|name| chat.is_open_to_all(&name))
    };
    query.is_public() || (query.is_of_room() && is_open())
}

/// The answer to an input that did not fit the queue.
fn rejected(input: CommandInput) -> Option<Event> {
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
