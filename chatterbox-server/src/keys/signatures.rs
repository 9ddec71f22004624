//! Whether what is published is signed by the keys that it names (EE-1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chatterbox_proto::Username;
use chatterbox_proto::capability::e2ee::{
    KeyKind, KeysPut, PublicKey, Signature, device_lines, key_lines,
};
use ring::signature::{ED25519, UnparsedPublicKey};

/// Signatures that are checked between two yields: others go on meanwhile. One takes less than 0.1 ms.
const AT_ONCE: usize = 8;

/// Whether the identity key has signed the device, and the device its keys for new sessions.
pub(super) async fn are_good(number: u64, account: &Username, put: &KeysPut) -> bool {
    let device = &put.device;
    let (curve25519, ed25519) = (&device.curve25519, &device.ed25519);
    let lines = device_lines(number, account, &device.device, curve25519, ed25519);
    if !is_signed(&put.identity, &lines, &device.signature) {
        return false;
    }
    let one_time = put.one_time.iter().map(|key| (KeyKind::OneTime, key));
    let keys = one_time.chain(put.fallback.iter().map(|key| (KeyKind::Fallback, key)));
    for (place, (kind, key)) in keys.enumerate() {
        let lines = key_lines(kind, number, account, &device.device, &key.name, &key.key);
        if !is_signed(ed25519, &lines, &key.signature) {
            return false;
        }
        if place % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
    }
    true
}

fn is_signed(by: &PublicKey, lines: &str, signature: &Signature) -> bool {
    let decoded = |text: &str| STANDARD_NO_PAD.decode(text).ok();
    let Some((key, signature)) = decoded(by.as_str()).zip(decoded(signature.as_str())) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(lines.as_bytes(), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::e2ee::{Device, KeyName, SignedKey};
    use chatterbox_proto::capability::meta::DeviceId;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn public(pair: &Ed25519KeyPair) -> PublicKey {
        PublicKey::parse(&STANDARD_NO_PAD.encode(pair.public_key().as_ref())).unwrap()
    }

    fn sign(pair: &Ed25519KeyPair, lines: &str) -> Signature {
        Signature::parse(&STANDARD_NO_PAD.encode(pair.sign(lines.as_bytes()).as_ref())).unwrap()
    }

    fn put() -> KeysPut {
        let pair = |seed| Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let (identity, own) = (pair(1), pair(2));
        let (ann, name) = (Username::stored("Ann"), DeviceId::parse("d1").unwrap());
        let (curve25519, ed25519) = (PublicKey::parse(&"A".repeat(43)).unwrap(), public(&own));
        let lines = device_lines(7, &ann, &name, &curve25519, &ed25519);
        let signature = sign(&identity, &lines);
        let key = |kind, text: &str| {
            let (key_name, key) = (KeyName::parse(text).unwrap(), curve25519.clone());
            let lines = key_lines(kind, 7, &ann, &name, &key_name, &key);
            SignedKey { name: key_name, key, signature: sign(&own, &lines) }
        };
        let one_time = (0..20).map(|n| key(KeyKind::OneTime, &format!("{n}"))).collect();
        let fallback = Some(key(KeyKind::Fallback, "F"));
        let identity = public(&identity);
        let device =
            Device { device: name.clone(), curve25519: curve25519.clone(), ed25519, signature };
        KeysPut { id: "k1".into(), identity, device, one_time, fallback }
    }

    #[tokio::test]
    async fn each_signature_counts_and_for_this_account_alone() {
        let (ann, good) = (Username::stored("ANN"), put());
        assert!(are_good(7, &ann, &good).await);
        assert!(!are_good(8, &ann, &good).await);
        assert!(!are_good(7, &Username::stored("anna"), &good).await);
        let other = Signature::parse(&"A".repeat(86)).unwrap();
        let mut wrong = good.clone();
        wrong.device.signature = other.clone();
        assert!(!are_good(7, &ann, &wrong).await);
        for place in 0..good.one_time.len() {
            let mut wrong = good.clone();
            wrong.one_time[place].signature = other.clone();
            assert!(!are_good(7, &ann, &wrong).await);
        }
        let mut wrong = good.clone();
        wrong.fallback = wrong.one_time.pop();
        assert!(!are_good(7, &ann, &wrong).await, "a one-time key is no fallback key");
    }
}
