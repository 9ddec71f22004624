//! `chatterbox-server HOST -p PORT`: hosts a chat.

mod cli;

use std::ffi::OsString;
use std::io::{BufWriter, Write as _};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use chatterbox_server::access::Access;
use chatterbox_server::accounts::{Accounts, Cost};
use chatterbox_server::commands::{self, CommandState, Service};
use chatterbox_server::net::{AUTHORITY_FILE, CertificateSource, Transport, listen};
use chatterbox_server::ops::{logging, machine, signals};
use chatterbox_server::store::sqlite::{self, CopyError};
use chatterbox_server::store::{Backlog, Memory, MemoryDirectory, Sqlite, SqliteDirectory};
use chatterbox_server::{Config, Live};
use clap::error::ErrorKind;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::exit::Failure;
use crate::cli::layers::{Effective, LayerError, Settings};
use crate::cli::settings::Serve;
use crate::cli::subcommand::Command;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let settings = match cli::layers::read(&arguments) {
        Ok(settings) => settings,
        Err(LayerError::Arguments(error)) => {
            // Nothing is left to do when not even this can be written.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(cli::exit::USAGE),
            };
        }
        Err(error) => return Failure::from(error).report(),
    };
    let outcome = match &settings.command {
        None => serve(settings, arguments),
        Some(command) => other(command, &settings),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// What is not serving.
fn other(command: &Command, settings: &Settings) -> Result<(), Failure> {
    let mut stdout = BufWriter::new(std::io::stdout().lock());
    let written = match command {
        Command::Backup { file, messages } => {
            sqlite::backup(&messages.folder(), file)?;
            eprintln!("chatterbox-server: wrote {}", file.display());
            Ok(())
        }
        Command::Export { messages } => match sqlite::export(&messages.folder(), &mut stdout) {
            Ok(count) => {
                eprintln!("chatterbox-server: wrote {count} messages");
                Ok(())
            }
            Err(CopyError::Output(error)) => Err(error),
            Err(error) => return Err(error.into()),
        },
        Command::User { command } => cli::user::user(command, &mut stdout)?,
        Command::AdminPassword(command) => {
            cli::user::admin_password(command)?;
            Ok(())
        }
        Command::Commands { .. } => stdout.write_all(commands::markdown().as_bytes()),
        Command::Config { sample: true, .. } => stdout.write_all(cli::layers::sample().as_bytes()),
        Command::Config { .. } => {
            match &settings.file {
                Some(file) => eprintln!("chatterbox-server: the file is {}", file.display()),
                None => eprintln!("chatterbox-server: there is no configuration file"),
            }
            stdout.write_all(cli::layers::show(settings).as_bytes())
        }
    };
    match written.and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::system("can't write", &error)),
        Ok(()) => Ok(()),
    }
}

fn serve(settings: Settings, arguments: Vec<OsString>) -> Result<(), Failure> {
    let options = settings.serve.clone();
    let _logging = logging::start(options.log_format, &options.log).map_err(|error| Failure {
        message: format!("log {}: {error}", options.log),
        hint: Some("error, warn, info, debug and trace are levels"),
        code: cli::exit::USAGE,
    })?;
    let config = bounded_by_machine(options.config());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("can't start threads", &error))?;
    runtime.block_on(async {
        let listeners = listen(&options.host, options.port).await?;
        let source = options.certificate();
        let transport = match &source {
            Some(source) => Transport::tls(source.clone())?,
            None => Transport::Plaintext,
        };
        let backlog: Arc<dyn Backlog> = match options.store() {
            Some(store) => Arc::new(Sqlite::open(&store)?),
            None => Arc::new(Memory::default()),
        };
        let live = Live::new(config);
        let access = access(&options, &live).await?;
        let (stop, stopped) = watch::channel(0);
        let reload = {
            let (live, transport) = (live.clone(), transport.clone());
            let in_force = Mutex::new(settings.effective);
            move || reload(&arguments, &live, &transport, &in_force)
        };
        let renew = {
            let transport = transport.clone();
            move || reload_certificates(&transport)
        };
        let signals = signals::watch(stop, reload, renew)
            .map_err(|error| Failure::system("can't listen to signals", &error))?;
        ready(&options, source.as_ref(), &listeners);
        let server =
            chatterbox_server::run_with(listeners, transport, backlog, access, live, stopped);
        tokio::select! {
            outcome = server => outcome.map_err(|error| Failure {
                message: error.to_string(),
                hint: Some("put a backup in its place, or give another folder with --data DIR"),
                code: cli::exit::MESSAGES,
            }),
            () = signals => Ok(()),
        }
    })
}

/// Accounts and commands; the database of the messages has to be open.
async fn access(options: &Serve, live: &Live) -> Result<Access, Failure> {
    let cost = Cost::default();
    let accounts = match options.store() {
        Some(store) => Accounts::new(SqliteDirectory::open(&store.folder)?, cost),
        None => Accounts::new(MemoryDirectory::default(), cost),
    };
    let accounts = accounts.map_err(|error| Failure::system("can't keep accounts", &error))?;
    let state = CommandState::open(Arc::new(accounts), live.clone()).await?;
    Ok(Access::new(Service::new(state, live.clone())))
}

fn bounded_by_machine(mut config: Config) -> Config {
    let files = machine::allow_many_connections();
    if config.max_connections > files {
        if config.max_connections != usize::MAX {
            tracing::warn!(files, "this system allows fewer connections than max-connections");
        }
        config.max_connections = files;
    }
    config
}

/// What a running server can take over; the rest waits for the next start.
const LIVE: &[&str] = &[
    "max-connections",
    "max-per-address",
    "no-limits",
    "max-frame",
    "max-name",
    "join-timeout",
    "stall-timeout",
    "grace",
    "hold-name",
    "guests",
    "legacy-commands",
];

/// Reads all layers and the certificates again. A mistake leaves everything of its kind as it was.
fn reload(
    arguments: &[OsString],
    live: &Live,
    transport: &Transport,
    in_force: &Mutex<Vec<Effective>>,
) {
    match cli::layers::read(arguments) {
        Ok(fresh) => {
            live.replace(bounded_by_machine(fresh.serve.config()));
            let mut in_force = in_force.lock().unwrap_or_else(PoisonError::into_inner);
            let changed: Vec<_> = fresh
                .effective
                .iter()
                .filter(|setting| {
                    in_force.iter().any(|old| old.key == setting.key && old.value != setting.value)
                })
                .map(|setting| setting.key.clone())
                .collect();
            let waiting: Vec<_> =
                changed.iter().filter(|key| !LIVE.contains(&key.as_str())).cloned().collect();
            if !waiting.is_empty() {
                tracing::warn!(settings = waiting.join(", "), "changed at the next start only");
            }
            for setting in &mut *in_force {
                if LIVE.contains(&setting.key.as_str())
                    && let Some(fresh) = fresh.effective.iter().find(|new| new.key == setting.key)
                {
                    *setting = fresh.clone();
                }
            }
            let live: Vec<_> = changed.into_iter().filter(|key| !waiting.contains(key)).collect();
            tracing::info!(changed = live.join(", "), "settings read again");
        }
        Err(error) => tracing::error!(%error, "the old settings stay in use"),
    }
    reload_certificates(transport);
}

fn reload_certificates(transport: &Transport) {
    match transport.reload() {
        Ok(()) => tracing::info!("certificates read again"),
        Err(error) => tracing::error!(%error, "the old certificates stay in use"),
    }
}

/// Says where the server is, and how to get in.
fn ready(cli: &Serve, source: Option<&CertificateSource>, listeners: &[TcpListener]) {
    let addresses: Vec<_> =
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let port = addresses.first().map_or(cli.port, std::net::SocketAddr::port);
    let addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let host = match cli.host.as_str() {
        "0.0.0.0" | "::" => "localhost",
        host => host,
    };
    let trust = match source {
        None => " --plaintext".to_owned(),
        Some(CertificateSource::Local { folder, .. }) => {
            format!(" -ca {}", shell_word(&folder.join(AUTHORITY_FILE).display().to_string()))
        }
        Some(CertificateSource::Files { .. }) => String::new(),
    };
    let client = format!("chatterbox-client {host} -p {port}{trust}");
    if cli.log_format == logging::LogFormat::Json {
        tracing::info!(addresses, client, tls = source.is_some(), "ready");
        if cli.no_limits {
            tracing::warn!("no limits: anybody can use up this machine");
        }
        return;
    }
    let mut lines = Vec::new();
    if cli.no_limits {
        lines.push("WARNING: no limits: anybody can use up this machine.".to_owned());
    }
    if source.is_none() {
        lines.push(
            "WARNING: no TLS: everybody on the way can read and change everything.".to_owned(),
        );
    }
    lines.push(format!("chatterbox-server: listening on {addresses}"));
    match cli.store() {
        Some(store) => {
            let folder = store.folder.display();
            lines.push(format!("chatterbox-server: messages are kept in {folder}"));
        }
        None => lines.push("chatterbox-server: messages are not kept".to_owned()),
    }
    lines.push(format!("chatterbox-server: to chat, run: {client}"));
    // Nobody reading it is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}

/// A word that a shell takes as one.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
