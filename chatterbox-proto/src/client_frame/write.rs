//! The writer of client frames, for the client.

use bytes::Bytes;

use crate::capability::accounts::{PASSWORD, Proof, TOKEN};
use crate::capability::e2ee::DEVICE;
use crate::capability::ids::{RESUME, Resume, TAGS};
use crate::capability::meta::DeviceId;
use crate::capability::meta::{META, NewMeta};
use crate::capability::recent::RECENT;
use crate::capability::{CAPABILITIES, Capabilities};
use crate::entry::Entry;
use crate::frame::TooLong;
use crate::json::{self, Object};

/// The frame that joins under a name (NM-1).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn join(username: &str) -> Result<Bytes, TooLong> {
    Object::with_capacity(username.len() + 32).string("USERNAME", username).finish()
}

/// The frame that sends messages (MM-1).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn say<'e>(entries: impl IntoIterator<Item = &'e Entry<'e>>) -> Result<Bytes, TooLong> {
    Object::with_capacity(128).list("MESSAGES", entries.into_iter().map(Entry::to_json)).finish()
}

/// What a client sends beside USERNAME (CP-1, AN-1, ID-7, RC-1, EE-4).
#[derive(Debug, Clone, Default)]
pub struct Offer<'a> {
    /// The capabilities that the client offers.
    pub capabilities: Capabilities,
    /// The credential, where the client authenticates.
    pub proof: Option<&'a Proof>,
    /// The session to resume.
    pub resume: Option<&'a Resume>,
    /// The most messages that the welcome shall have.
    pub recent: Option<u16>,
    /// The device of the account that this connection is.
    pub device: Option<&'a DeviceId>,
}

/// The frame that joins under a name and offers capabilities.
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn join_with(username: &str, offer: &Offer<'_>) -> Result<Bytes, TooLong> {
    let mut object = Object::with_capacity(username.len() + 128)
        .string("USERNAME", username)
        .string(CAPABILITIES, &offer.capabilities.to_string());
    object = match offer.proof {
        Some(Proof::Password(secret)) => object.string(PASSWORD, secret.reveal()),
        Some(Proof::Token(secret)) => object.string(TOKEN, secret.reveal()),
        None => object,
    };
    if let Some(resume) = offer.resume {
        object = object.json(RESUME, &resume.to_json());
    }
    if let Some(recent) = offer.recent {
        object = object.integer(RECENT, recent.into());
    }
    if let Some(device) = offer.device {
        object = object.string(DEVICE, device.as_str());
    }
    object.finish()
}

/// One message with its idempotency key, and what goes with it.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The message.
    pub entry: &'a Entry<'a>,
    /// Its idempotency key (ID-3).
    pub tag: &'a str,
    /// What goes with it (MT-2); `None` where `meta` was not agreed.
    pub meta: Option<&'a NewMeta>,
}

/// The frame that sends messages, each with its idempotency key (ID-3), and what goes with them (MT-2).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn say_tagged(messages: &[Said<'_>]) -> Result<Bytes, TooLong> {
    let object = Object::with_capacity(192)
        .list("MESSAGES", messages.iter().map(|said| said.entry.to_json()))
        .list(TAGS, messages.iter().map(|said| json::string(said.tag)));
    if messages.iter().all(|said| said.meta.is_none()) {
        return object.finish();
    }
    let meta = |said: &Said<'_>| {
        let mut out = Vec::new();
        match said.meta {
            Some(meta) => meta.push_json(&mut out),
            None => out.extend_from_slice(b"null"),
        }
        out
    };
    object.list(META, messages.iter().map(meta)).finish()
}
