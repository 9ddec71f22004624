//! The certificates of `--ca FILE`: all that the file holds, or the reason why it is not taken.
//!
//! Readers of PEM pass over what they don't understand. A file that a missing line end or an editor has spoiled would be
//! read in part then, and a server be judged by fewer authorities than its graders gave.
#![allow(clippy::disallowed_methods, reason = "the edge: reads a file of certificates")]

use std::{fs::File, io::Read as _, path::Path};

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls_pemfile::Item;
use thiserror::Error;

/// A longer file holds something else.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Why a file is not taken, and what helps.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Unreadable {
    #[error("is empty")]
    Empty,
    #[error("is longer than 16 MiB, and no file of certificates")]
    Long,
    #[error("is in UTF-16, and PEM is in ASCII; convert it: iconv -f UTF-16 -t UTF-8")]
    Utf16,
    #[error(
        "is binary, and not PEM; a certificate in DER is converted by openssl x509 -inform der"
    )]
    Binary,
    #[error("holds no certificate; one begins with -----BEGIN CERTIFICATE-----")]
    None,
    #[error("holds a private key and no certificate; the certificate is another file")]
    KeyOnly,
    #[error("is spoiled: line {0} looks like the begin or the end of a block, and is none")]
    Marker(usize),
    #[error("is cut off: the block that begins in line {0} has no end")]
    Cut(usize),
    #[error("is spoiled: line {0} is no base64")]
    Base64(usize),
    #[error("holds {label} in line {line}, which is no certificate; leave only certificates in it")]
    Other { line: usize, label: String },
    #[error("is spoiled: what begins in line {0} is no certificate")]
    Certificate(usize),
}

/// Reads a file.
pub(crate) fn authorities(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let unreadable = || format!("can't read {}", file.display());
    let mut bytes = Vec::new();
    let opened = File::open(file).with_context(unreadable)?;
    opened.take(LONGEST + 1).read_to_end(&mut bytes).with_context(unreadable)?;
    certificates(&bytes).map_err(|why| anyhow::anyhow!("{} {why}", file.display()))
}

const MARK: char = '\u{feff}';

fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unreadable> {
    if bytes.len() as u64 > LONGEST {
        return Err(Unreadable::Long);
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Unreadable::Utf16);
    }
    if bytes.contains(&0) || bytes.first() == Some(&0x30) {
        return Err(Unreadable::Binary);
    }
    let text = String::from_utf8_lossy(bytes).replace(MARK, "");
    if text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let mut file = Blocks::default();
    for (place, line) in text.replace("\r\n", "\n").replace('\r', "\n").split('\n').enumerate() {
        file.line(place + 1, line.trim())?;
    }
    match file.open {
        Some(open) => Err(Unreadable::Cut(open.line)),
        None if !file.certificates.is_empty() => Ok(file.certificates),
        None if file.key => Err(Unreadable::KeyOnly),
        None => Err(Unreadable::None),
    }
}

#[derive(Default)]
struct Blocks {
    open: Option<Open>,
    certificates: Vec<CertificateDer<'static>>,
    key: bool,
}

struct Open {
    line: usize,
    label: String,
    base64: String,
}

impl Blocks {
    /// Takes a line, on which a block may end and the next one begin.
    fn line(&mut self, number: usize, line: &str) -> Result<(), Unreadable> {
        let mut rest = line;
        while !rest.is_empty() {
            let Some(open) = &mut self.open else {
                let Some((label, behind)) = marker(rest, "-----BEGIN ") else {
                    return if is_like_a_marker(rest) {
                        Err(Unreadable::Marker(number))
                    } else {
                        Ok(())
                    };
                };
                self.open =
                    Some(Open { line: number, label: label.to_owned(), base64: String::new() });
                rest = behind;
                continue;
            };
            match marker(rest, "-----END ") {
                Some((label, behind)) if label == open.label => {
                    rest = behind;
                    if let Some(whole) = self.open.take() {
                        self.block(whole)?;
                    }
                }
                _ if rest.contains('-') && is_like_a_marker(rest) => {
                    return Err(Unreadable::Cut(open.line));
                }
                // The inside of a key is nobody's business here.
                _ if open.label.ends_with("PRIVATE KEY") => return Ok(()),
                _ if rest
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+/= ".contains(&byte)) =>
                {
                    open.base64.push_str(rest);
                    return Ok(());
                }
                _ => return Err(Unreadable::Base64(number)),
            }
        }
        Ok(())
    }

    fn block(&mut self, block: Open) -> Result<(), Unreadable> {
        let Open { line, label, base64 } = block;
        match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                let base64: String = base64.split(' ').collect();
                let pem =
                    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
                match rustls_pemfile::read_one_from_slice(pem.as_bytes()) {
                    Ok(Some((Item::X509Certificate(found), _))) if found.first() == Some(&0x30) => {
                        self.certificates.push(found);
                        Ok(())
                    }
                    _ => Err(Unreadable::Certificate(line)),
                }
            }
            label if label.ends_with("PRIVATE KEY") => {
                self.key = true;
                Ok(())
            }
            "EC PARAMETERS" | "DH PARAMETERS" => Ok(()),
            _ => Err(Unreadable::Other { line, label }),
        }
    }
}

/// The label of a marker at the begin of a text, and what is behind the marker.
fn marker<'a>(text: &'a str, begin: &str) -> Option<(&'a str, &'a str)> {
    let (label, behind) = text.strip_prefix(begin)?.split_once("-----")?;
    let of_a_label = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    label.bytes().all(of_a_label).then(|| (label, behind.trim_start()))
}

/// Whether a line was meant as a marker: a dash is lost, or was made a long one by a word processor.
fn is_like_a_marker(line: &str) -> bool {
    let dash = |c: char| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    ["BEGIN ", "END "].iter().any(|word| {
        line.match_indices(word).any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default();
            let behind = line.get(at..).unwrap_or_default();
            before.ends_with(dash) || (before.is_empty() && behind.ends_with(dash))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(name: &str) -> String {
        conformance_kit::identity::Identity::self_signed(&[name]).unwrap().pem
    }

    fn count(text: &str) -> Result<usize, Unreadable> {
        certificates(text.as_bytes()).map(|all| all.len())
    }

    #[test]
    fn every_certificate_is_read_however_they_were_put_together() {
        let (a, b) = (pem("a"), pem("b"));
        for text in [
            format!("{a}{b}"),
            format!("{}{}", a.trim_end(), b.trim_end()),
            format!("{MARK}{a}{MARK}{b}"),
            format!("{a}{b}").replace('\n', "\r\n"),
            format!("{a}{b}").replace('\n', "\r"),
            format!("Certificate:\n  Data: x-y\n====\n-----\n{a}# the other one\n{b}the end\n"),
            format!(
                "{a}-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n{b}"
            ),
        ] {
            assert_eq!(count(&text), Ok(2), "{text}");
        }
    }

    #[test]
    fn a_file_that_would_be_read_in_part_is_refused() {
        let (a, b) = (pem("a"), pem("b"));
        let second = a.lines().count() + 1;
        let last = second + b.lines().count() - 1;
        for (text, why) in [
            (format!("{a}{}", &b[1..]), Unreadable::Marker(second)),
            (
                format!("{a}{}", b.replace("-----BEGIN", "\u{2014}BEGIN")),
                Unreadable::Marker(second),
            ),
            (format!("{a}{}", b.replace("-----END", "----END")), Unreadable::Cut(second)),
            (format!("{a}{}", &b[..b.len() / 2]), Unreadable::Cut(second)),
            (format!("{a}{}", b.replace("-----END", "!!\n-----END")), Unreadable::Base64(last)),
            (format!("{a}{}", b.replacen("MII", "AII", 1)), Unreadable::Certificate(second)),
            (
                format!("{a}{}", b.replace(" CERTIFICATE", " TRUSTED CERTIFICATE")),
                Unreadable::Other { line: second, label: "TRUSTED CERTIFICATE".to_owned() },
            ),
            (a.replace("CERTIFICATE", "PRIVATE KEY"), Unreadable::KeyOnly),
            (" \n".to_owned(), Unreadable::Empty),
            ("hello".to_owned(), Unreadable::None),
            ("0\u{82}\u{0}".to_owned(), Unreadable::Binary),
        ] {
            assert_eq!(count(&text), Err(why), "{text}");
        }
        let wide: Vec<u8> =
            format!("{MARK}{a}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(certificates(&wide), Err(Unreadable::Utf16));
    }
}
