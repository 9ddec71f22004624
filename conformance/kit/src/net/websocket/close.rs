//! The end of a WebSocket as a close frame tells it (RFC 6455, section 7.4).

use std::fmt;

use crate::escape;

/// The longest reason that is shown.
const LONGEST: usize = 125;

/// The code and the reason of a close frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Close {
    /// The code, where there is one.
    pub code: Option<u16>,
    /// The reason, as it was sent.
    pub reason: String,
}

impl Close {
    /// Reads the payload of a close frame.
    ///
    /// # Errors
    /// Says why it is none.
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        let Some((code, reason)) = payload.split_first_chunk() else {
            return if payload.is_empty() {
                Ok(Self::default())
            } else {
                Err("a close frame with half a code".to_owned())
            };
        };
        let code = u16::from_be_bytes(*code);
        // The others are reserved, or stand for what no frame says, such as 1006.
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            return Err(format!("a close frame with the code {code}"));
        }
        let reason = std::str::from_utf8(reason)
            .map_err(|_| "a close frame whose reason is no UTF-8".to_owned())?;
        Ok(Self { code: Some(code), reason: reason.to_owned() })
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            None => f.write_str("close frame without a code"),
            Some(code) if self.reason.is_empty() => write!(f, "close frame {code}"),
            Some(code) => {
                let reason = escape::shorten(&escape::visible(&self.reason), LONGEST);
                write!(f, "close frame {code}, \"{reason}\"")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_reasons_are_read_and_shown() {
        let told = |payload: &[u8]| Close::read(payload).map(|close| close.to_string());
        assert_eq!(told(b"").unwrap(), "close frame without a code");
        assert_eq!(told(&[3, 232]).unwrap(), "close frame 1000");
        assert_eq!(
            told(b"\x03\xF1too \x1b[31mbig").unwrap(),
            "close frame 1009, \"too \\u{1b}[31mbig\""
        );
        for wrong in [&b"\x03"[..], &[3, 237], &[3, 238], &[0, 1], &[0x13, 0x88], b"\x03\xE8\xFF"] {
            assert!(told(wrong).is_err(), "{wrong:?}");
        }
    }
}
