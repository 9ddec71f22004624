//! From the bytes of a file to its blocks: every line belongs to a block, or is text between blocks.

use crate::error::{Der, PemError};

/// One block, not yet decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line of its beginning, counted from 1.
    pub(crate) line: usize,
    pub(crate) label: String,
    /// Whether its headers say that it is encrypted.
    pub(crate) encrypted: bool,
    /// Its base64, without white space.
    pub(crate) base64: String,
}

const DASHES: &str = "-----";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Finds all blocks of a file.
pub(crate) fn blocks(file: &[u8]) -> Result<Vec<Block>, PemError> {
    if file.iter().all(u8::is_ascii_whitespace) {
        return Err(PemError::Empty);
    }
    if is_utf16(file) {
        return Err(PemError::Utf16);
    }
    if let Some(der) = der(file) {
        return Err(PemError::Der(der));
    }
    // Text between blocks may be in any encoding: OpenSSL does not look at it either.
    let text = String::from_utf8_lossy(file);
    let mut finder = Finder::default();
    for (place, line) in lines(&text).enumerate() {
        finder.line(place + 1, line)?;
    }
    match finder.open {
        Some(open) => Err(PemError::NoEnd { line: open.block.line, label: open.block.label }),
        None if finder.found.is_empty() => Err(PemError::NoBlock),
        None => Ok(finder.found),
    }
}

/// Lines that end with `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Text in UTF-16 has a zero in nearly every other byte, and usually a byte order mark.
fn is_utf16(file: &[u8]) -> bool {
    if file.starts_with(&[0xff, 0xfe]) || file.starts_with(&[0xfe, 0xff]) {
        return true;
    }
    let spaced = |zero_first: bool| -> Vec<u8> {
        DASHES.bytes().flat_map(|b| if zero_first { [0, b] } else { [b, 0] }).collect()
    };
    [true, false].into_iter().any(|order| {
        let dashes = spaced(order);
        file.windows(dashes.len()).any(|bytes| bytes == dashes)
    })
}

/// What a binary file begins with; PEM never begins with the tag of a sequence, and holds no zero byte.
fn der(file: &[u8]) -> Option<Der> {
    let inside = match file {
        [0x30, 0x82, _, _, inside @ ..] | [0x30, 0x81, _, inside @ ..] => inside,
        [0x30, length, inside @ ..] if *length < 0x80 && file.contains(&0) => inside,
        _ => return file.contains(&0).then_some(Der::Other),
    };
    Some(match inside {
        [0x30, ..] => Der::Certificate,
        [2, 1, 3, ..] => Der::Store,
        [2, 1, 0 | 1, ..] => Der::Key,
        _ => Der::Other,
    })
}

#[derive(Default)]
struct Finder {
    found: Vec<Block>,
    open: Option<Open>,
}

struct Open {
    block: Block,
    /// Header lines come first, and an empty line behind them.
    headers: bool,
}

enum Marker<'a> {
    Begin(&'a str),
    End(&'a str),
}

impl Finder {
    fn line(&mut self, number: usize, line: &str) -> Result<(), PemError> {
        // Files with a byte order mark that are put together have it in the middle.
        let mut rest = line.trim_matches(|c: char| c == BYTE_ORDER_MARK || c.is_whitespace());
        // Blocks that are put together without a line end between them are several markers on one line.
        loop {
            match marker(rest) {
                Some((marker, behind)) => {
                    self.marker(number, &marker)?;
                    rest = behind.trim_start_matches(BYTE_ORDER_MARK);
                    if rest.is_empty() {
                        return Ok(());
                    }
                    if !matches!(marker, Marker::End(_)) {
                        return Err(PemError::Marker { line: number, begins: true });
                    }
                }
                None => return self.other(number, rest),
            }
        }
    }

    fn marker(&mut self, number: usize, marker: &Marker<'_>) -> Result<(), PemError> {
        match (marker, self.open.take()) {
            (Marker::Begin(label), None) => {
                let block = Block {
                    line: number,
                    label: (*label).to_owned(),
                    encrypted: false,
                    base64: String::new(),
                };
                self.open = Some(Open { block, headers: false });
                Ok(())
            }
            (Marker::End(label), Some(open)) if open.block.label == *label => {
                if open.headers || open.block.base64.is_empty() {
                    let label = open.block.label;
                    return Err(PemError::Base64 { line: open.block.line, label });
                }
                self.found.push(open.block);
                Ok(())
            }
            (Marker::End(label), None) => {
                Err(PemError::NoBegin { line: number, label: (*label).to_owned() })
            }
            (_, Some(open)) => {
                Err(PemError::NoEnd { line: open.block.line, label: open.block.label })
            }
        }
    }

    /// A line that is no marker.
    fn other(&mut self, number: usize, text: &str) -> Result<(), PemError> {
        let Some(open) = &mut self.open else {
            return match resembles_marker(text) {
                Some(begins) => Err(PemError::Marker { line: number, begins }),
                None => Ok(()),
            };
        };
        let label = || open.block.label.clone();
        if text.is_empty() {
            open.headers = false;
        } else if let Some((name, value)) = text.split_once(':') {
            let first = open.block.base64.is_empty();
            match (name, value.trim()) {
                ("Proc-Type", "4,ENCRYPTED") if first => {
                    open.block.encrypted = true;
                    open.headers = true;
                }
                // The cipher stands behind the line that says that there is one.
                ("DEK-Info", _) if open.headers => {}
                _ => return Err(PemError::Header { line: number, label: label() }),
            }
        } else if text.contains(DASHES) {
            return Err(PemError::NoEnd { line: open.block.line, label: label() });
        } else if !open.headers && text.bytes().all(is_base64) {
            open.block.base64.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
        } else {
            return Err(PemError::Base64 { line: number, label: label() });
        }
        Ok(())
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b' ' | b'\t')
}

/// The marker at the beginning of a text, and what is behind it.
fn marker(text: &str) -> Option<(Marker<'_>, &str)> {
    let inside = text.strip_prefix(DASHES)?;
    let (begins, inside) = match inside.strip_prefix("BEGIN ") {
        Some(inside) => (true, inside),
        None => (false, inside.strip_prefix("END ")?),
    };
    let (label, behind) = inside.split_once(DASHES)?;
    let right = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    if label.is_empty() || label.len() > 64 || !label.bytes().all(right) {
        return None;
    }
    Some((if begins { Marker::Begin(label) } else { Marker::End(label) }, behind))
}

/// Whether a line outside of blocks was meant as a marker: a dash was lost, a word processor has made long dashes of them,
/// something stands before it. Readers of PEM pass over such a line, and over the block with it.
fn resembles_marker(text: &str) -> Option<bool> {
    if text.contains("-----BEGIN ") {
        return Some(true);
    }
    if text.contains("-----END ") {
        return Some(false);
    }
    let bare = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if bare == text {
        return None;
    }
    let (begins, label) = match bare.strip_prefix("BEGIN ") {
        Some(label) => (true, label),
        None => (false, bare.strip_prefix("END ")?),
    };
    let known = ["CERTIFICATE", "KEY", "PARAMETERS", "CRL", "REQUEST", "PKCS7", "CMS"];
    known.iter().any(|end| label.ends_with(end)).then_some(begins)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----\n";

    fn found(text: &str) -> Vec<(usize, String)> {
        let blocks = blocks(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(blocks.iter().all(|block| block.base64 == "AAAABB=="), "{text:?}: {blocks:?}");
        blocks.into_iter().map(|block| (block.line, block.label)).collect()
    }

    #[test]
    fn a_block_is_found_in_every_form_that_is_not_ambiguous() {
        let one = |line| vec![(line, "CERTIFICATE".to_owned())];
        assert_eq!(found(BLOCK), one(1));
        assert_eq!(found(&BLOCK.replace('\n', "\r\n")), one(1));
        assert_eq!(found(&BLOCK.replace('\n', "\r")), one(1));
        assert_eq!(found(&BLOCK.replace('\n', "  \n  ")), one(1));
        assert_eq!(found(BLOCK.trim_end()), one(1));
        assert_eq!(found(&format!("\u{feff}{BLOCK}")), one(1));
        assert_eq!(found(&format!("subject=CN = ä: b\n\n{BLOCK}-- \nBEGIN THE DAY\n")), one(3));
        let two = |second| vec![(1, "CERTIFICATE".to_owned()), (second, "CERTIFICATE".to_owned())];
        assert_eq!(found(&format!("{}{BLOCK}", BLOCK.trim_end())), two(4), "glued");
        assert_eq!(
            found(&format!("{}\u{feff}{BLOCK}", BLOCK.trim_end())),
            two(4),
            "glued, with its mark"
        );
        assert_eq!(found(&format!("{BLOCK}\u{feff}{BLOCK}")), two(5));
    }

    #[test]
    fn what_would_be_read_in_part_is_refused() {
        let label = || "CERTIFICATE".to_owned();
        let no_end = |line| PemError::NoEnd { line, label: label() };
        let marker = |line, begins| PemError::Marker { line, begins };
        let base64 = |line| PemError::Base64 { line, label: label() };
        for (text, expected) in [
            (String::new(), PemError::Empty),
            (" \n".to_owned(), PemError::Empty),
            ("hello\n".to_owned(), PemError::NoBlock),
            (format!("{BLOCK}-----BEGIN CERTIFICATE-----\nAAAA\n"), no_end(5)),
            (format!("-----BEGIN CERTIFICATE-----\nAAAA\n{BLOCK}"), no_end(1)),
            (BLOCK.replace("END", "END RSA"), no_end(1)),
            (BLOCK.replace("END CERTIFICATE-----", "END CERTIFICATE---"), no_end(1)),
            (
                format!("{BLOCK}-----END CERTIFICATE-----\n"),
                PemError::NoBegin { line: 5, label: label() },
            ),
            (format!("{BLOCK}{}", &BLOCK[1..]), marker(5, true)),
            (format!("{BLOCK}{}", BLOCK.replacen("-----", "——", 1)), marker(5, true)),
            (format!("{BLOCK}> {BLOCK}"), marker(5, true)),
            (
                format!("{BLOCK}{}", BLOCK.replacen("CERTIFICATE-----", "CERTIFICATE----", 1)),
                marker(5, true),
            ),
            (format!("{BLOCK}{}", BLOCK.replacen("BEGIN CERT", "BEGIN  cert", 1)), marker(5, true)),
            (format!("{BLOCK}{}", BLOCK.replacen("-----\n", "-----", 1)), marker(5, true)),
            (BLOCK.replace("BB==", "B%=="), base64(3)),
            (BLOCK.replace("BB==", "Bé=="), base64(3)),
            (BLOCK.replace("AAAA\nBB==\n", ""), base64(1)),
            (
                BLOCK.replace("AAAA", "Comment: x\n\nAAAA"),
                PemError::Header { line: 2, label: label() },
            ),
        ] {
            assert_eq!(blocks(text.as_bytes()), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn other_encodings_are_told_apart() {
        let wide = |text: &str, little: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() })
                .collect()
        };
        for little in [true, false] {
            assert_eq!(blocks(&wide(BLOCK, little)), Err(PemError::Utf16));
            assert_eq!(blocks(&wide(&format!("\u{feff}{BLOCK}"), little)), Err(PemError::Utf16));
        }
        for (bytes, der) in [
            (&[0x30, 0x82, 1, 2, 0x30, 0x82, 1][..], Der::Certificate),
            (&[0x30, 0x82, 1, 2, 2, 1, 0, 0x30], Der::Key),
            (&[0x30, 0x77, 2, 1, 1, 4, 0x20, 0], Der::Key),
            (&[0x30, 0x82, 1, 2, 2, 1, 3], Der::Store),
            (b"\x7fELF\0\0", Der::Other),
        ] {
            assert_eq!(blocks(bytes), Err(PemError::Der(der)), "{bytes:?}");
        }
    }

    #[test]
    fn an_encrypted_block_says_so_in_its_headers() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAABB==\n-----END RSA PRIVATE KEY-----\n";
        let found = blocks(text.as_bytes()).unwrap();
        assert!(
            found.len() == 1 && found[0].encrypted && found[0].base64 == "AAAABB==",
            "{found:?}"
        );
    }

    proptest! {
        /// Nothing panics, and whatever begins a block is in a block, or the file is refused.
        #[test]
        fn no_block_is_passed_over(parts in proptest::collection::vec(prop_oneof![
            Just("-----BEGIN CERTIFICATE-----".to_owned()), Just("-----END CERTIFICATE-----".to_owned()),
            Just("\n".to_owned()), Just("AAAA".to_owned()), Just("\r".to_owned()), Just("-".to_owned()),
            Just("\u{feff}".to_owned()), ".{0,3}",
        ], 0..24)) {
            let text = parts.concat();
            if let Ok(found) = blocks(text.as_bytes()) {
                prop_assert_eq!(text.matches("-----BEGIN ").count(), found.len());
                prop_assert_eq!(text.matches("-----END ").count(), found.len());
            }
        }
    }
}
