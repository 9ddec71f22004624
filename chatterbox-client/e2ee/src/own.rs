//! The identity and the device of this client, and what it publishes of them (EE-1).

use chatterbox_proto::capability::e2ee::{
    self, Device, KeyKind, KeyName, KeysPut, PublicKey, Signature, SignedKey, device_lines,
    key_lines,
};
use chatterbox_proto::capability::meta::DeviceId;
use serde::{Deserialize, Serialize};
use vodozemac::Ed25519SecretKey;
use vodozemac::olm::{Account, AccountPickle, IdentityKeys};
use zeroize::Zeroizing;

use crate::convert::folded;
use crate::recovery;

/// With so many one-time keys at the server there are enough.
const ENOUGH: usize = e2ee::KEPT - e2ee::PUT;

/// After so many seconds there is another fallback key. The library keeps the private part of the one before until then, so a
/// message that was begun with it can be read for as long again.
const FALLBACK: i64 = 30 * 24 * 3600;

/// One-time keys are made once in so many seconds: a server that says that it has none, whatever it gets, has no more made, and of
/// the private parts that are kept the oldest would go.
const MAKING: i64 = 60;

/// Names of keys have so many digits, so that they rise byte by byte.
const DIGITS: usize = 12;

/// What this device is, and its private keys.
pub(crate) struct Own {
    /// The name of the account, as the server has it.
    pub(crate) account: String,
    pub(crate) number: u64,
    pub(crate) identity: PublicKey,
    /// The secret identity key, until its user has written it down.
    secret: Option<Ed25519SecretKey>,
    pub(crate) device: DeviceId,
    signature: Signature,
    pub(crate) olm: Account,
    /// The number of the next key that is named.
    next_key: u64,
    /// Keys that the server may not have yet, the fallback key last.
    unpublished: Vec<(KeyKind, SignedKey)>,
    /// When the fallback key was made, in seconds since 1970.
    fallback_at: Option<i64>,
    /// When one-time keys were made last, since the program has begun.
    made_at: Option<i64>,
    /// Whether the server has ever confirmed this device.
    pub(crate) published: bool,
}

/// As it is kept between runs.
#[derive(Serialize, Deserialize)]
pub(crate) struct OwnState {
    account: String,
    number: u64,
    identity: String,
    secret: Option<Zeroizing<String>>,
    device: String,
    signature: String,
    olm: AccountPickle,
    next_key: u64,
    unpublished: Vec<(bool, String, String, String)>,
    fallback_at: Option<i64>,
    published: bool,
}

impl Own {
    /// A new identity, and its first device.
    pub(crate) fn begin(account: &str, number: u64) -> Option<Self> {
        let secret = Ed25519SecretKey::new();
        let own = Self::of(account, number, &secret)?;
        Some(Self { secret: Some(secret), ..own })
    }

    /// A new device of the identity with this secret key, which is not kept: its user has it written down.
    pub(crate) fn of(account: &str, number: u64, secret: &Ed25519SecretKey) -> Option<Self> {
        let identity = PublicKey::parse(&secret.public_key().to_base64())?;
        let olm = Account::new();
        let device = random_name()?;
        let (curve25519, ed25519) = public(&olm)?;
        let lines = device_lines(number, &folded(account)?, &device, &curve25519, &ed25519);
        let signature = Signature::parse(&secret.sign(lines.as_bytes()).to_base64())?;
        Some(Self {
            account: account.to_owned(),
            number,
            identity,
            secret: None,
            device,
            signature,
            olm,
            next_key: 0,
            unpublished: Vec::new(),
            fallback_at: None,
            made_at: None,
            published: false,
        })
    }

    /// The recovery code, until its user has written it down.
    pub(crate) fn code(&self) -> Option<recovery::Code> {
        self.secret.as_ref().map(recovery::code)
    }

    /// Forgets the secret identity key. Says whether it was there.
    pub(crate) fn forget_secret(&mut self) -> bool {
        self.secret.take().is_some()
    }

    /// What is published now: the device, and the keys that the server may not have.
    pub(crate) fn put(&self, id: String) -> Option<KeysPut> {
        let (curve25519, ed25519) = public(&self.olm)?;
        let of = |wanted: KeyKind| {
            let keys = self.unpublished.iter().filter(move |(kind, _)| *kind == wanted);
            keys.map(|(_, key)| key.clone())
        };
        Some(KeysPut {
            id,
            identity: self.identity.clone(),
            device: Device {
                device: self.device.clone(),
                curve25519,
                ed25519,
                signature: self.signature.clone(),
            },
            one_time: of(KeyKind::OneTime).collect(),
            fallback: of(KeyKind::Fallback).next_back(),
        })
    }

    /// The server has what [`Own::put`] said.
    pub(crate) fn is_put(&mut self) {
        self.unpublished.clear();
        self.olm.mark_keys_as_published();
        self.published = true;
    }

    /// Makes keys where the server has few, and a fallback key where there is none or an old one. Says whether there is
    /// anything to publish.
    pub(crate) fn replenish(&mut self, count: usize, now: i64) -> bool {
        if !self.unpublished.is_empty() {
            return true;
        }
        let may_make = self.made_at.is_none_or(|made| now.saturating_sub(made) >= MAKING);
        if count < ENOUGH && may_make {
            self.made_at = Some(now);
            let made = self.olm.generate_one_time_keys(e2ee::PUT);
            for key in made.created {
                self.name(KeyKind::OneTime, &key.to_base64());
            }
        }
        if self.fallback_at.is_none_or(|made| now.saturating_sub(made) >= FALLBACK) {
            self.olm.generate_fallback_key();
            if let Some(key) = self.olm.fallback_key().into_values().next() {
                self.name(KeyKind::Fallback, &key.to_base64());
                self.fallback_at = Some(now);
            }
        }
        !self.unpublished.is_empty()
    }

    fn name(&mut self, kind: KeyKind, key: &str) {
        let number = self.next_key;
        self.next_key += 1;
        let signed = || {
            let (name, key) =
                (KeyName::parse(&format!("{number:0DIGITS$}"))?, PublicKey::parse(key)?);
            let account = folded(&self.account)?;
            let lines = key_lines(kind, self.number, &account, &self.device, &name, &key);
            let signature = Signature::parse(&self.olm.sign(lines.as_bytes()).to_base64())?;
            Some(SignedKey { name, key, signature })
        };
        let signed = signed();
        self.unpublished.extend(signed.map(|key| (kind, key)));
    }

    pub(crate) fn state(&self) -> OwnState {
        let unpublished = self.unpublished.iter().map(|(kind, key)| {
            let SignedKey { name, key, signature } = key;
            let is_fallback = *kind == KeyKind::Fallback;
            let text = |text: &str| text.to_owned();
            (is_fallback, text(name.as_str()), text(key.as_str()), text(signature.as_str()))
        });
        OwnState {
            account: self.account.clone(),
            number: self.number,
            identity: self.identity.as_str().to_owned(),
            secret: self.secret.as_ref().map(|secret| Zeroizing::new(secret.to_base64())),
            device: self.device.as_str().to_owned(),
            signature: self.signature.as_str().to_owned(),
            olm: self.olm.pickle(),
            next_key: self.next_key,
            unpublished: unpublished.collect(),
            fallback_at: self.fallback_at,
            published: self.published,
        }
    }

    pub(crate) fn restore(state: OwnState) -> Option<Self> {
        let unpublished = state.unpublished.iter().map(|(is_fallback, name, key, signature)| {
            let kind = if *is_fallback { KeyKind::Fallback } else { KeyKind::OneTime };
            let key = SignedKey {
                name: KeyName::parse(name)?,
                key: PublicKey::parse(key)?,
                signature: Signature::parse(signature)?,
            };
            Some((kind, key))
        });
        let secret = match state.secret {
            Some(secret) => Some(Ed25519SecretKey::from_base64(&secret).ok()?),
            None => None,
        };
        Some(Self {
            unpublished: unpublished.collect::<Option<_>>()?,
            account: state.account,
            number: state.number,
            identity: PublicKey::parse(&state.identity)?,
            secret,
            device: DeviceId::parse(&state.device)?,
            signature: Signature::parse(&state.signature)?,
            olm: Account::from_pickle(state.olm),
            next_key: state.next_key,
            fallback_at: state.fallback_at,
            made_at: None,
            published: state.published,
        })
    }
}

fn public(olm: &Account) -> Option<(PublicKey, PublicKey)> {
    let IdentityKeys { ed25519, curve25519 } = olm.identity_keys();
    PublicKey::parse(&curve25519.to_base64()).zip(PublicKey::parse(&ed25519.to_base64()))
}

/// A name that no other device has: 80 random bits, out of a key that is thrown away.
fn random_name() -> Option<DeviceId> {
    let random = Zeroizing::new(*Ed25519SecretKey::new().to_bytes());
    let digits = random.iter().take(10).map(|byte| format!("{byte:02x}"));
    DeviceId::parse(&format!("d{}", digits.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::is_signed;

    const DAY: i64 = 24 * 3600;

    #[test]
    fn what_is_published_is_signed() {
        let mut own = Own::begin("J\u{f6}rg", 41).unwrap();
        assert!(own.replenish(0, 0));
        let put = own.put("k1".into()).unwrap();
        let device = &put.device;
        let account = folded("j\u{f6}rg").unwrap();
        let lines = device_lines(41, &account, &device.device, &device.curve25519, &device.ed25519);
        assert!(is_signed(&put.identity, &lines, &device.signature));
        assert!(!is_signed(&put.identity, &lines.replace("41", "42"), &device.signature));
        assert_eq!(put.one_time.len(), e2ee::PUT);
        for (kind, key) in put
            .one_time
            .iter()
            .map(|key| (KeyKind::OneTime, key))
            .chain(put.fallback.iter().map(|key| (KeyKind::Fallback, key)))
        {
            let lines = key_lines(kind, 41, &account, &device.device, &key.name, &key.key);
            assert!(is_signed(&device.ed25519, &lines, &key.signature));
        }
        let names: Vec<_> = put.one_time.iter().map(|key| key.name.clone()).collect();
        assert!(names.is_sorted(), "the oldest first");
    }

    #[test]
    fn keys_are_published_again_until_the_server_has_them_and_made_when_few_are_left() {
        let mut own = Own::begin("ann", 40).unwrap();
        own.replenish(0, 0);
        let put = own.put("k1".into()).unwrap();
        assert!(own.replenish(0, DAY), "no answer: the same keys again");
        assert_eq!(own.put("k1".into()), Some(put.clone()));
        own.is_put();
        assert!(!own.replenish(0, MAKING - 1), "the server can't have keys made without end");
        assert!(!own.replenish(ENOUGH, DAY));
        assert!(own.replenish(ENOUGH - 1, DAY));
        let second = own.put("k1".into()).unwrap();
        assert!(second.one_time[0].name > put.one_time.last().unwrap().name);
        assert_eq!(second.fallback, None, "a fallback key is not changed early");
        own.is_put();
        assert!(own.replenish(ENOUGH, FALLBACK));
        assert!(
            own.put("k2".into())
                .is_some_and(|put| put.one_time.is_empty() && put.fallback.is_some())
        );
    }

    #[test]
    fn what_is_kept_is_the_same_again() {
        let mut own = Own::begin("ann", 40).unwrap();
        own.replenish(0, 0);
        let json = serde_json::to_vec(&own.state()).unwrap();
        let again = Own::restore(serde_json::from_slice(&json).unwrap()).unwrap();
        assert_eq!(again.put("k".into()), own.put("k".into()));
        assert_eq!(again.code(), own.code());
        assert!(own.forget_secret() && own.code().is_none() && !own.forget_secret());
    }
}
