//! The seam for whatever decides who may come in, and what members can ask for.
//!
//! A connection asks its [`Gate`] twice: before the roster, with the name, what proves it and where it comes from; and once
//! it has joined, for what serves its commands. Neither holds a lock of the chat. [`NoAccounts`] is the gate of a chat
//! without accounts and commands.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use chatterbox_hub::{LoggedIn, Rename};
use chatterbox_proto::capability::accounts::{Account, Proof};
use chatterbox_proto::capability::commands::CommandRequest;
use chatterbox_proto::{Capabilities, Refusal, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::{mpsc, oneshot};

use crate::accounts::Login;
use crate::chat::shared::{Chat, Handle};

/// Somebody who asks for a name.
#[derive(Debug, Clone, Copy)]
pub struct LoginRequest<'a> {
    /// The name.
    pub name: &'a Username,
    /// What is in force if it is accepted.
    pub agreed: Capabilities,
    /// What proves that the name is theirs; only where `accounts` was agreed.
    pub proof: Option<&'a Proof>,
    /// Whether they go on with a session of this name, and if so, with which account they were logged in then. Such an
    /// request needs no other proof (ID-7).
    pub resumes: Option<Option<&'a LoggedIn>>,
    /// Where they come from.
    pub peer: IpAddr,
}

/// How somebody is let in.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    /// `ACCOUNT` of the welcome, which goes out where `accounts` was agreed (AN-2).
    pub account: Account,
    /// Their account, and what is kept for it.
    pub login: Login,
}

/// What a member hands to whoever serves its commands.
#[derive(Debug)]
pub enum CommandInput {
    /// As the protocol has it (CM-2, CM-4).
    Request(CommandRequest),
    /// What a member who agreed to nothing said to itself, behind the prefix.
    Typed(String),
    /// The answer to a PING of ours (PI-1).
    Pong(i64),
}

/// Requests that wait for whoever serves them; further ones are answered with `busy` (CM-6).
pub const WAITING_REQUESTS: usize = 64;

/// A member whose requests are to be served.
#[derive(Debug)]
pub struct Attachment {
    /// The member: telling it something, shutting others out.
    pub member: Handle,
    /// Gives it another name.
    pub renamer: Renamer,
    /// How it was let in.
    pub grant: Grant,
    /// What is in force.
    pub agreed: Capabilities,
    /// What it asks for, in order. It ends with the connection.
    pub requests: mpsc::Receiver<CommandInput>,
}

/// A member is to get another name.
#[derive(Debug)]
pub(crate) struct RenameRequest {
    pub(crate) rename: Rename,
    pub(crate) done: oneshot::Sender<Result<(), Refusal>>,
}

/// Gives a member other names. The task that reads its frames does it between two of them, so what the member said before
/// goes under the old name.
#[derive(Debug, Clone)]
pub struct Renamer(pub(crate) mpsc::Sender<RenameRequest>);

impl Renamer {
    /// Gives the member another name.
    ///
    /// # Errors
    /// [`Refusal`], by the rules of joining; [`Refusal::Busy`] when the connection ends.
    pub async fn rename(&self, rename: Rename) -> Result<(), Refusal> {
        let (done, outcome) = oneshot::channel();
        self.0.send(RenameRequest { rename, done }).await.map_err(|_| Refusal::Busy)?;
        outcome.await.map_err(|_| Refusal::Busy)?
    }
}

/// Decides who may come in, and serves what members ask for.
pub trait Gate: Send + Sync + Debug {
    /// Is told of the chat before anybody comes.
    fn opened(&self, _chat: &Arc<Chat>) {}

    /// The capabilities that are spoken because of it: `accounts`, `commands`.
    fn speaks(&self) -> Capabilities {
        Capabilities::NONE
    }

    /// Decides whether somebody may ask the roster for a name. It is asked outside of every lock, and given up when the
    /// connection ends.
    fn admit<'a>(&'a self, request: LoginRequest<'a>) -> BoxFuture<'a, Result<Grant, Refusal>>;

    /// Is told that somebody who was let in has joined, before their welcome is sent.
    fn joined<'a>(&'a self, _admission: &'a Grant) -> BoxFuture<'a, ()> {
        ready(()).boxed()
    }

    /// What a message of a member to itself begins with that is a command instead, for those who agreed to nothing.
    /// `None`: nothing is.
    fn legacy_prefix(&self) -> Option<String> {
        None
    }

    /// Serves what one member asks for. It is polled beside reading and writing, and given up when the connection ends.
    fn attend(&self, attachment: Attachment) -> BoxFuture<'static, Served>;
}

/// Why a member is not served any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// Nobody serves it; the connection goes on.
    Unserved,
    /// It is done: the connection ends.
    Done,
}

/// Everybody is a attachment, and there are no commands.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAccounts;

impl Gate for NoAccounts {
    fn admit<'a>(&'a self, _arrival: LoginRequest<'a>) -> BoxFuture<'a, Result<Grant, Refusal>> {
        ready(Ok(Grant::default())).boxed()
    }

    fn attend(&self, _guest: Attachment) -> BoxFuture<'static, Served> {
        ready(Served::Unserved).boxed()
    }
}
