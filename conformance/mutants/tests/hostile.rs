//! Subjects that misbehave as a whole: each ends in time, with the right exit code and a sentence
//! that a student understands.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "the subjects are tasks of the test")]

mod subject;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use conformance_kit::{identity::Identity, net::tls::Trust};
use conformance_suite::{
    Options, Report, RunError, Subject, fault::Fault, report::console, run, verdict::Verdict,
};
use rustls::crypto::ring;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// Serves every connection with a function, for as long as the test lasts.
async fn serve<F, W>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(handle(tcp));
        }
    });
    address
}

async fn grade(address: SocketAddr, trust: Trust) -> Result<Report, RunError> {
    let subject = Subject::At { host: "localhost".into(), addresses: vec![address] };
    let options = Options { trust, timeout_scale: 0.25, seed: Some(1), ..Options::default() };
    let judged = timeout(Duration::from_secs(60), run(&subject, &options)).await;
    assert!(judged.is_ok(), "the run must end in time");
    judged.unwrap()
}

fn shown(report: &Report) -> String {
    anstream::adapter::strip_str(&console::render(report)).to_string()
}

/// The run ends with these broken MUSTs and no others, and the page says this.
fn fails_with(report: &Report, ids: &[&str], words: &[&str]) {
    let page = shown(report);
    assert_eq!(report.exit_code(), 1, "{page}");
    for word in words {
        assert!(page.contains(word), "{word:?} is missing in:\n{page}");
    }
    let failed = report.cases.iter().filter(|case| case.is_failure(false));
    let failed: Vec<&str> = failed.map(|case| case.id.as_str()).collect();
    assert_eq!(failed, ids, "{page}");
}

#[tokio::test]
async fn one_that_is_not_there() {
    let error = grade("127.0.0.1:1".parse().unwrap(), Trust::Anything).await.unwrap_err();
    assert_eq!(error.exit_code(), 69);
    assert!(error.to_string().contains("can't reach localhost"), "{error}");
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn one_that_never_answers() {
    let address = serve(|tcp| async move {
        sleep(Duration::from_secs(60)).await;
        drop(tcp);
    })
    .await;
    let report = grade(address, Trust::Anything).await.unwrap();
    fails_with(&report, &["tls.handshake"], &["did not answer the TLS handshake"]);
}

#[tokio::test]
async fn one_that_closes_at_once() {
    let address = serve(|tcp| async move { drop(tcp) }).await;
    let report = grade(address, Trust::Anything).await.unwrap();
    fails_with(&report, &["tls.handshake"], &["the TLS handshake failed"]);
}

#[tokio::test]
async fn one_that_answers_garbage() {
    let address = serve(|mut tcp| async move {
        let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[2Jboo").await;
        sleep(Duration::from_secs(5)).await;
    })
    .await;
    let report = grade(address, Trust::Anything).await.unwrap();
    fails_with(&report, &["tls.handshake"], &[]);
    assert!(!shown(&report).contains('\u{1b}'));
}

/// A TLS server that does something once the handshake is over.
async fn serve_tls<F, W>(handle: F) -> SocketAddr
where
    F: Fn(tokio_rustls::server::TlsStream<TcpStream>) -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let identity = Identity::self_signed(&["localhost"]).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let handle = Arc::new(handle);
    serve(move |tcp| {
        let (acceptor, handle) = (acceptor.clone(), Arc::clone(&handle));
        async move {
            if let Ok(stream) = acceptor.accept(tcp).await {
                handle(stream).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn one_that_answers_garbage_inside_tls() {
    let address = serve_tls(|mut tls| async move {
        let _ = tls.write_all(b"\x00\x00\x00\x05\xff\xfe\x1b[3").await;
        let mut rest = [0; 1024];
        while tls.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    let report = grade(address, Trust::Anything).await.unwrap();
    // What was seen broken is charged, though nobody could join.
    fails_with(&report, &["inv.json-object", "join.accept"], &["USERNAME_ACCEPTED"]);
    assert!(!shown(&report).contains('\u{1b}'));
}

#[tokio::test]
async fn one_that_sends_a_gibibyte() {
    let address = serve_tls(|mut tls| async move {
        let block = vec![b'['; 1 << 20];
        let _ = tls.write_all(&[0x40, 0, 0, 0]).await;
        for _ in 0..1024 {
            if tls.write_all(&block).await.is_err() {
                return;
            }
        }
    })
    .await;
    let report = grade(address, Trust::Anything).await.unwrap();
    fails_with(&report, &["inv.length", "join.accept"], &["announces 1073741824 bytes"]);
}

#[tokio::test]
async fn one_that_knows_only_old_tls() {
    // An alert "protocol version", as a server answers that has TLS 1.0 only.
    let address = serve(|mut tcp| async move {
        let mut hello = [0; 1024];
        let _ = tcp.read(&mut hello).await;
        let _ = tcp.write_all(&[0x15, 3, 1, 0, 2, 2, 70]).await;
    })
    .await;
    let report = grade(address, Trust::Anything).await.unwrap();
    fails_with(&report, &["tls.handshake"], &["the alert protocol_version"]);
}

#[tokio::test]
async fn one_whose_certificate_is_not_trusted() {
    let address = serve_tls(|_| async {}).await;
    let error = grade(address, Trust::Nobody).await.unwrap_err();
    assert_eq!(error.exit_code(), 69);
    assert!(error.hint().unwrap().contains("--insecure"));
}

#[tokio::test]
async fn one_that_dies_in_the_middle() {
    let (_mutant, subject, mut options) = subject::mutant(&[Fault::JunkKillsServer]).await;
    options.timeout_scale = 0.25;
    let report = run(&subject, &options).await.unwrap();
    fails_with(&report, &["errors.not-json"], &["the server is gone"]);
    let later = &report.case("conc.20x20").unwrap().verdict;
    assert!(
        matches!(later, Verdict::Inconclusive { reason } if reason.contains("errors.not-json")),
        "{later:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_charged_once_and_judged_all_the_same() {
    let hosts = ["127.0.0.1:0".parse().unwrap()];
    let mutant = conformance_mutants::start(&hosts, None, &[]).await.unwrap();
    let subject = Subject::At { host: "localhost".into(), addresses: mutant.addresses.clone() };
    let report = run(&subject, &Options { seed: Some(1), ..Options::default() }).await.unwrap();
    let shown = console::render(&report);
    let totals = report.totals();
    assert_eq!((report.exit_code(), totals.failed), (1, 1), "{shown}");
    assert!(matches!(report.case("tls.handshake").unwrap().verdict, Verdict::Fail(_)));
    assert!(matches!(report.case("join.accept").unwrap().verdict, Verdict::Pass), "{shown}");
    assert!(totals.passed > 70, "{shown}");
}
