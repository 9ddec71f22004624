//! Certificates made for one test.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// A server's certificate and the file of the authority behind it.
pub(crate) struct Certificate {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    folder: TempDir,
}

impl Certificate {
    /// By an authority of its own, for these names.
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::issued_by("an authority", names)
    }

    /// By an authority of this name.
    pub(crate) fn issued_by(authority: &str, names: &[&str]) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, authority);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), authority.pem()).unwrap();
        Self {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            folder,
        }
    }

    /// What the tests mostly use.
    pub(crate) fn localhost() -> Self {
        Self::new(&["localhost", "127.0.0.1", "::1"])
    }

    /// Signed by itself and marked as an authority's, as `openssl req -x509` does it; `change` is made before that.
    pub(crate) fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::with_key(&KeyPair::generate().unwrap(), change)
    }

    /// The same with the key of another certificate.
    pub(crate) fn of_the_same_key(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        Self::with_key(&KeyPair::try_from(&self.key).unwrap(), change)
    }

    fn with_key(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        let certificate = params.self_signed(key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.crt"), certificate.pem()).unwrap();
        Self {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            folder,
        }
    }

    /// What the one line of openssl makes that everybody knows, with more arguments behind it.
    pub(crate) fn one_line_of_openssl(more: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let line = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.crt -days 365 -subj /CN=localhost";
        let mut openssl = Command::new("openssl");
        openssl.args(line.split(' ')).args(more).current_dir(folder.path());
        if !openssl.output().is_ok_and(|output| output.status.success()) {
            return None;
        }
        Some(Self::read(folder))
    }

    /// From `ca.crt` and `key.pem` in a folder.
    fn read(folder: TempDir) -> Self {
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let chain: Vec<_> =
            rustls_pemfile::certs(&mut read("ca.crt").as_slice()).map(Result::unwrap).collect();
        let key = rustls_pemfile::private_key(&mut read("key.pem").as_slice()).unwrap().unwrap();
        Self { chain, key, folder }
    }

    /// An X.509 v1 certificate, as old courses hand out; only openssl makes them.
    pub(crate) fn version_1() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let run = |line: &str| {
            let done =
                Command::new("openssl").args(line.split(' ')).current_dir(folder.path()).output();
            done.is_ok_and(|output| output.status.success())
        };
        let made =
            run("req -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem -subj /CN=localhost")
                && run("x509 -req -in csr.pem -signkey key.pem -days 30 -out ca.crt");
        if !made {
            return None;
        }
        let made = Self::read(folder);
        // A v3 certificate has its version written down, [0] { INTEGER 2 }; a v1 has not.
        let is_v1 = !made.chain[0].windows(5).take(16).any(|bytes| bytes == [0xa0, 3, 2, 1, 2]);
        is_v1.then_some(made)
    }

    /// The authority's file.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// What `--pin` takes.
    pub(crate) fn fingerprint(&self) -> String {
        chatterbox_client::Fingerprint::of(&self.chain[0]).to_string()
    }

    pub(crate) fn server_config(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        // rustls looks at its own certificate too, with webpki; a resolver is not asked.
        let key = provider.key_provider.load_private_key(self.key.clone_key()).unwrap();
        let certified = rustls::sign::CertifiedKey::new(self.chain.clone(), key);
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        Arc::new(config)
    }
}
