//! Which servers are trusted, and what is said about the others.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may be blunt")]

mod support;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, SanType};
use support::certificate::Certificate;
use support::client::{Finished, run};
use support::server::Server;
use tokio::net::TcpListener;

/// Runs the program as ann against one connection of the server.
async fn visit(server: &Server, host: &str, flags: &[&str]) -> Finished {
    let port = server.port().to_string();
    let mut arguments = vec![host, "-p", &port, "--username", "ann"];
    arguments.extend(flags);
    let serving = async {
        // Who is not trusted is told nothing: the handshake fails, or ends without a frame (TL-4).
        let Ok(mut peer) = server.try_accept().await else { return };
        if let Some(frame) = peer.next().await {
            assert!(frame.starts_with(r#"{"USERNAME": "ann""#), "{frame}");
            peer.send(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#).await;
            peer.closed().await;
        }
    };
    let (end, ()) = tokio::join!(run(&arguments, ""), serving);
    end
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn the_authority_is_enough_for_every_name_of_the_certificate() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let ca = text(&certificate.authority());
    for host in ["localhost", "127.0.0.1"] {
        let end = visit(&server, host, &["-ca", &ca]).await;
        assert_eq!((end.code, end.err.as_str()), (Some(0), ""), "{host}");
        assert!(end.out.contains("* you are ann"));
    }
}

#[tokio::test]
async fn both_versions_of_tls_work_with_every_way_of_trust() {
    let certificate = Certificate::localhost();
    let ca = text(&certificate.authority());
    let pin = certificate.fingerprint();
    for version in rustls::ALL_VERSIONS {
        let server = Server::versions(&certificate, &[version]).await;
        for flags in [&["-ca", ca.as_str()][..], &["--pin", &pin], &["--insecure"]] {
            let end = visit(&server, "localhost", flags).await;
            assert_eq!(end.code, Some(0), "{version:?} {flags:?}: {}", end.err);
        }
    }
}

#[tokio::test]
async fn an_unknown_authority_is_explained() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    // A server that makes itself a new authority gives it the old name.
    for (name, part) in
        [("another", "no authority in "), ("an authority", "by an authority of the same name")]
    {
        let other = Certificate::issued_by(name, &["localhost"]);
        let end = visit(&server, "localhost", &["-ca", &text(&other.authority())]).await;
        assert_eq!((end.code, end.out.as_str()), (Some(78), ""));
        let fingerprint = certificate.fingerprint();
        for part in [part, &fingerprint, "hint: is this the authority's file of this very server?"]
        {
            assert!(end.err.contains(part), "{part} in {}", end.err);
        }
    }
}

#[tokio::test]
async fn a_missing_chain_is_told_by_its_issuer() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let other = Certificate::issued_by("another", &["localhost"]);
    let end = visit(&server, "localhost", &["-ca", &text(&other.authority())]).await;
    assert_eq!(end.code, Some(78));
    for part in [
        "its issuer is CN=an authority, whose certificate the server did not send",
        "lacks its chain",
    ] {
        assert!(end.err.contains(part), "{part} in {}", end.err);
    }
}

#[tokio::test]
async fn without_an_authority_the_hint_is_to_give_one() {
    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let end = visit_with_system_roots(&server).await;
    assert_eq!(end.code, Some(78), "{}", end.err);
    assert!(end.err.contains("-ca FILE"), "{}", end.err);
}

/// Some machines have no authorities at all; the answer there is the same code and hint.
async fn visit_with_system_roots(server: &Server) -> Finished {
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "--username", "ann"];
    let finished = run(&arguments, "");
    tokio::select! {
        biased;
        end = finished => end,
        () = async { loop { let _ = server.try_accept().await; } } => unreachable!(),
    }
}

#[tokio::test]
async fn another_host_is_explained() {
    let certificate = Certificate::new(&["chat.example.org", "127.0.0.2"]);
    let server = Server::tls(&certificate).await;
    let end = visit(&server, "localhost", &["-ca", &text(&certificate.authority())]).await;
    assert_eq!(end.code, Some(78));
    assert!(
        end.err.contains("it is for chat.example.org, 127.0.0.2, not for \"localhost\""),
        "{}",
        end.err
    );
    assert!(end.err.contains("hint: connect to a name that the certificate is for"), "{}", end.err);
}

#[tokio::test]
async fn a_pin_is_enough_and_another_certificate_is_told() {
    let certificate = Certificate::new(&["chat.example.org"]);
    let server = Server::tls(&certificate).await;
    let pin = certificate.fingerprint();
    let end = visit(&server, "localhost", &["--pin", &pin.replace(':', "").to_lowercase()]).await;
    assert_eq!((end.code, end.err.as_str()), (Some(0), ""));

    let other = Certificate::localhost().fingerprint();
    let end = visit(&server, "localhost", &["--pin", &other]).await;
    assert_eq!(end.code, Some(78));
    assert!(end.err.contains(&format!("its SHA-256 fingerprint is {pin}")), "{}", end.err);
    assert!(end.err.contains(&format!("its fingerprint is not {other}")), "{}", end.err);
}

#[tokio::test]
async fn a_pinned_certificate_without_its_key_is_refused() {
    let certificate = Certificate::localhost();
    let pin = certificate.fingerprint();
    for version in rustls::ALL_VERSIONS {
        // Somebody else presents the public certificate, with a key of their own.
        let mut forged = Certificate::localhost();
        forged.chain.clone_from(&certificate.chain);
        let server = Server::versions(&forged, &[version]).await;
        let end = visit(&server, "localhost", &["--pin", &pin]).await;
        assert_eq!(end.code, Some(78), "{version:?}: {}", end.err);
        assert!(end.err.contains("the server does not have its key"), "{}", end.err);
    }
}

#[tokio::test]
async fn old_certificates_work_when_they_are_meant_to() {
    let Some(certificate) = Certificate::version_1() else {
        eprintln!("SKIPPED: openssl, which makes the X.509 v1 certificate, is not here");
        return;
    };
    for version in rustls::ALL_VERSIONS {
        let server = Server::versions(&certificate, &[version]).await;
        let end = visit(&server, "localhost", &["--insecure"]).await;
        assert_eq!(end.code, Some(0), "{}", end.err);
        assert!(end.err.starts_with("WARNING: --insecure"), "{}", end.err);
        let end = visit(&server, "localhost", &["--pin", &certificate.fingerprint()]).await;
        assert_eq!((end.code, end.err.as_str()), (Some(0), ""));
        // A file with this very certificate is trust in it, whatever its version.
        let end = visit(&server, "localhost", &["-ca", &text(&certificate.authority())]).await;
        assert_eq!((end.code, end.err.as_str()), (Some(0), ""));
        let other = Certificate::localhost();
        let end = visit(&server, "localhost", &["-ca", &text(&other.authority())]).await;
        assert_eq!(end.code, Some(78));
        assert!(end.err.contains("X.509 v1") && end.err.contains("--insecure"), "{}", end.err);
    }
}

#[tokio::test]
async fn a_certificate_that_signed_itself_is_trusted_by_its_own_file() {
    let with_names = |params: &mut CertificateParams| {
        params.subject_alt_names =
            vec![SanType::DnsName("localhost".try_into().unwrap()), address("127.0.0.1")];
    };
    for version in rustls::ALL_VERSIONS {
        // The common name counts where there is no other, for hosts.
        let certificate = Certificate::self_signed(|_| {});
        let ca = text(&certificate.authority());
        let server = Server::versions(&certificate, &[version]).await;
        let end = visit(&server, "localhost", &["-ca", &ca]).await;
        assert_eq!((end.code, end.err.as_str()), (Some(0), ""), "{version:?}");
        let end = visit(&server, "127.0.0.1", &["-ca", &ca]).await;
        assert_eq!(end.code, Some(78), "{version:?}");
        assert!(end.err.contains("it is for localhost, not for \"127.0.0.1\""), "{}", end.err);

        let certificate = Certificate::self_signed(with_names);
        let ca = text(&certificate.authority());
        let server = Server::versions(&certificate, &[version]).await;
        for host in ["localhost", "127.0.0.1"] {
            let end = visit(&server, host, &["-ca", &ca]).await;
            assert_eq!((end.code, end.err.as_str()), (Some(0), ""), "{version:?}");
        }
    }
}

fn address(text: &str) -> SanType {
    SanType::IpAddress(text.parse().unwrap())
}

#[tokio::test]
async fn trust_in_a_certificate_is_not_trust_in_its_name_or_key() {
    let certificate = Certificate::self_signed(|_| {});
    let ca = text(&certificate.authority());
    for (other, said) in [
        // Another one of the same name, and of the same name and key.
        (Certificate::self_signed(|_| {}), "an authority's own certificate, and not in "),
        (certificate.of_the_same_key(|_| {}), "it is not in "),
        (certificate.of_the_same_key(|params| params.is_ca = IsCa::NoCa), "it is not in "),
    ] {
        let server = Server::tls(&other).await;
        let end = visit(&server, "localhost", &["-ca", &ca]).await;
        assert_eq!(end.code, Some(78), "{}", end.err);
        assert!(end.err.contains(said), "{}", end.err);
    }
    for version in rustls::ALL_VERSIONS {
        let mut forged = Certificate::self_signed(|_| {});
        forged.chain.clone_from(&certificate.chain);
        let server = Server::versions(&forged, &[version]).await;
        let end = visit(&server, "localhost", &["-ca", &ca]).await;
        assert_eq!(end.code, Some(78), "{version:?}: {}", end.err);
        assert!(end.err.contains("the server does not have its key"), "{}", end.err);
    }
}

#[tokio::test]
async fn the_dates_names_and_purpose_of_a_certificate_count_although_it_is_trusted() {
    type Change = fn(&mut CertificateParams);
    let cases: [(Change, &str); 5] = [
        (
            |p| p.not_after = rcgen::date_time_ymd(2024, 1, 1),
            "it has expired on 2024-01-01 00:00:00 UTC",
        ),
        (
            |p| p.not_before = rcgen::date_time_ymd(4000, 1, 1),
            "it is not valid yet, before 4000-01-01 00:00:00 UTC",
        ),
        (
            |p| p.subject_alt_names = vec![SanType::DnsName("a.example".try_into().unwrap())],
            "it is for a.example, not for \"localhost\"",
        ),
        (
            |p| p.distinguished_name.push(DnType::CommonName, "b.example"),
            "it is for b.example, not for \"localhost\"",
        ),
        (|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth], "not for servers"),
    ];
    for (change, said) in cases {
        let certificate = Certificate::self_signed(change);
        let server = Server::tls(&certificate).await;
        let end = visit(&server, "localhost", &["-ca", &text(&certificate.authority())]).await;
        assert_eq!(end.code, Some(78), "{said}: {}", end.err);
        assert!(end.err.contains(said), "{said}: {}", end.err);
    }
}

#[tokio::test]
async fn one_line_of_openssl_is_enough() {
    for more in [&[][..], &["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]] {
        let Some(certificate) = Certificate::one_line_of_openssl(more) else {
            let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
            assert!(!required, "openssl is required and not here");
            eprintln!("SKIPPED: openssl, which makes the certificate, is not here");
            return;
        };
        let server = Server::tls(&certificate).await;
        let end = visit(&server, "localhost", &["-ca", &text(&certificate.authority())]).await;
        assert_eq!((end.code, end.err.as_str()), (Some(0), ""), "{more:?}");
    }
}

#[tokio::test]
async fn plaintext_works_loudly_and_both_mismatches_are_explained() {
    let server = Server::plaintext().await;
    let end = visit(&server, "localhost", &["--plaintext"]).await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    assert!(end.err.starts_with("WARNING: --plaintext: nothing is encrypted"), "{}", end.err);

    // This server speaks frames, and takes the handshake for one.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"\0\0\0\x0e{\"ERROR\": \"x\"}")
            .await
            .unwrap();
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    };
    let arguments = ["localhost", "-p", &port, "--insecure"];
    let (end, ()) = tokio::join!(run(&arguments, ""), answering);
    assert_eq!(end.code, Some(76));
    assert!(
        end.err.contains("does not speak TLS") && end.err.contains("--plaintext"),
        "{}",
        end.err
    );

    let certificate = Certificate::localhost();
    let server = Server::tls(&certificate).await;
    let port = server.port().to_string();
    let arguments = ["localhost", "-p", &port, "--plaintext", "--username", "ann"];
    let (end, _) = tokio::join!(run(&arguments, ""), server.try_accept());
    assert_eq!(end.code, Some(76), "{}", end.err);
    assert!(end.err.contains("hint: leave --plaintext away"), "{}", end.err);
}

#[tokio::test]
async fn an_address_is_taken_as_programs_print_it() {
    let server = Server::plaintext().await;
    let port = server.port();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        let arguments = [host.as_str(), "--plaintext", "--username", "ann"];
        let serving = async {
            let mut peer = server.try_accept().await.unwrap();
            peer.next().await.unwrap();
            peer.send(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#).await;
            peer.closed().await;
        };
        let (end, ()) = tokio::join!(run(&arguments, ""), serving);
        assert_eq!(end.code, Some(0), "{host}: {}", end.err);
    }
    // Nobody is there; what matters is that the host is not looked up with its brackets.
    let end = run(&["[::1]:1", "--plaintext"], "").await;
    assert!(end.err.contains(r#"no connection to "::1", port 1"#), "{}", end.err);
    let end = run(&["bücher.invalid", "--plaintext"], "").await;
    assert!(end.err.contains("xn--bcher-kva.invalid"), "{}", end.err);
    for (arguments, said) in [
        (&["localhost:5000", "-p", "5001"][..], "the host says port 5000, and -p says 5001"),
        (&["https://localhost"], "no URL is needed"),
    ] {
        let end = run(arguments, "").await;
        assert_eq!(end.code, Some(64));
        assert!(end.err.contains(said), "{}", end.err);
    }
}

#[tokio::test]
async fn nobody_there_is_told_for_each_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    drop(listener);
    let addresses: Vec<_> =
        tokio::net::lookup_host(format!("localhost:{port}")).await.unwrap().collect();
    let end = run(&["localhost", "-p", &port], "").await;
    assert_eq!(end.code, Some(69));
    for address in addresses {
        assert!(end.err.contains(&format!("{address}: ")), "{address} in {}", end.err);
    }
    assert!(end.err.contains("Connection refused\nhint: is the server running"), "{}", end.err);

    let end = run(&["nobody.invalid", "-p", &port], "").await;
    assert_eq!(end.code, Some(68));
    assert!(end.err.contains("the host \"nobody.invalid\" has no address"), "{}", end.err);
}
