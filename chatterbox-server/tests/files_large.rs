//! A large file to a room, fetched by three while others chat: digests, the memory of the server, and what the others notice. It takes
//! a minute and measures times, so it runs when it is asked for:
//! `cargo test --release -p chatterbox-server --test files_large -- --ignored --nocapture`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chatterbox_proto::limits;
use harness::files::{Client, bytes};
use harness::process::Running;
use harness::{Peer, accounts};
use tokio::net::TcpStream;

const SIZE: usize = 100 * 1024 * 1024;
const CHATTERS: usize = 10;
/// The time between two messages of one chatter.
const PAUSE: Duration = Duration::from_millis(50);

async fn peer(server: SocketAddr) -> Peer {
    let stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    Peer::over(stream)
}

async fn command(client: &mut Client, name: &str, args: &str) {
    let body = format!(r#"{{"COMMAND": {{"ID": "c", "NAME": "{name}", "ARGS": [{args}]}}}}"#);
    client.peer.send_body(&body).await;
    let result = client.peer.find(|keys| keys.result.clone()).await;
    assert!(result.ok, "{result:?}");
}

async fn member(server: &Running, name: &str) -> Client {
    let mut client = Client::over(peer(server.address).await, name, "").await;
    let password = format!(r#""{}""#, accounts::PASSWORD);
    command(&mut client, "register", &password).await;
    client
}

/// The memory of the server in KiB: now, and at most so far.
fn memory(server: &Running) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// How long the messages of one chatter take to come back to it, for a while.
async fn chat(mut peer: Peer, until: Instant) -> Vec<Duration> {
    let mut taken = Vec::new();
    for count in 0_u32.. {
        if Instant::now() >= until {
            break;
        }
        let text = format!("{} says {count}", peer.name);
        let sent = Instant::now();
        peer.say("ALL", &text).await;
        // Others talk as well: it may stand anywhere in a frame.
        while !peer.next().await.messages.into_iter().flatten().any(|said| said.content == text) {}
        taken.push(sent.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    taken
}

/// The median and the 99th percentile of what chatters notice for a while. They have a thread of their own: what fetches is in this
/// process as well, and what waits for its turn behind that would be held against the server.
async fn noticed(server: &Running, role: &'static str, within: Duration) -> (Duration, Duration) {
    let address = server.address;
    let chatting = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let until = Instant::now() + within;
            let chatters = (0..CHATTERS).map(|number| async move {
                let mut peer = peer(address).await;
                peer.ask(&format!("{role}{number}")).await;
                chat(peer, until).await
            });
            futures_util::future::join_all(chatters).await.concat()
        })
    });
    let mut all = tokio::task::spawn_blocking(|| chatting.join().unwrap()).await.unwrap();
    all.sort();
    (all[all.len() / 2], all[all.len() * 99 / 100])
}

/// Fetches in parts, with another connection for each, so many bytes a second at most.
async fn fetch(clients: Vec<Client>, token: String, cuts: Vec<usize>, rate: f64) -> Vec<u8> {
    let mut all = Vec::new();
    let began = Instant::now();
    for (mut client, cut) in clients.into_iter().zip(cuts.into_iter().chain([SIZE])) {
        let answer = client.get(&token, all.len(), all.len() + 8 * limits::FILE_CHUNK).await;
        assert_eq!(answer.code, None, "{answer:?}");
        let mut credit = all.len() + 8 * limits::FILE_CHUNK;
        while all.len() < cut {
            match client.next_piece().await {
                Ok(piece) => all.extend(piece.data.unwrap()),
                Err(end) => panic!("{end:?}"),
            }
            let due = began + Duration::from_secs_f64(all.len() as f64 / rate);
            tokio::time::sleep_until(due.into()).await;
            if credit - all.len() <= 4 * limits::FILE_CHUNK && credit < SIZE {
                credit += 4 * limits::FILE_CHUNK;
                client.credit(&token, credit).await;
            }
        }
    }
    all
}

/// Fetches a chunk each 2 ms, as somebody with 8 MB/s.
async fn fetch_slowly(mut client: Client, token: String) -> Vec<u8> {
    let mut all = Vec::new();
    let answer = client.get(&token, 0, limits::FILE_CHUNK).await;
    assert_eq!(answer.code, None, "{answer:?}");
    loop {
        match client.next_piece().await {
            Ok(piece) => {
                all.extend(piece.data.unwrap());
                tokio::time::sleep(Duration::from_millis(2)).await;
                client.credit(&token, (all.len() + limits::FILE_CHUNK).min(SIZE)).await;
            }
            Err(end) => {
                assert!(end.is_done, "{end:?}");
                return all;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute and measures times"]
async fn a_hundred_mebibytes_to_a_room() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["127.0.0.1", "-p", "0", "--plaintext", "--no-limits", "--file-free", "0"];
    let size = SIZE.to_string();
    let more = ["--file-size", &size, "--file-account", &size, "--data", data.to_str().unwrap()];
    let server = Running::start(&[&arguments[..], &more].concat());
    let (median, alone) = noticed(&server, "alone", Duration::from_secs(10)).await;
    let (before, _) = memory(&server);
    println!("alone: median {median:?}, p99 {alone:?}; memory {before} KiB");
    let file = bytes(SIZE, 1);
    let mut ann = member(&server, "ann").await;
    command(&mut ann, "create-room", r##""#lab""##).await;
    let began = Instant::now();
    let token = ann.share("#lab", &file).await;
    let (after_upload, most) = memory(&server);
    println!("uploaded in {:?}; memory {after_upload} KiB, at most {most} KiB", began.elapsed());
    for (label, rate) in [("as fast as they can", f64::INFINITY), ("at 25 MB/s", 25e6)] {
        let (median, meanwhile) = three_fetch(&server, &token, &file, label, rate).await;
        let ratio = meanwhile.as_secs_f64() / alone.as_secs_f64();
        println!("{label}: median {median:?}, p99 {meanwhile:?}, {ratio:.2} times that of alone");
    }
    let (_, most) = memory(&server);
    assert!(most - before < 32 * 1024, "{before} KiB before, {most} KiB at most");
}

/// One fetches all of it, one is cut twice, and one is slow; what others notice meanwhile.
async fn three_fetch(
    server: &Running,
    token: &str,
    file: &[u8],
    label: &'static str,
    rate: f64,
) -> (Duration, Duration) {
    // All are there before it begins: a password takes a processor for longer than what is to be measured.
    let mut clients = Vec::new();
    for name in ["slow", "quick", "cut0", "cut1", "cut2"] {
        let mut client = member(server, &format!("{name}{}", label.len())).await;
        command(&mut client, "join", r##""#lab""##).await;
        clients.push(client);
    }
    let cut = clients.split_off(2);
    let (quick, slow) = (clients.split_off(1), clients.pop().unwrap());
    let began = Instant::now();
    // Whoever fetches takes processors from the server and from those who chat, as no client does that has a machine of its own.
    let patient = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(|| {
            rustix::process::nice(10).unwrap();
        })
        .build()
        .unwrap();
    let of = || token.to_owned();
    let fetching = [
        patient.spawn(fetch(quick, of(), vec![], rate)),
        patient.spawn(fetch(cut, of(), vec![SIZE / 3, SIZE / 3 * 2], rate)),
        patient.spawn(fetch_slowly(slow, of())),
    ];
    let role = label.split(' ').next().unwrap();
    let noticed = noticed(server, role, Duration::from_secs(10)).await;
    for found in fetching {
        assert!(found.await.unwrap() == file, "the digest is another one");
    }
    patient.shutdown_background();
    let (after, most) = memory(server);
    println!("three have it after {:?}; memory {after} KiB, at most {most} KiB", began.elapsed());
    noticed
}
