//! Resumed sessions of accounts over real sockets and real TLS: what they prove, and when they end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use chatterbox_proto::ServerFrame;
use chatterbox_server::Config;
use chatterbox_server::accounts::Cost;
use chatterbox_server::store::SqliteDirectory;
use harness::accounts::{AccountServer, PASSWORD, account, code, password};

/// The member that resumes the session of a welcome.
fn resume(welcome: &ServerFrame) -> String {
    let text = welcome.keys.as_ref().unwrap().resume.as_ref().unwrap().as_wire().to_owned();
    format!(r#", "RESUME": {{"TOKEN": "{text}", "AFTER": 0}}"#)
}

fn resumed(welcome: &ServerFrame) -> Option<bool> {
    assert_eq!(welcome.accepted, Some(true));
    welcome.keys.as_ref().unwrap().resumed
}

#[tokio::test]
async fn a_session_that_is_resumed_is_logged_in_as_before() {
    let chat = AccountServer::open(&[("ann", 3)]).await;
    let (mut ann, welcome) = chat.ask("ann", &password(PASSWORD)).await;
    let resume = |frame: &ServerFrame| {
        let text = frame.keys.as_ref().unwrap().resume.as_ref().unwrap().as_wire().to_owned();
        format!(r#", "RESUME": {{"TOKEN": "{text}", "AFTER": 0}}"#)
    };
    let session = resume(&welcome);
    assert_eq!(ann.code_of("nick", &["annie"]).await, "ok");
    assert_eq!(code(&chat.ask("ann", &session).await.1), "registered", "under its name only");
    let (mut again, welcome) = chat.ask("annie", &session).await;
    assert_eq!(welcome.accepted, Some(true));
    assert_eq!(account(&welcome).0, 3);
    let anns = resume(&welcome);
    assert_eq!(again.data("name", &[]).await["ACCOUNT"], "ann");
    let (_, other) = chat.ask("annie", "").await;
    assert_eq!(code(&other), "taken");

    // A guest's session stays a guest's, whoever had the name before.
    let (guest, welcome) = chat.ask("gus", "").await;
    let session = resume(&welcome);
    drop(guest);
    let (mut gus, welcome) = chat.ask("gus", &session).await;
    assert_eq!(account(&welcome).0, 0);
    assert_eq!(gus.code_of("elevate", &["x"]).await, "forbidden");

    // A session that was logged out can't be resumed.
    assert_eq!(again.code_of("nick", &["ann"]).await, "ok");
    assert_eq!(again.code_of("logout", &[]).await, "ok");
    while again.peer.try_next().await.is_some() {}
    let (_, answer) = chat.ask("ann", &anns).await;
    assert_eq!(code(&answer), "registered");
}

#[tokio::test]
async fn a_session_is_not_gone_on_with_after_all_logins_were_ended() {
    const NEW: &str = "battery staple";
    for ends in ["passwd", "logout"] {
        let chat = AccountServer::open(&[("ann", 3)]).await;
        let mut watcher = chat.guest("watcher").await;
        let (stolen, welcome) = chat.ask("ann", &password(PASSWORD)).await;
        let session = resume(&welcome);
        drop(stolen);
        watcher.peer.sees_leave("ann").await;
        let (mut ann, welcome) = chat.ask("ann", &password(PASSWORD)).await;
        let own = resume(&welcome);
        let arguments = if ends == "passwd" { &[PASSWORD, NEW][..] } else { &["everywhere"] };
        assert_eq!(ann.code_of(ends, arguments).await, "ok");
        drop(ann);
        watcher.peer.sees_leave("ann").await;
        let (_, answer) = chat.ask("ann", &session).await;
        assert_eq!(code(&answer), "registered", "{ends}");
        if ends == "passwd" {
            let (_ann, welcome) = chat.ask("ann", &own).await;
            assert_eq!(resumed(&welcome), Some(true), "one's own login goes on");
            continue;
        }
        assert_eq!(code(&chat.ask("ann", &own).await.1), "registered");
        let both = format!("{}{session}", password(PASSWORD));
        let (_ann, welcome) = chat.ask("ann", &both).await;
        assert_eq!(resumed(&welcome), Some(false), "an ordinary join, with all it needs");
    }
}

#[tokio::test]
async fn a_session_under_another_name_is_a_guests_after_all_logins_were_ended() {
    let chat = AccountServer::open(&[("ann", 3)]).await;
    let mut watcher = chat.guest("watcher").await;
    let (mut old, welcome) = chat.ask("ann", &password(PASSWORD)).await;
    let session = resume(&welcome);
    assert_eq!(old.code_of("nick", &["annie"]).await, "ok");
    let mut ann = chat.user("ann").await;
    assert_eq!(ann.code_of("logout", &["everywhere"]).await, "ok");
    drop(old);
    watcher.peer.sees_leave("annie").await;
    let (mut annie, welcome) = chat.ask("annie", &session).await;
    assert_eq!((resumed(&welcome), account(&welcome).0), (Some(false), 0));
    assert_eq!(annie.data("name", &[]).await["ACCOUNT"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_session_is_not_gone_on_with_after_the_command_line_changed_its_account() {
    use chatterbox_hub::AccountKey;
    use chatterbox_server::accounts::{Directory as _, PasswordHash};

    for removed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let directory = SqliteDirectory::open(folder.path()).unwrap();
        let users = [("ann", 3)];
        let chat = AccountServer::keeping(Config::default(), &users, directory, Cost::CHEAP).await;
        let mut watcher = chat.guest("watcher").await;
        let (ann, welcome) = chat.ask("ann", &password(PASSWORD)).await;
        let session = resume(&welcome);
        drop(ann);
        watcher.peer.sees_leave("ann").await;
        let mut beside = SqliteDirectory::open(folder.path()).unwrap();
        let name = chatterbox_proto::Username::parse("ann").unwrap();
        let account = beside.account(&name).unwrap().unwrap();
        if removed {
            beside.remove(&name).unwrap();
            let (guest, welcome) = chat.ask("ann", &session).await;
            assert_eq!((resumed(&welcome), self::account(&welcome).0), (Some(false), 0));
            drop(guest);
            watcher.peer.sees_leave("ann").await;
            let made = chatterbox_server::accounts::Account {
                account_key: AccountKey::default(),
                ..account.clone()
            };
            beside.add(&made).unwrap();
            assert_ne!(
                beside.account(&name).unwrap().unwrap().account_key.id,
                account.account_key.id
            );
        } else {
            beside.change_password(&name, &PasswordHash::clone(&account.password)).unwrap();
        }
        let (_, answer) = chat.ask("ann", &session).await;
        assert_eq!(code(&answer), "registered", "removed: {removed}");
    }
}
