//! Serving: opens sockets, certificates, database and accounts as the settings say, and runs the server until a signal
//! stops it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chatterbox_hub::RoomRecord;
use chatterbox_proto::RoomName;
use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Accounts, Cost};
use chatterbox_server::commands::{CommandState, Service, configured_rooms};
use chatterbox_server::control::{Control, ControlSocket, NoSocket};
use chatterbox_server::file_service::Files;
use chatterbox_server::files::{FileRecords, Spool, SpoolError};
use chatterbox_server::moderation::Moderation;
use chatterbox_server::net::{Transport, listen};
use chatterbox_server::ops::activity::ActivityLog;
use chatterbox_server::ops::service_manager::ServiceManager;
use chatterbox_server::ops::{data_watch, logging, machine, signals};
use chatterbox_server::store::sqlite::{self, Place};
use chatterbox_server::store::{
    Memory, MemoryDirectory, MemoryModeration, SharedStores, Sqlite, SqliteDirectory, SqliteFiles,
    SqliteModeration, Store,
};
use chatterbox_server::{Cluster, Listeners, Live, Operation};
use tokio::sync::watch;

use crate::cli::banner::ready;
#[cfg(feature = "cluster")]
use crate::cli::cluster_opening;
use crate::cli::ended;
use crate::cli::exit::{self, Failure};
use crate::cli::gateways;
use crate::cli::inherited;
use crate::cli::layers::{Effective, Origin, Settings};
use crate::cli::operator::Process;
use crate::cli::reload::Reloader;
use crate::cli::settings::Serve;

/// Runs a server until it is stopped, or can't go on.
///
/// # Errors
/// Everything that prevents the start, and a history that can't be read.
pub fn serve(settings: Settings, arguments: Vec<OsString>) -> Result<(), Failure> {
    let mut options = settings.serve.clone();
    // Before there is another thread.
    let mut inherited = inherited::take()?;
    let manager = ServiceManager::of_environment();
    let _logging = logging::start(options.log_format, &options.log).map_err(|error| Failure {
        message: format!("log {}: {error}", options.log),
        hint: Some("error, warn, info, debug and trace are levels".into()),
        code: exit::USAGE,
    })?;
    for (setting, path) in not_home(&settings) {
        tracing::warn!(setting, path, "no shell reads the file: this is a folder whose name is ~");
    }
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
        let asking = signals::Asking::new()
            .map_err(|error| Failure::system("can't listen to signals", &error))?;
        // Before the sockets, so that nobody waits there while this waits for the engine.
        #[cfg(feature = "cluster")]
        let cluster = cluster_opening::open(&options.cluster).await?;
        #[cfg(not(feature = "cluster"))]
        let cluster: Option<Cluster> = None;
        let listeners = match inherited.of_chat()? {
            none if none.is_empty() => {
                let listeners = listen(&options.host, options.port).await;
                listeners.map_err(|error| Failure::listening(&options.host, &error))?
            }
            given => {
                inherited::note(&mut options, &given);
                given
            }
        };
        let gateways = gateways::open(&options, &mut inherited).await?;
        let source = options.certificate();
        let transport = match &source {
            Some(source) => Transport::tls(source.clone())?,
            None => Transport::Plaintext,
        };
        let new_database = options.store().is_some_and(|store| !sqlite::exists(&store.folder));
        let (store, place): (Arc<dyn Store>, _) = match options.store() {
            Some(store) => {
                let open = if cluster.is_some() { Sqlite::open } else { Sqlite::open_alone };
                let sqlite = open(&store)?;
                let gone = |error| Failure::system("the messages are not where they were", &error);
                (Arc::new(sqlite), Some(Place::of_folder(&store.folder).map_err(gone)?))
            }
            None => (Arc::new(Memory::default()), None),
        };
        let live = Live::new(config);
        let (cluster, shared) = stored_alike(cluster, &options)?;
        let access = access(&options, &live, &*store, shared.as_deref()).await?;
        let (stop, stopped) = watch::channel(0);
        let reloader = Arc::new(Reloader {
            arguments,
            live: live.clone(),
            transport: transport.clone(),
            in_force: Mutex::new(settings.effective),
            manager: manager.clone(),
        });
        let process =
            Process::new(&options, Arc::clone(&reloader), stop.clone(), &listeners, &gateways);
        let socket = control(&options)?;
        // It is removed when everything else has ended.
        let _socket = socket.as_ref().map(ControlSocket::file);
        let control = Some(Control { socket, operator: Arc::new(process) });
        let operation = Operation { control, cluster, asking: Some(asking), manager };
        let renew = || drop(reloader.reload_certificates());
        let signals = signals::watch(stop, || drop(reloader.reload()), renew)
            .map_err(|error| Failure::system("can't listen to signals", &error))?;
        ready(&options, source.as_ref(), &listeners, &gateways, new_database);
        let listeners = Listeners {
            protocol: listeners,
            web: gateways.web,
            telnet: gateways.telnet,
            health: gateways.health,
            metrics_anywhere: options.metrics_anywhere,
        };
        let server = chatterbox_server::run_controlled(
            listeners, transport, store, access, live, stopped, operation,
        );
        let files = place.clone();
        let watched = data_watch::watch(move || files.as_ref().map_or(Ok(()), Place::check_all));
        tokio::select! {
            outcome = server => outcome.map_err(|error| ended::stored(&error)),
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

/// Opens the control socket in the data folder. A folder that can't have one costs the control, and not the chat; but where another
/// server answers there, something is wrong with both.
fn control(options: &Serve) -> Result<Option<ControlSocket>, Failure> {
    let Some(store) = options.store() else { return Ok(None) };
    match ControlSocket::open(&store.folder) {
        Ok(socket) => Ok(Some(socket)),
        Err(error @ NoSocket::InUse(_)) => {
            let (message, hint) = (error.to_string(), Some(error.hint().into()));
            Err(Failure { message, hint, code: exit::MESSAGES })
        }
        Err(error) => {
            tracing::warn!(%error, hint = error.hint(), "this server can't be controlled while it runs");
            Ok(None)
        }
    }
}

/// Opens what all nodes of a cluster store alike, where this is one of them.
fn stored_alike(
    cluster: Option<Cluster>,
    options: &Serve,
) -> Result<(Option<Cluster>, Option<Arc<SharedStores>>), Failure> {
    let Some(cluster) = cluster else { return Ok((None, None)) };
    let Some(store) = options.store() else {
        return Err(Failure {
            message: "a node of a cluster needs a data folder".to_owned(),
            hint: Some("leave --memory out, or --cluster".into()),
            code: exit::CONFIGURATION,
        });
    };
    let shared = Arc::new(SharedStores::open(&store.folder)?);
    let commands = Some(Arc::<SharedStores>::clone(&shared) as _);
    Ok((Some(Cluster { commands, ..cluster }), Some(shared)))
}

/// Opens accounts and commands. They share the database of the messages, whose lock and migrations come first.
async fn access(
    options: &Serve,
    live: &Live,
    store: &dyn Store,
    shared: Option<&SharedStores>,
) -> Result<Access, Failure> {
    let cost = Cost::default();
    let accounts = match (shared, options.store()) {
        (Some(shared), _) => Accounts::new(shared.directory()?, cost),
        (None, Some(store)) => Accounts::new(SqliteDirectory::open(&store.folder)?, cost),
        (None, None) => Accounts::new(MemoryDirectory::default(), cost),
    };
    let accounts = accounts.map_err(|error| Failure::system("can't keep accounts", &error))?;
    let accounts = Arc::new(accounts);
    let blocks = live.current().rooms.clone();
    let rooms = if blocks.is_empty() {
        Vec::new()
    } else {
        let stored = store.rooms().await.map_err(|error| ended::stored(&error))?;
        let password = |name: &RoomName| {
            stored.iter().find_map(|record| match record {
                RoomRecord::Defined(room) if room.name == *name => room.settings.password.clone(),
                _ => None,
            })
        };
        configured_rooms(&accounts, &blocks, password).await?
    };
    let moderation = match (shared, options.store()) {
        (Some(shared), _) => Moderation::new(shared.moderation()?),
        (None, Some(store)) => Moderation::new(SqliteModeration::open(&store.folder)?),
        (None, None) => Moderation::new(MemoryModeration::default()),
    };
    let moderation = moderation.map_err(|error| Failure::system("can't start a thread", &error))?;
    let moderation = Arc::new(moderation);
    let state = CommandState::open(accounts, Arc::clone(&moderation), live.clone()).await?;
    let open = |folder: &PathBuf| {
        ActivityLog::open(folder)
            .map_err(|error| Failure::folder("can't write the activity log in", folder, &error))
    };
    let activity = options.activity_log.as_ref().map(open).transpose()?;
    let files = files(options, live, shared)?;
    let access = Access::new(Service::new(state, live.clone()));
    let access = access.with_rooms(rooms).with_moderation(moderation).with_activity(activity);
    Ok(access.with_files(files))
}

/// Opens the files that users send, if there is a folder for them.
fn files(
    options: &Serve,
    live: &Live,
    shared: Option<&SharedStores>,
) -> Result<Option<Arc<Files>>, Failure> {
    let Some(folder) = options.files_folder(shared.is_some()) else { return Ok(None) };
    let Some(store) = options.store() else { return Ok(None) };
    let records = match shared {
        Some(shared) => FileRecords::new(shared.files()?),
        None => FileRecords::new(SqliteFiles::open(&store.folder)?),
    };
    let records = records.map_err(|error| Failure::system("can't start a thread", &error))?;
    let spool = Spool::open(&folder).map_err(SpoolError::from);
    let spool = spool.and_then(|spool| spool.locked(shared.is_some()));
    let spool = spool.map_err(|error| Failure::files(&folder, &error))?;
    Ok(Some(Arc::new(Files::new(records, spool, live.clone(), shared.is_some()))))
}

/// Paths of the file that begin with `~/`, which a shell alone takes for the user's home: keys and values.
fn not_home(settings: &Settings) -> impl Iterator<Item = (&str, &str)> {
    settings.effective.iter().filter_map(|Effective { setting, value, origin }| {
        let path = value.as_deref()?;
        let is_meant = *origin == Origin::File && setting.is_path() && path.starts_with("~/");
        is_meant.then_some((setting.key.as_str(), path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::layers::tests::with_file;

    #[test]
    fn a_home_that_no_shell_has_filled_in_is_found_in_paths_of_the_file() {
        let text = "data = \"~/chat\"\nbanner = \"~/x\"\ncerts = \"/c\"\n";
        let settings = with_file(text, &["--files", "~/f"]).unwrap();
        assert_eq!(not_home(&settings).collect::<Vec<_>>(), [("data", "~/chat")]);
    }
}
