//! The sessions with one device of somebody.

use std::collections::VecDeque;

use chatterbox_proto::capability::e2ee::PublicKey;
use serde::{Deserialize, Serialize};
use vodozemac::olm::{Account, OlmMessage, Session, SessionConfig, SessionPickle};

use crate::convert::curve;

/// The most sessions that are kept with one device. Both ends may begin one at the same time, and each goes on with the one that
/// it has heard of last.
const SESSIONS: usize = 4;

/// The most sessions of which is known that they have been.
const SEEN: usize = 128;

/// A new session in place of a broken one begins once in so many seconds (EE-9).
const RENEWED: i64 = 3600;

/// The sessions with one device.
#[derive(Serialize, Deserialize)]
pub(crate) struct Channel {
    pub(crate) curve25519: String,
    pub(crate) ed25519: String,
    /// The one that is used for sending is the first.
    #[serde(with = "pickles")]
    sessions: VecDeque<Session>,
    /// The ids of sessions that the other end has begun: none of them begins again, since a fallback key would let it.
    seen: VecDeque<String>,
    /// Whether a message of this device could not be read since the last session began.
    broken: bool,
    /// When a session was begun in place of a broken one, in seconds since 1970.
    renewed_at: Option<i64>,
    /// Whether the device is published at the moment.
    pub(crate) listed: bool,
}

/// Why a message was not decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CannotDecrypt {
    /// It is no message of the library.
    Malformed,
    /// No session can read it, or it was read before.
    NoSession,
}

impl Channel {
    pub(crate) fn new(curve25519: &PublicKey, ed25519: &PublicKey) -> Self {
        Self {
            curve25519: curve25519.as_str().to_owned(),
            ed25519: ed25519.as_str().to_owned(),
            sessions: VecDeque::new(),
            seen: VecDeque::new(),
            broken: false,
            renewed_at: None,
            listed: true,
        }
    }

    /// Whether a new session has to begin before the next message.
    pub(crate) fn needs_session(&self, now: i64) -> bool {
        let may_renew = self.renewed_at.is_none_or(|at| now.saturating_sub(at) >= RENEWED);
        self.sessions.is_empty() || (self.broken && may_renew)
    }

    /// Begins a session with a key of the device. Says whether that is possible: some keys are no good.
    pub(crate) fn begin(&mut self, account: &Account, key: &PublicKey, now: i64) -> bool {
        let identity = PublicKey::parse(&self.curve25519);
        let keys = identity.as_ref().and_then(curve).zip(curve(key));
        let config = SessionConfig::version_1();
        let Some(Ok(session)) =
            keys.map(|(identity, key)| account.create_outbound_session(config, identity, key))
        else {
            return false;
        };
        if std::mem::take(&mut self.broken) {
            self.renewed_at = Some(now);
        }
        self.put_first(session);
        true
    }

    /// Encrypts with the session in use: the type of the library's message, and its bytes.
    pub(crate) fn encrypt(&mut self, payload: &[u8]) -> Option<(u8, Vec<u8>)> {
        let message = self.sessions.front_mut()?.encrypt(payload).ok()?;
        let (kind, bytes) = message.to_parts();
        Some((u8::try_from(kind).ok()?, bytes))
    }

    /// Decrypts a message of this device.
    pub(crate) fn decrypt(
        &mut self,
        account: &mut Account,
        kind: u8,
        bytes: &[u8],
    ) -> Result<Vec<u8>, CannotDecrypt> {
        let message = OlmMessage::from_parts(kind.into(), bytes);
        let message = message.map_err(|_| CannotDecrypt::Malformed)?;
        let read = match &message {
            OlmMessage::PreKey(first) => {
                let id = first.session_id();
                let known = self.sessions.iter().position(|session| session.session_id() == id);
                match known {
                    Some(place) => self.decrypt_with(place, &message),
                    None if self.seen.contains(&id) => None,
                    None => self.begun_by(account, first, id),
                }
            }
            OlmMessage::Normal(_) => {
                (0..self.sessions.len()).find_map(|place| self.decrypt_with(place, &message))
            }
        };
        if read.is_none() {
            self.broken = true;
        }
        read.ok_or(CannotDecrypt::NoSession)
    }

    fn begun_by(
        &mut self,
        account: &mut Account,
        first: &vodozemac::olm::PreKeyMessage,
        id: String,
    ) -> Option<Vec<u8>> {
        let identity = PublicKey::parse(&self.curve25519).as_ref().and_then(curve)?;
        let config = SessionConfig::version_1();
        let begun = account.create_inbound_session(config, identity, first).ok()?;
        self.seen.push_back(id);
        if self.seen.len() > SEEN {
            self.seen.pop_front();
        }
        self.put_first(begun.session);
        self.broken = false;
        Some(begun.plaintext)
    }

    fn decrypt_with(&mut self, place: usize, message: &OlmMessage) -> Option<Vec<u8>> {
        let read = self.sessions.get_mut(place)?.decrypt(message).ok()?;
        if let Some(session) = self.sessions.remove(place) {
            self.sessions.push_front(session);
        }
        Some(read)
    }

    fn put_first(&mut self, session: Session) {
        self.sessions.push_front(session);
        self.sessions.truncate(SESSIONS);
    }

    /// Whether there was ever a session with the device.
    pub(crate) fn is_used(&self) -> bool {
        !(self.sessions.is_empty() && self.seen.is_empty())
    }

    /// Forgets all sessions: each was part of a copy, so that its keys may have been used already (EE-10).
    pub(crate) fn forget_sessions(&mut self) {
        self.sessions.clear();
    }
}

mod pickles {
    use super::*;

    pub(super) fn serialize<S: serde::Serializer>(
        sessions: &VecDeque<Session>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(sessions.iter().map(Session::pickle))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<VecDeque<Session>, D::Error> {
        let pickles = Vec::<SessionPickle>::deserialize(deserializer)?;
        Ok(pickles.into_iter().map(Session::from_pickle).collect())
    }
}
