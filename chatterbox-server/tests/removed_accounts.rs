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
            assert!(ends_with(&mut ann).await.contains("logged out"), "it logged out itself");
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

/// The contents of a page of what was said with somebody.
async fn history_with(client: &mut Client, name: &str) -> Vec<String> {
    let query = format!(r#"{{"HISTORY": {{"WITH": "{name}"}}}}"#);
    client.peer.send_body(&query).await;
    let page = client.peer.find(|keys| keys.history.clone()).await;
    page.messages.into_iter().map(|paged| paged.entry.content.into_owned()).collect()
}

fn contents(welcome: &ServerFrame) -> Vec<String> {
    let messages = welcome.messages.iter().flatten();
    messages.map(|message| message.content.clone().into_owned()).collect()
}

#[tokio::test]
async fn f11_who_registers_the_name_of_a_removed_account_reads_nothing_of_it() {
    let chat = AccountServer::open(&[("root", 5)]).await;
    let (mut ann, mut bob) = (chat.guest("ann").await, chat.guest("bob").await);
    bob.peer.say("ann", "for the name").await;
    ann.peer.until("for the name").await;
    assert_eq!(ann.code_of("register", &[PASSWORD]).await, "ok");
    bob.peer.say("ann", "for the old ann").await;
    ann.peer.until("for the old ann").await;
    ann.peer.say("bob", "of the old ann").await;
    bob.peer.until("of the old ann").await;
    // Under a nick she is told of what was said to her, whatever the name was.
    assert_eq!(ann.code_of("nick", &["annie"]).await, "ok");
    bob.peer.say("annie", "for the nick").await;
    ann.peer.until("for the nick").await;
    drop(ann);
    bob.peer.sees_leave("annie").await;
    let (mut again, welcome) = chat.ask("ann", &password(PASSWORD)).await;
    assert_eq!(contents(&welcome), ["for the name", "for the old ann", "for the nick"]);
    let all = ["for the name", "for the old ann", "of the old ann", "for the nick"];
    assert_eq!(history_with(&mut again, "bob").await, all);
    assert_eq!(history_with(&mut bob, "ann").await, all);

    let mut root = chat.user("root").await;
    assert_eq!(root.code_of("user-del", &["ann"]).await, "ok");
    assert!(ends_with(&mut again).await.contains("has been removed"));
    for register in [false, true] {
        let (mut eve, welcome) =
            chat.ask("ann", &if register { password(NEW) } else { String::new() }).await;
        // What was said to a guest is anybody's who has the name (HI-2).
        assert_eq!(contents(&welcome), ["for the name"]);
        if !register {
            assert_eq!(eve.code_of("register", &[NEW]).await, "ok");
        }
        assert_eq!(history_with(&mut eve, "bob").await, ["for the name"]);
        assert_eq!(history_with(&mut bob, "ann").await, ["for the name"]);
        drop(eve);
        bob.peer.sees_leave("ann").await;
    }
    let (nick, welcome) = chat.ask("annie", "").await;
    assert_eq!(contents(&welcome), [""; 0], "what was said to an account is its own");
    drop(nick);
}

#[tokio::test]
async fn f10_whoever_is_meant_is_compared_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let (chat, mut directory) = beside(folder.path()).await;
    let mut ann = chat.user("ann").await;
    assert_eq!(ann.code_of("nick", &["annie"]).await, "ok");
    // Before the server has noticed, the name has another owner already.
    let name = Username::parse("ann").unwrap();
    let account = directory.account(&name).unwrap().unwrap();
    directory.remove(&name).unwrap();
    directory.add(&account).unwrap();
    let id = directory.account(&name).unwrap().unwrap().account_key.id;
    assert_ne!(id, account.account_key.id);
    for (command, arguments) in
        [("block", &["bob"][..]), ("passwd", &[PASSWORD, NEW]), ("nick", &["ann"])]
    {
        let id = ann.begin(command, arguments).await;
        // It is told that it has gone, or that it may not.
        while let Some(frame) = ann.peer.try_next().await {
            let result = frame.keys.as_ref().and_then(|keys| keys.result.clone());
            if let Some(outcome) = result.filter(|outcome| outcome.id.as_wire() == id) {
                assert!(!outcome.ok, "{command}: {outcome:?}");
                break;
            }
        }
    }
    assert_eq!(directory.blocked(&name).unwrap(), []);
    let mut owner = chat.user("ann").await;
    assert_eq!(owner.data("name", &[]).await["ACCOUNT"], "ann");
}
