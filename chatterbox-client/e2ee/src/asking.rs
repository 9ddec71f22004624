//! Requests to the directory, and what their answers mean.

use chatterbox_proto::capability::e2ee::{
    self, Claimed, Keys, KeysAnswer, KeysClaim, KeysGet, PublicKey, UserKeys, key_lines,
};
use chatterbox_proto::capability::meta::DeviceId;
use chatterbox_proto::{NameKey as _, WireText};

use crate::action::{Action, NotSent, Notice, Opening, Unreadable};
use crate::convert::{folded, is_signed};
use crate::machine::{Machine, Wish};
use crate::own::Own;
use crate::pending::Asked;
use crate::person::{Mode, News, Person};

/// The most accounts that are remembered.
const PEOPLE: usize = 2000;

impl Machine {
    /// Asks for these names, but for those that are asked for already.
    pub(crate) fn ask_names(&mut self, names: &[String], out: &mut Vec<Action>) {
        let Some(link) = &mut self.link else { return };
        let under_way = |name: &String| {
            link.asked
                .values()
                .any(|asked| matches!(asked, Asked::Get(names) if names.contains(name)))
        };
        let mut wanted: Vec<String> =
            names.iter().filter(|name| !under_way(name)).cloned().collect();
        wanted.sort();
        wanted.dedup();
        wanted.truncate(e2ee::NAMES);
        if wanted.is_empty() {
            return;
        }
        let id = link.next_id();
        let names = wanted.iter().map(|name| WireText::new(name.clone())).collect();
        let get = KeysGet { id: id.clone(), names };
        out.extend(get.to_object().finish().ok().map(Action::Ask));
        link.asked.insert(id, Asked::Get(wanted));
    }

    /// Whether the directory was asked for one of these names, and has not answered.
    pub(crate) fn is_asking(&self, names: &[String]) -> bool {
        let mut asked = self.link.iter().flat_map(|link| link.asked.values());
        asked.any(
            |asked| matches!(asked, Asked::Get(all) if names.iter().any(|name| all.contains(name))),
        )
    }

    /// Claims a key of each of these devices, but for those that are asked for already.
    pub(crate) fn claim(&mut self, devices: Vec<(String, String)>, out: &mut Vec<Action>) {
        let people = &self.keyring.people;
        let Some(link) = &mut self.link else { return };
        let under_way = |device: &(String, String)| {
            link.asked
                .values()
                .any(|asked| matches!(asked, Asked::Claim(all) if all.contains(device)))
        };
        let mut wanted: Vec<_> = devices.into_iter().filter(|device| !under_way(device)).collect();
        wanted.truncate(e2ee::CLAIMS);
        let named = |(account, device): &(String, String)| {
            let name = WireText::new(people.get(account)?.account.clone());
            Some((name, DeviceId::parse(device)?))
        };
        let devices: Vec<_> = wanted.iter().filter_map(named).collect();
        if devices.is_empty() {
            return;
        }
        let id = link.next_id();
        let claim = KeysClaim { id: id.clone(), devices };
        out.extend(claim.to_object().finish().ok().map(Action::Ask));
        link.asked.insert(id, Asked::Claim(wanted));
    }

    /// Publishes this device.
    fn put(&mut self, out: &mut Vec<Action>) {
        let (Some(link), Some(own)) = (&mut self.link, &self.keyring.own) else { return };
        if link.asked.values().any(|asked| *asked == Asked::Put) {
            return;
        }
        let id = link.next_id();
        let Some(put) = own.put(id.clone()) else { return };
        out.extend(put.to_object().finish().ok().map(Action::Ask));
        link.asked.insert(id, Asked::Put);
    }

    /// Publishes keys where the server has few of this device.
    pub(crate) fn replenish(&mut self, count: usize, now: i64, out: &mut Vec<Action>) {
        if self.keyring.own.as_mut().is_some_and(|own| own.replenish(count, now)) {
            self.dirty = true;
            self.put(out);
        }
    }

    /// The directory has answered.
    pub fn answered(&mut self, answer: &KeysAnswer, now: i64) -> Vec<Action> {
        let mut out = Vec::new();
        let asked = self.link.as_mut().and_then(|link| link.asked.remove(answer.id.as_wire()));
        match (asked, &answer.keys) {
            (Some(Asked::Put), Keys::Put { device, count, .. })
                if self.device() == Some(device) =>
            {
                self.is_put(*count, now, &mut out);
            }
            (Some(Asked::Put), Keys::Refused { error, .. }) => {
                out.push(Action::Tell(Notice::Refused(error.as_wire().to_owned())));
                // Further keys of a device that the server has are no condition for anything.
                if self.link.as_ref().is_some_and(|link| !link.ready) {
                    self.give_up(NotSent::NoOwnKeys, &mut out);
                }
            }
            (Some(Asked::Get(names)), Keys::Users(users)) => {
                for name in names {
                    let user = users.iter().find(|(asked, _)| asked.as_wire() == name);
                    self.user_told(&name, user.and_then(|(_, keys)| keys.as_ref()), now, &mut out);
                }
                self.settle_suspected(&mut out);
            }
            (Some(Asked::Claim(devices)), Keys::OneTime(claimed)) => {
                for device in devices {
                    self.key_claimed(device, claimed, now);
                }
            }
            // What has come waits for another answer.
            (Some(Asked::Claim(_)), _) => self.give_up_texts(NotSent::Directory, &mut out),
            (Some(_), _) => self.give_up(NotSent::Directory, &mut out),
            // Nobody has asked.
            (None, _) => {}
        }
        self.pump(now, &mut out);
        out
    }

    fn give_up_texts(&mut self, why: NotSent, out: &mut Vec<Action>) {
        for waiting in std::mem::take(&mut self.outbox) {
            out.push(waiting.not_sent(why));
        }
    }

    /// What waits for keys does not get them.
    fn give_up(&mut self, why: NotSent, out: &mut Vec<Action>) {
        self.give_up_texts(why, out);
        for later in std::mem::take(&mut self.inbox) {
            self.misses(later.id);
            let opening = Opening::Unreadable(Unreadable::NoSenderKeys);
            out.push(Action::Opened { ticket: later.ticket, opening });
        }
    }

    fn is_put(&mut self, count: usize, now: i64, out: &mut Vec<Action>) {
        let (Some(own), Some(link)) = (&mut self.keyring.own, &mut self.link) else { return };
        let is_new = !own.published;
        own.is_put();
        (link.ready, self.dirty) = (true, true);
        if is_new {
            out.push(Action::Tell(Notice::Published));
            out.extend(own.code().map(Notice::Code).map(Action::Tell));
            // This device is one of them now.
            let me = link.me.clone();
            let account = own.account.clone();
            link.fresh.retain(|fresh| folded(&account).is_none_or(|own| own.name_key() != fresh));
            self.ask_names(&[me], out);
        }
        self.replenish(count, now, out);
    }

    /// The directory says what is published under a name.
    fn user_told(&mut self, name: &str, keys: Option<&UserKeys>, now: i64, out: &mut Vec<Action>) {
        let Some(asked) = folded(name).map(|name| name.name_key().to_owned()) else { return };
        let account = keys.and_then(|keys| folded(keys.account.as_wire()));
        if let Some(link) = &mut self.link
            && link.names.len() >= PEOPLE
        {
            // What is needed again is asked for again.
            link.names.clear();
            link.fresh.clear();
        }
        let (Some(keys), Some(account)) = (keys, account) else {
            if let Some(link) = &mut self.link {
                link.names.insert(asked, None);
                if link.me == name {
                    link.has_identity = Some(false);
                }
            }
            return;
        };
        let key = account.name_key().to_owned();
        let Some(link) = &mut self.link else { return };
        link.names.insert(asked, Some(key.clone()));
        link.fresh.insert(key.clone());
        if link.me == name {
            link.account = Some(key.clone());
            link.has_identity = Some(keys.identity.is_some());
            self.own_told(keys, now, out);
        }
        let is_own = self.is_own(&key);
        let own_identity = self.keyring.own.as_ref().map(|own| &own.identity);
        // Whatever the server says, the own identity is that of this device.
        if is_own && keys.identity.as_ref() != own_identity {
            return;
        }
        if !self.has_room_for(&key) {
            return;
        }
        let person = self.keyring.people.entry(key.clone());
        let person = person.or_insert_with(|| Person::new(keys.account.as_wire()));
        let news = person.told(&account, keys);
        let (name, quiet) = (person.account.clone(), person.mode == Mode::Unset);
        let device = self.keyring.own.as_ref().map(|own| own.device.as_str().to_owned());
        for news in news {
            let name = name.clone();
            let notice = match news {
                News::Changed { was_verified } => Notice::Changed { name, was_verified },
                News::NewDevice(new) if is_own && device.as_deref() == Some(new) => continue,
                News::NewDevice(_) if !is_own && quiet => continue,
                News::NewDevice(new) => {
                    Notice::NewDevice { name, device: new.to_owned(), own: is_own }
                }
                News::Unsigned(device) => {
                    let Some(link) = &mut self.link else { continue };
                    if link.unsigned.len() > PEOPLE || !link.unsigned.insert(device.to_owned()) {
                        continue;
                    }
                    Notice::Unsigned { name, device: device.to_owned() }
                }
                News::Gone => Notice::Gone { name },
            };
            out.push(Action::Tell(notice));
        }
        // Who has no keys leaves no trace of whom they have looked at.
        self.dirty |= self.keyring.own.is_some();
    }

    /// Whether an account is remembered, or can be.
    pub(crate) fn has_room_for(&mut self, account: &str) -> bool {
        let people = &self.keyring.people;
        people.contains_key(account) || people.len() < PEOPLE || self.forget_somebody()
    }

    /// Forgets an account with which nothing was ever encrypted. Says whether there was one: a server can name people without end.
    fn forget_somebody(&mut self) -> bool {
        let mut people = self.keyring.people.iter();
        let idle = people.find(|(name, person)| {
            person.mode == Mode::Unset && !person.verified && !self.is_own(name)
        });
        let idle = idle.map(|(name, _)| name.clone());
        idle.is_some_and(|name| self.keyring.people.remove(&name).is_some())
    }

    /// Whether this is the own account, by its folded name.
    pub(crate) fn is_own(&self, account: &str) -> bool {
        self.link.as_ref().is_some_and(|link| link.account.as_deref() == Some(account))
    }

    /// The directory says what is published of the own account.
    fn own_told(&mut self, keys: &UserKeys, now: i64, out: &mut Vec<Action>) {
        match self.wish.take() {
            Some(Wish::Begin) if self.keyring.own.is_none() => match &keys.identity {
                Some(_) => {
                    out.push(Action::Tell(Notice::NeedsCode));
                    self.give_up(NotSent::NoOwnKeys, out);
                }
                None => self.begins(Own::begin(keys.account.as_wire(), keys.number), now, out),
            },
            Some(Wish::Anew) => match &keys.identity {
                Some(identity) => {
                    let own = self.keyring.own.as_ref();
                    let is_own = own.is_some_and(|own| own.identity == *identity);
                    let why = if is_own { Notice::HasKeys } else { Notice::NeedsCode };
                    out.push(Action::Tell(why));
                }
                None => self.begins(Own::begin(keys.account.as_wire(), keys.number), now, out),
            },
            Some(Wish::Add(secret)) => {
                let public = PublicKey::parse(&secret.public_key().to_base64());
                if keys.identity.is_some() && keys.identity != public {
                    out.push(Action::Tell(Notice::OtherCode));
                } else {
                    let own = Own::of(keys.account.as_wire(), keys.number, &secret);
                    self.begins(own, now, out);
                }
            }
            _ => self.own_goes_on(keys, out),
        }
    }

    fn begins(&mut self, own: Option<Own>, now: i64, out: &mut Vec<Action>) {
        let Some(own) = own else { return };
        let account = folded(&own.account).map(|account| account.name_key().to_owned());
        // What the server tells of it next is the first that is told, so the devices that are there are no news.
        let person = Person::new(&own.account);
        self.keyring.people.extend(account.map(|account| (account, person)));
        self.keyring.own = Some(own);
        self.replenish(0, now, out);
    }

    fn own_goes_on(&mut self, keys: &UserKeys, out: &mut Vec<Action>) {
        let Some(own) = &self.keyring.own else { return };
        let Some(link) = &mut self.link else { return };
        let is_listed = keys.devices.iter().any(|device| device.device == own.device);
        let folded_name = |name: &str| folded(name).map(|name| name.name_key().to_owned());
        let is_ours = folded_name(keys.account.as_wire()) == folded_name(&own.account)
            && keys.number == own.number;
        let notice = match &keys.identity {
            Some(identity) if *identity != own.identity || !is_ours => Some(Notice::OwnChanged),
            None if own.published => Some(Notice::OwnGone),
            Some(_) if own.published && !is_listed => Some(Notice::OwnGone),
            _ => None,
        };
        if let Some(notice) = notice {
            link.ready = false;
            out.push(Action::Tell(notice));
            self.give_up(NotSent::OwnIdentity, out);
        } else if !link.ready {
            // It says how many keys are left, too.
            self.put(out);
        }
    }

    /// The directory has given a key of a device, or none.
    fn key_claimed(&mut self, (account, device): (String, String), claimed: &[Claimed], now: i64) {
        let given = claimed.iter().find(|claimed| {
            let same =
                folded(claimed.name.as_wire()).is_some_and(|name| name.name_key() == account);
            same && claimed.device.as_str() == device
        });
        let person = self.keyring.people.get_mut(&account);
        let begun = match (&self.keyring.own, person, given) {
            (Some(own), Some(person), Some(given)) => begin(own, person, given, now),
            _ => None,
        };
        self.dirty = true;
        if begun.is_none()
            && let Some(link) = &mut self.link
        {
            link.keyless.insert((account, device));
        }
    }
}

/// Begins a session with a device by a key of it, if the device has signed that.
fn begin(own: &Own, person: &mut Person, given: &Claimed, now: i64) -> Option<()> {
    let (kind, key) = given.key.as_ref()?;
    let (party, name) = (person.party()?, folded(&person.account)?);
    let channel = person.devices.get_mut(given.device.as_str())?;
    let signer = PublicKey::parse(&channel.ed25519)?;
    let lines = key_lines(*kind, party.number, &name, &given.device, &key.name, &key.key);
    let is_good = channel.listed
        && is_signed(&signer, &lines, &key.signature)
        && channel.begin(&own.olm, &key.key, now);
    is_good.then_some(())
}

impl crate::machine::Link {
    fn next_id(&mut self) -> String {
        self.next_request += 1;
        format!("k{}", self.next_request)
    }
}
