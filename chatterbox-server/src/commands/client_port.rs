//! What a command can do with the connection that it came from, and with the chat behind it.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{IgnoreFilter, LoggedIn};
use chatterbox_proto::{Code, Refusal, Username};
use futures_util::future::BoxFuture;

/// Why a private message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostError(pub Code);

/// The seam between commands and the rest of the server; tests have one without sockets.
pub trait ClientPort: Send + Sync + Debug {
    /// Sends members of an object, in an object of their own or with others. `false` when too much waits to be sent.
    fn tell(&self, members: Bytes) -> bool;

    /// Sends what a base client can show: a message from the server to this user only.
    fn tell_base(&self, text: &str) -> bool;

    /// Sends an ERROR.
    fn tell_error(&self, text: &str) -> bool;

    /// Waits until something more can be sent.
    fn room(&self) -> BoxFuture<'_, ()>;

    /// Who is here.
    fn users(&self) -> Vec<Username>;

    /// In which spelling somebody is here.
    fn find(&self, name: &Username) -> Option<Username>;

    /// Changes the name of this user, for everybody; `owns` says whether it is proven to be theirs.
    ///
    /// # Errors
    /// [`Refusal`] when the name is in use or looks like one that is.
    fn rename(&self, name: Username, owns: bool) -> BoxFuture<'_, Result<(), Refusal>>;

    /// Sends a private message of this user, as if it had come as a frame.
    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>>;

    /// Measures how long the client takes to answer, if it speaks `ping`; `None` when it does not answer.
    fn ping(&self) -> BoxFuture<'_, Option<Duration>>;

    /// Whom this user does not see and can't write to, from now on.
    fn ignore(&self, ignored: IgnoreFilter);

    /// Notes the account that this user is logged in with, for when the session goes on.
    fn set_account(&self, account: Option<LoggedIn>);
}
