//! `chatterbox-server HOST -p PORT`: hosts a chat.

mod cli;
mod exit;

use std::process::ExitCode;
use std::sync::Arc;

use chatterbox_server::backlog::Memory;
use chatterbox_server::net::listen::listen;
use chatterbox_server::net::tls::{AUTHORITY_FILE, CertificateSource, Transport};
use chatterbox_server::ops::{logging, machine, signals};
use clap::Parser as _;
use clap::error::ErrorKind;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::cli::Cli;
use crate::exit::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing is left to do when not even this can be written.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
                _ => ExitCode::from(exit::USAGE),
            };
        }
    };
    match serve(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn serve(cli: &Cli) -> Result<(), Failure> {
    logging::start(cli.log_format, &cli.log).map_err(|error| Failure {
        message: format!("--log {}: {error}", cli.log),
        hint: Some("error, warn, info, debug and trace are levels"),
        code: exit::USAGE,
    })?;
    let files = machine::allow_many_connections();
    let mut config = cli.config();
    if config.max_connections > files {
        tracing::warn!(files, "this system allows fewer connections than --max-connections");
        config.max_connections = files;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("can't start threads", &error))?;
    runtime.block_on(async {
        let listeners = listen(&cli.host, cli.port).await?;
        let source = cli.certificate();
        let transport = match &source {
            Some(source) => Transport::tls(source.clone())?,
            None => Transport::Plaintext,
        };
        let (stop, stopped) = watch::channel(0);
        let signals = signals::watch(stop, transport.clone())
            .map_err(|error| Failure::system("can't listen to signals", &error))?;
        ready(cli, source.as_ref(), &listeners);
        let backlog = Arc::new(Memory::default());
        let server = chatterbox_server::run(listeners, transport, backlog, config, stopped);
        tokio::select! {
            () = server => {}
            () = signals => {}
        }
        Ok(())
    })
}

/// Says where the server is, and how to get in.
fn ready(cli: &Cli, source: Option<&CertificateSource>, listeners: &[TcpListener]) {
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
        return;
    }
    if source.is_none() {
        eprintln!("WARNING: no TLS: everybody on the way can read and change everything.");
    }
    eprintln!("chatterbox-server: listening on {addresses}");
    eprintln!("chatterbox-server: to chat, run: {client}");
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
