//! The suite's TLS configuration: which certificates it trusts, and what a handshake agreed on.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use rustls::{
    ClientConfig, DigitallySignedStruct, KeyLog, ProtocolVersion, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use thiserror::Error;

use super::own_certificate::OwnCertificate;

/// The certificates that are trusted.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Nobody's: a server with TLS needs one of the other two.
    #[default]
    Nobody,
    /// These themselves, and those that they signed.
    Authority(Vec<CertificateDer<'static>>),
    /// Everybody's.
    Anything,
}

/// Why there is no TLS configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsSetupError {
    /// The authority's certificate is not usable.
    #[error("a certificate of the authority is broken: get its file once more")]
    Authority(rustls::Error),
    /// The provider lacks a protocol version.
    #[error("TLS can't be set up on this machine")]
    Versions(rustls::Error),
}

/// The parameters that a handshake agreed on.
#[derive(Debug, Clone, Default)]
pub struct TlsFacts {
    /// Such as `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub suite: String,
    /// The server's certificates, its own first.
    pub certificates: Vec<CertificateDer<'static>>,
}

/// Builds a configuration for TLS 1.2 and 1.3.
///
/// # Errors
/// When the authority's certificate can't be parsed.
pub fn configuration(
    trust: &Trust,
    keylog: Option<Arc<dyn KeyLog>>,
) -> Result<ClientConfig, TlsSetupError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsSetupError::Versions)?;
    let mut config = match trust {
        Trust::Anything => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAnything { provider }))
            .with_no_client_auth(),
        Trust::Nobody => {
            builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
        }
        Trust::Authority(certificates) => {
            let verifier =
                OwnCertificate::new(certificates, &provider).map_err(TlsSetupError::Authority)?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        }
    };
    // Every connection does a full handshake: a resumed session would judge the one before.
    config.resumption = rustls::client::Resumption::disabled();
    if let Some(keylog) = keylog {
        config.key_log = keylog;
    }
    Ok(config)
}

/// The name of a host in TLS; for what is none, that of this machine.
#[must_use]
pub fn server_name(host: &str) -> ServerName<'static> {
    // A scope (`fe80::1%eth0`) and the last dot of an absolute name are in no certificate.
    let host = match host.split_once('%') {
        Some((address, _)) if address.contains(':') => address,
        _ => host.strip_suffix('.').unwrap_or(host),
    };
    ServerName::try_from(host.to_owned())
        .unwrap_or_else(|_| ServerName::from(IpAddr::V4(Ipv4Addr::LOCALHOST)))
}

/// Reads what a finished handshake agreed on.
#[must_use]
pub fn facts(connection: &rustls::ClientConnection) -> TlsFacts {
    TlsFacts {
        version: match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            other => format!("{other:?}"),
        },
        suite: connection
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite()))
            .unwrap_or_default(),
        certificates: connection
            .peer_certificates()
            .unwrap_or_default()
            .iter()
            .map(|certificate| certificate.clone().into_owned())
            .collect(),
    }
}

/// Accepts every certificate without looking at it.
///
/// It never calls webpki, not even for the handshake's signature: webpki refuses to parse X.509 v1
/// certificates, which courses hand out.
#[derive(Debug)]
struct AcceptAnything {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AcceptAnything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
