//! Encrypted private messages between two programs, over the server of this project, and over one that lies.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and read files"
)]

mod support;

use std::path::Path;
use std::sync::Arc;

use chatterbox_server::Config;
use chatterbox_server::store::sqlite::{Durability, Retention, Sqlite, SqliteOptions};
use serde_json::Value;
use support::client::{Client, Finished, run};
use support::real::Real;
use support::swapping::Swapping;

const PASSWORD: &str = "correct horse battery";
const SENTENCE: &str = "[encrypted message: your client can't read it]";

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

async fn register(server: &Real, name: &str) {
    let input = format!("/register\n{PASSWORD}\n{PASSWORD}\n");
    let end = run(&borrowed(&server.arguments(server.port, &["-u", name])), &input).await;
    assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
}

/// A user who logs in, with the keys of this folder.
async fn begin(server: &Real, name: &str, state: &Path) -> Client {
    let words = server.arguments(server.port, &["-u", name, "--password-stdin", "--json"]);
    let mut client = Client::keeping(&borrowed(&words), state);
    client.types(PASSWORD).await;
    client
}

/// The same who is here.
async fn user(server: &Real, name: &str, state: &Path) -> Client {
    let mut client = begin(server, name, state).await;
    assert!(client.joins().await);
    client
}

/// Waits for an event of which this says that it is wanted.
async fn until(client: &mut Client, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let event: Value = serde_json::from_str(&client.raw_line().await).unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

/// Waits for a note with these words.
async fn note(client: &mut Client, words: &str) {
    until(client, |event| event["text"].as_str().is_some_and(|text| text.contains(words))).await;
}

/// Waits for a message of somebody with this text, which has to have been encrypted.
async fn message(client: &mut Client, from: &str, text: &str) {
    let is_it = |event: &Value| {
        event["event"] == "message" && event["from"] == from && event["text"] == text
    };
    let event = until(client, is_it).await;
    assert_eq!(event["lock"], "encrypted", "{event}");
}

/// Whether a text is in one of the files of a folder.
fn is_in_files(folder: &Path, text: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let has_it = |file: &std::path::PathBuf| {
        let bytes = std::fs::read(file).unwrap_or_default();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    files.filter(|path| path.is_file()).any(|file| has_it(&file))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_people_encrypt_is_read_by_both_and_is_nowhere_in_the_database() {
    let data = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        folder: data.path().to_owned(),
        durability: Durability::Process,
        retention: Retention { messages: 1000, bytes: 1 << 20, age: None },
    };
    let store = Arc::new(Sqlite::open(&options).unwrap());
    let server = Real::keeping(Config::default(), store).await;
    let (anns, bobs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["ann", "bob"] {
        register(&server, name).await;
    }
    let mut ann = user(&server, "ann", anns.path()).await;
    let mut bob = user(&server, "bob", bobs.path()).await;
    bob.types("/encrypt on @ann").await;
    note(&mut bob, "This device can take encrypted messages now").await;
    ann.types("/encrypt on @bob").await;
    note(&mut ann, "This device can take encrypted messages now").await;
    ann.types("@bob the first secret").await;
    message(&mut bob, "ann", "the first secret").await;
    bob.types("@ann and the answer").await;
    message(&mut ann, "bob", "and the answer").await;
    // While bob is away, what is said waits for his device.
    bob.close_stdin();
    assert_eq!(bob.finish().await.code, Some(0));
    ann.types("@bob the second secret").await;
    until(&mut ann, |event| event["event"] == "stored").await;
    let mut bob = begin(&server, "bob", bobs.path()).await;
    message(&mut bob, "ann", "the second secret").await;
    for text in ["the first secret", "and the answer", "the second secret"] {
        assert!(!is_in_files(data.path(), text), "{text}");
    }
    assert!(is_in_files(data.path(), SENTENCE));
}

/// Waits for a line of somebody who is shown lines.
async fn line(client: &mut Client, line: &str) {
    while client.line().await != line {}
}

/// Waits for what such a client tells of itself, with these words; the whole line.
async fn told(client: &mut Client, words: &str) -> String {
    loop {
        let line = client.error_line().await;
        if line.contains(words) {
            return line;
        }
    }
}

/// The number in the words about it.
fn safety_number(words: &str) -> &str {
    let (_, number) = words.split_once("and you is ").unwrap();
    number.split_once(". Compare").unwrap().0
}

/// The text of the next message of somebody.
async fn next_of(client: &mut Client, from: &str) -> String {
    let event = until(client, |event| event["event"] == "message" && event["from"] == from).await;
    event["text"].as_str().unwrap().to_owned()
}

/// Ann, who is shown lines, and bob, who is read by a program, over a server that can lie.
struct Deceived {
    liar: Swapping,
    anns: tempfile::TempDir,
    bob: Client,
    _bobs: tempfile::TempDir,
    _server: Real,
}

impl Deceived {
    /// Both have talked, encrypted, while the server was honest.
    async fn begin() -> (Self, Client) {
        let server = Real::behind(Config::default()).await;
        let liar = Swapping::before(server.port).await;
        for name in ["ann", "bob"] {
            let input = format!("/register\n{PASSWORD}\n{PASSWORD}\n");
            let end = run(&borrowed(&liar.arguments(&["-u", name])), &input).await;
            assert_eq!(end.code, Some(0), "{} {}", end.out, end.err);
        }
        let (anns, bobs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let words = liar.arguments(&["-u", "bob", "--password-stdin", "--json"]);
        let mut bob = Client::keeping(&borrowed(&words), bobs.path());
        bob.types(PASSWORD).await;
        assert!(bob.joins().await);
        let mut all = Self { liar, anns, bob, _bobs: bobs, _server: server };
        let mut ann = all.ann_comes().await;
        let published = "This device can take encrypted messages now";
        all.bob.types("/encrypt on @ann").await;
        note(&mut all.bob, published).await;
        ann.types("/encrypt on @bob").await;
        told(&mut ann, published).await;
        ann.types("@bob the first secret").await;
        message(&mut all.bob, "ann", "the first secret").await;
        all.bob.types("@ann and a secret answer").await;
        line(&mut ann, "bob -> ann (encrypted): and a secret answer").await;
        (all, ann)
    }

    async fn ann_comes(&self) -> Client {
        let words = self.liar.arguments(&["-u", "ann", "--password-stdin"]);
        let mut ann = Client::keeping(&borrowed(&words), self.anns.path());
        ann.types(PASSWORD).await;
        ann
    }

    /// Ann says something to everybody, which is the next that bob reads of her: what she has done before has passed the server.
    async fn nothing_came(&mut self, ann: &mut Client) {
        ann.types("hello everybody").await;
        assert_eq!(next_of(&mut self.bob, "ann").await, "hello everybody");
        assert!(self.liar.heard("ann", "hello everybody") > 0, "what is not encrypted it can read");
        for name in ["ann", "bob"] {
            assert_eq!(self.liar.heard(name, "secret"), 0, "{name}");
        }
    }
}

async fn leaves(mut client: Client) -> Finished {
    client.close_stdin();
    client.finish().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_swaps_the_keys_of_who_is_verified_gets_nothing() {
    let (mut all, mut ann) = Deceived::begin().await;
    ann.types("/verify @bob").await;
    let anns = told(&mut ann, "The safety number of bob and you is").await;
    all.bob.types("/verify @ann").await;
    let is_number =
        |event: &Value| event["text"].as_str().is_some_and(|text| text.contains("safety number"));
    let bobs = until(&mut all.bob, is_number).await;
    assert_eq!(safety_number(&anns), safety_number(bobs["text"].as_str().unwrap()));
    ann.types("/verify @bob yes").await;
    told(&mut ann, "You have verified bob.").await;
    assert_eq!(leaves(ann).await.code, Some(0));

    all.liar.lie_to("ann", "bob");
    let mut ann = all.ann_comes().await;
    ann.types("@bob the second secret").await;
    let changed = told(&mut ann, "THE IDENTITY KEY OF bob").await;
    assert!(changed.contains("IS NOT THE ONE THAT YOU HAVE VERIFIED"), "{changed}");
    assert!(changed.contains("Nothing is sent to them"), "{changed}");
    let not_sent = told(&mut ann, "NOT SENT").await;
    let why = "NOT SENT to bob: the identity key of this user is not the one that you have verified: see /verify. It was: the second secret";
    assert!(not_sent.contains(why), "{not_sent}");
    ann.types("/verify @bob").await;
    let other = told(&mut ann, "The safety number of bob and you is").await;
    assert!(other.contains("It is NOT the one that you have verified."), "{other}");
    assert_ne!(safety_number(&other), safety_number(&anns));
    // What bob says is read with the keys that were verified.
    all.bob.types("@ann still a secret").await;
    line(&mut ann, "bob -> ann (encrypted, verified): still a secret").await;
    all.nothing_came(&mut ann).await;
    assert_eq!(all.liar.heard("ann", "\"E2EE\""), 1, "the message from before");
    assert_eq!(all.liar.caught(), 0);
    assert_eq!(leaves(ann).await.code, Some(1), "a line was not sent");

    all.liar.be_honest();
    let mut ann = all.ann_comes().await;
    ann.types("@bob the third secret").await;
    line(&mut ann, "ann -> bob (encrypted, verified): the third secret").await;
    message(&mut all.bob, "ann", "the third secret").await;
    assert_eq!(leaves(ann).await.code, Some(0));
}

/// Without a verification a change is told, and believed: that is what safety numbers are for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_swaps_the_keys_of_who_is_not_verified_is_told_of_loudly() {
    let (mut all, ann) = Deceived::begin().await;
    assert_eq!(leaves(ann).await.code, Some(0));

    all.liar.lie_to("ann", "bob");
    let mut ann = all.ann_comes().await;
    ann.types("/verify @bob").await;
    let before = told(&mut ann, "The safety number of bob and you is").await;
    ann.types("@bob the second secret").await;
    let changed = told(&mut ann, "THE IDENTITY KEY OF bob").await;
    assert!(
        changed
            .contains("HAS CHANGED. It may be a new beginning of theirs, or somebody between you")
    );
    line(&mut ann, "ann -> bob (encrypted): the second secret").await;
    ann.types("/verify @bob").await;
    let other = told(&mut ann, "The safety number of bob and you is").await;
    assert_ne!(safety_number(&other), safety_number(&before));
    all.bob.types("@ann still a secret").await;
    let unreadable = "bob -> ann (encrypted, unreadable): [can't be read: it comes from a device that is none of those \
                      that the sender's identity key has signed]";
    line(&mut ann, unreadable).await;
    all.nothing_came(&mut ann).await;
    assert_eq!(all.liar.caught(), 1, "it was encrypted for the key that the server has told of");
    assert_eq!(leaves(ann).await.code, Some(0));

    // The true key is a change, too, and what was begun with it goes on.
    all.liar.be_honest();
    let mut ann = all.ann_comes().await;
    ann.types("@bob the third secret").await;
    told(&mut ann, "THE IDENTITY KEY OF bob HAS CHANGED").await;
    message(&mut all.bob, "ann", "the third secret").await;
    assert_eq!(
        all.liar.heard("ann", "KEYS_CLAIM"),
        2,
        "one for each key, and none for the session that was there"
    );
    assert_eq!(leaves(ann).await.code, Some(0));
}
