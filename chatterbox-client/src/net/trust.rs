//! Trust: the certificates that prove a server's identity, from an authority's file down to none at all.
#![allow(clippy::disallowed_methods, reason = "the file of the authority is read here")]

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chatterbox_pem::{PemError, shell_word};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, KeyLogFile, RootCertStore};
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::prelude::X509Certificate;

use super::given::Given;
use super::verify::{AnyCertificate, Fingerprint, Pinned, Presented, Recording};
use crate::exit::{Exit, Failure, without_number};

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
    seen: Arc<Mutex<Option<Presented>>>,
}

/// The facts about a handshake that failed, from which the failure is explained.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The proof that was demanded.
    pub trust: Trust,
    /// The certificate that the server presented, if it came to that.
    pub presented: Option<Presented>,
}

impl Setup {
    /// The facts after a handshake failed.
    pub fn seen(&self) -> Seen {
        Seen {
            trust: self.trust.clone(),
            presented: self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone(),
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
            Self::System => Arc::new(
                rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(|_| {
                    Failure::new(Exit::Untrusted, "this system trusts no authority")
                        .hint("give the authority's file with -ca FILE")
                })?,
            ),
            Self::Pinned(pin) => Arc::new(Pinned::new(*pin, algorithms)),
            Self::AnyCertificate => Arc::new(AnyCertificate::new(algorithms.supported_schemes())),
        };
        let (verifier, seen) = Recording::new(verifier);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Failure::new(Exit::Software, "TLS can't be set up"))?
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
    let mut roots = RootCertStore::empty();
    let certificates = read_certificates(path)?;
    for (index, certificate) in certificates.iter().enumerate() {
        // webpki can't read every old certificate; such a one can be a server's own all the same.
        if roots.add(certificate.clone()).is_err()
            && X509Certificate::from_der(certificate).is_err()
        {
            let message = format!("certificate {} in {shown} is broken", index + 1);
            return Err(Failure::new(Exit::NoInput, message).hint(PARTS_HINT));
        }
    }
    let issued = if roots.is_empty() {
        None
    } else {
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let verifier = builder.build().map_err(|_| {
            Failure::new(Exit::NoInput, format!("{shown} can't be used as authorities"))
                .hint(SERVER_HINT)
        })?;
        Some(verifier)
    };
    let algorithms = provider.signature_verification_algorithms;
    Ok(Arc::new(Given::new(certificates, issued, algorithms)))
}

const SERVER_HINT: &str =
    "chatterbox-server prints the path of its authority's file when it starts";
const PARTS_HINT: &str =
    "the file may have been cut off, or changed by an editor: get it once more";

/// All the certificates in a PEM file; at least one. A file of which a part is not understood is refused: fewer
/// authorities would be trusted than its user believes.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let shown = path.display();
    let refused = |what: String| Failure::new(Exit::NoInput, what);
    let unreadable = |error: &io::Error| {
        refused(format!("{shown} can't be read: {}", without_number(error))).hint(SERVER_HINT)
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let mut content = Vec::new();
    file.take(CA_FILE + 1).read_to_end(&mut content).map_err(|error| unreadable(&error))?;
    if content.len() as u64 > CA_FILE {
        let most = CA_FILE / (1024 * 1024);
        return Err(refused(format!(
            "{shown}: it is longer than {most} MiB, and no file of certificates"
        )));
    }
    let hinted = |error: &PemError| {
        let failure = refused(format!("{shown}: {error}"));
        let failure = failure.hint(error.hint(&shell_word(&shown.to_string())));
        let elsewhere =
            matches!(error, PemError::Empty | PemError::NoBlock | PemError::NoCertificate { .. });
        if elsewhere { failure.hint(SERVER_HINT) } else { failure }
    };
    let bundle = chatterbox_pem::read(&content).map_err(|error| hinted(&error))?;
    Ok(bundle.certificates().map_err(|error| hinted(&error))?.to_vec())
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
        let marked = ["a", "b"].map(|name| format!("\u{feff}{}\r\n", pem(name))).concat();
        std::fs::write(&path, marked).unwrap();
        assert_eq!(read_certificates(&path).unwrap().len(), 2);
    }

    #[test]
    fn a_file_of_which_a_part_is_not_understood_is_refused() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
        let good = params.self_signed(&key).unwrap().pem();
        let wide: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let texts = [
            failure(Some(format!("{good}{}", &good[1..]).as_bytes())),
            failure(Some(format!("{good}{}", good.replacen("MII", "M!I", 1)).as_bytes())),
            failure(Some(format!("{good}{}", &good[..good.len() - 30]).as_bytes())),
            failure(Some(format!("{good}{}", good.replace(" CERT", " TRUSTED CERT")).as_bytes())),
            failure(Some(&wide)),
        ];
        insta::assert_snapshot!(texts.join("\n\n"));
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
            failure(Some(&[0x30, 0x82, 1, 2, 0x30, 3])),
            failure(Some(broken)),
            failure(Some(b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n")),
        ];
        insta::assert_snapshot!(texts.join("\n\n"));
    }
}
