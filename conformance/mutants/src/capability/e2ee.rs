//! `e2ee`: a directory of public keys, and to each device its own encrypted text.

use std::collections::{BTreeSet, VecDeque};

use conformance_kit::{clock, ed25519::is_signed};
use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{keys::Device, state::Refusal};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
    session::Session,
};

/// What stands in place of an encrypted text.
const SENTENCE: &str = "[encrypted message: your client can't read it]";

const MOST_DEVICES: usize = 5;
const MOST_KEYS: usize = 100;
const MOST_CLAIMS: usize = 20;
const FEW: usize = 10;

const BAD: Refusal = Refusal::new("bad-e2ee", "that is no encrypted message");
const CHANGED: Refusal = Refusal::new("devices-changed", "there are other devices");

/// The answer to a request, or the word for why it is refused.
type Answered = Result<Map<String, Value>, &'static str>;

impl Session {
    /// Which device a connection says that it is.
    pub(crate) fn device(beside: &Map<String, Value>) -> Option<String> {
        beside.get("DEVICE").and_then(Value::as_str).map(str::to_owned)
    }

    /// Takes a request to the directory.
    pub(crate) async fn keys(&mut self, key: &str, value: &Value) -> bool {
        let shared = self.shared.clone();
        let mut chat = shared.chat.lock().await;
        if key == "KEYS_DONE" {
            let upto = value.get("UPTO").and_then(Value::as_u64);
            upto.into_iter().for_each(|upto| chat.keys_done(self.connection, upto));
            drop(chat);
            return upto.is_some() || self.error("UPTO is an id").await;
        }
        let Some(id) = value.get("ID").and_then(Value::as_str) else {
            drop(chat);
            return self.error("an ID is wanted").await;
        };
        let answer = chat.keys(self.connection, key, value);
        drop(chat);
        if key == "KEYS_PUT" && shared.faults.acts(Fault::KeysPutUnanswered) {
            return true;
        }
        let mut answer = answer.unwrap_or_else(|code| {
            let mut refused = Map::new();
            refused.insert("CODE".into(), json!(code));
            refused.insert("ERROR".into(), json!("no"));
            if code == "throttled" {
                refused.insert("WAIT".into(), json!(60));
            }
            refused
        });
        answer.insert("ID".into(), json!(id));
        self.outbox.send(&json!({"KEYS": answer}));
        true
    }
}

fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

impl Chat {
    fn keys(&mut self, connection: u64, key: &str, value: &Value) -> Answered {
        let f = self.faults.clone();
        let member = self.member(connection).cloned().ok_or("guest")?;
        let account = match member.account {
            Some(account) => account,
            None if f.acts(Fault::KeysForGuests) => String::from("?"),
            None => return Err("guest"),
        };
        match key {
            "KEYS_PUT" => self.put_keys(connection, &account, value),
            "KEYS_GET" => Ok(self.get_keys(value)),
            _ => self.claim_keys(&account, value),
        }
    }

    /// The number of an account; each has one.
    fn number(&mut self, account: &str) -> usize {
        let numbers = &mut self.keys.numbers;
        let place = numbers.iter().position(|one| one == account).unwrap_or_else(|| {
            numbers.push(account.to_owned());
            numbers.len() - 1
        });
        place + 1
    }

    /// Whether all that is published is signed for an account.
    fn are_signed(&mut self, account: &str, put: &Value) -> bool {
        let f = self.faults.clone();
        let (number, folded) = (self.number(account).to_string(), account.to_lowercase());
        let [name, curve, own] = ["DEVICE", "CURVE25519", "ED25519"]
            .map(|part| text(put, &format!("/DEVICE/{part}")).to_owned());
        let lines = ["chatterbox e2ee device 1", &number, &folded, &name, &curve, &own];
        let signature = text(put, "/DEVICE/SIGNATURE");
        let device = is_signed(text(put, "/IDENTITY"), &lines, signature);
        if !device && !f.acts(Fault::DeviceSignatureUnchecked) {
            return false;
        }
        let is_good = |kind: &str, key_name: &str, key: &Value| {
            let first = format!("chatterbox e2ee {kind} 1");
            let lines = [&*first, &*number, &*folded, &*name, key_name, text(key, "/KEY")];
            is_signed(&own, &lines, text(key, "/SIGNATURE"))
        };
        let one_time = put.get("ONE_TIME").and_then(Value::as_object);
        let mut one_time = one_time.into_iter().flatten();
        let fallback = put.get("FALLBACK");
        let keys = one_time.all(|(key_name, key)| is_good("one-time", key_name, key))
            && fallback.is_none_or(|key| is_good("fallback", text(key, "/NAME"), key));
        keys || f.acts(Fault::KeySignaturesUnchecked)
    }

    fn put_keys(&mut self, connection: u64, account: &str, put: &Value) -> Answered {
        let f = self.faults.clone();
        let mut signed = self.are_signed(account, put);
        if !signed && f.acts(Fault::KeysForAnybody) {
            let all: Vec<String> = self.keys.numbers.clone();
            signed = all.iter().any(|other| self.are_signed(other, put));
        }
        if !signed {
            return Err("bad-signature");
        }
        let identity = put.get("IDENTITY").cloned().unwrap_or_default();
        let known = self.keys.identities.get(account);
        if known.is_some_and(|known| *known != identity) && !f.acts(Fault::IdentityReplaced) {
            return Err("other-identity");
        }
        let value = put.get("DEVICE").cloned().unwrap_or_default();
        let name = text(&value, "/DEVICE").to_owned();
        let devices = &mut self.keys.devices;
        match devices.iter().find(|device| device.name == name) {
            Some(known) if known.account != account || known.value != value => return Err("taken"),
            Some(_) => {}
            None => {
                let count = devices.iter().filter(|device| device.account == account).count();
                if count >= MOST_DEVICES && !f.acts(Fault::KeyDevicesUnlimited) {
                    return Err("too-many");
                }
                devices.push(Device {
                    account: account.to_owned(),
                    name: name.clone(),
                    value,
                    one_time: VecDeque::new(),
                    fallback: None,
                    newest: String::new(),
                    done: 0,
                });
            }
        }
        self.keys.identities.insert(account.to_owned(), identity);
        let mut count = 0;
        if let Some(device) = self.keys.devices.iter_mut().find(|device| device.name == name) {
            let keys = put.get("ONE_TIME").and_then(Value::as_object);
            for (key_name, key) in keys.into_iter().flatten() {
                let there = device.one_time.iter().any(|(known, _)| known == key_name);
                let new =
                    *key_name > device.newest || (!there && f.acts(Fault::ClaimedPublishedAgain));
                if new && device.one_time.len() < MOST_KEYS {
                    device.newest.clone_from(key_name);
                    device.one_time.push_back((key_name.clone(), key.clone()));
                }
            }
            device.fallback = put.get("FALLBACK").cloned().or(device.fallback.take());
            count = device.one_time.len();
        }
        let here = self.members.iter_mut().find(|member| member.connection == connection);
        if let Some(member) = here {
            member.device = Some(name.clone());
        }
        let mut answer = Map::new();
        answer.insert("NUMBER".into(), json!(self.number(account)));
        answer.insert("DEVICE".into(), json!(name));
        answer.insert("COUNT".into(), json!(count));
        Ok(answer)
    }

    /// The account of whoever has a name, or of this name.
    fn account_behind(&self, name: &str) -> Option<String> {
        let here = self.members.iter().find(|member| member.name.eq_ignore_ascii_case(name));
        let here = here.and_then(|member| member.account.clone());
        let exact = |account: &&str| account.eq_ignore_ascii_case(name);
        here.or_else(|| self.account_of(name).filter(exact).map(str::to_owned))
    }

    fn devices_of(&self, account: &str) -> impl Iterator<Item = &Device> {
        self.keys.devices.iter().filter(move |device| device.account == account)
    }

    fn get_keys(&mut self, value: &Value) -> Map<String, Value> {
        let mut users = Map::new();
        let names = value.get("NAMES").and_then(Value::as_array).into_iter().flatten();
        for name in names.filter_map(Value::as_str) {
            let user = self.account_behind(name).map(|account| {
                let number = self.number(&account);
                let nothing = self.faults.acts(Fault::KeysNotFound);
                let identity = self.keys.identities.get(&account).filter(|_| !nothing);
                let devices = self.devices_of(&account).filter(|_| !nothing);
                let devices: Vec<&Value> = devices.map(|device| &device.value).collect();
                json!({"ACCOUNT": account, "NUMBER": number, "IDENTITY": identity, "DEVICES": devices})
            });
            users.insert(name.to_owned(), json!(user));
        }
        Map::from_iter([("USERS".to_owned(), Value::Object(users))])
    }

    fn claim_keys(&mut self, account: &str, value: &Value) -> Answered {
        let f = self.faults.clone();
        let wanted = value.get("DEVICES").and_then(Value::as_array).cloned().unwrap_or_default();
        let now = clock::unix_seconds();
        let claims = self.keys.claims.entry(account.to_owned()).or_default();
        claims.retain(|then| now - then < 60);
        if claims.len() + wanted.len() > MOST_CLAIMS && !f.acts(Fault::ClaimsUnlimited) {
            return Err("throttled");
        }
        claims.extend(wanted.iter().map(|_| now));
        let mut given = Vec::new();
        for pair in &wanted {
            let (name, device) = (text(pair, "/0"), text(pair, "/1"));
            let key = self.account_behind(name).and_then(|owner| self.claim(&owner, device));
            given.push(json!([name, device, key]));
        }
        if f.acts(Fault::ClaimsTold) {
            for member in self.members.iter().filter(|member| member.agreed.has("e2ee")) {
                member.outbox.send(&json!({"KEYS": {"ID": "claimed", "ONE_TIME": given}}));
            }
        }
        Ok(Map::from_iter([("ONE_TIME".to_owned(), json!(given))]))
    }

    /// Takes a key of a device.
    fn claim(&mut self, owner: &str, name: &str) -> Option<Value> {
        let f = self.faults.clone();
        let is_it = |device: &&mut Device| device.account == owner && device.name == name;
        let device = self.keys.devices.iter_mut().find(is_it)?;
        let newest = device.one_time.len() > 1 && f.acts(Fault::ClaimNewest);
        let taken = if newest { device.one_time.pop_back() } else { device.one_time.pop_front() };
        let left = device.one_time.len();
        let key = if let Some((key_name, key)) = taken {
            if f.acts(Fault::ClaimedTwice) {
                device.one_time.push_front((key_name.clone(), key.clone()));
            }
            let mut key = key;
            if let Some(key) = key.as_object_mut() {
                key.insert("NAME".into(), json!(key_name));
            }
            Some(key)
        } else {
            let mut key = device.fallback.clone().filter(|_| !f.acts(Fault::NoFallbackKey));
            if let Some(key) = key.as_mut().and_then(Value::as_object_mut)
                && !f.acts(Fault::FallbackUnmarked)
            {
                key.insert("FALLBACK".into(), json!(true));
            }
            key
        };
        if left < FEW && !f.acts(Fault::LowUntold) {
            let told = json!({"KEYS_LOW": {"DEVICE": name, "COUNT": left}});
            let of_it = |member: &&Member| member.device.as_deref() == Some(name);
            self.members.iter().filter(of_it).for_each(|member| member.outbox.send(&told));
        }
        key
    }

    fn keys_done(&mut self, connection: u64, upto: u64) {
        let newest = self.last_id;
        let name = self.member(connection).and_then(|member| member.device.clone());
        let mut devices = self.keys.devices.iter_mut();
        if let Some(device) = devices.find(|device| Some(&device.name) == name.as_ref()) {
            device.done = device.done.max(upto.min(newest));
        }
    }

    /// Removes what an account has published, if this is its password; a word and a text.
    pub(super) fn reset_keys(
        &mut self,
        connection: u64,
        password: &str,
    ) -> (&'static str, &'static str) {
        let f = self.faults.clone();
        let account = self.member(connection).and_then(|member| member.account.clone());
        let Some(account) = account else { return ("forbidden", "you have no account") };
        if !self.is_password(&account, password) && !f.acts(Fault::ResetWithoutPassword) {
            return ("wrong-password", "that is not the password");
        }
        if !f.acts(Fault::ResetKeepsIdentity) {
            self.keys.identities.remove(&account);
            self.keys.devices.retain(|device| device.account != account);
        }
        ("ok", "you have no keys any more")
    }

    /// Judges the encrypted text of a message.
    pub(super) fn judge_sealed(
        &self,
        member: &Member,
        dest: &str,
        content: &str,
        sealed: &Value,
    ) -> Result<(), Refusal> {
        let f = &self.faults;
        if !member.agreed.has("e2ee") {
            return Err(Refusal::new("refused", "no encrypted texts here"));
        }
        let from = text(sealed, "/FROM");
        let own = member.account.as_deref().ok_or(BAD)?;
        if member.device.as_deref() != Some(from) {
            return Err(BAD);
        }
        if content != SENTENCE && !f.acts(Fault::EncryptedWithAnyText) {
            return Err(BAD);
        }
        if dest == "ALL" && f.acts(Fault::EncryptedToAll) {
            return Ok(());
        }
        let theirs = self.account_behind(dest);
        let known = theirs.filter(|theirs| self.keys.identities.contains_key(theirs));
        let Some(theirs) = known else {
            let taken = dest != "ALL" && f.acts(Fault::EncryptedToGuests);
            return if taken { Ok(()) } else { Err(BAD) };
        };
        let all = self.devices_of(own).chain(self.devices_of(&theirs));
        let wanted: BTreeSet<&str> =
            all.map(|device| &*device.name).filter(|name| *name != from).collect();
        let to = sealed.get("TO").and_then(Value::as_object);
        let given: BTreeSet<&str> =
            to.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let same = wanted == given || f.acts(Fault::EncryptedForAnyDevices);
        if same { Ok(()) } else { Err(CHANGED) }
    }

    /// What goes with a message for a member: of encrypted texts that of its device.
    pub(super) fn meta_for(&self, member: &Member, entry: &Entry) -> Option<Value> {
        let f = &self.faults;
        let mut meta = entry.meta.clone()?;
        let object = meta.as_object_mut()?;
        let Some(sealed) = object.get_mut("E2EE") else { return Some(meta) };
        let own = member.device.as_deref();
        let device = self.keys.devices.iter().find(|device| Some(&*device.name) == own);
        let read = device.is_some_and(|device| entry.id <= device.done);
        let read = read && !f.acts(Fault::KeysDoneIgnored);
        let to = sealed.get_mut("TO").and_then(Value::as_object_mut)?;
        if own.is_none() || !f.acts(Fault::EntriesToEveryDevice) {
            to.retain(|name, _| Some(name.as_str()) == own && !read);
        }
        if to.is_empty() {
            object.remove("E2EE");
        }
        (!object.is_empty()).then_some(meta)
    }

    /// Whether a message has to be in the welcome of a member, however short that is.
    pub(super) fn is_unread(&self, member: &Member, entry: &Entry) -> bool {
        let is_encrypted = entry.meta.as_ref().is_some_and(|meta| meta.get("E2EE").is_some());
        let told = self.meta_for(member, entry).is_some_and(|meta| meta.get("E2EE").is_some());
        is_encrypted && told && !self.faults.acts(Fault::RecentLosesEncrypted)
    }

    /// Whether somebody is not shown a message at all, since it is encrypted.
    pub(crate) fn is_too_secret(&self, member: &Member, entry: &Entry) -> bool {
        let is_encrypted = entry.meta.as_ref().is_some_and(|meta| meta.get("E2EE").is_some());
        let is_base = !member.agreed.has("e2ee");
        is_encrypted && is_base && self.faults.acts(Fault::EncryptedHiddenFromBase)
    }
}
