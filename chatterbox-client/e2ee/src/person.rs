//! Whom this client believes: the first identity key that it has seen of an account, and the devices that this key has signed
//! (EE-7).

use std::collections::BTreeMap;

use chatterbox_proto::LookupKey;
use chatterbox_proto::capability::e2ee::{Device, PublicKey, UserKeys, device_lines};
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::convert::{ed, is_signed};
use crate::payload::Party;

/// The most devices that are remembered of somebody, with those that are not published any more.
const DEVICES: usize = 16;

/// The most identities of somebody whose devices are remembered beside those of the one that is believed; of more the oldest goes.
const FORMER: usize = 4;

/// Whether what is said to somebody is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Nobody has said so, and nothing encrypted has come.
    #[default]
    Unset,
    /// It is, or it is not sent at all (EE-6).
    On,
    /// The user has turned it off.
    Off,
}

/// An account, as far as this client knows it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Person {
    /// The name of the account, as the server has it.
    pub(crate) account: String,
    number: u64,
    /// `None` while nothing was ever published.
    identity: Option<String>,
    /// Whether the user has compared the safety number of this identity.
    pub(crate) verified: bool,
    /// The identity that the server tells now, where the user has verified another one.
    other: Option<(u64, String)>,
    pub(crate) mode: Mode,
    pub(crate) devices: BTreeMap<String, Channel>,
    /// Identities that were believed before, the newest last.
    #[serde(default)]
    former: Vec<Former>,
}

/// An identity that was believed before, with its devices. A server can say another one for a while: when this one is back, its sessions
/// go on, and what they have read is not read again.
#[derive(Serialize, Deserialize)]
struct Former {
    number: u64,
    identity: String,
    devices: BTreeMap<String, Channel>,
}

/// What is new of somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News<'a> {
    /// The identity key is another one than before.
    Changed {
        /// Whether the one before was verified, so that nothing is sent now.
        was_verified: bool,
    },
    /// A device has come that the identity key has signed.
    NewDevice(&'a str),
    /// The server tells of a device that the identity key has not signed.
    Unsigned(&'a str),
    /// Nothing is published any more.
    Gone,
}

impl Person {
    pub(crate) fn new(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            number: 0,
            identity: None,
            verified: false,
            other: None,
            mode: Mode::Unset,
            devices: BTreeMap::new(),
            former: Vec::new(),
        }
    }

    /// The account with the identity key that is believed.
    pub(crate) fn party(&self) -> Option<Party> {
        let identity = PublicKey::parse(self.identity.as_deref()?)?;
        Some(Party { number: self.number, identity })
    }

    /// The identity that the server tells now and that is not believed, since the user has verified another one.
    pub(crate) fn other(&self) -> Option<Party> {
        let (number, identity) = self.other.as_ref()?;
        Some(Party { number: *number, identity: PublicKey::parse(identity)? })
    }

    /// The devices that are published and signed.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&String, &Channel)> {
        self.devices.iter().filter(|(_, channel)| channel.listed)
    }

    /// Takes what the directory says, and tells what is new.
    pub(crate) fn told<'k>(&mut self, account: &LookupKey, keys: &'k UserKeys) -> Vec<News<'k>> {
        keys.account.as_wire().clone_into(&mut self.account);
        let Some(identity) = &keys.identity else {
            let had = self.listed().next().is_some();
            self.devices.values_mut().for_each(|channel| channel.listed = false);
            return if had { vec![News::Gone] } else { Vec::new() };
        };
        let mut news = Vec::new();
        let is_first = self.identity.is_none();
        let is_same =
            self.identity.as_deref() == Some(identity.as_str()) && self.number == keys.number;
        if is_same {
            self.other = None;
        } else if self.verified {
            let other = (keys.number, identity.as_str().to_owned());
            if self.other.as_ref() != Some(&other) {
                self.other = Some(other);
                news.push(News::Changed { was_verified: true });
            }
            // Devices of the identity that was verified may go on being used for reading; nothing is sent.
            return news;
        } else {
            self.believe(keys.number, identity);
            if !is_first {
                news.push(News::Changed { was_verified: false });
            }
        }
        self.devices.values_mut().for_each(|channel| channel.listed = false);
        for device in &keys.devices {
            let name = device.device.as_str();
            if !is_of(device, identity, keys.number, account) {
                news.push(News::Unsigned(name));
            } else if self.take(device) && !is_first && is_same {
                news.push(News::NewDevice(name));
            }
        }
        self.forget_old();
        news
    }

    /// Believes this identity from now on. Devices and sessions of the one before are not used any more, and remembered.
    pub(crate) fn believe(&mut self, number: u64, identity: &PublicKey) {
        let is_it =
            |one: &Former| one.number == number && one.identity.as_str() == identity.as_str();
        let place = self.former.iter().position(is_it);
        let devices = place.map(|place| self.former.remove(place).devices).unwrap_or_default();
        let mut before = std::mem::replace(&mut self.devices, devices);
        let number_before = std::mem::replace(&mut self.number, number);
        let identity_before = self.identity.replace(identity.as_str().to_owned());
        (self.verified, self.other) = (false, None);
        if let Some(identity) = identity_before
            && before.values().any(Channel::is_used)
        {
            // Whether they are still published is said when it is believed again.
            before.values_mut().for_each(|channel| channel.listed = false);
            self.former.push(Former { number: number_before, identity, devices: before });
            if self.former.len() > FORMER {
                self.former.remove(0);
            }
        }
    }

    /// Forgets all sessions, also those of former identities (EE-10).
    pub(crate) fn forget_sessions(&mut self) {
        let former = self.former.iter_mut().flat_map(|former| former.devices.values_mut());
        self.devices.values_mut().chain(former).for_each(Channel::forget_sessions);
    }

    /// Takes a signed device. Says whether it is new.
    fn take(&mut self, device: &Device) -> bool {
        let Device { device: name, curve25519, ed25519, .. } = device;
        if let Some(known) = self.devices.get_mut(name.as_str())
            && known.curve25519 == curve25519.as_str()
            && known.ed25519 == ed25519.as_str()
        {
            known.listed = true;
            return false;
        }
        self.devices.insert(name.as_str().to_owned(), Channel::new(curve25519, ed25519));
        true
    }

    /// Devices that are not published any more are remembered for messages that are under way, but not too many.
    fn forget_old(&mut self) {
        while self.devices.len() > DEVICES {
            let old = self.devices.iter().find(|(_, channel)| !channel.listed);
            let Some(name) = old.map(|(name, _)| name.clone()) else { return };
            self.devices.remove(&name);
        }
    }
}

/// Whether the identity key has signed this device of this account.
fn is_of(device: &Device, identity: &PublicKey, number: u64, account: &LookupKey) -> bool {
    let Device { device: name, curve25519, ed25519, signature } = device;
    let lines = device_lines(number, account, name, curve25519, ed25519);
    ed(ed25519).is_some() && is_signed(identity, &lines, signature)
}
