//! `--insecure` takes the X.509 v1 certificates that courses hand out, and without it the user
//! is told what is the matter.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the subject is a task of the test")]

use std::sync::Arc;

use conformance_kit::net::tls::Trust;
use conformance_suite::{Options, Subject, run};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

fn tlv(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let mut out = vec![tag];
    match content.len() {
        length @ 0..=127 => out.push(u8::try_from(length).unwrap()),
        length => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

/// A certificate without a version field, which means version 1, and so without extensions.
fn version_1(key: &KeyPair) -> CertificateDer<'static> {
    // ecdsa-with-SHA256.
    let algorithm = tlv(0x30, &[&tlv(6, &[&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]])]);
    let common_name = [tlv(6, &[&[0x55, 4, 3]]), tlv(0x0C, &[b"localhost"])].concat();
    let name = tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&common_name])])]);
    let lifetime = tlv(0x30, &[&tlv(0x17, &[b"200101000000Z"]), &tlv(0x17, &[b"490101000000Z"])]);
    let spki = key.subject_public_key_info();
    let body = tlv(0x30, &[&tlv(2, &[&[7]]), &algorithm, &name, &lifetime, &name, &spki]);
    let signature = tlv(3, &[&[0], &key.sign(&body).unwrap()]);
    CertificateDer::from(tlv(0x30, &[&body, &algorithm, &signature]))
}

#[tokio::test]
async fn version_1_certificates() {
    let key = KeyPair::generate().unwrap();
    let certificate = version_1(&key);
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signing = ring::sign::any_supported_type(&private).unwrap();
    let chosen = SingleCertAndKey::from(CertifiedKey::new(vec![certificate.clone()], signing));
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(chosen));
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                let mut asked = [0; 1024];
                let _ = tls.read(&mut asked).await;
                let body = br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#;
                let _ = tls.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes()).await;
                let _ = tls.write_all(body).await;
                let _ = tls.read(&mut asked).await;
            });
        }
    });
    let subject = Subject::At { host: "localhost".into(), addresses: vec![address] };
    let mut options = Options {
        trust: Trust::Anything,
        only: vec!["join.accept".into(), "tls.cert".into()],
        timeout_scale: 0.5,
        ..Options::default()
    };
    let report = run(&subject, &options).await.unwrap();
    assert_eq!(report.exit_code(), 0);
    let seen = format!("{:?}", report.case("tls.cert").unwrap().verdict);
    assert!(seen.contains("X.509 v1"), "{seen}");

    // A file with this very certificate is trust in it, whatever its version.
    options.trust = Trust::Authority(vec![certificate]);
    assert_eq!(run(&subject, &options).await.unwrap().exit_code(), 0);

    options.trust = Trust::Nobody;
    let error = run(&subject, &options).await.unwrap_err();
    assert_eq!(error.exit_code(), 69);
    assert!(error.hint().unwrap().contains("X.509 v1"), "{error}");
}
