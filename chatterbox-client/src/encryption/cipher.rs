//! How the files of the keys are encrypted: ChaCha20-Poly1305 under a random key that lies in a file of its own (EE-10).

use std::io;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Bytes of the key.
pub(super) const KEY: usize = 32;

/// The key of one folder.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    pub(super) fn new(key: &[u8; KEY]) -> io::Result<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| failed("no key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts; `what` is said again for decrypting, so that no file can stand for another.
    pub(super) fn seal(&self, what: &str, plain: &[u8]) -> io::Result<Vec<u8>> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = nonce.to_vec();
        let mut text = plain.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(what.as_bytes());
        self.0.seal_in_place_append_tag(nonce, aad, &mut text).map_err(|_| failed("too long"))?;
        sealed.append(&mut text);
        Ok(sealed)
    }

    /// Decrypts; `None` when it is not what was encrypted.
    pub(super) fn open(&self, what: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(what.as_bytes()), &mut text).ok()?.len();
        text.truncate(plain);
        Some(text)
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| failed("the system gives no random bytes"))?;
    Ok(bytes)
}

fn failed(why: &str) -> io::Error {
    io::Error::other(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_or_stands_for_something_else_is_not_opened() {
        let cipher = Cipher::new(&[7; KEY]).unwrap();
        let sealed = cipher.seal("state", b"secret").unwrap();
        assert_eq!(cipher.open("state", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_ne!(sealed, cipher.seal("state", b"secret").unwrap());
        assert_eq!(cipher.open("text", &sealed), None);
        assert_eq!(Cipher::new(&[8; KEY]).unwrap().open("state", &sealed), None);
        for place in 0..sealed.len() {
            let mut other = sealed.clone();
            other[place] ^= 1;
            assert_eq!(cipher.open("state", &other), None);
            assert_eq!(cipher.open("state", &sealed[..place]), None);
        }
    }
}
