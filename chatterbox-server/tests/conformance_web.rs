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

/// What is claimed of the gateway. Keeping order and floods take minutes, since they wait for times to pass; over TCP they are asked in
/// `conformance.rs`.
const CLAIMS: &str = "accounts,commands,ids,notices,ping,presence,recent,rename,rooms,utf8";

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

/// What is asked neither over TCP, at a server that goes on.
const HEAVY: [&str; 3] = ["conc.slow-reader", "limits.16mib", "limits.1mib"];

#[tokio::test(flavor = "multi_thread")]
async fn every_must_and_should_holds_over_a_websocket() {
    let server = Server::plaintext(Config::default()).await;
    let skipped = judged(&server, "ws", 80, Options::default()).await;
    let (heavy, others): (Vec<&str>, Vec<&str>) =
        skipped.iter().map(String::as_str).partition(|id| HEAVY.contains(id));
    assert_eq!(heavy, HEAVY);
    // A length has one form there, and there is no TLS.
    let about_tls = ["cert", "handshake", "only", "stalled-handshake", "version"];
    let about_tls = about_tls.map(|name| format!("tls.{name}"));
    assert_eq!(others[0], "framing.byte-order");
    assert_eq!(others[1..], about_tls);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_holds_over_a_websocket_too() {
    let server = AccountServer::open(&[]).await.server;
    let trust = Trust::Authority(server.authority());
    let claims = vec![CLAIMS.to_owned()];
    judged(&server, "wss", 200, Options { trust, claims, ..Options::default() }).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_what_is_about_tls_applies() {
    let server = Server::start(Config::default()).await;
    let trust = Trust::Authority(server.authority());
    let only = vec!["tls,framing,leave,robust".to_owned()];
    let options = Options { trust, only, ..Options::default() };
    assert_eq!(judged(&server, "wss", 20, options).await, ["framing.byte-order"]);
    server.stop().await;
}
