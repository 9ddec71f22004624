//! `tls`: what runs below the protocol.

use std::{future::ready, time::Duration};

use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};

use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands, layers::Layer, peer::Mark, quirks::TlsGreeting},
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[
    Case::must("tls.handshake", "TL-1", |c| Box::pin(ready(handshake(c))))
        .asks("The server speaks TLS")
        .hint("Wrap the socket: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), load_cert_chain(...), wrap_socket(..., server_side=True).")
        .killed_by(&[Fault::Plaintext]),
    Case::must("tls.only", "TL-1", |c| Box::pin(only(c)))
        .asks("A peer that speaks without TLS is told nothing of the chat")
        .hint("Don't fall back to plain TCP when the handshake fails; close the connection.")
        .needs(&["tls.handshake", "join.accept"])
        .killed_by(&[Fault::PlaintextToo])
        .rough()
        .by_silence(),
    Case::should("tls.version", "TL-2", |c| Box::pin(version(c)))
        .asks("The server does not agree to TLS 1.1")
        .hint("Set minimum_version = TLSVersion.TLSv1_2 on the context.")
        .needs(&["tls.handshake"])
        .killed_by(&[Fault::AgreesToOldTls])
        .rough()
        .by_silence(),
    Case::open("tls.cert", "TL-3", |c| Box::pin(certificate(c)))
        .asks("What does the certificate look like?")
        .needs(&["tls.handshake"])
        .killed_by(&[Fault::OtherCertificate]),
    Case::should("tls.stalled-handshake", "AS-2", |c| Box::pin(stalled_handshake(c)))
        .asks("Peers that connect and never begin TLS delay nobody")
        .hint("Do the handshake in the client's own thread, not in the loop that accepts: wrap each accepted socket, not the listening one, or pass do_handshake_on_connect=False.")
        .needs(&["tls.handshake", "bcast.all-others"])
        .killed_by(&[Fault::HandshakeInAcceptLoop])
        .rough(),
];

fn handshake(c: &ServerHands) -> Outcome {
    c.has(Layer::Tls)?;
    let expected = "a TLS handshake that succeeds";
    Ok(match c.shared.greeting().tls {
        TlsGreeting::Off | TlsGreeting::Works => Verdict::Pass,
        TlsGreeting::Plaintext(reason) => Verdict::fail(
            expected,
            format!(
                "the server speaks the protocol without TLS ({reason}); the rest of the run does the same"
            ),
        ),
        TlsGreeting::Broken(reason) => {
            Verdict::fail(expected, format!("{reason}; and without TLS it does not answer either"))
        }
    })
}

async fn only(c: &mut ServerHands) -> Outcome {
    c.has(Layer::Tls)?;
    // Who gets no WebSocket without TLS is told nothing.
    let Some(mut ann) = c.connect_without_tls("ann").await? else { return Ok(Verdict::Pass) };
    let name = c.name("ann");
    let answer = ann.ask_for(&name).await;
    let keys = ["USERNAME_ACCEPTED", "USER_LIST", "MESSAGES", "USERS_JOINED"];
    let told = ann.frames(Mark::START).iter().any(|f| keys.iter().any(|key| f.key(key).is_some()));
    let expected = "no answer of the protocol to a peer without TLS";
    Ok(Verdict::check(!told && answer.is_none(), expected, ann.heard(Mark::START)))
}

async fn version(c: &mut ServerHands) -> Outcome {
    c.has(Layer::Tls)?;
    let mut ann = c.connect_tcp("ann").await?;
    let random = c.nonces.letters(32);
    ann.send_bytes(&old_hello(random.as_bytes())).await;
    // The answer is no frame; the trace has its bytes.
    let answered = async {
        while c.trace.received("ann").is_empty() && !ann.is_closed() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(c.patience(), answered).await;
    let answer = c.trace.received("ann");
    let agreed =
        matches!(answer.as_slice(), [0x16, 3, _, _, _, 2, _, _, _, 3, minor, ..] if *minor < 3);
    let expected = "no agreement to TLS 1.1: an alert, or the end of the connection";
    Ok(Verdict::check(!agreed, expected, "a ServerHello with TLS 1.1 or older"))
}

/// A ClientHello that offers TLS 1.1 and nothing newer, with the suites of its time.
fn old_hello(random: &[u8]) -> Vec<u8> {
    let suites: [u8; 12] = [0xC0, 0x13, 0xC0, 0x14, 0xC0, 0x09, 0xC0, 0x0A, 0x00, 0x2F, 0x00, 0x35];
    // supported_groups: x25519, secp256r1; ec_point_formats: uncompressed.
    let extensions: [u8; 16] = [0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0];
    let mut hello = vec![3, 2];
    hello.extend(random);
    hello.extend([0, 0, 12]);
    hello.extend(suites);
    hello.extend([1, 0, 0, 16]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap_or_default();
    let mut record = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

async fn certificate(c: &mut ServerHands) -> Outcome {
    c.has(Layer::Tls)?;
    let ann = c.connect("ann").await?;
    let facts = ann.tls.clone().unwrap_or_default();
    c.dismiss(ann).await;
    let Some(der) = facts.certificates.first() else {
        return Ok(Verdict::observed("the certificate", "none"));
    };
    let value = match X509Certificate::from_der(der) {
        Ok((_, certificate)) => describe(&certificate, facts.certificates.len()),
        Err(error) => format!("can't be parsed: {error}"),
    };
    Ok(Verdict::observed("the certificate", format!("{}, {value}", facts.version)))
}

fn describe(certificate: &X509Certificate<'_>, chain: usize) -> String {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(alternatives) = extension.parsed_extension()
        {
            names.extend(alternatives.general_names.iter().map(|name| match name {
                GeneralName::DNSName(name) => (*name).to_owned(),
                GeneralName::IPAddress(bytes) => address(bytes),
                other => other.to_string(),
            }));
        }
    }
    let names = if names.is_empty() { "no alternative names".to_owned() } else { names.join(" ") };
    let key = certificate.public_key().parsed().map_or(0, |key| key.key_size());
    format!(
        "X.509 v{}, {names}, until {}, {key}-bit key, {chain} in the chain",
        certificate.version().0 + 1,
        certificate.validity().not_after
    )
}

fn address(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return std::net::Ipv4Addr::from(v4).to_string();
    }
    <[u8; 16]>::try_from(bytes)
        .map_or_else(|_| "?".to_owned(), |v6| std::net::Ipv6Addr::from(v6).to_string())
}

async fn stalled_handshake(c: &mut ServerHands) -> Outcome {
    c.has(Layer::Tls)?;
    let _stalled = [c.connect_tcp("silent").await?, c.connect_tcp("mute").await?];
    c.settle().await;
    c.others_are_served("while two peers never begin their handshake").await
}
