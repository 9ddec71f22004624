//! Serving: opens sockets, certificates, database and accounts as the settings say, and runs the server until a signal
//! stops it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chatterbox_hub::RoomRecord;
use chatterbox_proto::RoomName;
use chatterbox_server::Live;
use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Accounts, Cost};
use chatterbox_server::commands::{CommandState, Service, configured_rooms};
use chatterbox_server::net::{Transport, listen};
use chatterbox_server::ops::activity::ActivityLog;
use chatterbox_server::ops::{data_watch, logging, machine, signals};
use chatterbox_server::store::sqlite::{self, Place};
use chatterbox_server::store::{
    Memory, MemoryDirectory, Sqlite, SqliteDirectory, Store, StoreError,
};
use tokio::sync::watch;

use crate::cli::banner::ready;
use crate::cli::exit::{self, Failure};
use crate::cli::layers::Settings;
use crate::cli::reload::Reloader;
use crate::cli::settings::Serve;

/// Runs a server until it is stopped, or can't go on.
///
/// # Errors
/// Everything that prevents the start, and a history that can't be read.
pub fn serve(settings: Settings, arguments: Vec<OsString>) -> Result<(), Failure> {
    let options = settings.serve.clone();
    let _logging = logging::start(options.log_format, &options.log).map_err(|error| Failure {
        message: format!("log {}: {error}", options.log),
        hint: Some("error, warn, info, debug and trace are levels".into()),
        code: exit::USAGE,
    })?;
    let connections = machine::allow_many_connections();
    if connections == 0 {
        return Err(Failure {
            message: "this system allows so few open files that nobody could connect".to_owned(),
            hint: Some("allow at least 128, for example with ulimit -n 1024".into()),
            code: exit::SYSTEM,
        });
    }
    let config = options.config().bounded_by(connections);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(machine::blocking_threads())
        .build()
        .map_err(|error| Failure::system("can't start threads", &error))?;
    runtime.block_on(async {
        let listeners = listen(&options.host, options.port).await?;
        let source = options.certificate();
        let transport = match &source {
            Some(source) => Transport::tls(source.clone())?,
            None => Transport::Plaintext,
        };
        let new_database = options.store().is_some_and(|store| !sqlite::exists(&store.folder));
        let (store, place): (Arc<dyn Store>, _) = match options.store() {
            Some(store) => {
                let sqlite = Sqlite::open(&store)?;
                let gone = |error| Failure::system("the messages are not where they were", &error);
                (Arc::new(sqlite), Some(Place::of_folder(&store.folder).map_err(gone)?))
            }
            None => (Arc::new(Memory::default()), None),
        };
        let live = Live::new(config);
        let access = access(&options, &live, &*store).await?;
        let (stop, stopped) = watch::channel(0);
        let reloader = Reloader {
            arguments,
            live: live.clone(),
            transport: transport.clone(),
            in_force: Mutex::new(settings.effective),
        };
        let signals = signals::watch(stop, || reloader.reload(), || reloader.reload_certificates())
            .map_err(|error| Failure::system("can't listen to signals", &error))?;
        ready(&options, source.as_ref(), &listeners, new_database);
        let server =
            chatterbox_server::run_with(listeners, transport, store, access, live, stopped);
        let files = place.clone();
        let watched = data_watch::watch(move || files.as_ref().map_or(Ok(()), Place::check_all));
        tokio::select! {
            outcome = server => outcome.map_err(|error| unreadable(&error)),
            () = signals => Ok(()),
            () = watched => Ok(()),
        }?;
        // Nobody finds at the next start what was stored: that is no success.
        place.map_or(Ok(()), |place| place.check_closed()).map_err(|missing| Failure {
            message: missing.to_string(),
            hint: Some(
                "put the folder back, or a backup in its place, before the next start".into(),
            ),
            code: exit::MESSAGES,
        })
    })
}

/// What is stored can't be read, or not go on.
fn unreadable(error: &StoreError) -> Failure {
    Failure {
        message: error.to_string(),
        hint: Some("put a backup in its place, or give another folder with --data DIR".into()),
        code: exit::MESSAGES,
    }
}

/// Opens accounts and commands. They share the database of the messages, whose lock and migrations come first.
async fn access(options: &Serve, live: &Live, store: &dyn Store) -> Result<Access, Failure> {
    let cost = Cost::default();
    let accounts = match options.store() {
        Some(store) => Accounts::new(SqliteDirectory::open(&store.folder)?, cost),
        None => Accounts::new(MemoryDirectory::default(), cost),
    };
    let accounts = accounts.map_err(|error| Failure::system("can't keep accounts", &error))?;
    let accounts = Arc::new(accounts);
    let blocks = live.current().rooms.clone();
    let rooms = if blocks.is_empty() {
        Vec::new()
    } else {
        let stored = store.rooms().await.map_err(|error| unreadable(&error))?;
        let password = |name: &RoomName| {
            stored.iter().find_map(|record| match record {
                RoomRecord::Defined(room) if room.name == *name => room.settings.password.clone(),
                _ => None,
            })
        };
        configured_rooms(&accounts, &blocks, password).await?
    };
    let state = CommandState::open(accounts, live.clone()).await?;
    let open = |folder: &PathBuf| {
        ActivityLog::open(folder).map_err(|error| {
            Failure::system(
                &format!("can't write the activity log in {}", folder.display()),
                &error,
            )
        })
    };
    let activity = options.activity_log.as_ref().map(open).transpose()?;
    let service = Service::new(state, live.clone());
    Ok(Access::new(service).with_rooms(rooms).with_activity(activity))
}
