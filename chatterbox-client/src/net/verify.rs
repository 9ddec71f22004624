//! Certificate verifiers: by fingerprint, by nothing, and one that records the certificate.
//!
//! webpki, which rustls uses otherwise, refuses X.509 v1 certificates even for checking a signature. Old course servers
//! have such certificates, so nothing here calls it: [`Pinned`] checks the handshake's signature with the key as
//! x509-parser reads it.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};
use x509_parser::asn1_rs::{Any, FromDer as _, Sequence};
use x509_parser::prelude::X509Certificate;

/// SHA-256 of a certificate's DER: 32 bytes, written as hexadecimal, with colons or without.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a fingerprint is 64 hexadecimal digits, with colons or without (SHA-256 of the certificate)"
)]
pub struct NotAFingerprint;

impl Fingerprint {
    /// The fingerprint of a certificate.
    pub fn of(certificate: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        // Accepts the output of `openssl x509 -fingerprint -sha256` as it is.
        let text = text.rsplit_once('=').map_or(text, |(_, digits)| digits);
        let mut digits = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16));
        let mut bytes = [0; 32];
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(NotAFingerprint);
            };
            *byte = u8::try_from(high * 16 + low).map_err(|_| NotAFingerprint)?;
        }
        if digits.next().is_some() { Err(NotAFingerprint) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// Accepts one certificate, if the server really has its key.
#[derive(Debug)]
pub struct Pinned {
    pin: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    /// A verifier for the certificate with this fingerprint.
    pub fn new(pin: Fingerprint, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { pin, algorithms }
    }
}

/// Checks that the handshake was signed with the certificate's key: the certificate itself is public, so that it is the
/// right one proves nothing.
pub(super) fn check_signature(
    algorithms: &WebPkiSupportedAlgorithms,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let broken = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| broken())?;
    let key = parsed.public_key();
    // SubjectPublicKeyInfo is a sequence of the algorithm, itself a sequence, and the key.
    let (_, info) = Sequence::from_der(key.raw).map_err(|_| broken())?;
    let (_, algorithm) = Any::from_der(&info.content).map_err(|_| broken())?;
    let mut fitting = algorithms
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme == signed.scheme)
        .flat_map(|(_, algorithms)| algorithms.iter())
        .filter(|candidate| candidate.public_key_alg_id().as_ref() == algorithm.data)
        .peekable();
    if fitting.peek().is_none() {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    let signature = signed.signature();
    let valid = |candidate: &&dyn rustls::pki_types::SignatureVerificationAlgorithm| {
        candidate.verify_signature(&key.subject_public_key.data, message, signature).is_ok()
    };
    if fitting.any(valid) {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pin == Fingerprint::of(end_entity) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(&self.algorithms, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_signature(&self.algorithms, message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Accepts everything, for `--insecure`.
///
/// Checking the handshake's signature would add nothing: an attacker can sign with the key of their own certificate.
#[derive(Debug)]
pub struct AnyCertificate {
    schemes: Vec<SignatureScheme>,
}

impl AnyCertificate {
    /// A verifier that offers these signature schemes.
    pub fn new(schemes: Vec<SignatureScheme>) -> Self {
        Self { schemes }
    }
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// The certificate that a server has presented.
#[derive(Debug, Clone)]
pub struct Presented {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Who issued it, if that is somebody else and the server has sent no certificate of any issuer.
    pub missing_issuer: Option<String>,
}

impl Presented {
    fn new(own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Self {
        let issuer = || {
            let (_, parsed) = X509Certificate::from_der(own).ok()?;
            let other = parsed.issuer().as_raw() != parsed.subject().as_raw();
            (others.is_empty() && other).then(|| parsed.issuer().to_string())
        };
        Self { fingerprint: Fingerprint::of(own), missing_issuer: issuer() }
    }
}

/// Wraps another verifier and records what the server presented, so that a failure can name it.
#[derive(Debug)]
pub struct Recording {
    inner: Arc<dyn ServerCertVerifier>,
    seen: Arc<Mutex<Option<Presented>>>,
}

impl Recording {
    /// Wraps `inner`; the second value holds what was presented after a handshake.
    pub fn new(inner: Arc<dyn ServerCertVerifier>) -> (Self, Arc<Mutex<Option<Presented>>>) {
        let seen = Arc::new(Mutex::new(None));
        (Self { inner, seen: Arc::clone(&seen) }, seen)
    }
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Presented::new(end_entity, intermediates));
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_tools_write_it() {
        let of_nothing = "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
        assert_eq!(Fingerprint::of(b"").to_string(), of_nothing);
        for text in [
            of_nothing.to_owned(),
            of_nothing.to_lowercase().replace(':', ""),
            format!("sha256 Fingerprint={of_nothing}"),
        ] {
            assert_eq!(text.parse(), Ok(Fingerprint::of(b"")), "{text}");
        }
        for text in [
            "",
            "e3",
            &of_nothing[1..],
            &format!("{of_nothing}:00"),
            &"x".repeat(64),
            &"é".repeat(64),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }
}
