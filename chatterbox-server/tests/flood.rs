//! Flood control with default settings (FL-1 to FL-4): a flooder is held to a bucket and then muted, whatever it speaks; others go
//! on, and a class is never refused. Counts are compared with the time that has passed, however slow the machine is.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatterbox_hub::TimelineLimits;
use chatterbox_proto::{Entry, client_frame};
use chatterbox_server::Config;
use harness::accounts::{AccountServer, Client, PASSWORD, password};
use harness::{PATIENCE, Peer, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::sync::Barrier;

/// What a sender may say at once, and what a room takes at once.
const BURST: usize = 40;
const ROOM_BURST: usize = 400;

/// So many frames of one message each.
fn frames(from: &str, to: &str, count: usize) -> Vec<u8> {
    let frame = |number| {
        let content = format!("{from} {number}");
        client_frame::say([&entry(from, to, &content)]).unwrap().to_vec()
    };
    (0..count).flat_map(frame).collect()
}

fn entry<'a>(from: &'a str, to: &'a str, content: &'a str) -> Entry<'a> {
    Entry { source: from.into(), destination: to.into(), timestamp: 1, content: content.into() }
}

/// One frame with so many messages.
fn paste(from: &str, to: &str, lines: usize) -> Vec<u8> {
    let lines: Vec<_> = (0..lines).map(|line| format!("{from} line {line}")).collect();
    let entries: Vec<_> = lines.iter().map(|line| entry(from, to, line)).collect();
    client_frame::say(&entries).unwrap().to_vec()
}

/// How many of these contents a user has said.
fn said_by(contents: &[String], user: &str) -> usize {
    contents.iter().filter(|content| content.starts_with(&format!("{user} "))).count()
}

/// What a bucket admits at most that has been there for this long.
fn most(began: Instant) -> usize {
    BURST + 1 + usize::try_from(began.elapsed().as_secs()).unwrap()
}

/// What somebody speaks who is told of rooms and notices.
const SPOKEN: &str = "accounts/1 commands/1 ids/1 notices/1 ping/1 rename/1 rooms/1";

async fn roomer(chat: &AccountServer, name: &str) -> Client {
    chat.speaking(name, SPOKEN, &password(PASSWORD)).await
}

async fn until_muted(flooder: &mut Peer) {
    while !flooder.error().await.contains("muted for 60 s") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_client_that_floods_is_told_held_up_and_muted_and_stays() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut eve, _) = server.join("eve").await;
    let began = Instant::now();
    eve.send(&frames("eve", "ALL", 500)).await;
    until_muted(&mut eve).await;
    let refused = eve.error().await;
    assert!(refused.contains("muted"), "{refused}");
    ann.say("ALL", "still here").await;
    let heard = said_by(&ann.until("still here").await, "eve");
    assert!((BURST..=most(began)).contains(&heard), "{heard}");
    // It still reads, and is still here: never a kick.
    eve.until("still here").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tagged_message_is_refused_with_a_wait_that_is_right() {
    let chat = AccountServer::open(&[]).await;
    let mut eve = chat.guest("eve").await;
    let mut tag = 0;
    let refused = loop {
        eve.peer.say_tagged("ALL", "hello", &format!("t{tag}")).await;
        let answer = |keys: &chatterbox_proto::server_frame::ServerKeys| {
            let refused = keys.refused.first().cloned();
            refused.map(Some).or_else(|| (!keys.acks.is_empty()).then_some(None))
        };
        if let Some(refused) = eve.peer.find(answer).await {
            break refused;
        }
        tag += 1;
    };
    assert!(tag >= BURST, "{tag} were taken");
    assert_eq!(refused.code.as_wire(), "flood");
    let wait = refused.wait.unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // A frame that costs more says how long that takes.
    tokio::time::sleep(Duration::from_secs(wait)).await;
    eve.peer.say_tagged("ALL", "hello", &format!("t{tag}")).await;
    let acked = |keys: &chatterbox_proto::server_frame::ServerKeys| {
        assert!(keys.refused.is_empty(), "{:?}", keys.refused);
        keys.acks.first().map(|_| ())
    };
    eve.peer.find(acked).await;
    chat.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_agreed_to_notices_is_told_until_when_they_are_muted() {
    let chat = AccountServer::open(&[("mod", 3), ("bob", 1)]).await;
    let mut staff = chat.user("mod").await;
    let mut bob = chat.user("bob").await;
    let mut eve = chat.speaking("eve", SPOKEN, "").await;
    eve.peer.send(&frames("eve", "ALL", 200)).await;
    let notice = eve.peer.find(|keys| keys.notices.first().cloned()).await;
    assert_eq!(notice.code.as_wire(), "flood");
    assert_eq!(notice.wait, Some(60));
    assert!(notice.until.unwrap() > 1_700_000_000);
    // Neither a new connection nor a new name is a way around, even if nothing is said between the two.
    eve.settle().await;
    assert!(eve.call("nick", &["eva"]).await.ok);
    drop(eve);
    let mut again = loop {
        let (client, answer) = chat.ask("eva", "").await;
        if answer.accepted == Some(true) {
            break client;
        }
    };
    again.peer.say_tagged("ALL", "I am back", "1").await;
    let refused = again.peer.find(|keys| keys.refused.first().cloned()).await;
    assert_eq!(refused.code.as_wire(), "muted");
    assert!(refused.until.is_some());
    // Who can undo it may be asked to.
    again.peer.send(&paste("eva", "mod", 1)).await;
    staff.peer.until("eva line 0").await;
    assert_eq!(again.code_of("msg", &["bob", "psst"]).await, "muted");
    bob.peer.say("bob", "end").await;
    assert_eq!(said_by(&bob.peer.until("end").await, "eva"), 0);
    assert!(staff.call("unmute", &["eva"]).await.ok);
    assert_eq!(staff.code_of("unmute", &["eva"]).await, "already");
    again.peer.say_tagged("bob", "thanks", "2").await;
    bob.peer.until("thanks").await;
    chat.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_hundred_lines_in_one_frame_go_through_and_megabytes_only_once() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut eve, _) = server.join("eve").await;
    eve.send(&paste("eve", "ALL", 600)).await;
    let heard = ann.until("eve line 599").await;
    assert_eq!(said_by(&heard, "eve"), 600);
    // 38 of 40 tokens are gone.
    eve.send(&paste("eve", "ALL", 300)).await;
    let refused = eve.error().await;
    assert!(refused.contains("too much") && refused.contains("and 292 more"), "{refused}");
    let (mut bob, _) = server.join("bob").await;
    bob.say("ALL", &"x".repeat(2 << 20)).await;
    bob.say("ALL", "and more").await;
    bob.error().await;
    ann.say("ALL", "end").await;
    let heard = ann.until("end").await;
    assert_eq!(heard.iter().filter(|content| content.len() == 2 << 20).count(), 1);
    assert!(!heard.iter().any(|content| content == "and more"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_of_tiny_messages_is_cut() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut eve, _) = server.join("eve").await;
    let tiny = vec![r#"["eve","ALL",1,"eve "]"#; 100_000].join(",");
    eve.send_body(&format!(r#"{{"MESSAGES": [{tiny}]}}"#)).await;
    let refused = eve.error().await;
    assert!(refused.contains("MESSAGES[6400]") && refused.contains("and 93592 more"), "{refused}");
    ann.say("ann", "end").await;
    assert_eq!(said_by(&ann.until("end").await, "eve"), 6_400);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_taken_for_another_reason_costs_nothing() {
    let server = Server::start(Config::default()).await;
    let (mut eve, _) = server.join("eve").await;
    for _ in 0..3 {
        eve.send(&paste("eve", "nobody", 600)).await;
        assert!(eve.error().await.contains("nobody by that name"));
    }
    let (mut bob, _) = server.join("bob").await;
    eve.send(&paste("eve", "bob", 600)).await;
    bob.until("eve line 599").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_of_two_hundred_behind_one_address_is_never_refused() {
    const CLASS: usize = 200;
    let server = Arc::new(Server::start(Config::default()).await);
    let all_here = Arc::new(Barrier::new(CLASS));
    let students: Vec<_> = (0..CLASS)
        .map(|number| {
            let (server, all_here) = (Arc::clone(&server), Arc::clone(&all_here));
            tokio::spawn(async move {
                let name = format!("s{number}");
                let (mut student, _) = server.join(&name).await;
                all_here.wait().await;
                student.say("ALL", &format!("{name} hello")).await;
                student.send(&paste(&name, "ALL", 30)).await;
                let mut heard = 0;
                while heard < CLASS * 31 {
                    let frame = student.next().await;
                    assert!(frame.error.is_none(), "{:?}", frame.error);
                    heard += frame.messages.map_or(0, |messages| messages.len());
                }
                heard
            })
        })
        .collect();
    for student in students {
        assert_eq!(student.await.unwrap(), CLASS * 31);
    }
    // Thirty lines in as many frames are within the burst of each, as long as the room has room for all.
    let (mut ann, _) = server.join("ann").await;
    for number in 0..5 {
        let name = format!("t{number}");
        let (mut student, _) = server.join(&name).await;
        // The room has given everything to the class.
        tokio::time::sleep(Duration::from_secs(1)).await;
        student.send(&frames(&name, "ALL", 30)).await;
        let heard = ann.until(&format!("{name} 29")).await;
        assert_eq!(said_by(&heard, &name), 30);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_is_held_to_what_a_room_takes_and_staff_is_heard() {
    const CROWD: usize = 20;
    let users: Vec<_> = (0..CROWD).map(|number| format!("c{number}")).collect();
    let mut accounts: Vec<_> = users.iter().map(|name| (name.as_str(), 1)).collect();
    accounts.extend([("prof", 1), ("ann", 1)]);
    let chat = AccountServer::open(&accounts).await;
    let mut prof = roomer(&chat, "prof").await;
    assert!(prof.call("create-room", &["#class"]).await.ok);
    let mut ann = roomer(&chat, "ann").await;
    assert!(ann.call("join", &["#class"]).await.ok);
    let began = Instant::now();
    let mut crowd = Vec::new();
    for name in &users {
        let mut user = roomer(&chat, name).await;
        assert!(user.call("join", &["#class"]).await.ok);
        crowd.push(user);
    }
    for (user, name) in crowd.iter_mut().zip(&users) {
        user.peer.send(&frames(name, "#class", BURST)).await;
    }
    for user in &mut crowd {
        user.settle().await;
    }
    // The owner is staff there, and is not held up by what others say.
    prof.peer.send(&frames("prof", "#class", BURST)).await;
    let heard = ann.peer.until(&format!("prof {}", BURST - 1)).await;
    assert_eq!(said_by(&heard, "prof"), BURST);
    let others = users.iter().map(|name| said_by(&heard, name)).sum::<usize>();
    let most = ROOM_BURST + 40 * (1 + usize::try_from(began.elapsed().as_secs()).unwrap());
    assert!(others <= most && others >= ROOM_BURST, "{others} of {most}");
    // Everybody with an account makes rooms and invites others to them, so what one says is bounded there as everywhere.
    prof.peer.send(&frames("prof", "#class", 500)).await;
    let notice = prof.peer.find(|keys| keys.notices.first().cloned()).await;
    assert_eq!(notice.code.as_wire(), "flood");
    chat.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_the_settings_name_and_staff_say_what_they_like() {
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
    }
    let config = Flags::parse_from(["x", "--flood-exempt", "bot, Other"]).config;
    let chat = AccountServer::with(config, &[("Bot", 1), ("helper", 2), ("ann", 1)]).await;
    let mut ann = chat.user("ann").await;
    for name in ["Bot", "helper"] {
        let mut speaker = chat.user(name).await;
        speaker.peer.send(&frames(name, "ALL", 500)).await;
        let heard = ann.peer.until(&format!("{name} 499")).await;
        assert_eq!(said_by(&heard, name), 500);
    }
    // A guest of the same name would not be exempt, and nobody is by a nick.
    assert!(ann.call("nick", &["Other"]).await.ok);
    ann.peer.send(&frames("Other", "ALL", 60)).await;
    assert!(ann.peer.error().await.contains("too much"));
    chat.server.stop().await;
}

/// Joins without TLS, and reads 80 kB a second until it is told this text, or is cut off.
async fn reads_slowly(address: SocketAddr, name: &str, until: &str) -> bool {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(&client_frame::join(name).unwrap()).await.unwrap();
    let (mut seen, mut piece) = (Vec::<u8>::new(), vec![0; 4096]);
    loop {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut piece)).await.unwrap();
        let Ok(read @ 1..) = read else { return false };
        seen.extend(piece.iter().take(read));
        let last = seen.len().saturating_sub(read + until.len());
        if seen
            .get(last..)
            .unwrap_or_default()
            .windows(until.len())
            .any(|found| found == until.as_bytes())
        {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f3_who_reads_slowly_stays_beside_a_flood() {
    // A small timeline, so that a flood which is not held up overtakes a slow reader soon.
    let timeline = TimelineLimits { events: 2_048, bytes: 4 << 20 };
    let server = Server::plaintext(Config { timeline, ..Config::default() }).await;
    let (mut ann, _) = server.join("ann").await;
    let slow = tokio::spawn(reads_slowly(server.address, "slow", "the end"));
    let (mut lines, _) = server.join("lines").await;
    let (mut long, _) = server.join("long").await;
    let flood = frames("lines", "ALL", 100);
    // All together are no more than what a socket takes of answers that nobody reads.
    for _ in 0..6 {
        lines.send(&flood).await;
        long.say("ALL", &"x".repeat(100_000)).await;
    }
    until_muted(&mut lines).await;
    ann.say("ALL", "the end").await;
    assert!(slow.await.unwrap(), "who reads is not thrown out");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_recipients_of_private_messages_are_few() {
    let server = Server::start(Config::default()).await;
    let mut others = Vec::new();
    for number in 0..30 {
        others.push(server.join(&format!("o{number}")).await.0);
    }
    let (mut eve, _) = server.join("eve").await;
    let names: Vec<_> = (0..30).map(|number| format!("o{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| entry("eve", name, "buy")).collect();
    eve.send(&client_frame::say(&entries).unwrap()).await;
    let refused = eve.error().await;
    assert!(refused.contains("MESSAGES[20]") || refused.contains("MESSAGES[21]"), "{refused}");
    // Those who were written to already are no new ones.
    eve.say("o3", "again").await;
    others.get_mut(3).unwrap().until("again").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_have_a_price() {
    let chat = AccountServer::open(&[]).await;
    let mut eve = chat.guest("eve").await;
    let mut taken = 0;
    let refused = loop {
        let outcome = eve.call("name", &[]).await;
        if !outcome.ok {
            break outcome;
        }
        taken += 1;
    };
    assert!(taken >= 20, "{taken}");
    assert_eq!((refused.code.as_wire(), refused.wait), ("flood", Some(1)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(eve.call("name", &[]).await.ok);
    chat.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_limits_nothing_is_counted() {
    let server = Server::start(Config { no_limits: true, ..Config::default() }).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut eve, _) = server.join("eve").await;
    eve.send(&frames("eve", "ALL", 1_000)).await;
    assert_eq!(said_by(&ann.until("eve 999").await, "eve"), 1_000);
    server.stop().await;
}
