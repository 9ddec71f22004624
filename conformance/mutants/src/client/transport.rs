//! The way to the server: addresses, TCP, TLS.
#![allow(clippy::disallowed_methods, reason = "reads the authority's file")]

use std::{io, path::Path, sync::Arc};

use conformance_kit::net::tls::{self, Trust};
use conformance_suite::fault::ClientFault;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::faults::Faults;

/// Bytes in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects to the first address that answers.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    ca: Option<&Path>,
    faults: &Faults,
) -> io::Result<Box<dyn Stream>> {
    let mut last = io::Error::other("the host has no address");
    for address in tokio::net::lookup_host((host, port)).await? {
        if address.is_ipv6() && faults.acts(ClientFault::V4Only) {
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(tcp) => return secure(tcp, host, ca, faults).await,
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn secure(
    tcp: TcpStream,
    host: &str,
    ca: Option<&Path>,
    faults: &Faults,
) -> io::Result<Box<dyn Stream>> {
    tcp.set_nodelay(true)?;
    if faults.acts(ClientFault::Plaintext) {
        return Ok(Box::new(tcp));
    }
    let mut authorities = Vec::new();
    if let Some(ca) = ca {
        let pem = std::fs::read(ca)?;
        authorities = rustls_pemfile::certs(&mut pem.as_slice()).collect::<Result<_, _>>()?;
    }
    let mut config = if faults.acts(ClientFault::TrustsAnybody) {
        tls::configuration(&Trust::Anything, None).map_err(io::Error::other)?
    } else if faults.acts(ClientFault::AnyHost) {
        any_host(authorities).map_err(io::Error::other)?
    } else {
        tls::configuration(&Trust::Authority(authorities), None).map_err(io::Error::other)?
    };
    if faults.acts(ClientFault::NoSni) {
        config.enable_sni = false;
    }
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?))
}

fn any_host(authorities: Vec<CertificateDer<'static>>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities);
    let provider = Arc::new(ring::default_provider());
    let roots = Arc::new(roots);
    let inner =
        WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyHost(inner)))
        .with_no_client_auth())
}

/// Checks who signed a certificate, and not for whom.
#[derive(Debug)]
struct AnyHost(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end, chain, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
