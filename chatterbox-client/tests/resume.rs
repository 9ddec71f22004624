//! Connections that are cut again and again, at any byte: nothing is lost, and nothing comes twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]
#![allow(clippy::disallowed_methods, reason = "the test starts programs")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use chatterbox_server::Config;
use support::client::{Client, run};
use support::cutting::Cutting;
use support::real::Real;

const MESSAGES: usize = 500;
const PACE: Duration = Duration::from_millis(10);
const CUTS: u32 = 10;
const PASSWORD: &str = "correct horse battery";

/// Where everything is said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Lobby,
    /// A room, which both have as their default.
    Room,
}

impl Place {
    /// How `--json` writes it.
    fn json(self) -> &'static str {
        match self {
            Self::Lobby => "null",
            Self::Room => "\"#lab\"",
        }
    }

    /// The options of whoever talks there.
    fn options(self, name: &str) -> Vec<&str> {
        let mut options = vec!["--json", "-u", name];
        options.extend((self == Self::Room).then_some("--password-stdin"));
        options
    }

    /// The program of whoever talks there.
    async fn start(self, arguments: &[&str]) -> Client {
        let mut client = Client::start(arguments);
        if self == Self::Room {
            client.types(PASSWORD).await;
        }
        client
    }
}

/// Two accounts that are members of one room.
async fn furnish(server: &Real) {
    for (name, commands) in [("bob", "/create-room lab"), ("ann", "/join lab")] {
        let register = format!("/register\n{PASSWORD}\n{PASSWORD}\n");
        let end = run(&borrowed(&server.arguments(server.port, &["-u", name])), &register).await;
        assert_eq!(end.code, Some(0), "{}", end.err);
        let options = ["-u", name, "--password-stdin"];
        let input = format!("{PASSWORD}\n{commands}\n/default lab\n");
        let end = run(&borrowed(&server.arguments(server.port, &options)), &input).await;
        assert_eq!(end.code, Some(0), "{}", end.err);
    }
}

fn borrowed(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// How often each text of `from` is in the output of `--json`, in the order of first coming.
fn texts(output: &str, from: &str) -> (Vec<String>, BTreeMap<String, u32>) {
    let (mut order, mut counts) = (Vec::new(), BTreeMap::new());
    for line in output.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let is = |key: &str, value: &str| event.get(key).and_then(|v| v.as_str()) == Some(value);
        if is("event", "message") && is("from", from) && !is("kind", "own") {
            let text = event["text"].as_str().unwrap().to_owned();
            let count: &mut u32 = counts.entry(text.clone()).or_default();
            *count += 1;
            if *count == 1 {
                order.push(text);
            }
        }
    }
    (order, counts)
}

/// Panics unless each message came once, in its order; gives a line to print.
fn verdict(who: &str, output: &str, from: &str) -> String {
    let (order, counts) = texts(output, from);
    let expected: Vec<_> = (0..MESSAGES).map(|number| format!("{from} {number}")).collect();
    let lost = expected.iter().filter(|text| !counts.contains_key(*text)).count();
    let doubled = counts.values().filter(|count| **count > 1).count();
    let line = format!(
        "{who} got {} of {MESSAGES} messages of {from}: lost {lost}, doubled {doubled}",
        counts.len()
    );
    assert_eq!((lost, doubled), (0, 0), "{line}");
    assert_eq!(order, expected, "{who}: the order of {from}");
    line
}

/// The first connection may be cut before anybody has joined, which is the end of the program (ER-2): start again then.
async fn joined(place: Place, arguments: &[&str]) -> Client {
    for _ in 0..=CUTS {
        let mut client = place.start(arguments).await;
        if client.joins().await {
            return client;
        }
    }
    panic!("nobody gets in")
}

/// Types all messages of one, and reads until the last one of the other has come.
async fn talks(place: Place, client: &mut Client, me: &str, other: &str) -> String {
    let last = format!("\"from\": \"{other}\", \"to\": {}", place.json());
    let text = format!("\"text\": \"{other} {}\"", MESSAGES - 1);
    let mut output = String::new();
    let mut number = 0;
    while !output.lines().last().is_some_and(|line| line.contains(&last) && line.contains(&text)) {
        if number < MESSAGES {
            client.types(&format!("{me} {number}")).await;
            number += 1;
            // What is missed while a connection is away has to fit through the next one.
            tokio::time::sleep(PACE).await;
        }
        output.push_str(&client.raw_line().await);
        output.push('\n');
    }
    assert_eq!(number, MESSAGES, "{me} had no time to say everything");
    output
}

/// The same, and reads until the program has ended.
async fn talks_and_leaves(place: Place, mut client: Client, me: &str, other: &str) -> String {
    let mut output = talks(place, &mut client, me, other).await;
    client.close_stdin();
    let end = client.finish().await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    output.push_str(&end.out);
    output
}

async fn through_cuts(place: Place, seed: u64) {
    let began = std::time::Instant::now();
    // Programs that say 500 lines in frames of their own are a flood (FL-1), and with `--json` what is refused is theirs.
    let server = Real::with(Config { no_limits: true, ..Config::default() }).await;
    if place == Place::Room {
        furnish(&server).await;
    }
    let network = Cutting::before(server.port, CUTS, seed).await;
    // Who joins late would get by the history what was lost.
    let watcher = server.arguments(server.port, &place.options("bob"));
    let mut bob = place.start(&borrowed(&watcher)).await;
    while !bob.line().await.contains("\"users\"") {}

    let arguments = server.arguments(network.port, &place.options("ann"));
    let ann = joined(place, &borrowed(&arguments)).await;
    // A program whose output nobody reads does not go on, so both are read while they are typed to, and to their end.
    let (of_ann, of_bob) = tokio::join!(
        talks_and_leaves(place, ann, "ann", "bob"),
        talks_and_leaves(place, bob, "bob", "ann")
    );

    let back = of_ann.matches("{\"event\": \"back\"").count();
    let incomplete = of_ann.matches("\"complete\": false").count();
    println!(
        "seed {seed}: {} connections cut, {back} times back, {:.1} s",
        network.cuts(),
        began.elapsed().as_secs_f32()
    );
    println!("  {}", verdict("bob", &of_bob, "ann"));
    println!("  {}", verdict("ann", &of_ann, "bob"));
    assert!(network.cuts() >= CUTS / 2 && back > 0, "the network was too good to prove anything");
    assert_eq!(incomplete, 0, "a session was not resumed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_however_often_it_is_cut() {
    for seed in [1, 2, 3] {
        through_cuts(Place::Lobby, seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_said_in_a_room_is_lost_or_doubled_either() {
    through_cuts(Place::Room, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_ends_when_everything_is_confirmed_and_not_before() {
    let server = Real::start().await;
    let network = Cutting::before(server.port, 3, 7).await;
    let said: String = (0..50).map(|number| format!("{number}\n")).collect();
    let arguments = server.arguments(network.port, &["-u", "ann"]);
    // Whatever happens on the way (even the first connection may not come about), a good end means: all is stored.
    let mut end = run(&borrowed(&arguments), &said).await;
    let mut tries = 0;
    while end.code == Some(69) || end.code == Some(76) {
        tries += 1;
        assert!(tries < 5 && !end.out.contains("* you are ann"), "{}", end.err);
        end = run(&borrowed(&arguments), &said).await;
    }
    assert_eq!(end.code, Some(0), "{}", end.err);
    let arguments = server.arguments(server.port, &["-u", "bob"]);
    let seen = run(&borrowed(&arguments), "").await;
    let texts: Vec<_> = seen.out.lines().filter_map(|line| line.split_once(" ann: ")).collect();
    assert_eq!(texts.len(), 50, "{}", seen.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_reconnecting_a_cut_is_the_end() {
    let server = Real::start().await;
    let network = Cutting::before(server.port, 1, 3).await;
    let arguments = server.arguments(network.port, &["-u", "ann", "--no-reconnect"]);
    let said = "x\n".repeat(2000);
    let end = run(&borrowed(&arguments), &said).await;
    assert!(matches!(end.code, Some(69 | 76)), "{:?} {}", end.code, end.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_says_more_than_a_bucket_holds_and_all_of_it_once() {
    let server = Real::start().await;
    let said: String = (0..100).map(|number| format!("{number}\n")).collect();
    let end = run(&borrowed(&server.arguments(server.port, &["-u", "ann"])), &said).await;
    assert_eq!(end.code, Some(0), "{}", end.err);
    assert!(end.err.contains("The server takes no more now"), "{}", end.err);
    let seen = run(&borrowed(&server.arguments(server.port, &["-u", "bob"])), "").await;
    let texts = seen.out.lines().filter_map(|line| line.split_once(" ann: "));
    let mut texts: Vec<u32> = texts.map(|(_, text)| text.parse().unwrap()).collect();
    // A token that comes back in the middle of the lines under way lets one of them pass those before it.
    texts.sort_unstable();
    assert_eq!(texts, (0..100).collect::<Vec<_>>());
}
