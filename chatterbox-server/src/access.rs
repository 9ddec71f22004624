//! The seam between connections on one side, authentication and commands on the other.
//!
//! A connection calls an [`Authenticator`] before it asks the roster for a name, and hands a member who has joined to a
//! [`RequestHandler`]. Neither is called under a lock of the chat. [`NoAccounts`] is both for a chat without accounts and
//! commands.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use chatterbox_hub::{
    AccountKey, ConfiguredRoom, Happened, Identity, Level, LoggedIn, MemberId, ReadMark, Rename,
};
use chatterbox_proto::capability::accounts::{Account, Proof};
use chatterbox_proto::capability::commands::CommandRequest;
use chatterbox_proto::{Capabilities, Capability, Code, Refusal, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::accounts::{AccountWish, DirectoryError, Login, MarksWritten, Observer, WishDone};
use crate::chat::handle::Handle;
use crate::chat::paging::Pages;
use crate::chat::shared::Chat;
use crate::chat::short_queue::{Receiver, Sender};
use crate::chat::waiting_mail::Mailbox;
use crate::file_service::Files;
use crate::keys::KeyDesk;
use crate::moderation::{Moderation, Moderator};
use crate::ops::activity::ActivityLog;
use crate::ops::operator::Reloaded;

/// Authenticates users before they join.
pub trait Authenticator: Send + Sync + Debug {
    /// The capabilities that the server speaks because of it: `accounts`, `commands`.
    fn speaks(&self) -> Capabilities {
        Capabilities::NONE
    }

    /// Decides whether a user may ask the roster for a name. The connection drops the future when it ends.
    fn authenticate<'a>(
        &'a self,
        request: LoginRequest<'a>,
    ) -> BoxFuture<'a, Result<Grant, Refusal>>;

    /// The number of the account that has this name, if there is one.
    fn account_of<'a>(&'a self, _name: &'a Username) -> BoxFuture<'a, Option<i64>> {
        ready(None).boxed()
    }

    /// The account of a name that nobody here has, for a private message of a member, if there is one (AN-7).
    ///
    /// # Errors
    /// [`Code::Flood`] when the member asks for too many.
    fn mailbox<'a>(
        &'a self,
        _sender: MemberId,
        _who: &'a Identity,
        _name: Username,
    ) -> BoxFuture<'a, Result<Option<Mailbox>, Code>> {
        ready(Ok(None)).boxed()
    }

    /// The directory of keys for encrypted messages, where there are accounts.
    fn keys(&self) -> Option<&KeyDesk> {
        None
    }

    /// Is called when somebody has come or gone, by whoever applies it: it must not wait for anything.
    fn happened(&self, _happened: &Happened) {}

    /// From now on so many nodes of one chat count for themselves how often somebody tries to come in.
    fn share_among(&self, _nodes: usize) {}

    /// Writes down how far users have read, and returns what of it was news.
    ///
    /// # Errors
    /// Gives them back, where none could be written.
    fn set_marks(&self, marks: Vec<ReadMark>) -> BoxFuture<'_, MarksWritten> {
        drop(marks);
        ready(Ok(Vec::new())).boxed()
    }

    /// Writes what is known of it.
    fn keep_visits(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// What is stored of an account now: its number, the epoch of its logins, and its level. Where there are no accounts, nobody
    /// has one.
    fn standing<'a>(
        &'a self,
        _name: &'a Username,
    ) -> BoxFuture<'a, Result<Option<Standing>, DirectoryError>> {
        ready(Ok(None)).boxed()
    }

    /// Tells `observer` of every change of an account that ends logins, for as long as the future is polled.
    fn watch(&self, _observer: Observer) -> BoxFuture<'_, ()> {
        std::future::pending().boxed()
    }

    /// Is called when a user with this grant has joined, before the welcome is sent. A login that the roster refused
    /// changes nothing this way.
    fn accepted<'a>(&'a self, _grant: &'a Grant) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }
}

/// The house that the chat is in: what its process can do, for those of the highest level.
pub trait House: Send + Sync + Debug {
    /// Reads settings and certificates again (MO-12); `None` when that could not be tried.
    fn reload(&self) -> BoxFuture<'_, Option<Reloaded>>;

    /// Begins the shutdown, of which all are told, and gives the seconds until then.
    fn stop(&self, seconds: Option<u64>) -> u64;
}

/// Serves the requests of members: commands, answers to prompts, PONGs.
pub trait RequestHandler: Send + Sync + Debug {
    /// The prefix of a base client's message to itself that makes it a command; `None` switches this off.
    fn legacy_prefix(&self) -> Option<String> {
        None
    }

    /// Changes accounts by the wish of whoever has the machine; `None` where there are none.
    fn grant(&self, _wish: AccountWish) -> BoxFuture<'_, Option<Result<WishDone, DirectoryError>>> {
        ready(None).boxed()
    }

    /// Notes that a member may do something else now than before, though it has not asked for it.
    fn permissions_changed(&self, _member: MemberId) {}

    /// Reads what admins have set, after another node of the chat may have changed it.
    fn read_settings(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// Is told once which house it is in. The house has this, so it does not keep the house.
    fn moves_in(&self, _house: Weak<dyn House>) {}

    /// Acts of moderation for whoever runs the server, in this chat.
    fn moderator(&self, _chat: &Arc<Chat>) -> Option<Arc<dyn Moderator>> {
        None
    }

    /// Serves the requests of one member. The connection polls the future beside its reader and writer, and drops it when
    /// it ends.
    fn serve(&self, attachment: Attachment) -> BoxFuture<'static, Served>;
}

/// The two roles, as a server is given them.
#[derive(Debug, Clone)]
pub struct Access {
    /// Authenticates users before they join.
    pub authenticator: Arc<dyn Authenticator>,
    /// Serves the requests of members.
    pub requests: Arc<dyn RequestHandler>,
    /// The rooms that the configuration names, and no others are configured ones (RM-16).
    pub rooms: Vec<ConfiguredRoom>,
    /// Where it is logged what happens, if it is.
    pub activity: Option<Arc<ActivityLog>>,
    /// The files of users, where there is a folder for them.
    pub files: Option<Arc<Files>>,
    /// What is stored of moderation; the sanctions of earlier runs hold from the start.
    pub moderation: Option<Arc<Moderation>>,
}

impl Access {
    /// One implementation in both roles.
    pub fn new(both: impl Authenticator + RequestHandler + 'static) -> Self {
        let both = Arc::new(both);
        Self {
            authenticator: Arc::clone(&both) as _,
            requests: both,
            rooms: Vec::new(),
            activity: None,
            files: None,
            moderation: None,
        }
    }

    /// The capabilities that it adds to those of every chat.
    pub fn speaks(&self) -> Capabilities {
        let spoken = self.authenticator.speaks();
        if self.files.is_some() { spoken.with(Capability::Files) } else { spoken }
    }

    /// The same with files.
    #[must_use]
    pub fn with_files(self, files: Option<Arc<Files>>) -> Self {
        Self { files, ..self }
    }

    /// The same with what is stored of moderation.
    #[must_use]
    pub fn with_moderation(self, moderation: Arc<Moderation>) -> Self {
        Self { moderation: Some(moderation), ..self }
    }

    /// The same with rooms of the configuration.
    #[must_use]
    pub fn with_rooms(self, rooms: Vec<ConfiguredRoom>) -> Self {
        Self { rooms, ..self }
    }

    /// The same with a log of what happens.
    #[must_use]
    pub fn with_activity(self, activity: Option<ActivityLog>) -> Self {
        Self { activity: activity.map(Arc::new), ..self }
    }
}

/// A user who asks for a name.
#[derive(Debug, Clone, Copy)]
pub struct LoginRequest<'a> {
    /// The name.
    pub name: &'a Username,
    /// The capabilities in force if the login succeeds.
    pub agreed: Capabilities,
    /// The password or token that proves the name; only where `accounts` was agreed.
    pub proof: Option<&'a Proof>,
    /// Whether the user resumes a session of this name, and with which account that session was logged in. Such a request
    /// needs no other proof (ID-7).
    pub resumes: Option<Option<&'a LoggedIn>>,
    /// The address that the user comes from.
    pub peer: IpAddr,
}

/// What decides about the logins of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its number, and the epoch of the logins that are good.
    pub account_key: AccountKey,
    /// Its level.
    pub level: Level,
}

/// The result of a successful authentication.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    /// `ACCOUNT` of the welcome, which is sent where `accounts` was agreed (AN-2).
    pub account: Account,
    /// The account, and what is stored for it.
    pub login: Login,
}

/// A member whose requests are to be served.
#[derive(Debug)]
pub struct Attachment {
    /// The member in the chat.
    pub member: Handle,
    /// Gives the member another name.
    pub renamer: Renamer,
    /// The result of its authentication.
    pub grant: Grant,
    /// The capabilities in force.
    pub agreed: Capabilities,
    /// Reads messages of its conversations.
    pub pages: Arc<Pages>,
    /// Its requests in order. The queue closes with the connection.
    pub requests: Receiver<WaitingInput>,
}

/// A request in the queue of its member.
#[derive(Debug)]
pub struct WaitingInput {
    /// The request.
    pub input: CommandInput,
    /// Its part of the memory for waiting requests, given back on drop.
    pub room: RequestRoom,
}

/// A part of the memory for the waiting requests of one member.
#[derive(Debug)]
pub struct RequestRoom {
    _permit: OwnedSemaphorePermit,
}

impl RequestRoom {
    /// Takes so many bytes, or all that there are, if they are free.
    pub(crate) fn take(memory: &Arc<Semaphore>, bytes: usize) -> Option<Self> {
        let bytes = u32::try_from(bytes.min(WAITING_REQUEST_BYTES)).ok()?;
        let permit = Arc::clone(memory).try_acquire_many_owned(bytes).ok()?;
        Some(Self { _permit: permit })
    }
}

/// One request of a member.
#[derive(Debug)]
pub enum CommandInput {
    /// A frame of the capability `commands` (CM-2, CM-4).
    Request(CommandRequest),
    /// A command of a base client: its message to itself, without the prefix.
    Typed(String),
    /// The answer to a PING of the server (PI-1).
    Pong(i64),
}

impl CommandInput {
    /// The memory that it takes, about.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Request(CommandRequest::Call(call)) => {
                    let texts = call.arguments.iter().map(|text| size_of::<String>() + text.len());
                    call.id.len() + call.name.len() + texts.sum::<usize>()
                }
                Self::Request(CommandRequest::Answer(answer)) => {
                    answer.id.len() + answer.text.as_ref().map_or(0, |text| text.reveal().len())
                }
                Self::Typed(text) => text.len(),
                Self::Pong(_) => 0,
            }
    }
}

/// Requests of one member that may wait for its handler; further ones are answered with `busy` (CM-6).
pub(crate) const WAITING_REQUESTS: usize = 64;

/// Bytes that they may take; a single one may take more, when no other waits.
pub(crate) const WAITING_REQUEST_BYTES: usize = 32 * 1024;

/// Why a handler has stopped serving a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// The handler does not serve this member; the connection goes on.
    Unserved,
    /// The member has logged out: the connection ends.
    Done,
}

/// Renames a member. The connection's reader does it between two frames, so earlier messages keep the old name.
#[derive(Debug)]
pub struct Renamer(pub(crate) Sender<RenameRequest>);

#[derive(Debug)]
pub(crate) struct RenameRequest {
    pub(crate) rename: Rename,
    pub(crate) done: oneshot::Sender<Result<(), Refusal>>,
}

impl Renamer {
    /// Gives the member another name.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; [`Refusal::Busy`] when the connection ends, or while it is renamed already.
    pub async fn rename(&self, rename: Rename) -> Result<(), Refusal> {
        let (done, outcome) = oneshot::channel();
        self.0.try_send(RenameRequest { rename, done }).map_err(|_| Refusal::Busy)?;
        outcome.await.map_err(|_| Refusal::Busy)?
    }
}

/// Lets everybody in as a guest, and serves no commands.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAccounts;

impl Authenticator for NoAccounts {
    fn authenticate<'a>(
        &'a self,
        _request: LoginRequest<'a>,
    ) -> BoxFuture<'a, Result<Grant, Refusal>> {
        ready(Ok(Grant::default())).boxed()
    }
}

impl RequestHandler for NoAccounts {
    fn serve(&self, _attachment: Attachment) -> BoxFuture<'static, Served> {
        ready(Served::Unserved).boxed()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::commands::Call;

    use super::*;

    #[test]
    fn waiting_requests_share_the_memory_of_their_member() {
        let memory = Arc::new(Semaphore::new(WAITING_REQUEST_BYTES));
        let call = |arguments| {
            let call = Call { id: "1".into(), name: "x".into(), arguments };
            CommandInput::Request(CommandRequest::Call(call)).size()
        };
        // Empty arguments take memory, too.
        let long = call(vec![String::new(); 5_000]);
        assert!(long > WAITING_REQUEST_BYTES);
        let short = call(vec!["text".to_owned()]);
        let first = RequestRoom::take(&memory, short).unwrap();
        assert!(RequestRoom::take(&memory, long).is_none(), "a large one waits alone");
        drop(first);
        let large = RequestRoom::take(&memory, long).unwrap();
        assert!(RequestRoom::take(&memory, short).is_none());
        drop(large);
        let many = std::iter::from_fn(|| RequestRoom::take(&memory, short)).collect::<Vec<_>>();
        assert!(many.len() > 100 && many.len() * short <= WAITING_REQUEST_BYTES);
    }
}
