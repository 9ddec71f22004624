//! The server of this project with accounts and commands, in this process, behind real sockets and real TLS.

use std::sync::Arc;

use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Accounts, Cost};
use chatterbox_server::commands::{CommandState, Service};
use chatterbox_server::file_service::Files;
use chatterbox_server::files::{FileRecords, Spool};
use chatterbox_server::moderation::Moderation;
use chatterbox_server::net::{CertificateSource, Transport, listen};
use chatterbox_server::store::sqlite::{Durability, Retention, SqliteOptions};
use chatterbox_server::store::{
    Memory, MemoryDirectory as Directory, MemoryModeration, Sqlite, SqliteDirectory, SqliteFiles,
    SqliteModeration, Store,
};
use chatterbox_server::{Config, Live};
use tokio::sync::watch;

/// A server that speaks everything.
pub(crate) struct Real {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    _stop: watch::Sender<u32>,
}

impl Real {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::keeping(config, Arc::new(Memory::default())).await
    }

    /// The same with messages in this store.
    pub(crate) async fn keeping(config: Config, store: Arc<dyn Store>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_memory(local(&folder), folder, config, store).await
    }

    /// One without TLS, for whatever stands before it and has that.
    pub(crate) async fn behind(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_memory(Transport::Plaintext, folder, config, Arc::new(Memory::default())).await
    }

    async fn in_memory(
        transport: Transport,
        folder: tempfile::TempDir,
        config: Config,
        store: Arc<dyn Store>,
    ) -> Self {
        let accounts = Accounts::new(Directory::default(), Cost::CHEAP).unwrap();
        let moderation = Moderation::new(MemoryModeration::default()).unwrap();
        let kept = (store, accounts, moderation, None);
        Self::run(transport, folder, Live::new(config), kept).await
    }

    /// One that keeps everything in a folder, files too.
    pub(crate) async fn with_files(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let live = Live::new(config);
        let options = SqliteOptions {
            folder: data.clone(),
            durability: Durability::Process,
            retention: Retention { messages: 1_000, bytes: 1 << 20, age: None },
        };
        let store = Arc::new(Sqlite::open_alone(&options).unwrap());
        let directory = SqliteDirectory::open(&data).unwrap();
        let accounts = Accounts::new(directory, Cost::CHEAP).unwrap();
        let moderation = Moderation::new(SqliteModeration::open(&data).unwrap()).unwrap();
        let records = FileRecords::new(SqliteFiles::open(&data).unwrap()).unwrap();
        let spool = Spool::open(&data.join("files")).unwrap();
        let files = Files::new(records, spool, live.clone(), false);
        let kept = (store as Arc<dyn Store>, accounts, moderation, Some(files));
        Self::run(local(&folder), folder, live, kept).await
    }

    async fn run(
        transport: Transport,
        folder: tempfile::TempDir,
        live: Live,
        (store, accounts, moderation, files): (Arc<dyn Store>, Accounts, Moderation, Option<Files>),
    ) -> Self {
        let listeners = listen("127.0.0.1", 0).await.unwrap();
        let port = listeners.first().unwrap().local_addr().unwrap().port();
        let (stop, stopped) = watch::channel(0);
        let (accounts, moderation) = (Arc::new(accounts), Arc::new(moderation));
        let state = CommandState::open(accounts, Arc::clone(&moderation), live.clone());
        let access = Access::new(Service::new(state.await.unwrap(), live.clone()));
        let access = access.with_moderation(moderation).with_files(files.map(Arc::new));
        tokio::spawn(chatterbox_server::run_with(
            listeners, transport, store, access, live, stopped,
        ));
        Self { port, folder, _stop: stop }
    }

    /// The arguments that reach it, by another port if there is something in between.
    pub(crate) fn arguments(&self, port: u16, more: &[&str]) -> Vec<String> {
        let ca = self.folder.path().join("ca.crt").display().to_string();
        let port = port.to_string();
        let words = ["localhost", "-p", &port, "-ca", &ca];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }
}

/// TLS with a certificate that is made in a folder.
fn local(folder: &tempfile::TempDir) -> Transport {
    let source = CertificateSource::Local {
        folder: folder.path().to_owned(),
        hosts: vec!["localhost".into()],
    };
    Transport::tls(source).unwrap()
}
