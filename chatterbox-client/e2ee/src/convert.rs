//! Keys between the text of the protocol and the types of the library.

use chatterbox_proto::LookupKey;
use chatterbox_proto::capability::e2ee::{PublicKey, Signature};
use chatterbox_proto::limits::USERNAME_CHARS_MOST;
use vodozemac::{Curve25519PublicKey, Ed25519PublicKey, Ed25519Signature};

pub(crate) fn curve(key: &PublicKey) -> Option<Curve25519PublicKey> {
    Curve25519PublicKey::from_base64(key.as_str()).ok()
}

/// The Ed25519 key, if it is a point of the curve.
pub(crate) fn ed(key: &PublicKey) -> Option<Ed25519PublicKey> {
    Ed25519PublicKey::from_base64(key.as_str()).ok()
}

/// Whether `key` has signed `lines`.
pub(crate) fn is_signed(key: &PublicKey, lines: &str, signature: &Signature) -> bool {
    let signature = Ed25519Signature::from_base64(signature.as_str()).ok();
    let key = ed(key).zip(signature);
    key.is_some_and(|(key, signature)| key.verify(lines.as_bytes(), &signature).is_ok())
}

/// A name as it is compared, and as it is signed.
pub(crate) fn folded(name: &str) -> Option<LookupKey> {
    LookupKey::of(name, USERNAME_CHARS_MOST)
}
