//! What a command can do with the connection that it came from, and with the chat behind it.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{
    AccountRef, Amendment, Identity, Level, LoggedIn, MemberId, Rename, RoomChange, RoomDone,
    RoomMemberView, RoomNumber, RoomRef, RoomView, Sequence,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::capability::notices::NewNotice;
use chatterbox_proto::{Code, Refusal, RoomName, Username};
use futures_util::future::BoxFuture;

use crate::chat::paging::ReadableMessage;
use crate::commands::moderating::ModerationPort;
use crate::store::StoreError;

/// Why a message was not sent.
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

    /// Waits until this node knows what others have decided by now, or for a bounded time. A node that is alone does.
    fn caught_up(&self) -> BoxFuture<'_, ()>;

    /// Who this user is; `None` once they have left.
    fn identity(&self) -> Option<Identity>;

    /// Whom this user blocks, in the order in which they did.
    fn blocked(&self) -> Vec<Username>;

    /// The first `limit` of those who are here, in the order in which they joined.
    fn users(&self, limit: usize) -> Vec<Identity>;

    /// Those who are here under names behind this one, by folded name, at most `limit`.
    fn users_behind(&self, after: Option<&Username>, limit: usize) -> Vec<Identity>;

    /// Whether each of these is here: somebody who is logged in with the account of this number, or a guest of this name.
    fn are_here(&self, all: Vec<(Username, Option<i64>)>) -> Vec<bool>;

    /// How many are here.
    fn user_count(&self) -> usize;

    /// Who is here under a name.
    fn find(&self, name: &Username) -> Option<Identity>;

    /// Whether this user and the one of a name, who may be here or an account that is away, exchange no private messages,
    /// because either has blocked the other.
    fn refuses(&self, other: &Username) -> bool;

    /// The members that are logged in with an account, under whatever names.
    fn logged_in(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)>;

    /// Replaces this user's own block list.
    fn set_blocked(&self, blocked: Vec<Username>) -> BoxFuture<'_, ()>;

    /// Notes that this user is away, with these words, or is back.
    fn set_away<'a>(&'a self, words: Option<&'a str>) -> BoxFuture<'a, ()>;

    /// Changes the account or the level of a member, and says whether it may do something else now.
    fn amend(&self, member: MemberId, amendment: Amendment) -> BoxFuture<'_, bool>;

    /// Changes the name of this user, for everybody.
    ///
    /// # Errors
    /// [`Refusal`] when the name is in use or looks like one that is.
    fn rename(&self, rename: Rename) -> BoxFuture<'_, Result<(), Refusal>>;

    /// Sends a private message of this user, as if it had come as a frame.
    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>>;

    /// The room of a name, as this user may see it: `None` also for a hidden one that they are not a member of or invited to
    /// (RM-12; level 5 sees all).
    fn room_named(&self, name: &RoomName) -> Option<RoomView>;

    /// The room of a name, hidden or not: for what has to know it, such as a password that is checked. Whoever asks makes
    /// sure that a user whom [`ClientPort::room_named`] tells nothing gets no other answer because of it.
    fn room_behind(&self, name: &RoomName) -> Option<RoomView>;

    /// All rooms that this user may see, by name.
    fn rooms_seen(&self) -> Vec<RoomView>;

    /// Members of a room behind a name, at most `limit`, by folded name.
    ///
    /// # Errors
    /// `not-a-member`, `no-such-room`, or `forbidden` where ROSTER is off and the level below 3.
    fn members_of(
        &self,
        room: RoomNumber,
        after: Option<&Username>,
        limit: usize,
    ) -> Result<Vec<RoomMemberView>, OutcomeCode>;

    /// The room that this user has set with `default`, if any.
    fn default_room(&self) -> Option<RoomRef>;

    /// Asks for a change in this user's name (`by` and `now` are filled in), and waits until it is made.
    ///
    /// # Errors
    /// Why nothing was changed. [`OutcomeCode::Already`] is one: it was so.
    fn change_room(&self, change: RoomChange) -> BoxFuture<'_, Result<RoomDone, OutcomeCode>>;

    /// Whether [`ClientPort::change_room`] would make a change now.
    ///
    /// # Errors
    /// Why not.
    fn may_change_room(&self, change: &RoomChange) -> Result<(), OutcomeCode>;

    /// Sends this user the whole object of a room again (RM-6, `already`); of the lobby, too.
    fn tell_room(&self, room: RoomNumber);

    /// Says something in a room, as if it had come as a frame. Number 0 is the lobby.
    fn say_in<'a>(
        &'a self,
        room: &'a RoomRef,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), PostError>>;

    /// Level and room level of an account in a room, whether here or not.
    fn level_in(&self, room: RoomNumber, account: &AccountRef) -> Level;

    /// Why this user may not have a name for good, if they may not (MO-4).
    fn excluded_as(&self, name: &Username) -> Option<Refusal>;

    /// Tells those who keep order on the server, or in a room, of a report about somebody, but not that one (MO-11).
    fn tell_report(&self, room: Option<RoomNumber>, about: &Username, notice: &NewNotice<'_>);

    /// What acts of moderation need of the chat.
    fn moderation(&self) -> &dyn ModerationPort;

    /// A message of somebody that this user can read, by its id (MO-11).
    ///
    /// # Errors
    /// [`StoreError`].
    fn message_of<'a>(
        &'a self,
        source: &'a Username,
        id: Sequence,
    ) -> BoxFuture<'a, Result<Option<ReadableMessage>, StoreError>>;

    /// Measures how long the client takes to answer, if it speaks `ping`; `None` when it does not answer.
    fn ping(&self) -> BoxFuture<'_, Option<Duration>>;
}
