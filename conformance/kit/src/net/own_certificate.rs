//! A certificate that a server gave itself: when the user trusts exactly that one, webpki's rules for
//! authorities don't apply.
//!
//! `openssl req -x509` makes a certificate with `CA:TRUE`, which webpki takes from an authority only,
//! never from a server. OpenSSL, and Python with it, trusts it where it is in the file of trusted
//! certificates, if its names and its dates are right; so does this verifier. All other certificates
//! go to webpki.

use std::{net::IpAddr, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore, SignatureScheme,
    client::{
        VerifierBuilderError, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
};
use x509_parser::{
    asn1_rs::{Any, FromDer as _, Sequence},
    extensions::GeneralName,
    prelude::X509Certificate,
};

/// Trusts the given certificates themselves, and what they issued.
#[derive(Debug)]
pub(super) struct OwnCertificate {
    given: Vec<CertificateDer<'static>>,
    /// Nothing where no given certificate can be an authority's.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

const MALFORMED: Error = Error::InvalidCertificate(CertificateError::BadEncoding);

/// Everybody can show a certificate that is trusted; this one did not sign with its key.
const NOT_ITS_KEY: Error =
    Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);

impl OwnCertificate {
    /// Trusts these certificates.
    ///
    /// # Errors
    /// When one of them is none.
    pub(super) fn new(
        given: &[CertificateDer<'static>],
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in given {
            // webpki can't read every old certificate; what is one can be a server's own all the same.
            if let Err(error) = roots.add(certificate.clone())
                && X509Certificate::from_der(certificate).is_err()
            {
                return Err(error);
            }
        }
        let webpki = if roots.is_empty() {
            None
        } else {
            let builder =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
            let failed = |error: VerifierBuilderError| Error::General(error.to_string());
            Some(builder.build().map_err(failed)?)
        };
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { given: given.to_vec(), webpki, algorithms })
    }

    /// The judge of certificates that are not among the given ones.
    fn webpki(&self) -> Result<&WebPkiServerVerifier, Error> {
        self.webpki.as_deref().ok_or_else(|| CertificateError::UnknownIssuer.into())
    }

    fn is_given(&self, certificate: &CertificateDer<'_>) -> bool {
        self.given.iter().any(|given| given.as_ref() == certificate.as_ref())
    }

    /// Whether a certificate has the key of a given one.
    fn has_a_given_key(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok((_, shown)) = X509Certificate::from_der(certificate) else { return false };
        self.given.iter().any(|given| {
            X509Certificate::from_der(given)
                .is_ok_and(|(_, given)| given.public_key().raw == shown.public_key().raw)
        })
    }
}

impl ServerCertVerifier for OwnCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.is_given(end_entity) {
            let (_, certificate) = X509Certificate::from_der(end_entity).map_err(|_| MALFORMED)?;
            check_dates(&certificate, now)?;
            check_purpose(&certificate)?;
            check_name(&certificate, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        if self.has_a_given_key(end_entity) {
            // It signed itself with that key; the user trusts another certificate.
            return Err(CertificateError::UnknownIssuer.into());
        }
        self.webpki()?.verify_server_cert(
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
        if !self.is_given(cert) {
            return self.webpki()?.verify_tls12_signature(message, cert, dss);
        }
        // webpki would not read the key of an X.509 v1 certificate.
        let (_, certificate) = X509Certificate::from_der(cert).map_err(|_| MALFORMED)?;
        let key = certificate.public_key();
        // SubjectPublicKeyInfo is a sequence of the algorithm, itself a sequence, and the key.
        let (_, info) = Sequence::from_der(key.raw).map_err(|_| MALFORMED)?;
        let (_, algorithm) = Any::from_der(&info.content).map_err(|_| MALFORMED)?;
        let of_scheme = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == dss.scheme);
        let mut fitting = of_scheme
            .flat_map(|(_, algorithms)| algorithms.iter())
            .filter(|candidate| candidate.public_key_alg_id().as_ref() == algorithm.data)
            .peekable();
        if fitting.peek().is_none() {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        let bits = &key.subject_public_key.data;
        if fitting.any(|with| with.verify_signature(bits, message, dss.signature()).is_ok()) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(NOT_ITS_KEY)
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.is_given(cert) {
            return self.webpki()?.verify_tls13_signature(message, cert, dss);
        }
        let (_, certificate) = X509Certificate::from_der(cert).map_err(|_| MALFORMED)?;
        let key = SubjectPublicKeyInfoDer::from(certificate.public_key().raw);
        verify_tls13_signature_with_raw_key(message, &key, dss, &self.algorithms).map_err(|error| {
            match error {
                Error::InvalidCertificate(CertificateError::BadSignature) => NOT_ITS_KEY,
                other => other,
            }
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn check_dates(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), Error> {
    let seconds = |time: i64| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(time).unwrap_or_default(),
        ))
    };
    let validity = certificate.validity();
    let not_before = seconds(validity.not_before.timestamp());
    let not_after = seconds(validity.not_after.timestamp());
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    Ok(())
}

/// A certificate that says what it is for has to be for servers.
fn check_purpose(certificate: &X509Certificate<'_>) -> Result<(), Error> {
    match certificate.extended_key_usage() {
        Ok(Some(usage)) if !usage.value.server_auth && !usage.value.any => {
            Err(CertificateError::InvalidPurpose.into())
        }
        Ok(_) => Ok(()),
        Err(_) => Err(MALFORMED),
    }
}

/// Compares names as OpenSSL does: those of subjectAltName; for the name of a host, where that holds
/// no such name, the common name.
fn check_name(certificate: &X509Certificate<'_>, wanted: &ServerName<'_>) -> Result<(), Error> {
    let extension = certificate.subject_alternative_name().map_err(|_| MALFORMED)?;
    let listed = extension.map(|extension| extension.value.general_names.as_slice());
    let listed = listed.unwrap_or_default();
    let mut presented: Vec<String> = Vec::new();
    let mut of_hosts: Vec<&str> = Vec::new();
    let mut addresses: Vec<IpAddr> = Vec::new();
    for name in listed {
        match name {
            GeneralName::DNSName(name) => {
                of_hosts.push(name);
                presented.push(format!("DnsName({name:?})"));
            }
            GeneralName::IPAddress(bytes) => {
                if let Some(address) = address(bytes) {
                    addresses.push(address);
                    presented.push(format!("IpAddress({address})"));
                }
            }
            _ => {}
        }
    }
    if of_hosts.is_empty() {
        let common = certificate.subject().iter_common_name();
        let common: Vec<&str> = common.filter_map(|name| name.as_str().ok()).collect();
        presented.extend(common.iter().map(|name| format!("DnsName({name:?})")));
        of_hosts = common;
    }
    let fits = match wanted {
        ServerName::DnsName(host) => of_hosts.iter().any(|name| is_meant(name, host.as_ref())),
        ServerName::IpAddress(address) => addresses.contains(&IpAddr::from(*address)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let expected = wanted.to_owned();
    Err(CertificateError::NotValidForNameContext { expected, presented }.into())
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Whether a name in a certificate means a host; `*` stands for its first label alone.
fn is_meant(name: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let (Some(domain), Some((label, rest))) = (name.strip_prefix("*."), host.split_once('.'))
    else {
        return false;
    };
    // `*.example` would mean every host of a whole top-level domain.
    !label.is_empty() && domain.contains('.') && domain.eq_ignore_ascii_case(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_label() {
        for (name, host, meant) in [
            ("localhost", "LOCALHOST", true),
            ("*.a.example", "b.a.example", true),
            ("*.a.example", "c.b.a.example", false),
            ("*.a.example", "a.example", false),
            ("*.example", "a.example", false),
            ("*", "localhost", false),
            ("b*.a.example", "bc.a.example", false),
            ("", "localhost", false),
        ] {
            assert_eq!(is_meant(name, host), meant, "{name} for {host}");
        }
    }
}
