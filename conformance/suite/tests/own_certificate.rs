//! `--ca` with the certificate that a server gave itself, as one line of openssl makes it: exactly
//! that one is trusted, with its names and its dates. And OpenSSL's own verdict on the same files.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "subjects are tasks, certificates are files")]

use std::{net::SocketAddr, path::Path, process::Command, sync::Arc};

use conformance_kit::net::{
    dial::{self, Transport},
    tls::{self, Trust},
};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::PrivateKeyDer,
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

/// A certificate for itself, marked as an authority's.
fn own(key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    params.self_signed(key).unwrap()
}

/// A server that shows this certificate and signs with this key, in these versions of TLS.
async fn serve(
    shown: &Certificate,
    key: &KeyPair,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> SocketAddr {
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signing = ring::sign::any_supported_type(&private).unwrap();
    // A resolver's certificate is not looked at, so it need not belong to the key.
    let certified = CertifiedKey::new(vec![shown.der().clone()], signing);
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(tcp).await {
                let _ = stream.read(&mut [0; 16]).await;
            }
        }
    });
    address
}

/// Dials under this name and trusts this certificate; what is said when that is refused.
async fn dial(address: SocketAddr, name: &str, trusted: &Certificate) -> Result<(), String> {
    let trust = Trust::Authority(vec![trusted.der().clone()]);
    let config = Arc::new(tls::configuration(&trust, None).unwrap());
    let transport = Transport::tls(config, tls::server_name(name));
    let patience = std::time::Duration::from_secs(20);
    dial::dial(address, &transport, patience).await.map(drop).map_err(|error| error.to_string())
}

/// What OpenSSL says about a certificate that is trusted, as a server's; `None` without openssl.
fn openssl(certificate: &Certificate, name: &str) -> Option<bool> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    let flag =
        if name.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
    let verified = Command::new("openssl")
        .args(["verify", "-purpose", "sslserver", flag, name, "-CAfile"])
        .args([&file, &file])
        .output();
    verified.ok().map(|output| output.status.success())
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

type Change = fn(&mut CertificateParams);

/// What is changed, the name that is dialled, and what is said; nothing when it is trusted.
const KINDS: [(Change, &str, &str); 12] = [
    (|_| {}, "localhost", ""),
    (|p| p.subject_alt_names = vec![dns("localhost")], "localhost", ""),
    (|p| p.subject_alt_names = vec![dns("*.chat.example")], "a.chat.example", ""),
    (
        |p| p.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())],
        "127.0.0.1",
        "",
    ),
    // The common name counts beside addresses, not beside names; and never as an address.
    (
        |p| p.subject_alt_names = vec![SanType::IpAddress("127.0.0.1".parse().unwrap())],
        "localhost",
        "",
    ),
    (
        |p| p.subject_alt_names = vec![dns("chat.example")],
        "localhost",
        "it is for chat.example, not for localhost",
    ),
    (
        |p| p.distinguished_name.push(DnType::CommonName, "127.0.0.1"),
        "127.0.0.1",
        "it is for 127.0.0.1, not for the address 127.0.0.1",
    ),
    (|_| {}, "chat.example", "it is for localhost, not for chat.example"),
    (|p| p.not_after = rcgen::date_time_ymd(2024, 1, 1), "localhost", "it has expired"),
    (|p| p.not_before = rcgen::date_time_ymd(4000, 1, 1), "localhost", "it is not valid yet"),
    (
        |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        "localhost",
        "it says that it is not for servers",
    ),
    (|p| p.is_ca = IsCa::ExplicitNoCa, "localhost", ""),
];

#[tokio::test]
async fn exactly_the_given_certificate_is_trusted_as_openssl_trusts_it() {
    let mut compared = 0;
    for (change, name, said) in KINDS {
        let key = KeyPair::generate().unwrap();
        let certificate = own(&key, change);
        for version in rustls::ALL_VERSIONS {
            let address = serve(&certificate, &key, &[version]).await;
            match dial(address, name, &certificate).await {
                Ok(()) => assert!(said.is_empty(), "{name} is trusted, and not: {said}"),
                Err(refused) => {
                    assert!(!said.is_empty() && refused.starts_with(said), "{name}: {refused}");
                }
            }
        }
        if let Some(trusted) = openssl(&certificate, name) {
            assert_eq!(trusted, said.is_empty(), "OpenSSL thinks otherwise about {name}: {said:?}");
            compared += 1;
        }
    }
    if compared == 0 {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "openssl is required and not here");
        eprintln!("SKIPPED: openssl is not here, so its verdicts are not compared with ours");
    }
}

#[tokio::test]
async fn others_of_the_same_name_or_key_are_not_trusted() {
    let (key, other_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let trusted = own(&key, |_| {});
    let refused = "it is none of the certificates that are trusted";
    let shown: [(Certificate, &KeyPair, &str); 3] = [
        (own(&other_key, |_| {}), &other_key, "it is an authority's own certificate, and not one"),
        (own(&key, |_| {}), &key, refused),
        (own(&key, |p| p.is_ca = IsCa::NoCa), &key, refused),
    ];
    for (certificate, key, said) in shown {
        let address = serve(&certificate, key, rustls::ALL_VERSIONS).await;
        let error = dial(address, "localhost", &trusted).await.unwrap_err();
        assert!(error.starts_with(said), "{error}");
    }
    // Everybody can show a certificate; who has its key, signs the handshake.
    for version in rustls::ALL_VERSIONS {
        let address = serve(&trusted, &other_key, &[version]).await;
        let error = dial(address, "localhost", &trusted).await.unwrap_err();
        assert!(error.contains("the server does not have its key"), "{version:?}: {error}");
    }
}

#[tokio::test]
async fn one_line_of_openssl_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    for more in [&[][..], &["-addext", "subjectAltName=DNS:localhost"]] {
        let Some((certificate, config)) = one_line(folder.path(), more) else {
            let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
            assert!(!required, "openssl is required and not here");
            eprintln!("SKIPPED: openssl is not here, so no certificate of its own is tried");
            return;
        };
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = async { acceptor.accept(listener.accept().await.unwrap().0).await.is_ok() };
        let trust = Trust::Authority(vec![certificate]);
        let config = Arc::new(tls::configuration(&trust, None).unwrap());
        let transport = Transport::tls(config, tls::server_name("localhost"));
        let patience = std::time::Duration::from_secs(20);
        let (dialled, _) = tokio::join!(dial::dial(address, &transport, patience), serving);
        assert!(dialled.is_ok(), "{more:?}: {}", dialled.err().unwrap());
    }
}

/// The certificate that everybody makes, and a server that has it.
fn one_line(
    folder: &Path,
    more: &[&str],
) -> Option<(rustls::pki_types::CertificateDer<'static>, ServerConfig)> {
    use rustls::pki_types::pem::PemObject as _;

    let line = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 365 -subj /CN=localhost";
    let made =
        Command::new("openssl").args(line.split(' ')).args(more).current_dir(folder).output();
    if !made.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let certificate =
        rustls::pki_types::CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    Some((certificate, config))
}
