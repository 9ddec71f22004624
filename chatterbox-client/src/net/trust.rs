//! Trust: the certificates that prove a server's identity, from an authority's file down to none at all.
#![allow(clippy::disallowed_methods, reason = "the file of the authority is read here")]

use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, KeyLogFile, RootCertStore};
use rustls_pemfile::Item;

use super::given::Given;
use super::verify::{AnyCertificate, Fingerprint, Pinned, Recording};
use crate::exit::{Exit, Failure};

/// The limit of an authority's file: a device or a film given by mistake is not read to its end.
const CA_FILE: u64 = 16 * 1024 * 1024;

/// The proof of identity that a server has to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// A certificate in this file, or one issued by an authority in it.
    Authority(PathBuf),
    /// A certificate issued by an authority of this system.
    System,
    /// The certificate with this fingerprint.
    Pinned(Fingerprint),
    /// Any certificate.
    AnyCertificate,
    /// None: there is no TLS.
    Plaintext,
}

/// The configuration of a TLS handshake, and a record of the certificate that it meets.
#[derive(Debug)]
pub struct Setup {
    pub config: Arc<ClientConfig>,
    trust: Trust,
    seen: Arc<Mutex<Option<Fingerprint>>>,
}

/// The facts about a handshake that failed, from which the failure is explained.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The proof that was demanded.
    pub trust: Trust,
    /// The certificate that the server presented, if it came to that.
    pub fingerprint: Option<Fingerprint>,
}

impl Setup {
    /// The facts after a handshake failed.
    pub fn seen(&self) -> Seen {
        Seen {
            trust: self.trust.clone(),
            fingerprint: *self.seen.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl Trust {
    /// Prepares TLS 1.2 and 1.3 (TL-2), or nothing for [`Trust::Plaintext`].
    ///
    /// # Errors
    /// A [`Failure`] when the authority's file, or the system's store, can't be used.
    pub fn setup(&self) -> Result<Option<Setup>, Failure> {
        let provider = Arc::new(ring::default_provider());
        let algorithms = provider.signature_verification_algorithms;
        let verifier: Arc<dyn ServerCertVerifier> = match self {
            Self::Plaintext => return Ok(None),
            Self::Authority(path) => authority(path, &provider)?,
            Self::System => {
                Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(
                    |error| {
                        Failure::new(Exit::Untrusted, "this system trusts no authority")
                            .detail(error.to_string())
                            .hint("give the authority's file with -ca FILE")
                    },
                )?)
            }
            Self::Pinned(pin) => Arc::new(Pinned::new(*pin, algorithms)),
            Self::AnyCertificate => Arc::new(AnyCertificate::new(algorithms.supported_schemes())),
        };
        let (verifier, seen) = Recording::new(verifier);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(Exit::Software, error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        // Writes keys only where the variable SSLKEYLOGFILE names a file, to decrypt one's own session in Wireshark.
        config.key_log = Arc::new(KeyLogFile::new());
        Ok(Some(Setup { config: Arc::new(config), trust: self.clone(), seen }))
    }
}

fn authority(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    let shown = path.display();
    let unusable = |what: String| Failure::new(Exit::NoInput, what);
    let mut roots = RootCertStore::empty();
    let certificates = read_certificates(path)?;
    for (index, certificate) in certificates.iter().enumerate() {
        roots.add(certificate.clone()).map_err(|error| {
            unusable(format!("certificate {} in {shown} is broken", index + 1))
                .detail(error.to_string())
        })?;
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|error| unusable(format!("{shown} can't be used: {error}")))?;
    let algorithms = provider.signature_verification_algorithms;
    Ok(Arc::new(Given::new(certificates, verifier, algorithms)))
}

/// The certificates in a PEM file; at least one.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    const SERVER_HINT: &str =
        "chatterbox-server prints the path of its authority's file when it starts";
    let shown = path.display();
    let unreadable = |error: &io::Error| {
        Failure::new(Exit::NoInput, format!("{shown} can't be read: {error}")).hint(SERVER_HINT)
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut content = Vec::new();
    BufReader::new(file)
        .take(CA_FILE + 1)
        .read_to_end(&mut content)
        .map_err(|error| unreadable(&error))?;
    if content.is_empty() {
        return Err(Failure::new(Exit::NoInput, format!("{shown} is empty")).hint(SERVER_HINT));
    }
    separate_lines(&mut content);
    let mut certificates = Vec::new();
    let mut keys = false;
    for item in rustls_pemfile::read_all(&mut content.as_slice()) {
        match item {
            Ok(Item::X509Certificate(certificate)) => certificates.push(certificate),
            Ok(Item::Pkcs1Key(_) | Item::Pkcs8Key(_) | Item::Sec1Key(_)) => keys = true,
            Ok(_) => {}
            Err(error) => {
                return Err(Failure::new(Exit::NoInput, format!("{shown} is broken PEM"))
                    .detail(error.to_string()));
            }
        }
    }
    if !certificates.is_empty() {
        return Ok(certificates);
    }
    let none = Failure::new(Exit::NoInput, format!("there is no PEM certificate in {shown}"));
    // DER begins with a long-form sequence.
    Err(if keys {
        none.hint("this is a private key; the authority's certificate is another file")
    } else if content.starts_with(&[0x30, 0x82]) {
        none.hint(format!(
            "it looks like DER; convert it with: openssl x509 -inform der -in {shown} -out ca.crt"
        ))
    } else {
        none.hint("a PEM certificate begins with -----BEGIN CERTIFICATE-----").hint(SERVER_HINT)
    })
}

/// Puts a line end between the end of one PEM block and the beginning of the next where it is missing, as when files
/// without one at their end were put together: a reader of lines would not see the second block.
fn separate_lines(pem: &mut Vec<u8>) {
    const GLUED: &[u8] = b"----------BEGIN ";
    let places: Vec<usize> = pem
        .windows(GLUED.len())
        .enumerate()
        .filter_map(|(place, bytes)| (bytes == GLUED).then_some(place + 5))
        .collect();
    for place in places.into_iter().rev() {
        pem.insert(place, b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(content: Option<&[u8]>) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let failure = Trust::Authority(path).setup().unwrap_err();
        assert_eq!(failure.exit, Exit::NoInput);
        failure.to_string().replace(&*folder.path().to_string_lossy(), "")
    }

    #[test]
    fn certificates_without_a_line_end_between_them_are_all_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        let pem = |name: &str| {
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.self_signed(&key).unwrap().pem().trim_end().to_owned()
        };
        std::fs::write(&path, [pem("a"), pem("b"), pem("c")].concat()).unwrap();
        assert_eq!(read_certificates(&path).unwrap().len(), 3);
    }

    #[test]
    fn an_authority_that_can_not_be_used_is_told() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let texts = [
            failure(None),
            failure(Some(b"")),
            failure(Some(b"hello")),
            failure(Some(key.as_bytes())),
            failure(Some(&[0x30, 0x82, 1, 2, 3])),
            failure(Some(broken)),
            failure(Some(b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n")),
        ];
        insta::assert_snapshot!(texts.join("\n\n"));
    }
}
