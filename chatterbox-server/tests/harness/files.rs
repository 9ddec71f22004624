//! A server with accounts and files in a folder, and clients that put and fetch.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatterbox_hub::{AccountKey, Level};
use chatterbox_proto::capability::files::{FileAnswer, FileChunk, FileCredit, FileGet, FilePut};
use chatterbox_proto::capability::meta::Digest;
use chatterbox_proto::{Username, WireText, limits};
use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Account, Accounts, Cost, Directory as _, PasswordHash, Secret};
use chatterbox_server::commands::{CommandState, Service};
use chatterbox_server::file_service::Files;
use chatterbox_server::files::{FileRecords, Spool};
use chatterbox_server::moderation::Moderation;
use chatterbox_server::store::sqlite::{Durability, Retention, SqliteOptions};
use chatterbox_server::store::{Sqlite, SqliteDirectory, SqliteFiles, SqliteModeration};
use chatterbox_server::{Config, Live};

use super::accounts::{PASSWORD, password};
use super::{Peer, Server};

pub const OFFER: &str = "accounts/1 commands/1 files/1 ids/1 meta/1 ping/1 rename/1 rooms/1";

/// A server whose database and files are in a folder.
pub struct FileServer {
    pub server: Server,
    pub folder: PathBuf,
}

impl FileServer {
    /// With the accounts `ann`, `bob` and `cyd`, which are made if they are not there.
    pub async fn open(config: Config, folder: &Path) -> Self {
        let options = SqliteOptions {
            folder: folder.to_owned(),
            durability: Durability::Process,
            retention: Retention { messages: 1_000, bytes: 1 << 20, age: None },
        };
        let store = Arc::new(Sqlite::open_alone(&options).unwrap());
        let mut directory = SqliteDirectory::open(folder).unwrap();
        for name in ["ann", "bob", "cyd"] {
            let account = Account {
                account_key: AccountKey::default(),
                name: Username::parse(name).unwrap(),
                password: PasswordHash::make(&Secret::given(PASSWORD), Cost::CHEAP).unwrap(),
                level: Level::USER,
                created: 7,
            };
            let _ = directory.add(&account).unwrap();
        }
        let accounts = Arc::new(Accounts::new(directory, Cost::CHEAP).unwrap());
        let live = Live::new(config.clone());
        let moderation = SqliteModeration::open(folder).unwrap();
        let moderation = Arc::new(Moderation::new(moderation).unwrap());
        let state = CommandState::open(accounts, Arc::clone(&moderation), live.clone());
        let records = FileRecords::new(SqliteFiles::open(folder).unwrap()).unwrap();
        let spool = Spool::open(&folder.join("files")).unwrap();
        let files = Arc::new(Files::new(records, spool, live.clone(), false));
        let access = Access::new(Service::new(state.await.unwrap(), live));
        let access = access.with_moderation(moderation).with_files(Some(files));
        let server = Server::with_all(config, store, access).await;
        Self { server, folder: folder.to_owned() }
    }

    /// Somebody with an account, logged in.
    pub async fn user(&self, name: &str) -> Client {
        self.joined(name, &password(PASSWORD)).await
    }

    pub async fn guest(&self, name: &str) -> Client {
        self.joined(name, "").await
    }

    async fn joined(&self, name: &str, beside: &str) -> Client {
        Client::over(self.server.connect().await, name, beside).await
    }

    /// The bytes of files that are in the folder: how many files, and how much.
    pub fn spooled(&self) -> (usize, u64) {
        let sizes = std::fs::read_dir(self.folder.join("files")).unwrap();
        let sizes = sizes.map(|entry| entry.unwrap().metadata().unwrap().len());
        sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size))
    }
}

/// Somebody who puts and fetches files.
pub struct Client {
    pub peer: Peer,
    asked: u64,
}

pub fn digest(bytes: &[u8]) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    Digest(*digest.as_ref().first_chunk().unwrap())
}

/// Bytes that are no repetition.
pub fn bytes(size: usize, seed: u64) -> Vec<u8> {
    let mut state = 2 * seed + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u8::try_from(state >> 56).unwrap()
    };
    (0..size).map(|_| next()).collect()
}

impl Client {
    /// Joins over a connection.
    pub async fn over(mut peer: Peer, name: &str, beside: &str) -> Self {
        let answer = peer.offer(name, OFFER, beside).await;
        assert_eq!(answer.accepted, Some(true), "{answer:?}");
        let agreed = answer.keys.unwrap().agreed.unwrap().to_string();
        assert!(agreed.contains("files/1"), "{agreed}");
        Self { peer, asked: 0 }
    }

    fn id(&mut self) -> String {
        self.asked += 1;
        format!("f{}", self.asked)
    }

    async fn answer(&mut self, id: &str) -> FileAnswer {
        let is = |answer: &FileAnswer| answer.id.as_ref().is_some_and(|of| of.as_wire() == id);
        self.peer.find(|keys| keys.file.clone().filter(is)).await
    }

    pub async fn put(&mut self, to: &str, name: &str, bytes: &[u8]) -> FileAnswer {
        let id = self.id();
        let put = FilePut {
            id: id.clone(),
            to: WireText::new(to.to_owned()),
            name: WireText::new(name.to_owned()),
            size: bytes.len() as u64,
            sha256: digest(bytes),
        };
        self.peer.send(&put.to_object().finish().unwrap()).await;
        self.answer(&id).await
    }

    pub async fn piece(&mut self, token: &str, at: usize, piece: &[u8]) {
        self.peer.send(&FileChunk::frame(token, at as u64, piece).unwrap()).await;
    }

    /// Sends what is left of an upload; the answer at its end.
    pub async fn send(&mut self, answer: &FileAnswer, bytes: &[u8]) -> FileAnswer {
        let token = answer.file.as_ref().unwrap().as_wire().to_owned();
        let (mut at, mut credit) = (place(answer.at), place(answer.credit));
        while at < bytes.len() {
            while at == credit {
                let upto = self.peer.find(|keys| Some(keys.file_credit.as_ref()?.upto)).await;
                credit = place(Some(upto));
            }
            let end = credit.min(at + limits::FILE_CHUNK);
            self.piece(&token, at, &bytes[at..end]).await;
            at = end;
        }
        self.peer.find(|keys| keys.file.clone().filter(|answer| answer.id.is_none())).await
    }

    /// Uploads a file; its token.
    pub async fn upload(&mut self, to: &str, bytes: &[u8]) -> String {
        let answer = self.put(to, "x.bin", bytes).await;
        assert_eq!(answer.code, None, "{answer:?}");
        let done = self.send(&answer, bytes).await;
        assert!(done.is_done && done.until.is_some(), "{done:?}");
        answer.file.unwrap().as_wire().to_owned()
    }

    /// Says something with a file; whether it was taken.
    pub async fn announce(&mut self, to: &str, token: &str) -> bool {
        let tag = self.id();
        let name = self.peer.name.clone();
        let body = format!(
            r#"{{"MESSAGES": [["{name}", "{to}", 1, "a file"]], "TAGS": ["{tag}"], "META": [{{"FILE": "{token}"}}]}}"#
        );
        self.peer.send_body(&body).await;
        self.peer
            .find(|keys| {
                let acked = keys.acks.iter().any(|(of, _)| of.as_wire() == tag);
                let refused = keys.refused.iter().any(|refused| refused.tag.as_wire() == tag);
                (acked || refused).then_some(acked)
            })
            .await
    }

    pub async fn share(&mut self, to: &str, bytes: &[u8]) -> String {
        let token = self.upload(to, bytes).await;
        assert!(self.announce(to, &token).await);
        token
    }

    pub async fn get(&mut self, token: &str, at: usize, credit: usize) -> FileAnswer {
        let id = self.id();
        let (file, at, credit) = (token.to_owned(), at as u64, credit as u64);
        let get = FileGet { id: id.clone(), file, at, credit };
        self.peer.send(&get.to_object().finish().unwrap()).await;
        self.answer(&id).await
    }

    pub async fn credit(&mut self, token: &str, upto: usize) {
        let credit = FileCredit { file: token.to_owned(), upto: upto as u64 };
        self.peer.send(&credit.to_object().finish().unwrap()).await;
    }

    /// The next piece of a fetch, or its end.
    pub async fn next_piece(&mut self) -> Result<FileChunk, FileAnswer> {
        self.peer
            .find(|keys| {
                let piece = keys.file_chunk.clone().map(Ok);
                piece.or_else(|| keys.file.clone().map(Err))
            })
            .await
    }

    /// Fetches what is left of a file.
    pub async fn fetch(&mut self, token: &str, from: usize, size: usize) -> Vec<u8> {
        let mut credit = from + 8 * limits::FILE_CHUNK;
        let answer = self.get(token, from, credit).await;
        assert_eq!(answer.code, None, "{answer:?}");
        let mut all = Vec::new();
        loop {
            match self.next_piece().await {
                Ok(piece) => {
                    assert_eq!(place(Some(piece.at)), from + all.len());
                    all.extend(piece.data.unwrap());
                    if credit < size && credit - from - all.len() <= 4 * limits::FILE_CHUNK {
                        credit += 4 * limits::FILE_CHUNK;
                        self.credit(token, credit).await;
                    }
                }
                Err(end) => {
                    assert!(end.is_done, "{end:?}");
                    return all;
                }
            }
        }
    }
}

fn place(place: Option<u64>) -> usize {
    usize::try_from(place.unwrap()).unwrap()
}
