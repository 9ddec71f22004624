//! Subjects for tests: mutants in this process, with certificates made for the occasion.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::net::SocketAddr;

use conformance::{
    Options, Subject, Trust,
    mutants::{self, Fault, Mutant},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate for localhost with its key.
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    pub pem: String,
    pub key_pem: String,
}

pub fn identity(names: &[&str]) -> Identity {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    Identity {
        chain: vec![made.cert.der().clone()],
        key: PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()),
        pem: made.cert.pem(),
        key_pem: made.signing_key.serialize_pem(),
    }
}

/// Starts a mutant with TLS on two loopback addresses and says how to judge it.
pub async fn mutant(faults: &[Fault]) -> (Mutant, Subject, Options) {
    let other = faults.contains(&Fault::OtherCertificate);
    let names: &[&str] = if other { &["localhost"] } else { &["localhost", "127.0.0.1", "::1"] };
    let identity = identity(names);
    let hosts: [SocketAddr; 2] = ["127.0.0.1:0".parse().unwrap(), "127.0.0.2:0".parse().unwrap()];
    let options = Options {
        trust: Trust::Authority(identity.chain.clone()),
        seed: Some(1),
        ..Options::default()
    };
    let mutant =
        mutants::start(&hosts, Some((identity.chain, identity.key)), faults).await.unwrap();
    if other {
        let _ = mutant.faults.acts(Fault::OtherCertificate);
    }
    let subject = Subject::At { host: "localhost".into(), addresses: mutant.addresses.clone() };
    (mutant, subject, options)
}
