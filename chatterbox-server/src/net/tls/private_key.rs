//! Private keys: those that TLS can sign with here, and a name for the others.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use x509_parser::der_parser::asn1_rs::{Any, FromDer as _, Integer, Oid, Sequence};

use crate::net::tls::error::TlsError;

/// The key, ready to sign.
///
/// # Errors
/// [`TlsError::KeyKind`].
pub(super) fn signing(
    path: &Path,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<Arc<dyn SigningKey>, TlsError> {
    let found = kind(&key);
    provider.key_provider.load_private_key(key).map_err(|error| {
        tracing::debug!(%error, "the private key is refused");
        TlsError::KeyKind { path: path.to_owned(), found }
    })
}

/// What kind of key it is, with the kinds that would do.
fn kind(key: &PrivateKeyDer<'_>) -> String {
    let found = match key {
        PrivateKeyDer::Pkcs1(key) => rsa(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(key) => sec1_curve(key.secret_sec1_der()).map(|oid| curve(&oid)),
        PrivateKeyDer::Pkcs8(key) => pkcs8(key.secret_pkcs8_der()),
        _ => None,
    };
    found.unwrap_or_else(|| "damaged, or of an unknown kind".to_owned())
}

fn pkcs8(der: &[u8]) -> Option<String> {
    let (_, outer) = Sequence::from_der(der).ok()?;
    let (rest, _version) = Integer::from_der(&outer.content).ok()?;
    let (rest, algorithm) = Sequence::from_der(rest).ok()?;
    let (parameters, oid) = Oid::from_der(&algorithm.content).ok()?;
    match oid.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => {
            let (_, inside) = Any::from_der(rest).ok()?;
            rsa(inside.data)
        }
        "1.2.840.10045.2.1" => {
            Some(Oid::from_der(parameters).map_or_else(|_| NO_CURVE.to_owned(), |(_, oid)| curve(&oid)))
        }
        "1.2.840.113549.1.1.10" => Some("for RSA-PSS alone; RSA keys of 2048 to 4096 bits, EC keys on P-256 or P-384 and Ed25519 keys can".to_owned()),
        "1.2.840.10040.4.1" => Some("a DSA key".to_owned()),
        "1.3.101.113" => Some("an Ed448 key".to_owned()),
        "1.3.101.112" => Some("a damaged Ed25519 key".to_owned()),
        _ => None,
    }
}

const NO_CURVE: &str = "an EC key without the name of its curve";

fn rsa(der: &[u8]) -> Option<String> {
    let (_, outer) = Sequence::from_der(der).ok()?;
    let (rest, _version) = Integer::from_der(&outer.content).ok()?;
    let (_, modulus) = Any::from_der(rest).ok()?;
    let first = modulus.data.iter().position(|byte| *byte != 0)?;
    let bytes = modulus.data.get(first..)?;
    let bits = bytes.len() * 8 - bytes.first()?.leading_zeros() as usize;
    Some(if (2048..=4096).contains(&bits) {
        "a damaged RSA key".to_owned()
    } else {
        format!("an RSA key of {bits} bits (2048 to 4096 are taken)")
    })
}

/// The curve of `ECPrivateKey`: a version, the key, and in a tag of its own the curve.
fn sec1_curve(der: &[u8]) -> Option<Oid<'static>> {
    let (_, outer) = Sequence::from_der(der).ok()?;
    let (rest, _version) = Integer::from_der(&outer.content).ok()?;
    let (rest, _key) = Any::from_der(rest).ok()?;
    let (_, tagged) = Any::from_der(rest).ok()?;
    Oid::from_der(tagged.data).ok().map(|(_, oid)| oid.to_owned())
}

fn curve(oid: &Oid<'_>) -> String {
    let name = match oid.to_id_string().as_str() {
        "1.2.840.10045.3.1.7" | "1.3.132.0.34" => return "a damaged EC key".to_owned(),
        "1.3.132.0.35" => "P-521",
        "1.3.132.0.10" => "secp256k1",
        "1.3.132.0.33" => "P-224",
        "1.2.840.10045.3.1.1" => "P-192",
        "1.3.36.3.3.2.8.1.1.7" => "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11" => "brainpoolP384r1",
        _ => "another curve",
    };
    format!("an EC key on {name} (P-256 and P-384 are taken)")
}
