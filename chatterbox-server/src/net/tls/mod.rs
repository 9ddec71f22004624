//! TLS for the server: where the certificate comes from, and reading it again while running (TL-1, TL-2).

mod local_authority;
mod pem;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::server::NoServerSessionStorage;
use rustls::{ServerConfig, version};
use tokio_rustls::TlsAcceptor;

pub use crate::net::tls::local_authority::AUTHORITY_FILE;

/// Where certificate and key come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Files in PEM; both may be the same one.
    Files {
        /// The certificate, with its chain behind it.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// A local authority in this folder, made when it is not there.
    Local {
        /// The folder.
        folder: PathBuf,
        /// The host that the certificate is for, beside `localhost` and the loopback addresses.
        host: String,
    },
}

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file or folder can't be used.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds no certificate.
    #[error("{0}: no certificate in it (a PEM block CERTIFICATE)")]
    NoCertificate(PathBuf),
    /// A file holds no private key.
    #[error("{0}: no private key in it (a PEM block PRIVATE KEY)")]
    NoKey(PathBuf),
    /// A file holds something else than it should.
    #[error("{path}: {problem}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// A file in the folder of the local authority was not made by us, so it is not touched.
    #[error("{0} was not made by this server and is left alone")]
    Foreign(PathBuf),
    /// Certificate and key can't be used for TLS.
    #[error("{path}: {source}")]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// A certificate could not be made.
    #[error("can't make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// What connections run inside.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Bare TCP.
    Plaintext,
    /// TLS.
    Tls(Arc<Tls>),
}

/// TLS whose certificate can be read again.
#[derive(Debug)]
pub struct Tls {
    source: CertificateSource,
    current: RwLock<Arc<ServerConfig>>,
}

impl Transport {
    /// TLS with a certificate from `source`.
    ///
    /// # Errors
    /// [`TlsError`] when there is no usable certificate.
    pub fn tls(source: CertificateSource) -> Result<Self, TlsError> {
        let current = RwLock::new(server_config(&source)?);
        Ok(Self::Tls(Arc::new(Tls { source, current })))
    }

    /// Reads the certificate again, for the connections to come.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificate stays in use then.
    pub fn reload(&self) -> Result<(), TlsError> {
        if let Self::Tls(tls) = self {
            let fresh = server_config(&tls.source)?;
            *tls.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }

    /// What accepts the next connection; `None` is plaintext.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        match self {
            Self::Plaintext => None,
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                Some(TlsAcceptor::from(Arc::clone(&current)))
            }
        }
    }
}

fn server_config(source: &CertificateSource) -> Result<Arc<ServerConfig>, TlsError> {
    let (certificate, key) = match source {
        CertificateSource::Files { certificate, key } => (certificate.clone(), key.clone()),
        CertificateSource::Local { folder, host } => local_authority::ensure(folder, host)?,
    };
    let chain = pem::certificates(&certificate)?;
    let key = pem::private_key(&key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| TlsError::Unusable { path: certificate, source })?;
    // Chats are long: resuming sessions saves little, and keeping them costs every connection.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
