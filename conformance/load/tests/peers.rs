//! The other dialects: small servers of IRC and MQTT, right and faulty ones, are judged for what they
//! do; and the real ones with which ours is compared are right.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "servers of the tests have tasks")]

use std::{
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
use conformance_load::{
    LoadOptions,
    dialect::Dialect,
    plan::{Pace, Plan, Workload},
    report::{LoadReport, Verdict},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedSender, unbounded_channel},
};

/// Nothing in these tests takes this long, unless it is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a server of the tests does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// It gives back to a sender what this one has said, which is the others' affair on IRC.
    Echoes,
    Loses,
    Doubles,
    Swaps,
    Alters,
    /// It does not tell that somebody has come.
    HidesJoins,
    /// It asks whether members are there, and hears nobody who has not answered before.
    Pings,
}

#[derive(Default)]
struct Room {
    /// Name and way of each member.
    members: Vec<(String, UnboundedSender<Vec<u8>>)>,
    /// Deliveries so far.
    count: u32,
    /// A message that waits for the next one, with the number of its receiver.
    held: Option<(usize, Vec<u8>)>,
}

impl Room {
    fn deliver(&mut self, fault: Fault, from: &str, message: &[u8], echo: bool) {
        for (place, (name, way)) in self.members.iter().enumerate() {
            if name == from && !echo && fault != Fault::Echoes {
                continue;
            }
            self.count += 1;
            let mut message = message.to_vec();
            let is_it = self.count % 7 == 5;
            match fault {
                Fault::Loses if is_it => continue,
                Fault::Doubles if is_it => drop(way.send(message.clone())),
                Fault::Alters if is_it => {
                    let at = message.len() - 4;
                    message[at] ^= 1;
                }
                Fault::Swaps if is_it && self.held.is_none() => {
                    self.held = Some((place, message));
                    continue;
                }
                _ => {}
            }
            let _ = way.send(message);
            if let Some((_, late)) = self.held.take_if(|(held, _)| *held == place) {
                let _ = way.send(late);
            }
        }
    }

    fn tell(&self, text: &str) {
        for (_, way) in &self.members {
            let _ = way.send(text.as_bytes().to_vec());
        }
    }
}

/// A server of a dialect, and where it is; it ends with the test.
async fn server(dialect: Dialect, fault: Fault) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let room = Arc::new(Mutex::new(Room::default()));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let room = Arc::clone(&room);
            tokio::spawn(async move {
                match dialect {
                    Dialect::Mqtt => mqtt(tcp, &room, fault).await,
                    _ => irc(tcp, &room, fault).await,
                }
            });
        }
    });
    Target::tcp("127.0.0.1", port)
}

/// The way to a member: what is put into it is written.
fn way_to(mut tcp: tokio::net::tcp::OwnedWriteHalf) -> UnboundedSender<Vec<u8>> {
    let (way, mut received) = unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(bytes) = received.recv().await {
            if tcp.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    way
}

async fn irc(tcp: TcpStream, room: &Mutex<Room>, fault: Fault) {
    let (mut from, to) = tcp.into_split();
    let way = way_to(to);
    let say = |text: String| drop(way.send(text.into_bytes()));
    let (mut nick, mut came, mut answered) =
        (String::new(), Vec::<u8>::new(), fault != Fault::Pings);
    loop {
        let Some(end) = came.iter().position(|byte| *byte == b'\n') else {
            match from.read_buf(&mut came).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        let line: Vec<u8> = came.drain(..=end).collect();
        let line = String::from_utf8(line).unwrap();
        let line = line.trim_end();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("NICK", name) => nick = name.to_owned(),
            ("USER", _) => {
                say(format!(":peer 001 {nick} :Welcome\r\n:peer 422 {nick} :No MOTD\r\n"));
            }
            ("JOIN", name) => {
                let mut room = room.lock().unwrap();
                let joined = format!(":{nick}!load@127.0.0.1 JOIN :{name}\r\n");
                if fault != Fault::HidesJoins {
                    room.tell(&joined);
                }
                room.members.push((nick.clone(), way.clone()));
                let names: Vec<_> = room.members.iter().map(|(name, _)| name.as_str()).collect();
                // A list of many names comes in several lines.
                let lines = names
                    .chunks(5)
                    .map(|names| format!(":peer 353 {nick} = {name} :@{}\r\n", names.join(" ")));
                let lines: String = lines.collect();
                say(format!("{joined}{lines}:peer 366 {nick} {name} :End\r\n"));
                if !answered {
                    say("PING :are you there?\r\n".to_owned());
                }
            }
            ("PONG", token) => answered = token == ":are you there?",
            ("PRIVMSG", message) if answered => {
                let message = format!(":{nick}!load@127.0.0.1 PRIVMSG {message}\r\n");
                room.lock().unwrap().deliver(fault, &nick, message.as_bytes(), false);
            }
            _ => {}
        }
    }
}

async fn mqtt(tcp: TcpStream, room: &Mutex<Room>, fault: Fault) {
    let (mut from, to) = tcp.into_split();
    let way = way_to(to);
    let mut came = Vec::<u8>::new();
    loop {
        // No packet of these tests is longer than one byte can say.
        let length = came.get(1).map_or(usize::MAX, |length| usize::from(*length) + 2);
        if came.len() < length {
            match from.read_buf(&mut came).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        }
        let packet: Vec<u8> = came.drain(..length).collect();
        match packet[0] {
            0x10 => drop(way.send(b"\x20\x02\x00\x00".to_vec())),
            0x82 => {
                room.lock().unwrap().members.push((String::new(), way.clone()));
                let _ = way.send(vec![0x90, 3, packet[2], packet[3], 0]);
            }
            0x30 => room.lock().unwrap().deliver(fault, "", &packet, true),
            _ => {}
        }
    }
}

fn options(workload: Workload, dialect: Dialect, place: Place, plaintext: bool) -> LoadOptions {
    let plan = Plan {
        workload,
        dialect,
        members: 12,
        senders: 3,
        payload: 64,
        pace: Pace::Window(4),
        flooders: 0,
        flood_window: 0,
        slow: 0,
        slow_speed: 0,
        history: 0,
        churn: 0.0,
        stay: Duration::ZERO,
        at_once: 4,
        patience: PATIENCE,
        drain: PATIENCE,
    };
    LoadOptions {
        plan,
        place,
        trust: Trust::Anything,
        plaintext,
        // Something has to come in these times, however much else the machine does.
        duration: Duration::from_secs(2),
        warm_up: Duration::from_millis(100),
        settle: Duration::from_millis(100),
        busy: Duration::from_secs(1),
        sources: Some(2),
        threads: Some(2),
        pid: None,
        limit: None,
        pinning: None,
    }
}

async fn against(dialect: Dialect, fault: Fault, workload: Workload) -> LoadReport {
    let place = Place::Running(server(dialect, fault).await);
    let mut options = options(workload, dialect, place, true);
    if !matches!(fault, Fault::Nothing | Fault::Echoes | Fault::Pings) {
        // What is lost never comes.
        options.plan.drain = Duration::from_secs(2);
    }
    conformance_load::run(&options, &mut |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn right_servers_are_right_in_every_workload() {
    for workload in [Workload::FanOut, Workload::JoinStorm, Workload::Idle] {
        for dialect in [Dialect::Irc, Dialect::Mqtt] {
            let report = against(dialect, Fault::Nothing, workload).await;
            assert_eq!(report.verdict, Verdict::Right, "{report:#?}");
            assert_eq!(
                (report.joining.joined, report.setting.dialect.as_str()),
                (12, dialect.name())
            );
            let talks = workload != Workload::JoinStorm;
            assert_eq!(report.checks.deliveries > 0, talks, "{report:#?}");
            // On IRC nobody hears themselves; of a topic everybody hears all, and nobody knows who is there.
            let is_mqtt = dialect == Dialect::Mqtt;
            assert_eq!(report.checks.echoes, talks && is_mqtt);
            assert_eq!(report.joining.known_seconds.is_none(), is_mqtt);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_is_answered_and_one_that_echoes_is_right() {
    for fault in [Fault::Pings, Fault::Echoes] {
        let report = against(Dialect::Irc, fault, Workload::FanOut).await;
        assert_eq!(report.verdict, Verdict::Right, "{report:#?}");
        assert!(report.checks.deliveries > 0 && report.checks.echoes == (fault == Fault::Echoes));
    }
}

/// A fault, and how often the report says that it did what it does.
type Proof = (Fault, fn(&LoadReport) -> u64);

const PROOFS: &[Proof] = &[
    (Fault::Loses, |report| report.checks.faults.lost),
    (Fault::Doubles, |report| report.checks.faults.doubled),
    (Fault::Swaps, |report| report.checks.faults.reordered),
    (Fault::Alters, |report| report.checks.faults.altered),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_is_noticed_for_what_it_is() {
    let runs = [Dialect::Irc, Dialect::Mqtt].into_iter().flat_map(|dialect| {
        PROOFS.iter().map(move |(fault, count)| async move {
            let report = against(dialect, *fault, Workload::FanOut).await;
            assert_eq!(report.verdict, Verdict::Wrong, "{fault:?}: {report:#?}");
            assert!(count(&report) > 0, "{fault:?}: {report:#?}");
        })
    });
    // Most of their time is waiting for what does not come.
    futures_util::future::join_all(runs).await;
    let report = against(Dialect::Irc, Fault::HidesJoins, Workload::JoinStorm).await;
    assert_eq!(report.verdict, Verdict::Wrong, "{report:#?}");
    assert!(report.checks.notices.joins_missing > 0, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_protocol_than_was_said_is_inconclusive() {
    // Each waits for the other, or hears what it can't understand.
    for (speaks, said) in [(Dialect::Irc, Dialect::Mqtt), (Dialect::Mqtt, Dialect::Irc)] {
        let place = Place::Running(server(speaks, Fault::Nothing).await);
        let mut options = options(Workload::FanOut, said, place, true);
        options.plan.patience = Duration::from_secs(1);
        let report = conformance_load::run(&options, &mut |_| {}).await.unwrap();
        assert_ne!(report.verdict, Verdict::Right, "{report:#?}");
        assert_eq!((report.joining.joined, report.traffic.is_none()), (0, true));
    }
}

/// Whether a program is there; when it is not, the test says so, or fails where it has to be there.
fn is_here(program: &str) -> bool {
    let looking = format!("PATH=$PATH:/usr/sbin:/sbin; command -v {program}");
    let found = Command::new("sh").args(["-c", &looking]).output().unwrap().status.success();
    if !found {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "{program} is required and not here (.ci/peer install)");
        eprintln!("SKIPPED: {program} is not here, so no load is put on it");
    }
    found
}

async fn a_real_one_is_right(program: &str, dialect: Dialect) {
    if !is_here(program) {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/peer");
    for (workload, plaintext, files) in [
        (Workload::FanOut, false, " {cert} {key}"),
        (Workload::FanOut, true, ""),
        (Workload::JoinStorm, true, ""),
    ] {
        let command = format!("'{}' {program} {{port}} {{dir}}{files}", script.display());
        let options = options(workload, dialect, Place::Command(command), plaintext);
        let report = conformance_load::run(&options, &mut |_| {}).await.unwrap();
        assert_eq!(report.verdict, Verdict::Right, "{program}: {report:#?}");
        assert_eq!(report.joining.joined, 12, "{program}: {report:#?}");
        let talks = workload == Workload::FanOut;
        assert_eq!(report.checks.deliveries > 0, talks, "{program}: {report:#?}");
        // The process that is measured is the server and not the shell that has started it.
        assert_eq!(report.joining.cpu.is_some(), cfg!(target_os = "linux"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inspircd_is_right() {
    a_real_one_is_right("inspircd", Dialect::Irc).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ngircd_is_right() {
    a_real_one_is_right("ngircd", Dialect::Irc).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_is_right() {
    a_real_one_is_right("mosquitto", Dialect::Mqtt).await;
}
