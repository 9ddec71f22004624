//! What encrypts and decrypts private messages, as the application sees it: the keys, the sessions and where they are stored are
//! those of the program around it, and of nobody else's that shares this package.

use std::fmt;

use bytes::Bytes;
use chatterbox_proto::capability::e2ee::{KeysAnswer, KeysLow};
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, Sealed};

/// Keys and sessions of this user on this device (EE-1 to EE-10). Whatever a method gives is stored before, where it has to be.
pub trait Encryption: fmt::Debug + Send {
    /// The user is about to join under this name: gives the device that the connection is, if there is one.
    ///
    /// # Errors
    /// Why the keys that are there can't be used, in words; private messages are not sent then.
    fn name_chosen(&mut self, name: &str) -> Result<Option<DeviceId>, String>;

    /// There is a connection. `is_agreed`: the user is logged in on it, and the server has encryption.
    fn joined(&mut self, me: &str, is_agreed: bool, now: i64) -> Vec<Sealing>;

    /// The connection is gone.
    fn lost(&mut self);

    /// The user has another name.
    fn renamed(&mut self, me: &str);

    /// Somebody else has another name.
    fn is_called(&mut self, old: &str, new: &str);

    /// Whether what is said to somebody is encrypted, or not sent at all (EE-6).
    fn is_on(&self, name: &str) -> bool;

    /// How many texts wait for keys.
    fn waiting(&self) -> usize;

    /// Says a text, encrypted, as soon as the keys are there; `reply`: the message that it answers.
    fn say(&mut self, to: &str, text: &str, reply: Option<Id>, now: i64) -> Vec<Sealing>;

    /// The message of a ticket was sent under this tag; `None`: it was not sent.
    fn sent(&mut self, ticket: u64, tag: Option<&str>);

    /// The server has stored a message of this tag.
    fn stored(&mut self, tag: &str, id: Id);

    /// The server has refused a message of this tag; gives what follows where that is dealt with.
    fn rejected(&mut self, tag: &str, code: &str, now: i64) -> Option<Vec<Sealing>>;

    /// The directory has answered.
    fn answered(&mut self, answer: &KeysAnswer, now: i64) -> Vec<Sealing>;

    /// Few one-time keys are left.
    fn low(&mut self, low: &KeysLow, now: i64) -> Vec<Sealing>;

    /// A message with the fixed sentence has come.
    fn open(&mut self, sealed: SealedMessage<'_>, now: i64) -> (Opened, Vec<Sealing>);

    /// A frame is worked off.
    fn frame_is_over(&mut self, now: i64) -> Vec<Sealing>;

    /// The user wants something of it.
    fn wish(&mut self, wish: KeysWish<'_>, now: i64) -> Vec<Sealing>;
}

/// A message with the fixed sentence.
#[derive(Debug, Clone, Copy)]
pub struct SealedMessage<'a> {
    /// Who has sent it.
    pub source: &'a str,
    /// To whom.
    pub recipient: &'a str,
    /// Its number.
    pub id: Id,
    /// What is encrypted in it for this device.
    pub sealed: Option<&'a Sealed>,
}

/// What the user wants of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysWish<'a> {
    /// `/encrypt on` or `off`, for what is said to somebody.
    Encrypt {
        /// To whom.
        name: &'a str,
        /// On or off.
        on: bool,
    },
    /// `/verify NAME`, or `/verify NAME yes`.
    Verify {
        /// Whom.
        name: &'a str,
        /// Whether the numbers were compared.
        confirmed: bool,
    },
    /// `/devices`.
    Devices,
    /// `/recovery`, and what is behind it.
    Recovery(&'a str),
}

/// What follows, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// Send this frame.
    Send(Bytes),
    /// Send an encrypted message.
    Say {
        /// By this number it is told what became of it.
        ticket: u64,
        /// To whom.
        to: String,
        /// The text, for the own screen.
        text: String,
        /// The message that it answers.
        reply: Option<Id>,
        /// What is encrypted.
        sealed: Sealed,
        /// Whether the recipient is verified.
        verified: bool,
    },
    /// A text was not sent, for this reason.
    NotSent {
        /// To whom.
        to: String,
        /// The text.
        text: String,
        /// The message that it answers.
        reply: Option<Id>,
        /// Why, in words.
        why: String,
    },
    /// A message that had to wait can be shown.
    Opened {
        /// Its ticket.
        ticket: u64,
        /// What is shown.
        lock: Opening,
    },
    /// The user is told this.
    Tell {
        /// The words; names in them are safe to show.
        text: String,
        /// Whether it is not to be overlooked.
        loud: bool,
    },
}

/// What becomes of a message with the fixed sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It can be shown.
    Now(Opening),
    /// It can be shown when [`Sealing::Opened`] has this ticket.
    Later(u64),
}

/// What is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Its text.
    Text {
        /// The text.
        text: String,
        /// The message that it answers.
        reply: Option<Id>,
        /// Whether its sender is verified.
        verified: bool,
        /// Whether this user has said it, under whatever name.
        own: bool,
    },
    /// Why it can't be read, in words.
    Unreadable(String),
}
