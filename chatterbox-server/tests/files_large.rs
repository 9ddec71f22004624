//! A large file to a room, fetched by three while others chat: digests, the memory of the server, and what the others notice. It takes
//! five minutes and measures times, so it runs when it is asked for:
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
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chatterbox_proto::limits;
use harness::files::{Client, bytes};
use harness::process::Running;
use harness::{Peer, accounts};
use tokio::net::TcpStream;

const SIZE: usize = 100 * 1024 * 1024;
const CHATTERS: usize = 10;
/// In KiB. What a server needs that has the file in memory is three times as much at least.
const MEMORY: u64 = 32 * 1024;
const ROUNDS: usize = 5;
/// Bytes a second of each of the two who are quick.
const RATES: [(&str, f64); 2] = [("as fast as they can", f64::INFINITY), ("at 25 MB/s", 25e6)];
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

/// The memory of the server in KiB: now, and at most since [`forget_most`].
fn memory(server: &Running) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let of = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Lets the most of the server's memory be counted from now on.
fn forget_most(server: &Running) {
    std::fs::write(format!("/proc/{}/clear_refs", server.id()), "5").unwrap();
}

/// When messages were said, and how long they took to come back.
type Notices = Vec<(Instant, Duration)>;

/// What one chatter notices until it is told to end.
async fn chat(mut peer: Peer, end: &AtomicBool) -> Notices {
    let mut noticed = Vec::new();
    for count in 0_u32.. {
        if end.load(Ordering::Relaxed) {
            break;
        }
        let text = format!("{} says {count}", peer.name);
        let sent = Instant::now();
        peer.say("ALL", &text).await;
        // Others talk as well: it may stand anywhere in a frame.
        while !peer.next().await.messages.into_iter().flatten().any(|said| said.content == text) {}
        noticed.push((sent, sent.elapsed()));
        tokio::time::sleep(PAUSE).await;
    }
    noticed
}

/// What chatters notice while something is done. They have a thread of their own: what fetches is in this process as well, and what
/// waits for its turn behind that would be held against the server.
async fn noticed_while<T>(
    server: &Running,
    role: &str,
    done: impl Future<Output = T>,
) -> (T, Notices) {
    let (address, role) = (server.address, role.to_owned());
    let end = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&end);
    let (all_there, are_there) = tokio::sync::oneshot::channel();
    let chatting = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut peers = Vec::new();
            for number in 0..CHATTERS {
                let mut peer = peer(address).await;
                peer.ask(&format!("{role}{number}")).await;
                peers.push(peer);
            }
            all_there.send(()).unwrap();
            futures_util::future::join_all(peers.into_iter().map(|peer| chat(peer, &is_over)))
                .await
                .concat()
        })
    });
    are_there.await.unwrap();
    let result = done.await;
    end.store(true, Ordering::Relaxed);
    (result, tokio::task::spawn_blocking(|| chatting.join().unwrap()).await.unwrap())
}

/// The median and the 99th percentile.
fn quantiles(mut taken: Vec<Duration>) -> (Duration, Duration) {
    taken.sort();
    (taken[taken.len() / 2], taken[taken.len() * 99 / 100])
}

/// The processor time that the server has taken so far.
fn processor(server: &Running) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ');
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// What somebody has fetched, and when it was all there.
type Fetched = (Vec<u8>, Instant);

/// Fetches in parts, with another connection for each, so many bytes a second at most.
async fn fetch(clients: Vec<Client>, token: String, cuts: Vec<usize>, rate: f64) -> Fetched {
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
    (all, Instant::now())
}

/// Fetches a chunk each 2 ms, as somebody with 8 MB/s.
async fn fetch_slowly(mut client: Client, token: String) -> Fetched {
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
                return (all, Instant::now());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and measures times"]
async fn a_hundred_mebibytes_to_a_room() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["127.0.0.1", "-p", "0", "--plaintext", "--no-limits", "--file-free", "0"];
    let size = SIZE.to_string();
    let more = ["--file-size", &size, "--file-account", &size, "--data", data.to_str().unwrap()];
    let server = Running::start(&[&arguments[..], &more].concat());
    let file = bytes(SIZE, 1);
    let mut ann = member(&server, "ann").await;
    command(&mut ann, "create-room", r##""#lab""##).await;
    forget_most(&server);
    let (began, (before, _)) = (Instant::now(), memory(&server));
    let token = ann.share("#lab", &file).await;
    let (_, most) = memory(&server);
    println!("uploaded in {:?}; {} KiB more in memory at most", began.elapsed(), most - before);
    assert!(most - before < MEMORY, "{before} KiB before, {most} KiB at most");
    let mut ratios: [Vec<f64>; RATES.len()] = Default::default();
    for round in 0..ROUNDS {
        let quiet = tokio::time::sleep(Duration::from_secs(10));
        let ((), all) = noticed_while(&server, &format!("alone{round}x"), quiet).await;
        let (median, alone) = quantiles(all.into_iter().map(|(_, taken)| taken).collect());
        println!("alone: median {median:?}, p99 {alone:?}");
        for (place, (label, rate)) in RATES.into_iter().enumerate() {
            let role = format!("fetch{round}x{place}x");
            let meanwhile = three_fetch(&server, &token, &file, &role, rate).await;
            let ratio = meanwhile.p99.as_secs_f64() / alone.as_secs_f64();
            ratios[place].push(ratio);
            println!("{label}: {meanwhile:?}, {ratio:.2} times that of alone");
        }
    }
    for ((label, _), mut ratios) in RATES.into_iter().zip(ratios) {
        ratios.sort_by(f64::total_cmp);
        println!("{label}: p99 {:.2} times that of alone, of {ratios:.2?}", ratios[ROUNDS / 2]);
    }
}

/// What others notice while all three fetch, and what it takes.
#[derive(Debug)]
#[allow(dead_code, reason = "printed")]
struct Meanwhile {
    median: Duration,
    p99: Duration,
    /// The same until the slow one has it as well.
    p99_to_the_end: Duration,
    all_fetched: Duration,
    /// Of the server, for all three.
    processor: Duration,
    /// What the memory of the server grew by at most, in KiB.
    memory: u64,
}

/// One fetches all of it, one is cut twice, and one is slow.
async fn three_fetch(
    server: &Running,
    token: &str,
    file: &[u8],
    role: &str,
    rate: f64,
) -> Meanwhile {
    // All are there before it begins: a password takes a processor for longer than what is to be measured.
    let mut clients = Vec::new();
    for name in ["slow", "quick", "cut0", "cut1", "cut2"] {
        let mut client = member(server, &format!("{name}{role}")).await;
        command(&mut client, "join", r##""#lab""##).await;
        clients.push(client);
    }
    let cut = clients.split_off(2);
    let (quick, slow) = (clients.split_off(1), clients.pop().unwrap());
    // Whoever fetches takes processors from the server and from those who chat, as no client does that has a machine of its own.
    let patient = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(runs_when_nobody_else_does)
        .build()
        .unwrap();
    let of = || token.to_owned();
    forget_most(server);
    let (before, _) = memory(server);
    let fetching = async {
        let (began, taken) = (Instant::now(), processor(server));
        let fetching = [
            patient.spawn(fetch(quick, of(), vec![], rate)),
            patient.spawn(fetch(cut, of(), vec![SIZE / 3, SIZE / 3 * 2], rate)),
            patient.spawn(fetch_slowly(slow, of())),
        ];
        let mut ends = Vec::new();
        for found in fetching {
            let (found, end) = found.await.unwrap();
            assert!(found == file, "the digest is another one");
            ends.push(end);
        }
        let last = ends.iter().max().unwrap();
        (*ends.iter().min().unwrap(), last.duration_since(began), processor(server) - taken)
    };
    let ((first, all_fetched, processor), all) = noticed_while(server, role, fetching).await;
    patient.shutdown_background();
    let meanwhile = all.iter().filter(|(said, _)| *said < first).map(|(_, taken)| *taken);
    let (median, p99) = quantiles(meanwhile.collect());
    let (_, p99_to_the_end) = quantiles(all.into_iter().map(|(_, taken)| taken).collect());
    let (_, most) = memory(server);
    assert!(most - before < MEMORY, "{before} KiB before, {most} KiB at most");
    Meanwhile { median, p99, p99_to_the_end, all_fetched, processor, memory: most - before }
}

/// Gives this thread the policy of the system for what may wait: it runs on a processor that nobody else wants, and gives way at once.
fn runs_when_nobody_else_does() {
    let thread = std::fs::read_link("/proc/thread-self").unwrap();
    let id = thread.file_name().unwrap();
    let set = Command::new("chrt").args(["--idle", "--pid", "0"]).arg(id).status().unwrap();
    assert!(set.success(), "chrt: {set}");
}
