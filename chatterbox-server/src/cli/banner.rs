//! The lines that say that the server is ready, and how to get in.

use std::io::Write as _;

use chatterbox_server::net::tls::{AUTHORITY_FILE, CertificateSource};
use chatterbox_server::ops::logging;
use tokio::net::TcpListener;

use crate::cli::settings::Serve;

/// Says where the server is, and how to get in.
pub fn ready(cli: &Serve, source: Option<&CertificateSource>, listeners: &[TcpListener]) {
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
        if cli.live.no_limits {
            tracing::warn!("no limits: anybody can use up this machine");
        }
        return;
    }
    let mut lines = Vec::new();
    if cli.live.no_limits {
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
