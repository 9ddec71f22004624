//! The ready lines: where the server listens, where it stores messages, and the client's command line for it.

use std::io::Write as _;
use std::path::Path;

use chatterbox_address::HostPort;
use chatterbox_server::gateway::web::WebListeners;
use chatterbox_server::net::{CertificateSource, authority_file, client_host, reachable};
use chatterbox_server::ops::logging;
use tokio::net::TcpListener;

use crate::cli::gateways::{Gateways, is_of_this_machine};
use crate::cli::settings::{Serve, is_loopback, is_unspecified};

/// What is said of a database that was not there: its folder may have been mistyped.
pub fn made_database(folder: &Path) -> String {
    format!("made a new database in {}: no server has used this folder", folder.display())
}

/// Prints the ready lines, or logs them as one event when logs are JSON. `new_database` says that there was none before.
pub fn ready(
    options: &Serve,
    source: Option<&CertificateSource>,
    listeners: &[TcpListener],
    gateways: &Gateways,
    new_database: bool,
) {
    let addresses: Vec<_> =
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let port = addresses.first().map_or(options.port, std::net::SocketAddr::port);
    let addresses = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // The certificate was read a moment ago; if it has gone since, the host as it was given is the best there is.
    let host = match source {
        Some(source @ CertificateSource::Files { .. }) => {
            client_host(source).unwrap_or_else(|_| options.host.clone())
        }
        _ => reached(options, &options.host),
    };
    let web = gateways.web.as_ref();
    let page = web.map(|web| page(options, web, source));
    let is_of_others = !is_of_this_machine(listeners);
    let authority = source.and_then(authority_file);
    let trust = match (source, &authority) {
        (None, _) => " --plaintext".to_owned(),
        (_, Some(file)) => format!(" -ca {}", shell_word(&file.display().to_string())),
        (Some(_), None) => String::new(),
    };
    let client = format!("chatterbox-client {host} -p {port}{trust}");
    if options.log_format == logging::LogFormat::Json {
        if let (true, Some(store)) = (new_database, options.store()) {
            tracing::info!("{}", made_database(&store.folder));
        }
        let telnet = telnet(options, gateways);
        let health = health(gateways);
        tracing::info!(addresses, client, page, telnet, health, tls = source.is_some(), "ready");
        if options.live.no_limits {
            tracing::warn!("no limits: anybody can use up this machine");
        }
        return;
    }
    let mut lines = Vec::new();
    if options.live.no_limits {
        lines.push("WARNING: no limits: anybody can use up this machine.".to_owned());
    }
    if source.is_none() {
        lines.push(
            "WARNING: no TLS: everybody on the way can read and change everything.".to_owned(),
        );
    }
    if !is_of_this_machine(&gateways.telnet) {
        lines.push(
            "WARNING: telnet is not encrypted: everybody on the way can read and change everything."
                .to_owned(),
        );
    }
    if web.is_some_and(|web| !web.tls && !is_of_this_machine(&web.listeners)) {
        lines.push(
            "WARNING: no TLS for browsers: everybody on the way can read and change everything, unless a proxy adds it."
                .to_owned(),
        );
    }
    lines.push(format!("chatterbox-server: listening on {addresses}"));
    match options.store() {
        Some(store) => {
            if new_database {
                lines.push(format!("chatterbox-server: {}", made_database(&store.folder)));
            }
            let folder = store.folder.display();
            lines.push(format!("chatterbox-server: messages are kept in {folder}"));
        }
        None => lines.push("chatterbox-server: messages are not kept".to_owned()),
    }
    if let (true, Some(file)) = (is_of_others, authority) {
        let key_too = matches!(source, Some(CertificateSource::Files { key, .. }) if *key == file);
        lines.push(format!(
            "chatterbox-server: on other machines, the line below needs a copy of {}{} there",
            if key_too { "the certificate (not the key) in " } else { "" },
            file.display()
        ));
    }
    if let Some(page) = page {
        lines.push(format!("chatterbox-server: to chat in a browser, open: {page}"));
    }
    lines.extend(
        telnet(options, gateways)
            .map(|line| format!("chatterbox-server: to chat by telnet, run: {line}")),
    );
    lines.extend(
        health(gateways)
            .map(|at| format!("chatterbox-server: whether it is ready is told at {at}")),
    );
    lines.push(format!("chatterbox-server: to chat, run: {client}"));
    // A closed stderr must not stop the server.
    let _ = writeln!(std::io::stderr(), "{}", lines.join("\n"));
}

/// The command line for telnet, if there is telnet.
fn telnet(options: &Serve, gateways: &Gateways) -> Option<String> {
    let port = gateways.telnet.first()?.local_addr().ok()?.port();
    let host = &options.telnet.as_ref()?.host;
    Some(format!("telnet {} {port}", shell_word(&reached(options, host))))
}

/// Where it is told whether the server is ready, if it is.
fn health(gateways: &Gateways) -> Option<String> {
    let address = gateways.health.first()?.local_addr().ok()?;
    Some(format!("http://{address}/"))
}

/// The host for somebody else's command line, if the server listens on this one. Where that says nothing of the machine, it is the first
/// name that the operator gives it: with a server on every address, and with one behind a proxy on the same machine.
fn reached(options: &Serve, host: &str) -> String {
    let is_proxied = is_loopback(host) && options.live.trust_proxy.is_some();
    match options.names.first() {
        Some(name) if is_unspecified(host) || is_proxied => name.clone(),
        _ => reachable(host),
    }
}

/// Where the page is.
fn page(options: &Serve, web: &WebListeners, source: Option<&CertificateSource>) -> String {
    let host = match source {
        _ if is_of_this_machine(&web.listeners) => "localhost".to_owned(),
        // Under a name of its certificate, and no other, browsers trust it.
        Some(source @ CertificateSource::Files { .. }) if web.tls => {
            client_host(source).unwrap_or_else(|_| reached(options, &web.host))
        }
        _ => reached(options, &web.host),
    };
    let address = web.listeners.first().and_then(|listener| listener.local_addr().ok());
    let scheme = if web.tls { "https" } else { "http" };
    let usual = if web.tls { 443 } else { 80 };
    let port = address.map(|address| address.port()).filter(|port| *port != usual);
    format!("{scheme}://{}/", HostPort { host, port })
}

/// Quotes the text for a shell, so that the line can be pasted.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::command_line::Cli;

    #[test]
    fn the_host_for_clients_is_one_that_they_can_reach() {
        let host = |line: &[&str]| {
            let line = [&["chatterbox-server"], line].concat();
            let options = Cli::try_parse_from(line).unwrap().serve;
            reached(&options, &options.host)
        };
        let name = ["--name", "chat.example", "--name", "other.example"];
        let with_name = |line: &[&str]| host(&[line, &name].concat());
        assert_eq!(with_name(&["0.0.0.0"]), "chat.example");
        assert_eq!(with_name(&["::"]), "chat.example");
        // What is listened on can be typed, too, and is what was asked for.
        assert_eq!(with_name(&["192.0.2.7"]), "192.0.2.7");
        assert_eq!(with_name(&["lab.example"]), "lab.example");
        // Nobody else gets in there, unless a proxy lets them in.
        assert_eq!(with_name(&["localhost"]), "localhost");
        assert_eq!(with_name(&["127.0.0.1", "--trust-proxy", "127.0.0.1"]), "chat.example");
        assert_eq!(host(&["localhost", "--trust-proxy", "127.0.0.1"]), "localhost");
        for every in ["0.0.0.0", "::"] {
            let host = host(&[every]);
            assert!(!is_unspecified(&host), "{host}");
        }
    }
}
