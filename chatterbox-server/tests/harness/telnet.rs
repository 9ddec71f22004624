//! A server that speaks telnet, and those who call it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Account, Accounts, Cost, Directory as _, PasswordHash, Secret};
use chatterbox_server::commands::{CommandState, Service};
use chatterbox_server::moderation::Moderation;
use chatterbox_server::net::{Transport, listen};
use chatterbox_server::store::{Memory, MemoryDirectory, MemoryModeration, StoreError};
use chatterbox_server::{Config, Listeners, Live};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accounts::PASSWORD;
use super::{PATIENCE, Peer};

/// What a telnet program answers: the server may echo, each key is sent, the window is so wide and 24 rows high.
pub fn agrees(width: u8) -> Vec<u8> {
    let mut answer = vec![255, 253, 1, 255, 253, 3, 255, 251, 31, 255, 252, 34];
    answer.extend([255, 250, 31, 0, width, 0, 24, 255, 240]);
    answer
}

/// A server in this process, without TLS, with accounts and rooms.
pub struct TelnetServer {
    pub address: SocketAddr,
    pub telnet: SocketAddr,
    stop: watch::Sender<u32>,
    task: JoinHandle<Result<(), StoreError>>,
}

impl TelnetServer {
    /// With these users, who have the usual password.
    pub async fn open(config: Config, users: &[&str]) -> Self {
        let mut directory = MemoryDirectory::default();
        for name in users {
            let account = Account {
                account_key: chatterbox_hub::AccountKey::default(),
                name: chatterbox_proto::Username::parse(name).unwrap(),
                password: PasswordHash::make(&Secret::given(PASSWORD), Cost::CHEAP).unwrap(),
                level: chatterbox_hub::Level::new(1).unwrap(),
                created: 7,
            };
            directory.add(&account).unwrap();
        }
        let accounts = Arc::new(Accounts::new(directory, Cost::CHEAP).unwrap());
        let live = Live::new(config);
        let moderation = Arc::new(Moderation::new(MemoryModeration::default()).unwrap());
        let state = CommandState::open(accounts, Arc::clone(&moderation), live.clone());
        let access = Access::new(Service::new(state.await.unwrap(), live.clone()));
        let protocol = listen("127.0.0.1", 0).await.unwrap();
        let telnet = listen("127.0.0.1", 0).await.unwrap();
        let address = protocol[0].local_addr().unwrap();
        let told = telnet[0].local_addr().unwrap();
        let (stop, stopped) = watch::channel(0);
        let task = tokio::spawn(chatterbox_server::run_with(
            Listeners { protocol, telnet, ..Listeners::default() },
            Transport::Plaintext,
            Arc::new(Memory::default()),
            access.with_moderation(moderation),
            live,
            stopped,
        ));
        Self { address, telnet: told, stop, task }
    }

    /// Somebody who speaks the protocol.
    pub async fn join(&self, name: &str) -> Talker {
        let mut peer = Peer::over(TcpStream::connect(self.address).await.unwrap());
        let welcome = peer.ask(name).await;
        assert_eq!(welcome.accepted, Some(true), "{welcome:?}");
        Talker { peer, heard: VecDeque::new() }
    }

    /// Somebody with netcat.
    pub async fn call(&self) -> Caller {
        Caller { stream: TcpStream::connect(self.telnet).await.unwrap(), seen: Vec::new() }
    }

    /// The same, who has a name.
    pub async fn call_as(&self, name: &str) -> Caller {
        let mut caller = self.call().await;
        caller.until("your name: ").await;
        caller.types(name).await;
        caller.until("* here: ").await;
        caller.until("> ").await;
        caller
    }

    /// A user with an account, who has telnet and makes a room.
    pub async fn call_and_create(&self, name: &str, room: &str) -> Caller {
        let mut caller = self.call_by_keys(80).await;
        caller.types(name).await;
        caller.until(&format!("password of {name}: ")).await;
        caller.types(PASSWORD).await;
        caller.until("* here: ").await;
        caller.types(&format!(":create-room {room}")).await;
        caller.until(&format!("[room/{room}]> \x1b[K")).await;
        caller
    }

    /// Somebody with telnet.
    pub async fn call_by_keys(&self, width: u8) -> Caller {
        let mut caller = self.call().await;
        caller.sends(&agrees(width)).await;
        caller.until("your name: ").await;
        caller
    }

    /// Stops it, and waits until it has.
    pub async fn stop(self) {
        self.stop.send_modify(|count| *count += 2);
        tokio::time::timeout(PATIENCE, self.task).await.expect("stops in time").unwrap().unwrap();
    }
}

/// Somebody who speaks the protocol.
pub struct Talker {
    pub peer: Peer,
    /// What was said to all, by themselves as well, and not looked at yet.
    heard: VecDeque<String>,
}

impl Talker {
    /// Says it to all.
    pub async fn says(&mut self, text: &str) {
        self.peer.say("ALL", text).await;
    }

    /// What is said next to all.
    pub async fn hears(&mut self) -> String {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard;
            }
            let messages = self.peer.next().await.messages;
            self.heard.extend(messages.into_iter().flatten().map(|said| said.content.into_owned()));
        }
    }
}

/// Somebody at a terminal.
pub struct Caller {
    pub stream: TcpStream,
    /// What was written to the terminal, and not looked at yet.
    pub seen: Vec<u8>,
}

impl Caller {
    pub async fn sends(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Types a line.
    pub async fn types(&mut self, line: &str) {
        self.sends(format!("{line}\r\n").as_bytes()).await;
    }

    /// Waits for a text; gives what came up to its end.
    pub async fn until(&mut self, text: &str) -> String {
        let found = async {
            loop {
                let place = self.seen.windows(text.len()).position(|seen| seen == text.as_bytes());
                if let Some(place) = place {
                    let seen: Vec<_> = self.seen.drain(..place + text.len()).collect();
                    return String::from_utf8_lossy(&seen).into_owned();
                }
                let got = self.stream.read_buf(&mut self.seen).await.unwrap();
                assert!(
                    got > 0,
                    "ended before {text:?}: {:?}",
                    String::from_utf8_lossy(&self.seen)
                );
            }
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(seen) => seen,
            Err(_) => panic!("waited for {text:?} in {:?}", String::from_utf8_lossy(&self.seen)),
        }
    }

    /// Types a line, and gives what is written up to the next prompt.
    pub async fn asks(&mut self, line: &str, prompt: &str) -> String {
        self.types(line).await;
        self.until(prompt).await
    }

    /// Leaves the chat, and gives what is said of it.
    pub async fn quits(&mut self) -> String {
        self.types(":quit").await;
        self.rest().await
    }

    /// Everything up to the end of the connection.
    pub async fn rest(&mut self) -> String {
        let rest = async {
            // A connection that is reset has ended as well.
            while self.stream.read_buf(&mut self.seen).await.unwrap_or(0) > 0 {}
        };
        tokio::time::timeout(PATIENCE, rest).await.expect("it ends");
        String::from_utf8_lossy(&std::mem::take(&mut self.seen)).into_owned()
    }
}
