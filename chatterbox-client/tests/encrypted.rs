//! Encrypted private messages between two programs, over the server of this project.
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
use support::client::{Client, run};
use support::real::Real;

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
