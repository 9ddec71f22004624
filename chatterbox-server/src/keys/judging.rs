//! Whether an encrypted message is one, and for which devices (EE-3).

use std::collections::BTreeSet;

use chatterbox_hub::LoggedIn;
use chatterbox_proto::capability::e2ee::SENTENCE;
use chatterbox_proto::capability::meta::{DeviceId, Sealed};
use chatterbox_proto::session::{Destination, Posting};
use chatterbox_proto::{Capability, Code, NameKey as _, Username};

use crate::accounts::AccountKeys;
use crate::chat::handle::Handle;
use crate::keys::desk::KeyDesk;

impl KeyDesk {
    /// The encrypted text of a message of a member, if it has one that is for all devices of both. `waiting` is the account of a
    /// recipient whose name nobody here has, or the reason why there is none.
    ///
    /// The devices may be others by the time when the message is delivered: one that was added in this moment can't read it, as it can't
    /// read what was sent before.
    ///
    /// # Errors
    /// [`Code::PartRefused`] where `e2ee` is not agreed to, [`Code::BadE2ee`], [`Code::DevicesChanged`]; [`Code::NotStored`] where the
    /// devices can't be read now; and the reason of `waiting`.
    pub async fn judge(
        &self,
        member: &Handle,
        posting: &Posting<'static>,
        waiting: Option<Result<&LoggedIn, Code>>,
    ) -> Result<Option<Sealed>, Code> {
        let Some(new) = &posting.meta else { return Ok(None) };
        let Some(sealed) = &new.e2ee else { return Ok(None) };
        let who = member.identity().ok_or(Code::PartRefused)?;
        if !who.agreed.is_some_and(|agreed| agreed.has(Capability::E2ee)) {
            return Err(Code::PartRefused);
        }
        let Destination::User(to) = &posting.destination else { return Err(Code::BadE2ee) };
        if posting.entry.content != SENTENCE || new.file.is_some() {
            return Err(Code::BadE2ee);
        }
        let sender = who.login.ok_or(Code::BadE2ee)?;
        let own = member.chat().device_of(member.id()).ok_or(Code::BadE2ee)?;
        if own.device != sealed.from {
            return Err(Code::BadE2ee);
        }
        let here = member.chat().find(&Username::stored(to.name_key()));
        let recipient = match &here {
            Some(here) => here.login.as_ref(),
            None => waiting.transpose()?,
        };
        let recipient = recipient.ok_or(Code::BadE2ee)?;
        let numbers = vec![sender.account_key.id, recipient.account_key.id];
        let keys = self.accounts.keys_of(numbers).await.map_err(|error| {
            tracing::error!(%error, "the devices of two users can't be read");
            Code::NotStored
        })?;
        let [own, theirs] = keys.as_slice() else { return Err(Code::NotStored) };
        if theirs.identity.is_none() {
            return Err(Code::BadE2ee);
        }
        if is_for_all(sealed, own, theirs) {
            Ok(Some(sealed.clone()))
        } else {
            Err(Code::DevicesChanged)
        }
    }
}

/// Whether there is a text for each device of both but the one that sends it, which has to be one of the sender's.
fn is_for_all(sealed: &Sealed, own: &AccountKeys, theirs: &AccountKeys) -> bool {
    let is_published = own.devices.iter().any(|device| device.device == sealed.from);
    let all = own.devices.iter().chain(&theirs.devices).map(|device| &device.device);
    let wanted: BTreeSet<&DeviceId> = all.filter(|device| **device != sealed.from).collect();
    let given: BTreeSet<&DeviceId> = sealed.to.iter().map(|entry| &entry.device).collect();
    is_published && wanted == given
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::e2ee::{Device, PublicKey, Signature};

    use super::*;

    fn keys(devices: &[&str]) -> AccountKeys {
        let key = || PublicKey::parse(&"A".repeat(43)).unwrap();
        let device = |name: &&str| Device {
            device: DeviceId::parse(name).unwrap(),
            curve25519: key(),
            ed25519: key(),
            signature: Signature::parse(&"A".repeat(86)).unwrap(),
        };
        AccountKeys { identity: Some(key()), devices: devices.iter().map(device).collect() }
    }

    fn sealed(from: &str, to: &[&str]) -> Sealed {
        let to: Vec<_> = to.iter().map(|device| format!(r#""{device}": [0, "aa"]"#)).collect();
        let json = format!(r#"{{"FROM": "{from}", "TO": {{{}}}}}"#, to.join(", "));
        Sealed::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_message_is_for_each_device_of_both_and_for_no_other() {
        let (own, theirs) = (keys(&["a1", "a2"]), keys(&["b1", "b2"]));
        for (from, to, is_good) in [
            ("a1", &["b1", "b2", "a2"][..], true),
            ("a2", &["a1", "b2", "b1"], true),
            ("a1", &["b1", "b2"], false),
            ("a1", &["a2", "b1"], false),
            ("a1", &["a1", "a2", "b1", "b2"], false),
            ("a1", &["a2", "b1", "b2", "c1"], false),
            ("c1", &["a1", "a2", "b1", "b2"], false),
            ("a1", &[], false),
        ] {
            assert_eq!(is_for_all(&sealed(from, to), &own, &theirs), is_good, "{from} {to:?}");
        }
        assert!(is_for_all(&sealed("a1", &["a2"]), &own, &own), "to oneself");
        assert!(!is_for_all(&sealed("a1", &["a2"]), &own, &keys(&["b1"])));
    }
}
