//! Signatures of Ed25519 over lines of text, with keys and signatures in Base64 without padding (EE-1).

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// A secret key, and its public one.
#[derive(Debug)]
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A random one.
    #[must_use]
    pub fn random() -> Option<Self> {
        let halves = [rand::random::<u128>(), rand::random::<u128>()];
        let seed: Vec<u8> = halves.iter().flat_map(|half| half.to_be_bytes()).collect();
        Ed25519KeyPair::from_seed_unchecked(&seed).ok().map(Self)
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> String {
        STANDARD_NO_PAD.encode(self.0.public_key().as_ref())
    }

    /// The signature over these lines.
    #[must_use]
    pub fn sign(&self, lines: &[&str]) -> String {
        STANDARD_NO_PAD.encode(self.0.sign(text(lines).as_bytes()).as_ref())
    }
}

/// Whether a public key has signed these lines.
#[must_use]
pub fn is_signed(public: &str, lines: &[&str], signature: &str) -> bool {
    let decoded = |text: &str| STANDARD_NO_PAD.decode(text).ok();
    let Some((key, signature)) = decoded(public).zip(decoded(signature)) else { return false };
    UnparsedPublicKey::new(&ED25519, key).verify(text(lines).as_bytes(), &signature).is_ok()
}

/// Each line with a line feed at its end.
fn text(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_and_nothing_else() {
        let key = SigningKey::random().unwrap();
        let signature = key.sign(&["one", "two"]);
        assert_eq!((key.public().len(), signature.len()), (43, 86));
        assert!(is_signed(&key.public(), &["one", "two"], &signature));
        assert!(!is_signed(&key.public(), &["one", "tw"], &signature));
        assert!(!is_signed(&key.public(), &["one\ntwo", ""], &signature));
        let other = SigningKey::random().unwrap();
        assert!(!is_signed(&other.public(), &["one", "two"], &signature));
        assert!(!is_signed("?", &["one", "two"], &signature));
    }
}
