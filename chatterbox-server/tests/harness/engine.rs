//! Servers of the engine (NATS with JetStream) that a test starts, disturbs and ends. Shared by the tests of this folder and those
//! inside the library (`order/jetstream/tests`).
#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// For how long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often something that can't be waited for is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The program, where one can be found: `CHATTERBOX_NATS_SERVER`, or `nats-server` in PATH. Where there is none a test is
/// skipped, visibly, and fails where nothing may be skipped.
pub fn program() -> Option<PathBuf> {
    let named = std::env::var_os("CHATTERBOX_NATS_SERVER").map(PathBuf::from);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = named.or_else(|| {
        let programs = std::env::split_paths(&folders).map(|folder| folder.join("nats-server"));
        programs.into_iter().find(|program| program.is_file())
    });
    if found.is_none() {
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
        assert!(
            !required,
            "nats-server is not installed, and CHATTERBOX_REQUIRE_SERVICES is 1 (.ci/engine fetches it)"
        );
        eprintln!("SKIPPED: nats-server is not installed (.ci/engine fetches it)");
    }
    found
}

/// Some servers that are one engine. They end with it.
pub struct Engine {
    folder: tempfile::TempDir,
    program: PathBuf,
    servers: Vec<Server>,
}

struct Server {
    client: u16,
    monitor: u16,
    process: Option<Child>,
    is_hung: bool,
}

impl Engine {
    /// Servers that are ready; `None` where there is no program.
    pub fn start(count: usize) -> Option<Self> {
        Self::with(count, "")
    }

    /// The same, with more lines of configuration.
    pub fn with(count: usize, lines: &str) -> Option<Self> {
        let program = program()?;
        // Ports are free when they are looked for. Somebody else may take one meanwhile, so a second engine is tried.
        for _ in 0..5 {
            let mut engine = Self::configured(&program, count, lines);
            for index in 0..count {
                engine.launch(index);
            }
            if (0..count).all(|index| engine.is_caught_up(index, PATIENCE)) {
                return Some(engine);
            }
        }
        panic!("the engine does not start");
    }

    fn configured(program: &Path, count: usize, lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bound: Vec<_> =
            (0..3 * count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let ports: Vec<_> =
            bound.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let (clients, rest) = ports.split_at(count);
        let (monitors, routes) = rest.split_at(count);
        let others: Vec<_> = routes.iter().map(|port| format!("nats://127.0.0.1:{port}")).collect();
        for index in 0..count {
            let (client, monitor, route) = (clients[index], monitors[index], routes[index]);
            let store = folder.path().join(format!("store{index}"));
            let cluster = format!(
                "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{}] }}",
                others.join(", ")
            );
            let cluster = if count > 1 { cluster.as_str() } else { "" };
            let text = format!(
                "server_name: n{index}\nlisten: \"127.0.0.1:{client}\"\nhttp: \"127.0.0.1:{monitor}\"\n\
                 max_payload: 8MB\nping_interval: \"2s\"\n\
                 jetstream {{ store_dir: {store:?}, sync_interval: always, max_file_store: 64GB }}\n{cluster}\n{lines}\n"
            );
            fs::write(folder.path().join(format!("n{index}.conf")), text).unwrap();
        }
        let server = |(client, monitor): (&u16, &u16)| Server {
            client: *client,
            monitor: *monitor,
            process: None,
            is_hung: false,
        };
        let servers = clients.iter().zip(monitors).map(server).collect();
        drop(bound);
        Self { folder, program: program.to_owned(), servers }
    }

    fn launch(&mut self, index: usize) {
        let log = File::options().create(true).append(true).open(self.log_file(index)).unwrap();
        let process = Command::new(&self.program)
            .arg("-c")
            .arg(self.folder.path().join(format!("n{index}.conf")))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.servers[index].process = Some(process);
    }

    fn log_file(&self, index: usize) -> PathBuf {
        self.folder.path().join(format!("n{index}.log"))
    }

    /// What a server has logged.
    pub fn log(&self, index: usize) -> String {
        fs::read_to_string(self.log_file(index)).unwrap_or_default()
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.servers.len()
    }

    /// Where clients find a server.
    pub fn url(&self, index: usize) -> String {
        format!("nats://127.0.0.1:{}", self.servers[index].client)
    }

    /// Where clients find all of them, with commas.
    pub fn urls(&self) -> String {
        (0..self.len()).map(|index| self.url(index)).collect::<Vec<_>>().join(",")
    }

    /// Where a server is monitored.
    pub fn monitor(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.servers[index].monitor)
    }

    /// What a server says of itself under a path, if it says anything.
    pub fn asked(&self, index: usize, path: &str) -> Option<Value> {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.servers[index].monitor)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.lines().next()?.contains(" 200 ").then(|| serde_json::from_str(body).ok())?
    }

    /// Whether a server has caught up, or has ended; `None` where it does neither in that time.
    fn readiness(&mut self, index: usize, patience: Duration) -> Option<bool> {
        let start = Instant::now();
        while start.elapsed() < patience {
            let process = self.servers[index].process.as_mut().unwrap();
            if process.try_wait().unwrap().is_some() {
                return Some(false);
            }
            if self.asked(index, "/healthz").is_some() {
                return Some(true);
            }
            std::thread::sleep(LOOK);
        }
        None
    }

    fn is_caught_up(&mut self, index: usize, patience: Duration) -> bool {
        let found = self.readiness(index, patience);
        found.unwrap_or_else(|| {
            panic!("server {index} of the engine is not ready:\n{}", self.log(index))
        })
    }

    /// Waits until a server has caught up. One that was killed may go on for ever without that (`group node unhealthy`): it is
    /// started once more then, as whoever runs it would.
    pub fn is_ready(&mut self, index: usize) {
        let soon = self.readiness(index, PATIENCE / 2);
        if soon.is_none() {
            self.stop(index);
            self.start_again(index);
        }
        let is_ready = soon.unwrap_or_else(|| self.is_caught_up(index, PATIENCE));
        assert!(is_ready, "server {index} has ended:\n{}", self.log(index));
    }

    /// The servers that run and answer.
    pub fn alive(&self) -> impl Iterator<Item = usize> {
        (0..self.len())
            .filter(|index| self.servers[*index].process.is_some() && !self.servers[*index].is_hung)
    }

    /// The server that leads a stream, as one of the others says.
    pub fn leader(&self, stream: &str) -> usize {
        let start = Instant::now();
        loop {
            let found = self.alive().find_map(|index| {
                let all = self.asked(index, "/jsz?streams=true")?;
                let account = all["account_details"].as_array()?.first()?.clone();
                let streams = account["stream_detail"].as_array()?.clone();
                let stream = streams.into_iter().find(|one| one["name"] == stream)?;
                let leader = stream["cluster"]["leader"]
                    .as_str()?
                    .strip_prefix('n')?
                    .parse::<usize>()
                    .ok()?;
                self.alive().find(|index| *index == leader)
            });
            if let Some(leader) = found {
                return leader;
            }
            assert!(start.elapsed() < PATIENCE, "nobody leads {stream}");
            std::thread::sleep(LOOK);
        }
    }

    fn signal(&self, index: usize, signal: Signal) {
        let process = self.servers[index].process.as_ref().expect("it runs");
        kill_process(Pid::from_child(process), signal).unwrap();
    }

    /// Kills a server, without a word.
    pub fn kill(&mut self, index: usize) {
        self.signal(index, Signal::KILL);
        self.ended(index);
    }

    /// Asks a server to end, and waits for that.
    pub fn stop(&mut self, index: usize) {
        self.signal(index, Signal::TERM);
        self.ended(index);
    }

    fn ended(&mut self, index: usize) {
        self.servers[index].is_hung = false;
        self.servers[index].process.take().unwrap().wait().unwrap();
    }

    /// A server stands still; its connections stay open.
    pub fn hang(&mut self, index: usize) {
        self.signal(index, Signal::STOP);
        self.servers[index].is_hung = true;
    }

    /// It goes on.
    pub fn goes_on(&mut self, index: usize) {
        self.signal(index, Signal::CONT);
        self.servers[index].is_hung = false;
    }

    /// Starts a server again that has ended, with what it has stored.
    pub fn start_again(&mut self, index: usize) {
        self.launch(index);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for process in self.servers.iter_mut().filter_map(|server| server.process.as_mut()) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
