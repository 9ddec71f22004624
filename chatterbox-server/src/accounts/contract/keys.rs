//! What every directory does with public keys.

use chatterbox_proto::capability::e2ee::{
    DEVICES, Device, KEPT, KeyKind, KeyName, LOW, PublicKey, Signature, SignedKey,
};
use chatterbox_proto::capability::meta::DeviceId;

use super::{account, name};
use crate::accounts::{AccountKeys, ClaimedKey, Directory, KeysPutDone, LowKeys, NewKeys};

/// A key of 43 characters of Base64, another one for each number.
fn public_key(number: impl std::fmt::Display) -> PublicKey {
    let number = number.to_string();
    PublicKey::parse(&format!("{number:0>42}A")).unwrap()
}

fn device_id(number: usize) -> DeviceId {
    DeviceId::parse(&format!("d{number}")).unwrap()
}

fn device(number: usize) -> Device {
    Device {
        device: device_id(number),
        curve25519: public_key(number),
        ed25519: public_key(1_000 + number),
        signature: Signature::parse(&"A".repeat(86)).unwrap(),
    }
}

fn signed_key(number: usize) -> SignedKey {
    SignedKey {
        name: KeyName::parse(&format!("{number:012}")).unwrap(),
        key: public_key(2_000 + number),
        signature: Signature::parse(&"A".repeat(86)).unwrap(),
    }
}

fn new(account: i64, number: usize) -> NewKeys {
    NewKeys {
        account,
        identity: public_key(account),
        device: device(number),
        one_time: Vec::new(),
        fallback: None,
    }
}

fn put(directory: &mut impl Directory, new: &NewKeys) -> KeysPutDone {
    directory.put_keys(new).unwrap()
}

fn claim(directory: &mut impl Directory, account: i64, number: usize) -> Option<ClaimedKey> {
    directory.claim_keys(&[(account, device_id(number))]).unwrap().remove(0)
}

fn fallback(directory: &mut impl Directory, account: i64, number: usize) -> Option<ClaimedKey> {
    directory.fallback_key(account, &device_id(number)).unwrap()
}

fn low(directory: &mut impl Directory) -> Vec<(i64, String, usize)> {
    let told = |LowKeys { account, low }: LowKeys| {
        (account.account_key.id, low.device.as_str().to_owned(), low.count)
    };
    directory.take_low().unwrap().into_iter().map(told).collect()
}

/// Runs the contract.
pub(super) fn hold(directory: &mut impl Directory) {
    for owner in ["ann", "bob"] {
        directory.add(&account(owner)).unwrap();
    }
    let mut id = |text| directory.account(&name(text)).unwrap().unwrap().account_key.id;
    let (ann, bob) = (id("ann"), id("bob"));
    publishing(directory, ann, bob);
    claiming(directory, ann);
    reading(directory, ann, bob);
    removing(directory, ann, bob);
}

fn publishing(directory: &mut impl Directory, ann: i64, bob: i64) {
    assert_eq!(directory.keys_of(ann).unwrap(), AccountKeys::default());
    assert_eq!(put(directory, &new(ann + bob + 1, 1)), KeysPutDone::NoAccount);
    assert_eq!(put(directory, &new(ann, 1)), KeysPutDone::Yes(0));
    assert_eq!(put(directory, &new(ann, 1)), KeysPutDone::Yes(0), "the same again");
    let other = NewKeys { identity: public_key(99), ..new(ann, 2) };
    assert_eq!(put(directory, &other), KeysPutDone::OtherIdentity);
    assert_eq!(put(directory, &new(bob, 1)), KeysPutDone::Taken, "it is one of ann");
    let other =
        NewKeys { device: Device { curve25519: public_key(9), ..device(1) }, ..new(ann, 1) };
    assert_eq!(put(directory, &other), KeysPutDone::Taken, "its keys are others");
    assert_eq!(directory.keys_of(bob).unwrap(), AccountKeys::default(), "nothing of it was done");
    for number in 2..=DEVICES {
        assert_eq!(put(directory, &new(ann, number)), KeysPutDone::Yes(0));
    }
    assert_eq!(put(directory, &new(ann, DEVICES + 1)), KeysPutDone::TooMany);
    let keys = directory.keys_of(ann).unwrap();
    assert_eq!(keys.identity, Some(public_key(ann)));
    let expected: Vec<_> = (1..=DEVICES).map(device).collect();
    assert_eq!(keys.devices, expected, "in the order in which they came");
}

fn claiming(directory: &mut impl Directory, ann: i64) {
    assert_eq!(claim(directory, ann, 1), None, "there is no key");
    assert_eq!(claim(directory, ann, 77), None, "nor such a device");
    assert_eq!((fallback(directory, ann, 1), fallback(directory, ann, 77)), (None, None));
    low(directory);
    let with = |one_time: std::ops::Range<usize>| NewKeys {
        one_time: one_time.map(signed_key).collect(),
        fallback: Some(signed_key(900)),
        ..new(ann, 1)
    };
    assert_eq!(put(directory, &with(0..12)), KeysPutDone::Yes(12));
    assert_eq!(put(directory, &with(0..12)), KeysPutDone::Yes(12), "each once");
    for _ in 0..2 {
        // It takes none of the others.
        assert_eq!(fallback(directory, ann, 1), Some((KeyKind::Fallback, signed_key(900))));
    }
    assert_eq!(fallback(directory, ann + 1, 1), None, "it is one of ann");
    for number in 0..2 {
        let key = claim(directory, ann, 1);
        assert_eq!(key, Some((KeyKind::OneTime, signed_key(number))), "the oldest first");
    }
    assert_eq!(low(directory), []);
    assert_eq!(put(directory, &with(0..12)), KeysPutDone::Yes(10), "what somebody has stays away");
    claim(directory, ann, 1);
    assert_eq!(low(directory), [(ann, "d1".to_owned(), LOW - 1)]);
    assert_eq!(low(directory), [], "it is told once");
    for _ in 3..12 {
        assert!(matches!(claim(directory, ann, 1), Some((KeyKind::OneTime, _))));
    }
    for _ in 0..2 {
        assert_eq!(claim(directory, ann, 1), Some((KeyKind::Fallback, signed_key(900))));
    }
    // Two at once are two.
    assert_eq!(put(directory, &with(12..14)), KeysPutDone::Yes(2));
    let both = directory.claim_keys(&[(ann, device_id(1)), (ann, device_id(1))]).unwrap();
    let expected = [12, 13].map(|number| Some((KeyKind::OneTime, signed_key(number))));
    assert_eq!(both, expected);
    // There is an end to what is kept.
    for begin in (20..300).step_by(50) {
        put(directory, &with(begin..begin + 50));
    }
    assert_eq!(put(directory, &new(ann, 1)), KeysPutDone::Yes(KEPT));
    for number in 20..20 + KEPT {
        assert_eq!(claim(directory, ann, 1), Some((KeyKind::OneTime, signed_key(number))));
    }
    let again = with(20..20 + KEPT);
    assert_eq!(put(directory, &again), KeysPutDone::Yes(0), "what was there stays away");
    low(directory);
}

fn reading(directory: &mut impl Directory, ann: i64, bob: i64) {
    let done = |directory: &mut dyn Directory, account, number| {
        directory.device_done(account, &device_id(number)).unwrap()
    };
    assert_eq!(done(directory, ann, 1), Some(0));
    assert_eq!(done(directory, bob, 1), None, "it is one of ann");
    let all = [(ann, device_id(1), 7), (ann, device_id(1), 5), (bob, device_id(2), 9)];
    directory.set_devices_done(&all).unwrap();
    assert_eq!(done(directory, ann, 1), Some(7), "only forward");
    assert_eq!(done(directory, ann, 2), Some(0), "and of one's own alone");
}

fn removing(directory: &mut impl Directory, ann: i64, bob: i64) {
    assert!(!directory.remove_device(bob, &device_id(1)).unwrap());
    assert!(directory.remove_device(ann, &device_id(1)).unwrap());
    assert!(!directory.remove_device(ann, &device_id(1)).unwrap());
    assert_eq!(directory.device_done(ann, &device_id(1)).unwrap(), None);
    let other = NewKeys { identity: public_key(99), ..new(ann, 1) };
    assert_eq!(put(directory, &other), KeysPutDone::OtherIdentity, "the identity stays");
    assert_eq!(put(directory, &new(bob, 1)), KeysPutDone::Yes(0), "the name is free");
    assert!(directory.reset_keys(ann).unwrap());
    assert!(!directory.reset_keys(ann).unwrap());
    assert_eq!(directory.keys_of(ann).unwrap(), AccountKeys::default());
    assert_eq!(directory.keys_of(bob).unwrap().devices.len(), 1);
    let other = NewKeys { identity: public_key(99), ..new(ann, 2) };
    assert_eq!(put(directory, &other), KeysPutDone::Yes(0), "another identity begins");
    // What an account has published goes with it.
    directory.remove(&name("ann")).unwrap();
    directory.add(&account("ann")).unwrap();
    let anew = directory.account(&name("ann")).unwrap().unwrap().account_key.id;
    assert_eq!(directory.keys_of(anew).unwrap(), AccountKeys::default());
    assert_eq!(directory.keys_of(ann).unwrap(), AccountKeys::default());
    assert_eq!(put(directory, &new(anew, 2)), KeysPutDone::Yes(0));
}
