//! A server's certificate for itself, as a student makes one by hand: no authority, some names.

use rcgen::generate_simple_self_signed;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate that signs itself, with its key.
pub struct Identity {
    /// The certificate.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// The certificate as PEM.
    pub pem: String,
    /// The key as PEM.
    pub key_pem: String,
}

impl Identity {
    /// Makes a certificate for these names and addresses.
    ///
    /// # Errors
    /// When one of them is none.
    pub fn self_signed(names: &[&str]) -> Result<Self, rcgen::Error> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = generate_simple_self_signed(names)?;
        Ok(Self {
            chain: vec![made.cert.der().clone()],
            key: PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()),
            pem: made.cert.pem(),
            key_pem: made.signing_key.serialize_pem(),
        })
    }
}
