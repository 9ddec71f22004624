//! What a command can do with the connection that it came from, and with the chat behind it.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Amendment, Identity, LoggedIn, MemberId, Rename};
use chatterbox_proto::{Code, Refusal, Username};
use futures_util::future::BoxFuture;

/// Why a private message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostError(pub Code);

/// The port between commands and the rest of the server; tests have an adapter without sockets.
pub trait ClientPort: Send + Sync + Debug {
    /// The member whose connection it is.
    fn id(&self) -> MemberId;

    /// Sends members of an object, in an object of their own or with others. `false` when too much waits to be sent.
    fn tell(&self, members: Bytes) -> bool;

    /// Sends what a base client can show: a message from the server to this user only.
    fn tell_base(&self, text: &str) -> bool;

    fn tell_error(&self, text: &str) -> bool;

    /// Waits until something more can be sent.
    fn room(&self) -> BoxFuture<'_, ()>;

    /// Who this user is; `None` once they have left.
    fn identity(&self) -> Option<Identity>;

    /// Whom this user blocks, in the order in which they did.
    fn blocked(&self) -> Vec<Username>;

    /// The first `limit` of those who are here, in the order in which they joined.
    fn users(&self, limit: usize) -> Vec<Identity>;

    /// How many are here.
    fn user_count(&self) -> usize;

    /// Who is here under a name.
    fn find(&self, name: &Username) -> Option<Identity>;

    /// Those of these names that nobody here has.
    fn absent(&self, names: Vec<Username>) -> Vec<Username>;

    /// The members that are logged in with an account, under whatever names.
    fn logged_in(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)>;

    /// Replaces this user's own block list.
    fn set_blocked(&self, blocked: Vec<Username>) -> BoxFuture<'_, ()>;

    /// Changes the account or the level of a member, and says whether it may do something else now.
    fn amend(&self, member: MemberId, amendment: Amendment) -> BoxFuture<'_, bool>;

    /// Changes the name of this user, for everybody.
    ///
    /// # Errors
    /// [`Refusal`] when the name is in use or looks like one that is.
    fn rename(&self, rename: Rename) -> BoxFuture<'_, Result<(), Refusal>>;

    /// Sends a private message of this user, as if it had come as a frame.
    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>>;

    /// Measures how long the client takes to answer, if it speaks `ping`; `None` when it does not answer.
    fn ping(&self) -> BoxFuture<'_, Option<Duration>>;
}
