//! Sending: what is said waits until the keys of all devices are there, and is encrypted for each (EE-3).

use std::collections::BTreeSet;

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, Sealed, SealedFor};
use chatterbox_proto::limits;
use vodozemac::base64_encode;

use crate::action::{Action, NotSent};
use crate::convert::folded;
use crate::machine::Machine;
use crate::payload::Payload;
use crate::pending::{Asked, Sent, Waiting};
use crate::person::Mode;
use crate::texts::{Kept, between};

/// The most texts that wait for keys.
const WAITING: usize = 64;

/// The most texts of which it is remembered what was encrypted, until the server has taken them: more have no tags.
const SENT: usize = limits::TAGS;

/// A text that has waited for so many seconds is given up.
const PATIENCE: i64 = 60;

/// How often a text is encrypted again because the devices have changed.
const TRIES: u8 = 3;

/// What an entry for one device has beside its Base64, in bytes.
const BESIDE: usize = limits::DEVICE_ID + 16;

/// What a text needs next.
enum Need {
    /// The devices of these names.
    Names(Vec<String>),
    /// A key of each of these devices.
    Keys(Vec<(String, String)>),
    /// An answer that is under way.
    Own,
    /// Nothing: it was encrypted.
    Nothing { sealed: Sealed, verified: bool },
}

impl Machine {
    /// Whether what is said to somebody is encrypted.
    pub fn mode(&self, name: &str) -> Mode {
        // Without a connection a name counts as that of its account.
        let called = folded(name);
        let called = called.as_ref().map(chatterbox_proto::NameKey::name_key);
        let pinned = called.and_then(|called| self.keyring.pinned(called));
        let accounts = [self.account_of(name).flatten(), called, pinned];
        let modes = accounts.into_iter().flatten().map(|account| self.keyring.mode(account));
        // Whatever the server says whose name it is: once it is on, it stays on until the user turns it off.
        let most = modes.min_by_key(|mode| match mode {
            Mode::On => 0,
            Mode::Off => 1,
            Mode::Unset => 2,
        });
        let suspected = || {
            self.link
                .as_ref()
                .zip(called)
                .is_some_and(|(link, called)| link.suspected.contains_key(called))
        };
        match most.unwrap_or_default() {
            Mode::Unset if suspected() => Mode::On,
            most => most,
        }
    }

    /// Says a text, encrypted, as soon as the keys are there.
    pub fn say(&mut self, to: &str, text: &str, reply: Option<Id>, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        let (to, text) = (to.to_owned(), text.to_owned());
        let waiting = Waiting { to, text, reply, since: now, tries: 0, asked: false };
        if self.outbox.len() >= WAITING {
            out.push(waiting.not_sent(NotSent::TooMany));
        } else {
            self.outbox.push_back(waiting);
        }
        self.pump(now, &mut out);
        out
    }

    /// Sends what has its keys. What waits keeps what was said behind it to the same person.
    pub(crate) fn send_waiting(&mut self, now: i64, out: &mut Vec<Action>) {
        let mut blocked: BTreeSet<String> = BTreeSet::new();
        for mut waiting in std::mem::take(&mut self.outbox) {
            if now.saturating_sub(waiting.since) > PATIENCE {
                out.push(waiting.not_sent(NotSent::Directory));
                continue;
            }
            if blocked.contains(&waiting.to) {
                self.outbox.push_back(waiting);
                continue;
            }
            match self.need(&waiting, now) {
                Err(why) => out.push(waiting.not_sent(why)),
                Ok(Need::Nothing { sealed, verified }) => {
                    self.dirty = true;
                    let ticket = self.next_ticket;
                    self.next_ticket += 1;
                    let (to, text, reply) =
                        (waiting.to.clone(), waiting.text.clone(), waiting.reply);
                    out.push(Action::Say { ticket, to, text, reply, sealed, verified });
                    let me = self.link.as_ref().map(|link| link.me.clone()).unwrap_or_default();
                    self.sent.push_back(Sent { ticket, tag: None, me, waiting, verified });
                    if self.sent.len() > SENT {
                        self.sent.pop_front();
                    }
                }
                Ok(need) => {
                    match need {
                        Need::Names(names) => {
                            waiting.asked |= names.contains(&waiting.to);
                            self.ask_names(&names, out);
                        }
                        Need::Keys(devices) => self.claim(devices, out),
                        Need::Own | Need::Nothing { .. } => {}
                    }
                    blocked.insert(waiting.to.clone());
                    self.outbox.push_back(waiting);
                }
            }
        }
    }

    fn need(&mut self, waiting: &Waiting, now: i64) -> Result<Need, NotSent> {
        let link = self.link.as_ref().ok_or(NotSent::NotAgreed)?;
        if self.keyring.own.is_none() && self.wish.is_none() {
            return Err(NotSent::NoOwnKeys);
        }
        let mut names = Vec::new();
        let account = self.account_of(&waiting.to);
        match account {
            None => names.push(waiting.to.clone()),
            // What is known may be older than their keys.
            Some(None) if self.may_ask_for(waiting) => names.push(waiting.to.clone()),
            Some(None) => return Err(NotSent::NoKeys),
            Some(Some(account)) if !link.fresh.contains(account) => names.push(waiting.to.clone()),
            Some(Some(_)) => {}
        }
        let own = link.account.clone();
        if own.as_ref().is_none_or(|own| !link.fresh.contains(own)) {
            names.push(link.me.clone());
        }
        if !names.is_empty() {
            return Ok(Need::Names(names));
        }
        let (account, own) = (account.flatten().map(str::to_owned), own);
        let (Some(account), Some(own)) = (account, own) else { return Err(NotSent::NoKeys) };
        if self.is_other(&waiting.to, &account) {
            return Err(NotSent::OtherAccount);
        }
        if account == own {
            return Err(NotSent::Oneself);
        }
        let has_keys = self.keyring.people.get(&account).is_some_and(|person| {
            person.other().is_some()
                || (person.party().is_some() && person.listed().next().is_some())
        });
        if !has_keys && self.may_ask_for(waiting) {
            return Ok(Need::Names(vec![waiting.to.clone()]));
        }
        if !link.ready {
            let is_under_way = link.asked.values().any(|asked| *asked == Asked::Put);
            return if is_under_way { Ok(Need::Own) } else { Err(NotSent::OwnIdentity) };
        }
        self.encrypt(waiting, &account, &own, now)
    }

    /// Whether the directory was not asked yet for whom a text is, since it waits, or has not answered.
    fn may_ask_for(&self, waiting: &Waiting) -> bool {
        !waiting.asked || self.is_asking(std::slice::from_ref(&waiting.to))
    }

    fn encrypt(
        &mut self,
        waiting: &Waiting,
        account: &str,
        own_account: &str,
        now: i64,
    ) -> Result<Need, NotSent> {
        let own = self.keyring.own.as_ref().ok_or(NotSent::NoOwnKeys)?;
        let device = own.device.clone();
        let person = self.keyring.people.get(account).ok_or(NotSent::NoKeys)?;
        if person.other().is_some() {
            return Err(NotSent::Changed);
        }
        let to = person.party().ok_or(NotSent::NoKeys)?;
        if person.listed().next().is_none() {
            return Err(NotSent::NoKeys);
        }
        let verified = person.verified;
        let mut devices: Vec<(String, String)> = Vec::new();
        let mut missing = Vec::new();
        let me = self.keyring.people.get(own_account);
        for (owner, whose) in [(account, Some(person)), (own_account, me)] {
            for (name, channel) in whose.into_iter().flat_map(crate::person::Person::listed) {
                if owner == own_account && name == device.as_str() {
                    continue;
                }
                devices.push((owner.to_owned(), name.clone()));
                if channel.needs_session(now) {
                    missing.push((owner.to_owned(), name.clone()));
                }
            }
        }
        if !missing.is_empty() {
            let keyless = self.link.as_ref().map(|link| &link.keyless);
            if missing.iter().any(|device| keyless.is_some_and(|keyless| keyless.contains(device)))
            {
                return Err(NotSent::NoDeviceKey);
            }
            return Ok(Need::Keys(missing));
        }
        let from = crate::payload::Party { number: own.number, identity: own.identity.clone() };
        let payload = Payload { from, to, text: waiting.text.clone(), reply: waiting.reply };
        let payload = payload.write().map_err(|_| NotSent::TooLong)?;
        // Before any ratchet moves on: the library adds less than a hundred bytes, at first less than three hundred.
        let each = (payload.len() + 320).div_ceil(3) * 4 + BESIDE;
        if each.saturating_mul(devices.len()) > limits::SEALED - BESIDE
            || devices.len() > limits::SEALED_DEVICES
        {
            return Err(NotSent::TooLong);
        }
        let mut entries = Vec::with_capacity(devices.len());
        for (owner, name) in devices {
            let person = self.keyring.people.get_mut(&owner).ok_or(NotSent::NoKeys)?;
            let channel = person.devices.get_mut(&name).ok_or(NotSent::NoKeys)?;
            let (kind, bytes) = channel.encrypt(&payload).ok_or(NotSent::NoDeviceKey)?;
            let device = DeviceId::parse(&name).ok_or(NotSent::NoKeys)?;
            entries.push(SealedFor { device, kind, body: base64_encode(bytes).into() });
        }
        if let Some(person) = self.keyring.people.get_mut(account) {
            person.mode = Mode::On;
        }
        self.pin(&waiting.to, account);
        Ok(Need::Nothing { sealed: Sealed { from: device, to: entries }, verified })
    }

    /// The message of this ticket was sent under a tag; without one it was not sent.
    pub fn sent(&mut self, ticket: u64, tag: Option<String>) {
        match tag {
            Some(tag) => {
                if let Some(sent) = self.sent.iter_mut().find(|sent| sent.ticket == ticket) {
                    sent.tag = Some(tag);
                }
            }
            None => self.sent.retain(|sent| sent.ticket != ticket),
        }
    }

    /// The text of an own message that was sent under this tag, or has this id.
    pub fn text_of(&self, tag: &str) -> Option<&str> {
        let sent = self.sent.iter().find(|sent| sent.tag.as_deref() == Some(tag));
        sent.map(|sent| sent.waiting.text.as_str())
    }

    /// The server has stored the message with this tag: its text is kept under its id.
    pub fn stored(&mut self, tag: &str, id: Id) {
        if let Some(sent) = self.take_sent(tag) {
            let device = self.device().map(|device| device.as_str().to_owned());
            self.texts.keep(Kept {
                id,
                device: device.unwrap_or_default(),
                between: between(&sent.me, &sent.waiting.to),
                text: sent.waiting.text,
                reply: sent.waiting.reply,
                verified: sent.verified,
                own: true,
            });
        }
    }

    /// The server has refused the message with this tag. Says whether it is encrypted again, for the devices that there are
    /// now, or given up with words of its own.
    pub fn rejected(&mut self, tag: &str, code: &str, now: i64) -> Option<Vec<Action>> {
        let sent = self.take_sent(tag)?;
        // A recipient whose keys are gone makes a message that is none any more.
        if !matches!(code, "devices-changed" | "bad-e2ee") {
            return None;
        }
        let Sent { mut waiting, .. } = sent;
        let mut out = Vec::new();
        waiting.tries += 1;
        waiting.since = now;
        waiting.asked = false;
        if let Some(link) = &mut self.link {
            // A name may be somebody else's by now, too.
            link.fresh.clear();
            link.names.clear();
        }
        if waiting.tries >= TRIES {
            out.push(waiting.not_sent(NotSent::DevicesChange));
        } else {
            // Behind those that were refused before it, so that they stay in their order.
            let place = self.outbox.iter().take_while(|other| other.tries > 0).count();
            self.outbox.insert(place, waiting);
        }
        self.pump(now, &mut out);
        Some(out)
    }

    fn take_sent(&mut self, tag: &str) -> Option<Sent> {
        let place = self.sent.iter().position(|sent| sent.tag.as_deref() == Some(tag))?;
        self.sent.remove(place)
    }
}

impl Waiting {
    pub(crate) fn not_sent(self, why: NotSent) -> Action {
        let Self { to, text, reply, .. } = self;
        Action::NotSent { to, text, reply, why }
    }
}
