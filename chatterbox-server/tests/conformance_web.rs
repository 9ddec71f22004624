//! The conformance suite against this server over WebSocket: what holds over TCP holds for browsers.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use chatterbox_server::Config;
use conformance_suite::{Options, Subject, Trust, report::console, run, verdict::Verdict};
use harness::Server;
use harness::accounts::AccountServer;

/// What has to do with the connection itself: sessions that go on on another one, why one ends, how its frames are written,
/// what a page asks for. What is judged behind it (rooms, keeping order, floods, presence) takes minutes, and can't know what
/// the connection is: over TCP it is asked in `conformance.rs`.
const CLAIMS: &str = "accounts,commands,ids,notices,ping,recent,rename,utf8";

/// Judges the server, and says which cases did not apply.
async fn judged(server: &Server, scheme: &str, least: usize, options: Options) -> Vec<String> {
    let url = format!("{scheme}://127.0.0.1:{}/ws", server.web.port());
    let subject = Subject::Running(url.parse().unwrap());
    // What a case does not find in company it looks for alone.
    let options = Options { strict: true, jobs: 4, ..options };
    let report = run(&subject, &options).await.unwrap();
    let shown = console::render(&report);
    assert_eq!(report.exit_code(), 0, "{shown}");
    // A run of no cases would be green as well.
    assert!(report.totals().passed >= least, "{shown}");
    let skipped = report.cases.iter();
    let skipped = skipped.filter(|case| matches!(case.verdict, Verdict::NotApplicable { .. }));
    let mut skipped: Vec<String> = skipped.map(|case| case.id.clone()).collect();
    skipped.sort();
    skipped
}

#[tokio::test(flavor = "multi_thread")]
async fn every_must_and_should_holds_over_a_websocket_with_tls() {
    let server = Server::start(Config::default()).await;
    let trust = Trust::Authority(server.authority());
    let skipped = judged(&server, "wss", 80, Options { trust, ..Options::default() }).await;
    // A length has one form there; the others are not asked over TCP either, at a server that goes on.
    let heavy = ["limits.16mib", "limits.1mib"];
    assert_eq!(skipped, [&["conc.slow-reader", "framing.byte-order"], &heavy[..]].concat());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_of_connections_holds_over_a_websocket_too() {
    let server = AccountServer::open(&[]).await.server;
    let trust = Trust::Authority(server.authority());
    let claims = vec![CLAIMS.to_owned()];
    judged(&server, "wss", 150, Options { trust, claims, ..Options::default() }).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_only_what_is_about_tls_does_not_apply() {
    let server = Server::plaintext(Config::default()).await;
    let only = vec!["tls,framing,leave,robust".to_owned()];
    let skipped = judged(&server, "ws", 20, Options { only, ..Options::default() }).await;
    let expected = ["byte-order", "cert", "handshake", "only", "stalled-handshake", "version"];
    let names: Vec<&str> = skipped.iter().filter_map(|id| id.split('.').next_back()).collect();
    assert_eq!(names, expected);
    server.stop().await;
}
