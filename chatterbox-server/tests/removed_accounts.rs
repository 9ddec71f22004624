//! What becomes of connections when their account is removed, or its logins are ended: from the chat, and from the
//! command line beside the server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::path::Path;

use chatterbox_proto::{ServerFrame, Username};
use chatterbox_server::Config;
use chatterbox_server::accounts::{Cost, Directory as _, PasswordHash};
use chatterbox_server::store::SqliteDirectory;
use harness::accounts::{AccountServer, Client, PASSWORD, account, code, password, token};

const NEW: &str = "battery staple";

/// Waits until the connection is closed, and gives the last ERROR before that.
async fn ends_with(client: &mut Client) -> String {
    let mut last = None;
    while let Some(frame) = client.peer.try_next().await {
        last = frame.error.map(|text| text.as_wire().to_owned()).or(last);
    }
    last.expect("it is told why")
}

fn session(welcome: &ServerFrame) -> String {
    let text = welcome.keys.as_ref().unwrap().resume.as_ref().unwrap().as_wire().to_owned();
    format!(r#", "RESUME": {{"TOKEN": "{text}", "AFTER": 0}}"#)
}

#[tokio::test]
async fn f10_removing_an_account_ends_its_sessions_and_tokens() {
    let chat = AccountServer::open(&[("ann", 1), ("root", 5)]).await;
    let (mut ann, welcome) = chat.ask("ann", &password(PASSWORD)).await;
    let (session, kept) = (session(&welcome), account(&welcome).1.unwrap());
    assert_eq!(ann.code_of("nick", &["annie"]).await, "ok");
    let mut second = chat.user("ann").await;
    let mut root = chat.user("root").await;
    assert_eq!(root.code_of("user-del", &["annie"]).await, "ok");
    for client in [&mut ann, &mut second] {
        assert!(ends_with(client).await.contains("has been removed"));
    }
    let (_, answer) = chat.ask("ann", &token(&kept)).await;
    assert_eq!(code(&answer), "wrong-token");
    let (mut annie, welcome) = chat.ask("annie", &session).await;
    assert_eq!(welcome.keys.as_ref().unwrap().resumed, Some(false));
    assert_eq!(account(&welcome).0, 0, "nothing but a guest");
    let mut eve = chat.guest("ann").await;
    assert_eq!(eve.code_of("register", &[NEW]).await, "ok");
    assert_eq!(annie.code_of("nick", &["ann"]).await, "registered");
    assert_eq!(root.code_of("user-del", &["annie"]).await, "no-such-user", "a guest");
    assert_eq!(chat.registered().await, ["ann", "root"]);
}

#[tokio::test]
async fn another_password_or_logging_out_everywhere_ends_the_other_sessions_only() {
    for (ends, arguments) in [("passwd", &[PASSWORD, NEW][..]), ("logout", &["everywhere"])] {
        let chat = AccountServer::open(&[("ann", 1)]).await;
        let (mut old, welcome) = chat.ask("ann", &password(PASSWORD)).await;
        let stolen = session(&welcome);
        assert_eq!(old.code_of("nick", &["annie"]).await, "ok");
        let mut ann = chat.user("ann").await;
        assert_eq!(ann.code_of(ends, arguments).await, "ok", "{ends}");
        assert!(ends_with(&mut old).await.contains("log in again"));
        let (_annie, welcome) = chat.ask("annie", &stolen).await;
        assert_eq!(account(&welcome).0, 0, "its session proves nothing any more");
        if ends == "passwd" {
            assert_eq!(ann.data("name", &[]).await["ACCOUNT"], "ann", "one's own goes on");
            assert_eq!(ann.code_of("passwd", &[NEW, PASSWORD]).await, "ok", "twice");
        } else {
            assert!(ann.peer.try_next().await.is_none(), "it logged out itself");
        }
    }
}

async fn beside(folder: &Path) -> (AccountServer, SqliteDirectory) {
    let directory = SqliteDirectory::open(folder).unwrap();
    let users = [("ann", 3), ("bob", 1)];
    let chat = AccountServer::keeping(Config::default(), &users, directory, Cost::CHEAP).await;
    (chat, SqliteDirectory::open(folder).unwrap())
}

#[tokio::test]
async fn a_server_notices_what_the_command_line_does_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let (chat, mut directory) = beside(folder.path()).await;
    let (mut ann, mut bob) = (chat.user("ann").await, chat.user("bob").await);
    let (ann_name, bob_name) = (Username::parse("ann").unwrap(), Username::parse("bob").unwrap());
    // Nobody asks the server for anything meanwhile: it looks by itself.
    directory.remove(&ann_name).unwrap();
    assert!(ends_with(&mut ann).await.contains("has been removed"));
    directory.change_password(&bob_name, &PasswordHash::stored("x".into())).unwrap();
    assert!(ends_with(&mut bob).await.contains("log in again"));
}

#[tokio::test]
async fn who_takes_the_name_of_a_removed_account_finds_it_free_of_its_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let (chat, mut directory) = beside(folder.path()).await;
    let mut ann = chat.user("ann").await;
    directory.remove(&Username::parse("ann").unwrap()).unwrap();
    // The server looks for changes before it answers a login, so there is no moment between.
    let eve = chat.guest("ann").await;
    drop(eve);
    assert!(ends_with(&mut ann).await.contains("has been removed"));
}
