//! What comes out of the machine, and the words for it.

use std::fmt;

use bytes::Bytes;
use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::Sealed;

use crate::recovery;

/// Something to do, in order, and after what the machine keeps is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this frame.
    Ask(Bytes),
    /// Send an encrypted message, and say under which tag: [`Machine::sent`](crate::Machine::sent).
    Say {
        /// By this number the machine knows it.
        ticket: u64,
        /// DEST.
        to: String,
        /// What is encrypted, for the own screen.
        text: String,
        /// The message that it answers.
        reply: Option<Id>,
        /// META's E2EE.
        sealed: Sealed,
        /// Whether the user has verified the recipient.
        verified: bool,
    },
    /// A text was not sent.
    NotSent {
        /// To whom.
        to: String,
        /// The text.
        text: String,
        /// The message that it answers.
        reply: Option<Id>,
        /// Why.
        why: NotSent,
    },
    /// A message that had to wait for keys can be shown.
    Opened {
        /// The ticket that [`Opened::Later`](crate::Opened::Later) gave.
        ticket: u64,
        /// What there is to show.
        opening: Opening,
    },
    /// The user is told something.
    Tell(Notice),
}

/// What is shown of an encrypted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Its text.
    Text {
        /// The text.
        text: String,
        /// The message that is answered.
        reply: Option<Id>,
        /// How sure it is whose text it is.
        trust: Trust,
        /// Whether the user has said it, under whatever name, on this device or another one.
        own: bool,
    },
    /// That it can't be read.
    Unreadable(Unreadable),
}

/// How sure it is whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Of whoever had the identity key that was seen first.
    FirstUse,
    /// Of the person with whom the user has compared the safety number.
    Verified,
}

/// Why a message can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// Nothing in it is for this device: it was said before the device was there, or was read before and is not kept.
    NotForThisDevice,
    /// This device has no keys.
    NoKeys,
    /// Its device is none of those that the sender's identity key has signed.
    UnsignedDevice,
    /// The identity key of one of the two is not the one that the user has verified.
    Changed,
    /// It names another sender or another recipient than it came with.
    WrongNames,
    /// The server says that one of the two is of another account than before.
    OtherAccount,
    /// No session can decrypt it, or it was delivered twice.
    NoSession,
    /// It is not what it has to be.
    Malformed,
    /// The directory has not said whose keys these are.
    NoSenderKeys,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotForThisDevice => {
                "it was not encrypted for this device, or is not kept any more"
            }
            Self::NoKeys => "this device has no keys",
            Self::UnsignedDevice => {
                "it comes from a device that is none of those that the sender's identity key has signed"
            }
            Self::Changed => {
                "the identity key is not the one that you have verified: see /verify"
            }
            Self::WrongNames => "it names another sender or recipient inside",
            Self::OtherAccount => {
                "the server says that this name belongs to another account than before: /encrypt on with the name goes on with that one"
            }
            Self::NoSession => "no session of this device can decrypt it, or it came twice",
            Self::Malformed => "it is malformed",
            Self::NoSenderKeys => "the server did not give the sender's keys",
        })
    }
}

/// Why a text was not sent. It is never sent in the clear instead (EE-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotSent {
    /// The connection has no encryption: not logged in, or the server does not have it.
    NotAgreed,
    /// This device has no keys of its own.
    NoOwnKeys,
    /// The own account has another identity now, or does not have this device.
    OwnIdentity,
    /// There is no such account, or it has published no keys.
    NoKeys,
    /// The identity key is not the one that the user has verified.
    Changed,
    /// The server says that the name is of another account than before.
    OtherAccount,
    /// A device has no key for a new session, or a bad one.
    NoDeviceKey,
    /// The devices changed again and again.
    DevicesChange,
    /// It is too long for so many devices.
    TooLong,
    /// Too many texts wait already.
    TooMany,
    /// The server's directory has refused a request or did not answer it.
    Directory,
    /// It can't be said to oneself.
    Oneself,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAgreed => {
                "this connection has no encryption (it needs a login, and a server that has it)"
            }
            Self::NoOwnKeys => "this device has no keys (/recovery CODE adds it to those of your account, /encrypt on makes the first; /encrypt off says it in the clear)",
            Self::OwnIdentity => {
                "your account has another identity key, or not this device any more: see /devices"
            }
            Self::NoKeys => "this user has no keys (both have to say /encrypt on once)",
            Self::Changed => {
                "the identity key of this user is not the one that you have verified: see /verify"
            }
            Self::OtherAccount => {
                "the server says that this name belongs to another account than before: /encrypt on with the name goes on with that one"
            }
            Self::NoDeviceKey => "a device of this user has no key for a new session",
            Self::DevicesChange => "the devices of this user changed again and again",
            Self::TooLong => "it is too long to be encrypted for each device",
            Self::TooMany => "too much waits already",
            Self::Directory => "the server did not give the keys",
            Self::Oneself => "it is to yourself",
        })
    }
}

/// What the user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// This device is published.
    Published,
    /// The recovery code, which the user has to write down.
    Code(recovery::Code),
    /// The recovery code is still to be written down.
    CodeWaits,
    /// The account has an identity, and this device is no part of it yet.
    NeedsCode,
    /// The user wants to begin anew, and the identity of this device is still there.
    HasKeys,
    /// The recovery code is of another identity.
    OtherCode,
    /// The text is no recovery code.
    BadCode(recovery::CodeError),
    /// Nothing that is asked for can be done without a connection that has it.
    NotAgreed,
    /// The identity key of somebody is another one.
    Changed {
        /// Whose.
        name: String,
        /// Whether the one before was verified, so that nothing is sent.
        was_verified: bool,
    },
    /// Somebody has a new device.
    NewDevice {
        /// Who.
        name: String,
        /// Its name.
        device: String,
        /// Whether it is the user's own.
        own: bool,
    },
    /// The server tells of a device that is not signed.
    Unsigned {
        /// Whose it is said to be.
        name: String,
        /// Its name.
        device: String,
    },
    /// The published keys of somebody are gone.
    Gone {
        /// Whose.
        name: String,
    },
    /// The own identity at the server is another one.
    OwnChanged,
    /// The server does not have this device any more.
    OwnGone,
    /// Somebody encrypts, so the answers are encrypted as well.
    Encrypts {
        /// Who.
        name: String,
    },
    /// What is said to somebody is encrypted from now on, or not any more.
    Turned {
        /// To whom.
        name: String,
        /// Whether it is.
        on: bool,
    },
    /// The safety number.
    Safety {
        /// Of whom, with the user.
        name: String,
        /// The number.
        number: String,
        /// Whether the user has verified it.
        verified: bool,
        /// Whether the identity before it was verified, and this one is not.
        changed: bool,
    },
    /// The user has verified somebody.
    Verified {
        /// Whom.
        name: String,
    },
    /// This device has no keys.
    NoOwnKeys,
    /// There are no keys of somebody.
    NoKeys {
        /// Of whom.
        name: String,
    },
    /// The server has refused to publish.
    Refused(String),
    /// The keys were restored from a copy, so new sessions begin.
    Restored,
}

impl Notice {
    /// Whether somebody may be listening, or nothing is sent: it is not to be overlooked.
    pub fn is_loud(&self) -> bool {
        matches!(
            self,
            Self::Changed { .. }
                | Self::Unsigned { .. }
                | Self::OwnChanged
                | Self::OwnGone
                | Self::NewDevice { own: true, .. }
                | Self::Code(_)
        )
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &str| ScreenText::shortened(name, 40);
        match self {
            Self::Published => f.write_str("This device can take encrypted messages now (experimental)."),
            Self::Code(code) => write!(
                f,
                "Your recovery code is {}. Write it down on paper: with it you can add another device, or this one again. Whoever \
                 has it can add a device of yours. \"/recovery written\" forgets it here.",
                &**code
            ),
            Self::CodeWaits => f.write_str(
                "Your recovery code is not written down yet: /recovery shows it, \"/recovery written\" forgets it here.",
            ),
            Self::HasKeys => f.write_str(
                "This device has keys of your identity already. To begin another one, remove this first: the server's command e2ee-reset.",
            ),
            Self::NeedsCode => f.write_str(
                "Your account has keys on another device. \"/recovery CODE\" adds this one; without the code, \
                 the server's command e2ee-reset begins a new identity, of which everybody is told.",
            ),
            Self::OtherCode => f.write_str("That is the recovery code of another identity."),
            Self::BadCode(error) => write!(f, "Nothing was done: {error}."),
            Self::NotAgreed => f.write_str(
                "Nothing was turned on: encryption needs a server that has it, and a login from the beginning (leave and come again after /register).",
            ),
            Self::Changed { name, was_verified: true } => write!(
                f,
                "THE IDENTITY KEY OF {0} IS NOT THE ONE THAT YOU HAVE VERIFIED. It may be a new beginning of theirs, or somebody \
                 between you. Nothing is sent to them until you have compared numbers again: /verify {0}",
                shown(name)
            ),
            Self::Changed { name, was_verified: false } => write!(
                f,
                "THE IDENTITY KEY OF {0} HAS CHANGED. It may be a new beginning of theirs, or somebody between you: \
                 /verify {0} shows the number to compare.",
                shown(name)
            ),
            Self::NewDevice { name, device, own: false } => {
                write!(f, "{} has a new device, {}, signed with their identity key.", shown(name), shown(device))
            }
            Self::NewDevice { device, own: true, .. } => write!(
                f,
                "YOUR ACCOUNT HAS A NEW DEVICE, {}. If it is not yours, change your password and reset your identity.",
                shown(device)
            ),
            Self::Unsigned { name, device } => write!(
                f,
                "THE SERVER TELLS OF A DEVICE OF {}, {}, THAT THEIR IDENTITY KEY HAS NOT SIGNED. It is not used.",
                shown(name),
                shown(device)
            ),
            Self::Gone { name } => write!(f, "{} has no published keys any more.", shown(name)),
            Self::OwnChanged => f.write_str(
                "YOUR ACCOUNT HAS ANOTHER IDENTITY KEY THAN THIS DEVICE. If that was not you, change your password. \
                 \"/recovery CODE\" adds this device to the new identity.",
            ),
            Self::OwnGone => f.write_str(
                "THE SERVER DOES NOT HAVE THIS DEVICE ANY MORE. \"/recovery CODE\" adds it again; after a reset of your identity, \
                 \"/recovery new\" begins another one.",
            ),
            Self::Encrypts { name } => {
                write!(f, "{} encrypts, so your answers are encrypted as well (experimental).", shown(name))
            }
            Self::Turned { name, on: true } => write!(
                f,
                "What you say to {0} is encrypted from now on, or not sent at all (experimental). /verify {0} shows the number to compare.",
                shown(name)
            ),
            Self::Turned { name, on: false } => write!(
                f,
                "What you say to {} is NOT encrypted any more: the server can read it.",
                shown(name)
            ),
            Self::Safety { name, number, verified, changed } => {
                let state = match (verified, changed) {
                    (true, _) => "You have verified it.".to_owned(),
                    (false, true) => format!(
                        "It is NOT the one that you have verified. If it is the same at both ends, say \"/verify {} yes\".",
                        shown(name)
                    ),
                    (false, false) => format!(
                        "If it is the same at both ends, say \"/verify {} yes\".",
                        shown(name)
                    ),
                };
                write!(
                    f,
                    "The safety number of {} and you is {number}. Compare it by other means than this chat. {state}",
                    shown(name)
                )
            }
            Self::Verified { name } => write!(f, "You have verified {}.", shown(name)),
            Self::NoOwnKeys => {
                f.write_str(
                    "This device has no keys. \"/encrypt on @NAME\" makes them; if your account has some on another device, \"/recovery CODE\" adds this one.",
                )
            }
            Self::NoKeys { name } => {
                write!(f, "No keys of {} are known; the server was asked for them now.", shown(name))
            }
            Self::Refused(why) => {
                write!(f, "The keys of this device were not published: {}.", ScreenText::shortened(why, 200))
            }
            Self::Restored => f.write_str(
                "The keys of this device were copied back, so new sessions begin; what comes in old ones can't be read.",
            ),
        }
    }
}
