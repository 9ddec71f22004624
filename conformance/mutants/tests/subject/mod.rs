//! Subjects for tests: mutants in this process, with certificates made for the occasion.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::net::SocketAddr;

use conformance_kit::{identity::Identity, net::tls::Trust};
use conformance_mutants::Mutant;
use conformance_suite::{Options, Subject, fault::Fault};

/// The account of level 5 that every mutant has.
pub fn staff() -> (String, String) {
    let (name, password) = conformance_mutants::STAFF;
    (name.to_owned(), password.to_owned())
}

/// Starts a mutant with TLS on two loopback addresses and says how to judge it.
pub async fn mutant(faults: &[Fault]) -> (Mutant, Subject, Options) {
    let other = faults.contains(&Fault::OtherCertificate);
    let names: &[&str] = if other { &["localhost"] } else { &["localhost", "127.0.0.1", "::1"] };
    let identity = Identity::self_signed(names).unwrap();
    let hosts: [SocketAddr; 2] = ["127.0.0.1:0".parse().unwrap(), "127.0.0.2:0".parse().unwrap()];
    let options = Options {
        trust: Trust::Authority(identity.chain.clone()),
        seed: Some(1),
        // The mutants are the tests' own: nobody minds what is left in their histories.
        heavy: true,
        staff: Some(staff()),
        ..Options::default()
    };
    let mutant = conformance_mutants::start(&hosts, Some((identity.chain, identity.key)), faults)
        .await
        .unwrap();
    if other {
        let _ = mutant.faults.acts(Fault::OtherCertificate);
    }
    let subject = Subject::At { host: "localhost".into(), addresses: mutant.addresses.clone() };
    (mutant, subject, options)
}
