//! The state of one account on one device, and its connection.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use chatterbox_proto::NameKey as _;
use chatterbox_proto::capability::e2ee::{KeysDone, KeysLow};
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::DeviceId;
use vodozemac::Ed25519SecretKey;
use zeroize::Zeroizing;

use crate::action::{Action, Notice};
use crate::convert::folded;
use crate::keyring::{Keyring, StateError};
use crate::pending::{Asked, Later, Sent, Waiting};
use crate::person::Mode;
use crate::texts::{Kept, Texts};

/// What a connection has that has agreed to `e2ee`.
#[derive(Default)]
pub(crate) struct Link {
    /// The name of the user.
    pub(crate) me: String,
    /// The folded name of the own account, when the server has said so.
    pub(crate) account: Option<String>,
    /// Folded names that were asked for, with the folded name of their account, if they have one.
    pub(crate) names: BTreeMap<String, Option<String>>,
    /// The accounts whose devices were asked for on this connection, and did not change since.
    pub(crate) fresh: BTreeSet<String>,
    /// What was asked and not answered.
    pub(crate) asked: BTreeMap<String, Asked>,
    pub(crate) next_request: u64,
    /// Devices for which there was no key a moment ago.
    pub(crate) keyless: BTreeSet<(String, String)>,
    /// Devices that the user was told of as unsigned.
    pub(crate) unsigned: BTreeSet<String>,
    /// Whether the server has this device.
    pub(crate) ready: bool,
    /// The greatest id of an encrypted message that has come, and the last one that was said to be read.
    pub(crate) seen: Id,
    pub(crate) done: Id,
    /// Whether the own account has an identity, when the server has said so.
    pub(crate) has_identity: Option<bool>,
    /// Folded names of people with whom the user seems to encrypt on another device, with their names as they came: until it is
    /// known, nothing is said to them in the clear.
    pub(crate) suspected: BTreeMap<String, String>,
}

/// What the user wants of the own keys.
pub(crate) enum Wish {
    /// An identity, if there is none.
    Begin,
    /// Another identity, in the place of one that is gone.
    Anew,
    /// This device in the identity with this secret key.
    Add(Ed25519SecretKey),
}

/// Keys, sessions and conversations of one account on one device.
///
/// Whatever its methods give is done after [`Machine::state`] and [`Machine::take_texts`] are stored, where
/// [`Machine::take_dirty`] says that they have changed: a ratchet that went back would encrypt twice with one key.
#[derive(Default)]
pub struct Machine {
    pub(crate) keyring: Keyring,
    pub(crate) texts: Texts,
    pub(crate) link: Option<Link>,
    pub(crate) wish: Option<Wish>,
    pub(crate) outbox: VecDeque<Waiting>,
    pub(crate) sent: VecDeque<Sent>,
    pub(crate) inbox: VecDeque<Later>,
    pub(crate) next_ticket: u64,
    pub(crate) dirty: bool,
    /// The first message that could not be read yet, though it may be later: it comes again with the next welcome.
    pub(crate) missed: Option<Id>,
    /// The safety number that was shown last, with the account: that one the user can confirm.
    pub(crate) compared: Option<(String, String)>,
    /// Whether the keys come from a copy, of which the user is told.
    restored: bool,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own = self.keyring.own.as_ref().map(|own| own.device.as_str());
        f.debug_struct("Machine").field("device", &own).finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The machine whose state was stored.
    ///
    /// # Errors
    /// [`StateError`] when it can't be read; nothing private is to be sent then, since it is not known with whom the user
    /// has encrypted (EE-6).
    pub fn load(state: &[u8], texts: impl IntoIterator<Item = Kept>) -> Result<Self, StateError> {
        let mut machine = Self { keyring: Keyring::read(state)?, ..Self::default() };
        texts.into_iter().for_each(|kept| machine.texts.load(kept));
        Ok(machine)
    }

    /// Says that the state was copied back, so that its sessions may have been used since: new ones begin (EE-10).
    pub fn is_restored(&mut self) {
        self.keyring.forget_sessions();
        (self.dirty, self.restored) = (true, true);
    }

    /// The state to store, with private keys in it.
    ///
    /// # Errors
    /// [`StateError::Malformed`] when it can't be written.
    pub fn state(&self) -> Result<Zeroizing<Vec<u8>>, StateError> {
        self.keyring.write()
    }

    /// Whether the state has changed since this was asked.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// The texts to store that are new since this was asked.
    pub fn take_texts(&mut self) -> Vec<Kept> {
        self.texts.take_new()
    }

    /// All texts, the oldest first.
    pub fn texts(&self) -> impl Iterator<Item = &Kept> {
        self.texts.all()
    }

    /// The device, to be said when joining (EE-4).
    pub fn device(&self) -> Option<&DeviceId> {
        self.keyring.own.as_ref().map(|own| &own.device)
    }

    /// There is a connection that has agreed to `e2ee`, under this name.
    pub fn joined(&mut self, me: &str, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        self.link = Some(Link { me: me.to_owned(), ..Link::default() });
        if std::mem::take(&mut self.restored) {
            out.push(Action::Tell(Notice::Restored));
        }
        if self.keyring.own.as_ref().is_some_and(|own| own.published && own.code().is_some()) {
            out.push(Action::Tell(Notice::CodeWaits));
        }
        // Without keys and without a wish for them the directory has nothing to say.
        if self.keyring.own.is_some() || self.wish.is_some() {
            self.ask_names(&[me.to_owned()], &mut out);
        }
        self.pump(now, &mut out);
        out
    }

    /// The connection is gone. What waits goes on with the next one.
    pub fn lost(&mut self) {
        self.link = None;
        // What was asked is not answered any more.
        self.inbox.iter_mut().for_each(|later| later.asked = false);
        self.outbox.iter_mut().for_each(|waiting| waiting.asked = false);
    }

    /// Time goes by: what waits too long is given up.
    pub fn tick(&mut self, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        self.pump(now, &mut out);
        out
    }

    /// The user has this name from now on.
    pub fn renamed(&mut self, me: &str) {
        if let Some(link) = &mut self.link {
            me.clone_into(&mut link.me);
            // Names of others may belong to somebody else by now.
            link.names.clear();
        }
    }

    /// Somebody else has another name from now on. Whoever the user encrypts with is encrypted with under that one, too.
    pub fn is_called(&mut self, old: &str, new: &str) {
        let account = self.known_account(old);
        let (is_on, is_free) = (self.mode(old) == Mode::On, self.mode(new) == Mode::Unset);
        if let (Some(account), true, true) = (account, is_on, is_free) {
            self.pin(new, &account);
        }
        let names = [old, new].map(|name| folded(name).map(|name| name.name_key().to_owned()));
        if let Some(link) = &mut self.link {
            names.iter().flatten().for_each(|name| drop(link.names.remove(name)));
        }
    }

    /// KEYS_LOW: few one-time keys are left.
    pub fn low(&mut self, low: &KeysLow, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        if self.device() == Some(&low.device) {
            self.replenish(low.count, now, &mut out);
        }
        out
    }

    /// KEYS_DONE, if there is something to say: everything that has come is read, and stored (EE-4).
    pub fn done(&mut self) -> Option<Bytes> {
        let link = self.link.as_mut()?;
        let up_to = self.missed.map_or(link.seen, |missed| link.seen.min(missed.saturating_sub(1)));
        if !self.inbox.is_empty() || up_to <= link.done || !link.ready {
            return None;
        }
        link.done = up_to;
        KeysDone { up_to }.to_object().finish().ok()
    }

    /// A message can't be read now, and may be later: it is not said to be read.
    pub(crate) fn misses(&mut self, id: Id) {
        self.missed = Some(self.missed.map_or(id, |missed| missed.min(id)));
    }

    /// How many texts wait for keys.
    pub fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// Does what can be done by now.
    pub(crate) fn pump(&mut self, now: i64, out: &mut Vec<Action>) {
        self.open_waiting(now, out);
        self.send_waiting(now, out);
        if let Some(link) = &mut self.link {
            link.keyless.clear();
        }
    }

    /// The folded name of the account that a name belongs to, as far as it is known on this connection; `None` inside for
    /// a name that has none.
    pub(crate) fn account_of(&self, name: &str) -> Option<Option<&str>> {
        let called = folded(name)?;
        let names = &self.link.as_ref()?.names;
        let account = names.get(called.name_key())?;
        Some(account.as_deref())
    }

    /// Whether a name stood for another account than this one when something was encrypted under it: the server says which account
    /// a name is of, so it could put another one between the two who talk.
    pub(crate) fn is_other(&self, name: &str, account: &str) -> bool {
        let Some(called) = folded(name) else { return true };
        let me = self.link.as_ref().and_then(|link| folded(&link.me));
        let is_me = me.is_some_and(|me| me.name_key() == called.name_key());
        let pinned = self.keyring.pinned(called.name_key());
        !is_me && pinned.is_some_and(|pinned| pinned != account)
    }

    /// Something was encrypted with this account under this name.
    pub(crate) fn pin(&mut self, name: &str, account: &str) {
        if let Some(called) = folded(name) {
            self.dirty |= self.keyring.pin(called.name_key(), account);
        }
    }
}
