//! Which host a request is for, and which page it comes from.
//!
//! A browser sends the requests of any page that somebody looks at. What tells a foreign page from ours is `Origin`, which has to name this very host:
//! WebSockets know no same-origin policy of their own. A foreign page whose name its owner has made an address of this machine (DNS rebinding) says the
//! same in both headers, so `Host` has to be a name that this server is known by.

use std::net::{IpAddr, SocketAddr};

use chatterbox_address::HostPort;

use crate::config::HostNames;
use crate::net::Transport;

/// What this server is called, at one listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    /// The address that a connection has come to.
    pub(super) local: SocketAddr,
    /// The host of the setting of the listener.
    pub(super) listening: &'a str,
    /// Names that the settings allow.
    pub(super) allowed: Option<&'a HostNames>,
    /// The certificate has names.
    pub(super) transport: &'a Transport,
}

/// The value of `Host`, if it is a name of this server.
pub(super) fn host(value: &str, names: &Names<'_>) -> Option<HostPort> {
    let host = exact(value)?;
    let name = host.host.as_str();
    if names.allowed.is_some_and(|allowed| allowed.as_slice().iter().any(|one| same(one, name))) {
        // Somebody in front of this server may listen on any port.
        return Some(host);
    }
    let is_ours = match name.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) => address.is_loopback() || address == names.local.ip().to_canonical(),
        Err(_) => same(name, "localhost") || same(name, names.listening),
    } || names.transport.is_certified(name);
    let is_port = host.port.is_none_or(|port| port == names.local.port());
    (is_ours && is_port).then_some(host)
}

/// Whether a request for this host comes from a page of the same host, as `Origin` says: scheme, name and port.
pub(super) fn is_own(origin: &str, host: &HostPort, is_tls: bool) -> bool {
    let (rest, port) = match origin.split_once("://") {
        Some(("https", rest)) => (rest, 443),
        // A proxy may have added TLS to what arrives here without it.
        Some(("http", rest)) if !is_tls => (rest, 80),
        _ => return false,
    };
    let Some(page) = exact(rest) else { return false };
    same(&page.host, &host.host) && page.port.unwrap_or(port) == host.port.unwrap_or(port)
}

/// Whether names are the same, the port apart.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// A host and a port as a browser writes them, and nothing beside them.
fn exact(text: &str) -> Option<HostPort> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if !text.bytes().all(is_plain) {
        return None;
    }
    let host: HostPort = text.parse().ok()?;
    // An address without brackets may be read as a name with a port, and the other way round.
    (!host.host.contains(':') || text.starts_with('[')).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_host(value: &str, allowed: Option<&HostNames>) -> bool {
        let names = Names {
            local: ([127, 0, 0, 1], 8080).into(),
            listening: "chat.lan",
            allowed,
            transport: &Transport::Plaintext,
        };
        host(value, &names).is_some()
    }

    #[test]
    fn hosts_by_which_this_server_is_known() {
        for value in [
            "localhost:8080",
            "LOCALHOST:8080",
            "localhost",
            "127.0.0.1:8080",
            "127.8.9.1:8080",
            "[::1]:8080",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "chat.lan:8080",
            "Chat.Lan",
        ] {
            assert!(is_host(value, None), "{value}");
        }
        for value in [
            "",
            "evil.example",
            "evil.example:8080",
            "localhost:8081",
            "localhost:",
            "localhost.",
            "localhost.evil.example:8080",
            "evillocalhost:8080",
            "localhost@evil.example",
            "localhost/",
            "localhost:8080, evil.example",
            "::1",
            "0.0.0.0:8080",
            "192.0.2.1:8080",
            "chat.lan.evil.example",
            "a.chat.lan",
            "2130706433",
        ] {
            assert!(!is_host(value, None), "{value}");
        }
    }

    #[test]
    fn the_settings_allow_names_at_any_port() {
        let allowed = crate::config::host_names("chat.example,192.0.2.7").unwrap();
        for value in ["chat.example", "CHAT.example:8443", "192.0.2.7:80"] {
            assert!(is_host(value, Some(&allowed)) && !is_host(value, None), "{value}");
        }
        for value in ["a.chat.example", "chat.example.evil.example", "xchat.example"] {
            assert!(!is_host(value, Some(&allowed)), "{value}");
        }
    }

    #[test]
    fn a_page_is_of_the_same_scheme_name_and_port() {
        let own = |origin, host: &str, tls| is_own(origin, &host.parse().unwrap(), tls);
        for (origin, host, tls) in [
            ("http://localhost:8080", "localhost:8080", false),
            ("http://LOCALHOST:8080", "localhost:8080", false),
            ("http://[::1]:8080", "[::1]:8080", false),
            ("http://localhost", "localhost", false),
            ("http://localhost", "localhost:80", false),
            ("https://chat.example", "chat.example", false),
            ("https://chat.example", "chat.example:443", true),
            ("https://chat.example:8443", "chat.example:8443", true),
        ] {
            assert!(own(origin, host, tls), "{origin} {host}");
        }
        for (origin, host, tls) in [
            ("null", "localhost:8080", false),
            ("", "localhost:8080", false),
            ("localhost:8080", "localhost:8080", false),
            ("http://localhost", "localhost:8080", false),
            ("http://localhost:8081", "localhost:8080", false),
            ("http://127.0.0.1:8080", "localhost:8080", false),
            ("http://localhost:8080/", "localhost:8080", false),
            ("http://localhost:8080.evil.example", "localhost:8080", false),
            ("http://evil.example", "localhost:8080", false),
            ("http://a.chat.example", "chat.example", false),
            ("http://chat.example.evil.example", "chat.example", false),
            ("http://evilchat.example", "chat.example", false),
            ("http://user@chat.example", "chat.example", false),
            ("http://chat.example http://evil.example", "chat.example", false),
            ("http://chat.example", "chat.example", true),
            ("ftp://chat.example", "chat.example", false),
            ("chrome-extension://chat.example", "chat.example", false),
        ] {
            assert!(!own(origin, host, tls), "{origin} {host}");
        }
    }
}
