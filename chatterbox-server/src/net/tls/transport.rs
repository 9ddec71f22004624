//! The transport of connections: TLS with a certificate that can be reloaded, or plain TCP.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, version};

use crate::net::machine_names;
use crate::net::tls::certificate::Warning;
use crate::net::tls::error::TlsError;
use crate::net::tls::{certificate, local_authority, pem, private_key};
use crate::ops::clock::unix_now;

/// The origin of certificate and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// Files in PEM; both may be the same one.
    Files {
        /// The certificate, with its chain behind it.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
        /// The hosts that clients connect to; unspecified addresses stand for any.
        hosts: Vec<String>,
    },
    /// A local authority in this folder, made when it is not there.
    Local {
        /// The folder.
        folder: PathBuf,
        /// The hosts that the certificate is for, beside `localhost` and the loopback addresses; the one that is listened on is the
        /// first.
        hosts: Vec<String>,
    },
}

/// So many warnings are told of one certificate: it may lack each of the hosts that it is to be for.
const MOST_WARNINGS: usize = 20;

/// The transport that connections use.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Plain TCP.
    Plaintext,
    /// TLS 1.2 or 1.3.
    Tls(Arc<Tls>),
}

/// TLS whose certificate can be reloaded.
#[derive(Debug)]
pub struct Tls {
    source: CertificateSource,
    current: RwLock<Current>,
}

/// What new connections get.
#[derive(Debug)]
struct Current {
    config: Arc<ServerConfig>,
    /// The same for browsers.
    web: Arc<ServerConfig>,
    /// The hosts that its certificate is for.
    names: Vec<String>,
    /// Its certificate, with the chain behind it.
    chain: Vec<CertificateDer<'static>>,
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

    /// Reloads the certificate for new connections.
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

    /// When the server's own certificate ends, whatever its issuers do, in seconds since 1970 UTC; `None` without one.
    pub fn certificate_ends(&self) -> Option<i64> {
        match self {
            Self::Plaintext => None,
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                certificate::ends(&current.chain)
            }
        }
    }

    /// For how many whole days from `now` on (in seconds since 1970 UTC) the server's own certificate is good; below 0 it has
    /// ended. `None` without one. Issuers are in [`Self::certificate_warnings`].
    pub fn certificate_days(&self, now: i64) -> Option<i64> {
        self.certificate_ends().map(|ends| certificate::days_left(ends, now))
    }

    /// Whether the server's own certificate is not valid yet at this time (in seconds since 1970 UTC).
    pub fn is_certificate_early(&self, now: i64) -> bool {
        match self {
            Self::Plaintext => false,
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                let all = certificate::warnings_of_time(&current.chain, now);
                all.iter().any(|warning| matches!(warning, Warning::NotYetValid(_)))
            }
        }
    }

    /// What clients may refuse the certificate for at this time (in seconds since 1970 UTC), in words for people, each of which goes on
    /// from "the certificate:".
    pub fn certificate_warnings(&self, now: i64) -> Vec<String> {
        match self {
            Self::Plaintext => Vec::new(),
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                let all = warnings(&tls.source, &current.chain, now);
                all.iter().take(MOST_WARNINGS).map(ToString::to_string).collect()
            }
        }
    }

    /// Whether there is a certificate, and it is for this host.
    pub fn is_certified(&self, host: &str) -> bool {
        match self {
            Self::Plaintext => false,
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                current.names.iter().any(|name| certificate::fits(name, host))
            }
        }
    }

    /// What the next connection of a browser gets, with the name of HTTP/1.1 in the handshake; `None` is plaintext.
    pub(crate) fn web_config(&self) -> Option<Arc<ServerConfig>> {
        match self {
            Self::Plaintext => None,
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                Some(Arc::clone(&current.web))
            }
        }
    }

    /// What the next connection gets; `None` is plaintext.
    pub(crate) fn config(&self) -> Option<Arc<ServerConfig>> {
        match self {
            Self::Plaintext => None,
            Self::Tls(tls) => {
                let current = tls.current.read().unwrap_or_else(PoisonError::into_inner);
                Some(Arc::clone(&current.config))
            }
        }
    }
}

/// The host of the command line with which clients get in.
///
/// # Errors
/// [`TlsError`] when the certificate can't be read.
pub fn client_host(source: &CertificateSource) -> Result<String, TlsError> {
    match source {
        CertificateSource::Files { certificate, hosts, .. } => {
            let chain = pem::certificates(certificate)?;
            Ok(certificate::first_name(&chain, hosts).unwrap_or_else(|| first_reachable(hosts)))
        }
        CertificateSource::Local { hosts, .. } => Ok(first_reachable(hosts)),
    }
}

fn first_reachable(hosts: &[String]) -> String {
    machine_names::reachable(hosts.first().map_or("localhost", String::as_str))
}

/// Whether a certificate can be for this host: a name, or an address other than those that stand for all.
pub fn can_be_certified(host: &str) -> bool {
    local_authority::is_certifiable(host)
}

/// Our own authority is known to who was given its file, and has made the certificate for what is wanted, so only time can spoil it.
fn warnings(source: &CertificateSource, chain: &[CertificateDer<'_>], now: i64) -> Vec<Warning> {
    match source {
        CertificateSource::Files { hosts, .. } => certificate::warnings(chain, hosts, now),
        CertificateSource::Local { .. } => certificate::warnings_of_time(chain, now),
    }
}

/// The file that clients have to be given so that they trust the certificate: that of the local authority, or of a certificate
/// that nobody but its owner has signed.
pub fn authority_file(source: &CertificateSource) -> Option<PathBuf> {
    match source {
        CertificateSource::Files { certificate, .. } => {
            let chain = pem::certificates(certificate).ok()?;
            certificate::is_self_signed(&chain).then(|| certificate.clone())
        }
        CertificateSource::Local { folder, .. } => {
            Some(folder.join(local_authority::AUTHORITY_FILE))
        }
    }
}

fn server_config(source: &CertificateSource) -> Result<Current, TlsError> {
    let (certificate, key) = match source {
        CertificateSource::Files { certificate, key, .. } => (certificate.clone(), key.clone()),
        CertificateSource::Local { folder, hosts } => local_authority::ensure(folder, hosts)?,
    };
    let provider = Arc::new(ring::default_provider());
    let chain = pem::certificates(&certificate)?;
    let signing = private_key::signing(&key, pem::private_key(&key)?, &provider)?;
    certificate::check(&certificate, &key, &chain, &*signing)?;
    let names = certificate::hosts(&chain);
    for warning in warnings(source, &chain, unix_now()) {
        let certificate = certificate.display();
        if warning.is_refusal() {
            tracing::error!(%certificate, "the certificate: {warning}");
        } else {
            tracing::warn!(%certificate, "the certificate: {warning}");
        }
    }
    let versions = [&version::TLS13, &version::TLS12];
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| {
            tracing::debug!(%error, "TLS can't be set up");
            TlsError::Unusable(certificate)
        })?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(
            chain.clone(),
            signing,
        ))));
    // TLS session resumption is off: chats are long, so it saves little, and its state costs memory for each connection.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    let mut web = config.clone();
    // The protocol itself has no name there, and its clients need not offer any.
    web.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Current { config: Arc::new(config), web: Arc::new(web), names, chain })
}
