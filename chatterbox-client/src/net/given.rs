//! The certificates of `-ca FILE`: a server may have one of them itself, or one that they issued.
//!
//! Whoever makes a certificate with one line of openssl gets one that is marked as an authority's. webpki takes that from
//! no server, while OpenSSL does when the file of trusted certificates holds the very same. So it is here: the names and the
//! dates in it have to be right, and the handshake be signed with its key.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_parser::asn1_rs::FromDer as _;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use super::verify::check_signature;

/// Accepts the certificates of a file, and what they issued.
#[derive(Debug)]
pub struct Given {
    certificates: Vec<CertificateDer<'static>>,
    /// The judge of all other certificates; `None` where no given one can be an authority's.
    issued: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Given {
    /// A verifier for these certificates; `issued` decides about all others.
    pub fn new(
        certificates: Vec<CertificateDer<'static>>,
        issued: Option<Arc<WebPkiServerVerifier>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { certificates, issued, algorithms }
    }

    fn issued(&self) -> Result<&WebPkiServerVerifier, Error> {
        self.issued.as_deref().ok_or_else(|| CertificateError::UnknownIssuer.into())
    }

    fn holds(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates.iter().any(|given| **given == **certificate)
    }

    /// Whether a certificate is another one for the key of a given one, so that it has signed itself.
    fn is_replaced(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, shown)) = X509Certificate::from_der(certificate) else { return false };
        self.certificates
            .iter()
            .filter_map(|given| X509Certificate::from_der(given).ok())
            .any(|(_, given)| given.public_key().raw == shown.public_key().raw)
    }

    /// Whether the server has the key of a certificate that is trusted.
    fn check_key(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let stolen = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        check_signature(&self.algorithms, message, certificate, signed).map_err(|error| match error
        {
            Error::InvalidCertificate(CertificateError::BadSignature) => stolen,
            other => other,
        })
    }
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.holds(end_entity) {
            check(end_entity, server_name, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        if self.is_replaced(end_entity) {
            return Err(CertificateError::UnknownIssuer.into());
        }
        self.issued()?.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.holds(cert) {
            self.check_key(message, cert, dss)
        } else {
            self.issued()?.verify_tls12_signature(message, cert, dss)
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.holds(cert) {
            self.check_key(message, cert, dss)
        } else {
            self.issued()?.verify_tls13_signature(message, cert, dss)
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Checks what a certificate says about itself: from when till when, for what, for which hosts.
fn check(
    certificate: &CertificateDer<'_>,
    server: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let broken = CertificateError::BadEncoding;
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Err(broken) };
    let (not_before, not_after) = (
        time(parsed.validity().not_before.timestamp()),
        time(parsed.validity().not_after.timestamp()),
    );
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before });
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after });
    }
    let purpose = parsed.extended_key_usage().map_err(|_| CertificateError::BadEncoding)?;
    if purpose.is_some_and(|usage| !(usage.value.server_auth || usage.value.any)) {
        return Err(CertificateError::InvalidPurpose);
    }
    let Names { hosts, addresses } = Names::of(&parsed).ok_or(broken)?;
    let right = match server {
        ServerName::DnsName(host) => hosts.iter().any(|name| fits(name, host.as_ref())),
        ServerName::IpAddress(address) => addresses.contains(&IpAddr::from(*address)),
        _ => false,
    };
    if right {
        return Ok(());
    }
    // As webpki writes names, so that both are explained alike.
    let hosts = hosts.iter().map(|host| format!("DnsName({host:?})"));
    let addresses = addresses.iter().map(|address| format!("IpAddress({address})"));
    Err(CertificateError::NotValidForNameContext {
        expected: server.to_owned(),
        presented: hosts.chain(addresses).collect(),
    })
}

fn time(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The servers that a certificate is for.
struct Names {
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Names {
    /// Those of subjectAltName. The common name counts, as for OpenSSL, where no name of a host stands there.
    fn of(certificate: &X509Certificate<'_>) -> Option<Self> {
        let mut names = Self { hosts: Vec::new(), addresses: Vec::new() };
        let alternatives = certificate.subject_alternative_name().ok()?;
        for name in alternatives.iter().flat_map(|extension| &extension.value.general_names) {
            match name {
                GeneralName::DNSName(host) => names.hosts.push((*host).to_owned()),
                GeneralName::IPAddress(octets) => {
                    let address = match *octets {
                        octets if octets.len() == 4 => {
                            <[u8; 4]>::try_from(octets).map(IpAddr::from)
                        }
                        octets => <[u8; 16]>::try_from(octets).map(IpAddr::from),
                    };
                    names.addresses.extend(address.ok());
                }
                _ => {}
            }
        }
        if names.hosts.is_empty() {
            let common =
                certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
            names.hosts.extend(common.map(str::to_owned));
        }
        Some(names)
    }
}

/// Whether a name in a certificate is that of a host. A star is the first label, and at least two others follow it.
fn fits(name: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let behind_star = name.strip_prefix('*').filter(|rest| rest.matches('.').count() > 1);
    match behind_star {
        Some(rest) => host.find('.').is_some_and(|dot| {
            dot > 0 && host.get(dot..).is_some_and(|end| end.eq_ignore_ascii_case(rest))
        }),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_openssl_has_it() {
        for (name, host) in
            [("localhost", "LocalHost"), ("*.a.example", "b.a.example"), ("a.b", "a.b.")]
        {
            assert!(fits(name, host), "{name} is for {host}");
        }
        for (name, host) in [
            ("*.a.example", "c.b.a.example"),
            ("*.a.example", "a.example"),
            ("*.a.example", ".a.example"),
            ("*.example", "a.example"),
            ("*", "localhost"),
            ("", "localhost"),
        ] {
            assert!(!fits(name, host), "{name} is not for {host}");
        }
    }
}
