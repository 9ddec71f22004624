//! Recognises by its first bytes how a subject writes lengths.

use serde_json::Value;

use super::prefix::Prefix;

/// The first frame of some bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstFrame<'a> {
    /// The JSON text of its body.
    pub value: Value,
    /// The dialect in which its length fits that text, padding included; `None` when none does.
    pub prefix: Option<Prefix>,
    /// The bytes behind the frame.
    pub rest: &'a [u8],
}

/// Reads the first frame without knowing its dialect: the JSON text says where it ends, and the
/// length is held against that. `None` while it is not complete, and for what is no frame.
#[must_use]
pub fn first_frame(bytes: &[u8]) -> Option<FirstFrame<'_>> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    let mut texts = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
    let value = texts.next()?.ok()?;
    let end = texts.byte_offset();
    let length = |prefix: Prefix| usize::try_from(prefix.decode(*head)).unwrap_or(usize::MAX);
    let fits = |prefix: &Prefix| {
        let padding = rest.get(end..length(*prefix));
        length(*prefix) == end || padding.is_some_and(|p| p.iter().all(u8::is_ascii_whitespace))
    };
    let prefix = Prefix::ALL.into_iter().find(fits);
    let rest = rest.get(prefix.map_or(end, length)..).unwrap_or_default();
    Some(FirstFrame { value, prefix, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_recognised() {
        for prefix in Prefix::ALL {
            let mut bytes = prefix.frame(br#"{"USERNAME": "ann"} "#);
            assert_eq!(first_frame(&bytes).and_then(|first| first.prefix), Some(prefix));
            bytes.extend_from_slice(b"more");
            assert_eq!(first_frame(&bytes).map(|first| first.rest), Some(b"more".as_slice()));
            assert_eq!(first_frame(&bytes[..20]), None);
        }
        assert_eq!(first_frame(b"GET / HTTP/1.1\r\n"), None);
        assert_eq!(first_frame(b"\0\0"), None);
    }
}
