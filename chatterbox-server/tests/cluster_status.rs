//! `cluster status`, as an operator runs it, beside `status` of a node; and how a node ends that must not go on.
#![cfg(feature = "cluster")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::path::Path;
use std::time::Instant;

use harness::engine::Engine;
use harness::metrics::{health, scrape_until, value};
use harness::process::{Running, connect, join};
use rustix::process::Signal;
use serde_json::Value;

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = harness::program::server();
    for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"] {
        command.env(variable, folder.path());
    }
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn node(engine: &str, name: &str, folder: &Path) -> Running {
    let folder = folder.to_str().unwrap();
    let cluster = ["--cluster", engine, "--node", name, "--data", folder];
    let rest = ["127.0.0.1", "-p", "0", "--plaintext", "--grace", "0", "--health", "127.0.0.1:0"];
    Running::start(&[&rest[..], &cluster].concat())
}

/// What `cluster status` has for programs, when there is what is waited for.
fn status_when(engine: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let (code, out, err) = run(&["cluster", "status", "--json", "--cluster", engine]);
        let status: Value = serde_json::from_str(&out).unwrap_or_default();
        if code == Some(0) && is_so(&status) {
            return status;
        }
        assert!(start.elapsed() < harness::PATIENCE, "{what}: {code:?} {out}{err}");
    }
}

fn names(status: &Value) -> Vec<&str> {
    let nodes = status["nodes"].as_array().unwrap();
    let mut names: Vec<_> = nodes.iter().map(|node| node["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn unheard<'a>(status: &'a Value, name: &str) -> &'a Value {
    let mut nodes = status["nodes"].as_array().unwrap().iter();
    &nodes.find(|node| node["name"] == name).unwrap()["heard"]
}

#[test]
fn nodes_and_servers_of_the_engine_are_seen_from_outside() {
    let Some(mut engine) = Engine::start(3) else { return };
    let urls = engine.urls();
    let (code, _, err) = run(&["cluster", "status", "--cluster", &urls]);
    assert!(code == Some(68) && err.contains("has no cluster chat"), "{code:?} {err}");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let one = node(&urls, "one", &path("one"));
    let two = node(&urls, "two", &path("two"));
    let mut ann = connect(one.address);
    join(&mut ann, "ann");
    // The format rises when all nodes have said that they read it.
    let seen = status_when(&urls, "two nodes", |status| {
        names(status) == ["one", "two"] && status["format"] == chatterbox_hub::format::LEVEL
    });
    assert_eq!(seen["user_count"], 1);
    let servers = seen["engine"]["log"]["servers"].as_array().unwrap();
    assert_eq!(servers.len(), 3, "{seen}");

    // Both say the same in the same words.
    let (code, outside, err) = run(&["cluster", "status", "--cluster", &urls]);
    assert_eq!(code, Some(0), "{outside}{err}");
    // A node tells what it knew when its last tick came round.
    let start = Instant::now();
    let inside = loop {
        let (_, inside, _) = run(&["status", "--data", path("one").to_str().unwrap()]);
        if inside.contains("2 nodes up") {
            break inside;
        }
        assert!(start.elapsed() < harness::PATIENCE, "{inside}");
    };
    let heads = |text: &str| text.lines().find(|line| line.starts_with("NODE")).unwrap().to_owned();
    let words = |text: &str| heads(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&outside), words(&inside));
    assert!(outside.contains("2 nodes up, as the log at place "), "{outside}");
    assert!(inside.contains("2 nodes up, as one at place "), "{inside}");

    // Each tells the same in numbers: users of all, and its own members.
    let of_one = scrape_until(health(&one), "chatterbox_cluster_nodes", 2.0);
    assert!(value(&of_one, "chatterbox_cluster_place").unwrap() > 0.0, "{of_one}");
    assert!(value(&of_one, "chatterbox_cluster_places_unstored").is_some(), "{of_one}");
    assert_eq!(value(&of_one, "chatterbox_members"), Some(1.0), "{of_one}");
    let of_two = scrape_until(health(&two), "chatterbox_users", 1.0);
    assert_eq!(value(&of_two, "chatterbox_members"), Some(0.0), "{of_two}");

    // One that is killed is not heard, and then not there: the others say so, and while they stand still nobody does.
    one.signal(Signal::STOP);
    drop(two);
    status_when(&urls, "a node that is not heard", |status| {
        names(status) == ["one", "two"] && unheard(status, "two").as_u64() > Some(3)
    });
    one.signal(Signal::CONT);
    status_when(&urls, "a node that is gone", |status| {
        names(status) == ["one"] && unheard(status, "one").as_u64() <= Some(3)
    });

    let leader = engine.leader("CHAT");
    let gone = (0..3).find(|index| *index != leader).unwrap();
    engine.stop(gone);
    let name = format!("n{gone}");
    status_when(&urls, "a server that is offline", |status| {
        let servers = status["engine"]["log"]["servers"].as_array().unwrap();
        servers.iter().any(|server| server["name"] == *name && server["standing"] == "offline")
    });
    let (code, out, _) = run(&["cluster", "status", "--cluster", &urls]);
    assert!(code == Some(0) && out.contains("OFFLINE"), "{out}");
}

#[test]
fn what_can_not_be_seen_has_an_exit_code_of_its_own() {
    let (code, _, err) = run(&["cluster", "status"]);
    assert!(code == Some(64) && err.contains("--cluster nats://"), "{err}");
    let (code, _, err) = run(&["cluster", "status", "--cluster", "nats://me:hunter2@127.0.0.1:1"]);
    assert!(code == Some(64) && !err.contains("hunter2"), "{err}");
    // Port 1 of this machine: nobody is there.
    let (code, out, err) = run(&["cluster", "status", "--cluster", "nats://127.0.0.1:1", "--json"]);
    assert_eq!((code, &*out), (Some(69), ""), "{err}");
}

/// Its engine has another order than the one that it has followed: starting it again and again would not help.
#[test]
fn a_node_that_must_not_go_on_ends_with_a_code_of_its_own() {
    let Some(first) = Engine::start(1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let one = |engine: &Engine| {
        let data = folder.path().to_str().unwrap();
        let cluster = ["--cluster", &engine.url(0), "--cluster-replicas", "1", "--data", data];
        let rest = ["127.0.0.1", "-p", "0", "--plaintext", "--grace", "0", "--node", "one"];
        Running::start(&[&rest[..], &cluster].concat())
    };
    let node = one(&first);
    let mut ann = connect(node.address);
    join(&mut ann, "ann");
    drop(ann);
    node.signal(Signal::TERM);
    assert_eq!(node.end().0, Some(0));
    drop(first);
    let Some(second) = Engine::start(1) else { return };
    let (code, log) = one(&second).end();
    assert_eq!(code, Some(76), "{log}");
    assert!(log.contains("hint: "), "{log}");
}
