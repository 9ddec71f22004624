//! Recovery codes: the secret identity key as a person writes it down.
//!
//! A code is Base32 (RFC 4648) of the 32 bytes of the key and 3 bytes of a check, 56 characters in groups of four. The check finds
//! each code that was written down or typed wrong, but for one in 16 million.

use std::fmt;
use std::ops::Deref;

use sha2::{Digest as _, Sha512};
use vodozemac::Ed25519SecretKey;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const KEY: usize = 32;
const CHECK: usize = 3;
/// Characters of a code without its spaces.
const CHARS: usize = (KEY + CHECK) * 8 / 5;
const GROUP: usize = 4;

/// A recovery code. It is not shown by mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(..)")
    }
}

impl Deref for Code {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Why a text is no recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// It has another length, or other characters.
    #[error("a recovery code has 56 letters and digits (A to Z, 2 to 7)")]
    Shape,
    /// The check does not fit.
    #[error("the recovery code has a mistake in it")]
    Check,
}

/// The code of a secret identity key.
pub fn code(secret: &Ed25519SecretKey) -> Code {
    let key = Zeroizing::new(*secret.to_bytes());
    let bytes = key.iter().copied().chain(check(&key));
    let mut code = Zeroizing::new(String::with_capacity(CHARS + CHARS / GROUP));
    let (mut bits, mut held, mut written) = (0_u32, 0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            let digit = usize::try_from(bits >> held & 31).unwrap_or_default();
            if written > 0 && written % GROUP == 0 {
                code.push(' ');
            }
            code.extend(ALPHABET.get(digit).copied().map(char::from));
            written += 1;
        }
        bits &= (1 << held) - 1;
    }
    Code(code)
}

/// The secret identity key of a code, whatever spaces, hyphens and cases it was typed with.
///
/// # Errors
/// [`CodeError`] when it is none.
pub fn secret(code: &str) -> Result<Ed25519SecretKey, CodeError> {
    let mut bytes = Zeroizing::new([0_u8; KEY + CHECK]);
    let (mut bits, mut held, mut read) = (0_u32, 0_u32, 0);
    let mut places = bytes.iter_mut();
    for c in code.chars().filter(|c| !c.is_whitespace() && *c != '-') {
        let digit = ALPHABET.iter().position(|digit| char::from(*digit) == c.to_ascii_uppercase());
        let digit = digit.and_then(|digit| u32::try_from(digit).ok()).ok_or(CodeError::Shape)?;
        bits = bits << 5 | digit;
        held += 5;
        read += 1;
        if held >= 8 {
            held -= 8;
            let byte = places.next().ok_or(CodeError::Shape)?;
            *byte = u8::try_from(bits >> held & 255).unwrap_or_default();
        }
        bits &= (1 << held) - 1;
    }
    if read != CHARS {
        return Err(CodeError::Shape);
    }
    let (key, sum) = bytes.split_at(KEY);
    let key: Zeroizing<[u8; KEY]> = Zeroizing::new(key.try_into().map_err(|_| CodeError::Shape)?);
    if check(&key) != sum {
        return Err(CodeError::Check);
    }
    Ok(Ed25519SecretKey::from_slice(&key))
}

fn check(key: &[u8; KEY]) -> [u8; CHECK] {
    let mut hash = Sha512::new();
    hash.update(b"chatterbox recovery 1\n");
    hash.update(key);
    let mut check = [0; CHECK];
    check.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_what_it_was() {
        let secret = Ed25519SecretKey::from_slice(&[7; KEY]);
        let code = code(&secret);
        assert_eq!(code.replace(' ', "").len(), CHARS);
        assert!(code.starts_with("A4DQ OBYH "), "{}", &*code);
        assert_eq!(code.split(' ').count(), CHARS / GROUP);
        assert_eq!(format!("{code:?}"), "Code(..)");
    }

    proptest! {
        #[test]
        fn what_is_written_down_is_read(key in any::<[u8; KEY]>()) {
            let written = code(&Ed25519SecretKey::from_slice(&key));
            for typed in [written.to_string(), written.to_lowercase(), written.replace(' ', "-"), written.replace(' ', "")] {
                prop_assert_eq!(*secret(&typed).unwrap().to_bytes(), key);
            }
        }

        /// Another character, two that changed places, one left out, one twice.
        #[test]
        fn a_mistake_is_found(key in any::<[u8; KEY]>(), place in 0..CHARS - 1, other in 0..31_usize) {
            let written: Vec<char> =
                code(&Ed25519SecretKey::from_slice(&key)).chars().filter(|c| *c != ' ').collect();
            let digit = ALPHABET.iter().position(|d| char::from(*d) == written[place]).unwrap();
            let mut wrong = written.clone();
            wrong[place] = char::from(ALPHABET[(digit + 1 + other) % 32]);
            prop_assert!(secret(&wrong.iter().collect::<String>()).is_err());
            let mut wrong = written.clone();
            wrong.swap(place, place + 1);
            prop_assert!(wrong == written || secret(&wrong.iter().collect::<String>()).is_err());
            let mut wrong = written.clone();
            wrong.remove(place);
            prop_assert!(secret(&wrong.iter().collect::<String>()).is_err());
            let mut wrong = written;
            wrong.insert(place, wrong[place]);
            prop_assert!(secret(&wrong.iter().collect::<String>()).is_err());
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = secret(&text);
        }
    }
}
