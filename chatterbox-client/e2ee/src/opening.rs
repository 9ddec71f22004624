//! Opening what comes encrypted: by which device, whether that is the sender's, and whether what is inside says the same
//! (EE-5, EE-7).

use chatterbox_proto::NameKey as _;
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, Sealed, SealedFor};
use vodozemac::base64_decode;

use crate::action::{Action, Notice, Opening, Trust, Unreadable};
use crate::channel::CannotDecrypt;
use crate::convert::folded;
use crate::machine::Machine;
use crate::payload::{Party, Payload};
use crate::pending::Later;
use crate::person::{Mode, Person};
use crate::texts::{Kept, between};

/// The most messages that wait for the keys of their senders.
const WAITING: usize = 256;

/// The most people of whom it is suspected at a time that they encrypt with the user.
const SUSPECTED: usize = 64;

/// A message that has waited for so many seconds is given up.
const PATIENCE: i64 = 60;

/// A message with the fixed sentence, as it has come.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Who has sent it, by the server's word.
    pub source: &'a str,
    /// To whom.
    pub recipient: &'a str,
    /// Its number.
    pub id: Id,
    /// What is encrypted in it, for this device.
    pub sealed: Option<&'a Sealed>,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// It can be shown.
    Now(Opening),
    /// It can be shown when [`Action::Opened`] has this ticket.
    Later(u64),
}

/// What is missing for opening a message.
enum Missing {
    /// What is known of these names.
    Keys(Vec<String>),
    Never(Unreadable),
}

impl Machine {
    /// Opens a message, and gives what else follows from it.
    pub fn open(&mut self, incoming: Incoming<'_>, now: i64) -> (Opened, Vec<Action>) {
        let mut out = Vec::new();
        let Incoming { source, recipient, id, sealed } = incoming;
        let device = sealed.map(|sealed| sealed.from.as_str());
        if let Some(opening) = self.kept(id, device, (source, recipient)) {
            self.has_come(id);
            return (Opened::Now(opening), out);
        }
        let own = self.device();
        let Some(sealed) = sealed.filter(|sealed| {
            sealed.to.iter().any(|entry| own.is_some_and(|own| entry.device == *own))
        }) else {
            let why = if own.is_some() { Unreadable::NotForThisDevice } else { Unreadable::NoKeys };
            self.is_encrypted_elsewhere(source, recipient, &mut out);
            return (Opened::Now(Opening::Unreadable(why)), out);
        };
        let ticket = self.next_ticket;
        let later = Later {
            ticket,
            source: source.to_owned(),
            recipient: recipient.to_owned(),
            id,
            sealed: sealed.clone(),
            since: now,
            asked: false,
        };
        // Those of one device are read in the order in which they came.
        let is_behind = self.inbox.iter().any(|other| other.sealed.from == sealed.from);
        let missing = if is_behind {
            Missing::Keys(Vec::new())
        } else {
            match self.read(&later, &mut out) {
                Ok(opening) => {
                    self.has_come(id);
                    return (Opened::Now(opening), out);
                }
                Err(missing) => missing,
            }
        };
        match missing {
            Missing::Keys(names) if self.link.is_some() && self.inbox.len() < WAITING => {
                self.next_ticket += 1;
                self.inbox.push_back(Later { asked: !is_behind, ..later });
                self.ask_names(&names, &mut out);
                (Opened::Later(ticket), out)
            }
            Missing::Keys(_) => {
                self.misses(id);
                (Opened::Now(Opening::Unreadable(Unreadable::NoSenderKeys)), out)
            }
            Missing::Never(why) => {
                self.has_come(id);
                (Opened::Now(Opening::Unreadable(why)), out)
            }
        }
    }

    /// Two users encrypt, one of whom is the own one, though this device can't read it: another device may have turned it on. What is
    /// said here is encrypted as well, or not sent, until the user says otherwise (EE-6).
    fn is_encrypted_elsewhere(&mut self, source: &str, recipient: &str, out: &mut Vec<Action>) {
        let Some(me) = self.link.as_ref().map(|link| link.me.clone()) else { return };
        let is_me = |name: &str| {
            let (name, me) = (folded(name), folded(&me));
            name.zip(me).is_some_and(|(name, me)| name.name_key() == me.name_key())
        };
        let other = match (is_me(source), is_me(recipient)) {
            (true, false) => recipient,
            (false, true) => source,
            _ => return,
        };
        let Some(called) = folded(other).map(|name| name.name_key().to_owned()) else { return };
        if self.mode(other) != Mode::Unset {
            return;
        }
        let Some(link) = &mut self.link else { return };
        if link.suspected.len() < SUSPECTED {
            link.suspected.insert(called, other.to_owned());
            self.settle_suspected(out);
        }
    }

    /// Turns encryption on for those of whom it is suspected, where both have keys: anybody can say the sentence, but an encrypted
    /// message is only between two who have some (EE-3).
    pub(crate) fn settle_suspected(&mut self, out: &mut Vec<Action>) {
        let Some(link) = &mut self.link else { return };
        let (own_has_keys, me) = (link.has_identity, link.me.clone());
        let mut unknown = Vec::new();
        for (called, name) in std::mem::take(&mut link.suspected) {
            let account = self.account_of(&name).map(|account| account.map(str::to_owned));
            let (Some(own_has_keys), Some(account)) = (own_has_keys, account) else {
                unknown.push((called, name));
                continue;
            };
            let person = account.and_then(|account| self.keyring.people.get_mut(&account));
            let person = person.filter(|person| person.party().is_some());
            if let Some(person) = person.filter(|one| own_has_keys && one.mode == Mode::Unset) {
                person.mode = Mode::On;
                self.dirty = true;
                out.push(Action::Tell(Notice::Encrypts { name }));
            }
        }
        let mut names: Vec<_> = unknown.iter().map(|(_, name)| name.clone()).collect();
        if let Some(link) = &mut self.link {
            link.suspected.extend(unknown);
        }
        names.retain(|name| self.account_of(name).is_none());
        if own_has_keys.is_none() {
            names.push(me);
        }
        self.ask_names(&names, out);
    }

    /// What was read once, if this is it: it is not decrypted again, since no session would. Under other names it is not shown, whatever
    /// the server says whose it is.
    fn kept(&self, id: Id, from: Option<&str>, (source, to): (&str, &str)) -> Option<Opening> {
        let kept = self.texts.of(id).filter(|kept| from.is_none_or(|from| from == kept.device))?;
        if kept.between == between(source, to) {
            Some(kept.opening())
        } else {
            Some(Opening::Unreadable(Unreadable::WrongNames))
        }
    }

    fn has_come(&mut self, id: Id) {
        self.missed = self.missed.filter(|missed| *missed != id);
        self.dirty |= self.keyring.let_go(id);
        if let Some(link) = &mut self.link {
            link.seen = link.seen.max(id);
        }
    }

    /// Opens what has its keys by now, oldest first.
    pub(crate) fn open_waiting(&mut self, now: i64, out: &mut Vec<Action>) {
        let mut blocked: Vec<DeviceId> = Vec::new();
        for mut later in std::mem::take(&mut self.inbox) {
            if blocked.contains(&later.sealed.from) {
                self.inbox.push_back(later);
                continue;
            }
            let opening = match self.read(&later, out) {
                Ok(opening) => {
                    self.has_come(later.id);
                    opening
                }
                Err(Missing::Never(why)) => {
                    self.has_come(later.id);
                    Opening::Unreadable(why)
                }
                Err(Missing::Keys(names)) => {
                    let is_asked = self.is_asking(&names);
                    let in_time = now.saturating_sub(later.since) <= PATIENCE;
                    if in_time && (is_asked || !later.asked || self.link.is_none()) {
                        if !is_asked && self.link.is_some() {
                            later.asked = true;
                            self.ask_names(&names, out);
                        }
                        blocked.push(later.sealed.from.clone());
                        self.inbox.push_back(later);
                        continue;
                    }
                    // The directory has not said whose the device is.
                    self.misses(later.id);
                    Opening::Unreadable(Unreadable::NoSenderKeys)
                }
            };
            out.push(Action::Opened { ticket: later.ticket, opening });
        }
    }

    fn read(&mut self, later: &Later, out: &mut Vec<Action>) -> Result<Opening, Missing> {
        // It may have come twice, while its keys were asked for.
        let names = (later.source.as_str(), later.recipient.as_str());
        if let Some(opening) = self.kept(later.id, Some(later.sealed.from.as_str()), names) {
            return Ok(opening);
        }
        let own = self.keyring.own.as_ref().ok_or(Missing::Never(Unreadable::NoKeys))?;
        let own_device = own.device.clone();
        let entry = later.sealed.to.iter().find(|entry| entry.device == own_device);
        let entry = entry.cloned().ok_or(Missing::Never(Unreadable::NotForThisDevice))?;
        // Whose names these are, by the server's word.
        let of = |name: &str| self.account_of(name).map(|account| account.map(str::to_owned));
        let (source, recipient) = (of(&later.source), of(&later.recipient));
        let names = vec![later.source.clone(), later.recipient.clone()];
        let (Some(source), Some(recipient)) = (source, recipient) else {
            return Err(Missing::Keys(names));
        };
        let (Some(source), Some(recipient)) = (source, recipient) else {
            return Err(Missing::Never(Unreadable::NoSenderKeys));
        };
        if !(self.is_own(&source) || self.is_own(&recipient)) {
            return Err(Missing::Never(Unreadable::WrongNames));
        }
        if self.is_other(&later.source, &source) || self.is_other(&later.recipient, &recipient) {
            return Err(Missing::Never(Unreadable::OtherAccount));
        }
        // What is known may be older than the device, or than the keys that are named inside.
        let may_ask = !later.asked || self.is_asking(&names);
        let refused = |why| if may_ask { Missing::Keys(names) } else { Missing::Never(why) };
        let from = later.sealed.from.as_str();
        let sender = self.keyring.people.get(&source);
        let is_known = sender.is_some_and(|sender| sender.devices.contains_key(from));
        if !is_known {
            // The devices of an identity that is not the verified one are not taken.
            let is_changed = sender.is_some_and(|sender| sender.other().is_some());
            let why = if is_changed { Unreadable::Changed } else { Unreadable::UnsignedDevice };
            return Err(refused(why));
        }
        let held = self.keyring.held(later.id, from).cloned();
        let is_held = held.is_some();
        let payload = match held {
            Some(payload) => payload,
            None => self.decrypted(&source, from, &entry)?,
        };
        let parties = [(&source, &payload.from), (&recipient, &payload.to)];
        let wrong = parties.into_iter().find_map(|(account, party)| self.misnames(account, party));
        if let Some(why) = wrong {
            if !is_held {
                self.keyring.hold(later.id, from, payload);
            }
            return Err(refused(why));
        }
        self.shown(later, &source, &recipient, payload, out)
    }

    /// Why a message that names this party inside is not of, or for, an account.
    fn misnames(&self, account: &str, party: &Party) -> Option<Unreadable> {
        let person = self.keyring.people.get(account);
        let is = |known: Option<Party>| known.as_ref() == Some(party);
        if is(person.and_then(Person::party)) {
            None
        } else if is(person.and_then(Person::other)) {
            Some(Unreadable::Changed)
        } else {
            Some(Unreadable::WrongNames)
        }
    }

    /// What is inside an entry of a device of an account.
    fn decrypted(
        &mut self,
        source: &str,
        from: &str,
        entry: &SealedFor,
    ) -> Result<Payload, Missing> {
        let body = base64_decode(entry.body.trim_end_matches('='));
        let body = body.map_err(|_| Missing::Never(Unreadable::Malformed))?;
        let own = self.keyring.own.as_mut().ok_or(Missing::Never(Unreadable::NoKeys))?;
        let sender = self.keyring.people.get_mut(source);
        let sender = sender.ok_or(Missing::Never(Unreadable::NoSenderKeys))?;
        let channel = sender.devices.get_mut(from);
        let channel = channel.ok_or(Missing::Never(Unreadable::UnsignedDevice))?;
        self.dirty = true;
        let decrypted = channel.decrypt(&mut own.olm, entry.kind, &body);
        let decrypted = decrypted.map_err(|why| {
            Missing::Never(match why {
                CannotDecrypt::Malformed => Unreadable::Malformed,
                CannotDecrypt::NoSession => Unreadable::NoSession,
            })
        })?;
        Payload::read(&decrypted).map_err(|_| Missing::Never(Unreadable::Malformed))
    }

    fn shown(
        &mut self,
        later: &Later,
        source: &str,
        recipient: &str,
        payload: Payload,
        out: &mut Vec<Action>,
    ) -> Result<Opening, Missing> {
        let own = self.is_own(source);
        let (account, name) =
            if own { (recipient, &later.recipient) } else { (source, &later.source) };
        let other = self.keyring.people.get_mut(account);
        let other = other.ok_or(Missing::Never(Unreadable::NoSenderKeys))?;
        if other.mode == Mode::Unset {
            other.mode = Mode::On;
            out.push(Action::Tell(Notice::Encrypts { name: other.account.clone() }));
        }
        let kept = Kept {
            id: later.id,
            device: later.sealed.from.as_str().to_owned(),
            between: between(&later.source, &later.recipient),
            text: payload.text,
            reply: payload.reply,
            verified: other.verified,
            own,
        };
        let opening = kept.opening();
        self.texts.keep(kept);
        self.pin(name, account);
        Ok(opening)
    }
}

impl Kept {
    fn opening(&self) -> Opening {
        let trust = if self.verified { Trust::Verified } else { Trust::FirstUse };
        let Self { text, reply, own, .. } = self;
        Opening::Text { text: text.clone(), reply: *reply, trust, own: *own }
    }
}
