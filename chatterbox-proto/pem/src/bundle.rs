//! From blocks to certificates and keys.

use rustls_pemfile::Item;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::block::{Block, blocks};
use crate::error::{KeyProblem, PemError};

/// What is in a file.
#[derive(Debug)]
pub struct Bundle {
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
    /// The line of an encrypted key.
    encrypted: Option<usize>,
    request: bool,
}

/// Reads the bytes of a file.
///
/// # Errors
/// [`PemError`] where something in it is not understood, and may matter.
pub fn read(file: &[u8]) -> Result<Bundle, PemError> {
    let mut bundle =
        Bundle { certificates: Vec::new(), keys: Vec::new(), encrypted: None, request: false };
    for block in blocks(file)? {
        bundle.add(&block)?;
    }
    Ok(bundle)
}

impl Bundle {
    fn add(&mut self, block: &Block) -> Result<(), PemError> {
        let Block { line, label, encrypted, .. } = block;
        if *encrypted || label == "ENCRYPTED PRIVATE KEY" {
            // `Proc-Type: 4,ENCRYPTED` stands in keys only.
            return if label.ends_with("PRIVATE KEY") {
                self.encrypted = self.encrypted.or(Some(*line));
                Ok(())
            } else {
                Err(PemError::Header { line: line + 1, label: label.clone() })
            };
        }
        match label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => match decode("CERTIFICATE", block)? {
                // Whatever it is, it is a sequence; its inside is for those who know X.509.
                Item::X509Certificate(der) if der.first() == Some(&0x30) => {
                    self.certificates.push(der);
                }
                _ => return Err(PemError::NotACertificate { line: *line }),
            },
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => match decode(label, block)? {
                Item::Pkcs8Key(key) => self.keys.push(key.into()),
                Item::Pkcs1Key(key) => self.keys.push(key.into()),
                Item::Sec1Key(key) => self.keys.push(key.into()),
                _ => return Err(PemError::Label { line: *line, label: label.clone() }),
            },
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => self.request = true,
            // The curve is in the key as well; TLS 1.3 has no parameters of Diffie-Hellman in files; a public key proves
            // nothing beside a certificate.
            "EC PARAMETERS" | "DH PARAMETERS" | "PUBLIC KEY" => {}
            _ => return Err(PemError::Label { line: *line, label: label.clone() }),
        }
        Ok(())
    }

    /// The certificates, in the order of the file; at least one.
    ///
    /// # Errors
    /// [`PemError::NoCertificate`].
    pub fn certificates(&self) -> Result<&[CertificateDer<'static>], PemError> {
        if !self.certificates.is_empty() {
            return Ok(&self.certificates);
        }
        let found = if self.request {
            "a request for one"
        } else if self.has_key() {
            "a private key"
        } else {
            "parameters or a public key"
        };
        Err(PemError::NoCertificate { found })
    }

    /// The one private key.
    ///
    /// # Errors
    /// [`KeyProblem`].
    pub fn private_key(&self) -> Result<PrivateKeyDer<'static>, KeyProblem> {
        match (self.keys.as_slice(), self.encrypted) {
            ([key], None) => Ok(key.clone_key()),
            ([], None) => Err(KeyProblem::Missing),
            (_, Some(line)) => Err(KeyProblem::Encrypted { line }),
            (several, None) => Err(KeyProblem::Several { count: several.len() }),
        }
    }

    /// Whether a private key is in it, readable or not.
    pub fn has_key(&self) -> bool {
        !self.keys.is_empty() || self.encrypted.is_some()
    }
}

/// Decodes one block, written anew in the strictest form, so that nothing about its lines is left to the decoder.
fn decode(label: &str, block: &Block) -> Result<Item, PemError> {
    let broken = || PemError::Base64 { line: block.line, label: block.label.clone() };
    let strict = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", block.base64);
    match rustls_pemfile::read_one_from_slice(strict.as_bytes()) {
        Ok(Some((item, _))) => Ok(item),
        _ => Err(broken()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(label: &str, inside: &str) -> String {
        format!("-----BEGIN {label}-----\n{inside}\n-----END {label}-----\n")
    }

    fn certificate(name: &str) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap()
            .pem()
    }

    fn key() -> String {
        rcgen::KeyPair::generate().unwrap().serialize_pem()
    }

    fn bundle(text: &str) -> Bundle {
        read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    #[test]
    fn blocks_that_were_put_together_without_line_ends_are_all_read() {
        let glued =
            [certificate("a"), certificate("b"), key()].map(|pem| pem.trim_end().to_owned());
        let bundle = bundle(&glued.concat());
        assert_eq!(bundle.certificates().unwrap().len(), 2);
        bundle.private_key().unwrap();
    }

    #[test]
    fn what_openssl_writes_around_blocks_is_no_matter() {
        let text = format!(
            "\u{feff}Bag Attributes\n    friendlyName: x\nsubject=CN = a\n{}Certificate:\n    Data: Version: 3 (0x2)\n{}{}",
            certificate("a"),
            block("EC PARAMETERS", "BggqhkjOPQMBBw=="),
            key()
        );
        let bundle = bundle(&text);
        assert!(bundle.certificates().unwrap().len() == 1 && bundle.private_key().is_ok());
    }

    #[test]
    fn a_key_where_a_certificate_is_expected_is_told_and_the_other_way_round() {
        let found = |text: &str| bundle(text).certificates().unwrap_err();
        assert_eq!(found(&key()), PemError::NoCertificate { found: "a private key" });
        let request = block("CERTIFICATE REQUEST", "AAAA");
        assert_eq!(
            found(&(request + &key())),
            PemError::NoCertificate { found: "a request for one" }
        );
        assert_eq!(bundle(&certificate("a")).private_key().unwrap_err(), KeyProblem::Missing);
    }

    #[test]
    fn one_readable_key_is_needed() {
        let old = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA";
        for encrypted in [
            block("ENCRYPTED PRIVATE KEY", "AAAA"),
            block("RSA PRIVATE KEY", old),
            block("EC PRIVATE KEY", old),
        ] {
            let text = certificate("a") + &encrypted;
            assert_eq!(
                bundle(&text).private_key().unwrap_err(),
                KeyProblem::Encrypted {
                    line: text.lines().position(|line| line.contains("PRIVATE")).unwrap() + 1
                }
            );
            // A key in another file is no matter for the certificate.
            assert!(bundle(&text).certificates().is_ok());
        }
        assert_eq!(
            bundle(&(key() + &key())).private_key().unwrap_err(),
            KeyProblem::Several { count: 2 }
        );
    }

    #[test]
    fn labels_that_may_matter_are_refused_with_their_line() {
        for label in [
            "PKCS7",
            "TRUSTED CERTIFICATE",
            "X509 CRL",
            "OPENSSH PRIVATE KEY",
            "DSA PRIVATE KEY",
            "SECRET SAUCE",
        ] {
            let text = format!("{}{}", certificate("a"), block(label, "AAAA"));
            let line = certificate("a").lines().count() + 1;
            let error = read(text.as_bytes()).unwrap_err();
            assert!(
                matches!(&error, PemError::Label { label: told, .. } if told == label),
                "{error}"
            );
            assert!(error.to_string().contains(label) && line > 1, "{error}");
            assert!(!error.hint("f.pem").is_empty());
        }
    }

    #[test]
    fn broken_blocks_are_refused() {
        for inside in ["A", "AAAAA", "=AAA", "AA=A", "AA==AA=="] {
            let error = read(block("CERTIFICATE", inside).as_bytes()).unwrap_err();
            assert!(matches!(error, PemError::Base64 { line: 1, .. }), "{inside}: {error}");
        }
        let error = read(block("CERTIFICATE", "AAAA").as_bytes()).unwrap_err();
        assert_eq!(error, PemError::NotACertificate { line: 1 });
    }
}
