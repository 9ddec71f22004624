//! The authority of one run: the client is told to trust it, and it signs what the suite's servers
//! show. A second one, which nobody trusts, signs what a client must refuse.
#![allow(clippy::disallowed_methods, reason = "the client reads the authority from a file")]

use std::{io, path::PathBuf, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tempfile::TempDir;
use thiserror::Error;

/// A name that no connection of the suite goes to.
const ELSEWHERE: &str = "elsewhere.example";

/// The certificate that a server of the suite presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shows {
    /// A certificate that is good for every way to reach it.
    #[default]
    Good,
    /// The same, signed by an authority that nobody trusts.
    Stranger,
    /// A certificate for another host, signed by the trusted authority.
    OtherHost,
}

/// The authority of one run, and the servers' configurations that rest on it.
pub struct Authority {
    folder: TempDir,
    good: Arc<ServerConfig>,
    stranger: Arc<ServerConfig>,
    other_host: Arc<ServerConfig>,
}

/// Why there is no authority.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// Making a certificate failed.
    #[error("can't make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A certificate that was just made is not usable.
    #[error("can't set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The file could not be written.
    #[error("can't write the authority's certificate: {0}")]
    File(#[from] io::Error),
}

impl Authority {
    /// Makes keys and certificates, and writes what the client has to trust.
    ///
    /// # Errors
    /// When that fails.
    pub fn make() -> Result<Self, AuthorityError> {
        let trusted = Signer::make("Chatterbox conformance")?;
        let nobody = Signer::make("Nobody's authority")?;
        let here = ["localhost", "127.0.0.1", "::1"];
        let folder = tempfile::tempdir()?;
        let Identity { config: good, cert, key } = trusted.server(&here)?;
        // The folder is readable to its owner only.
        for (name, pem) in [("ca.crt", &trusted.pem), ("server.crt", &cert), ("server.key", &key)] {
            std::fs::write(folder.path().join(name), pem)?;
        }
        Ok(Self {
            folder,
            good,
            stranger: nobody.server(&here)?.config,
            other_host: trusted.server(&[ELSEWHERE])?.config,
        })
    }

    /// A certificate of this authority for servers on this machine (PEM).
    #[must_use]
    pub fn cert_file(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    /// The key that belongs to it (PEM).
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    /// The file that the client has to trust (PEM).
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The configuration of a server.
    #[must_use]
    pub fn server(&self, shows: Shows) -> Arc<ServerConfig> {
        Arc::clone(match shows {
            Shows::Good => &self.good,
            Shows::Stranger => &self.stranger,
            Shows::OtherHost => &self.other_host,
        })
    }
}

/// The certificate that one server presents.
struct Identity {
    config: Arc<ServerConfig>,
    cert: String,
    key: String,
}

struct Signer {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Signer {
    fn make(name: &str) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    fn server(&self, names: &[&str]) -> Result<Identity, AuthorityError> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        // Strict verifiers, Python 3.13 among them, want all of this.
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone()];
        let key_pem = key.serialize_pem();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // A ticket that the client never reads turns its close into a reset.
        config.send_tls13_tickets = 0;
        Ok(Identity { config: Arc::new(config), cert: certificate.pem(), key: key_pem })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_holds_the_authority() {
        let authority = Authority::make().unwrap();
        let pem = std::fs::read_to_string(authority.file()).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!Arc::ptr_eq(&authority.server(Shows::Good), &authority.server(Shows::Stranger)));
    }
}
