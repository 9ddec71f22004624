//! The conformance suite against this server: every MUST and every SHOULD holds, in this process, with TLS and without.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use chatterbox_server::Config;
use conformance_suite::{Options, Subject, TlsMode, Trust, report::console, run};
use harness::Server;
use harness::accounts::{AccountServer, PASSWORD};
use harness::files::FileServer;

/// The capabilities of this server, and what else it is judged by.
const CLAIMS: &str =
    "accounts,commands,e2ee,flood,ids,moderation,notices,ping,presence,recent,rename,rooms,utf8";

async fn full_marks(server: &Server, least: usize, options: Options) {
    let subject = Subject::At { host: "localhost".into(), addresses: vec![server.address] };
    let report = run(&subject, &Options { strict: true, ..options }).await.unwrap();
    let shown = console::render(&report);
    assert_eq!(report.exit_code(), 0, "{shown}");
    // A run of no cases would be green as well.
    assert!(report.totals().passed >= least, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_must_and_should_holds_over_tls() {
    let server = Server::start(Config::default()).await;
    let trust = Trust::Authority(server.authority());
    full_marks(&server, 80, Options { trust, ..Options::default() }).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_holds_too() {
    let server = AccountServer::open(&[("judge", 5)]).await.server;
    let trust = Trust::Authority(server.authority());
    let claims = vec![CLAIMS.to_owned()];
    let staff = Some(("judge".to_owned(), PASSWORD.to_owned()));
    let options = Options { trust, claims, staff, ..Options::default() };
    full_marks(&server, 222, options).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_of_files_holds_too() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { file_free: 0, ..Config::default() };
    let FileServer { server, .. } = FileServer::open(config, folder.path()).await;
    let claims = vec!["accounts,commands,files,ids,meta,rename,rooms".to_owned()];
    let only = vec!["files".to_owned()];
    full_marks(&server, 25, Options { tls: TlsMode::Off, claims, only, ..Options::default() })
        .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_without_tls_but_for_tls_itself() {
    let server = Server::plaintext(Config::default()).await;
    let skip = vec!["tls".to_owned()];
    full_marks(&server, 80, Options { tls: TlsMode::Off, skip, ..Options::default() }).await;
    server.stop().await;
}
