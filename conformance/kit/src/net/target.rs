//! The address of a subject: a name or an address and a port, and everything that `getaddrinfo`
//! makes of them (`GA-1`).

use std::{fmt, io, net::SocketAddr, str::FromStr, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use thiserror::Error;

use super::{dial::Transport, websocket::Endpoint};

/// The port of a target without one, which is the course's.
const PORT: u16 = 5000;

/// What may stand before a host although it says nothing: whether there is TLS is found out.
const SCHEMES: [&str; 5] = ["https", "ssl", "tls", "tcp", "http"];

/// A host and a port as a user writes them: `localhost:5000`, `192.0.2.1`, `[::1]:5000`,
/// `bücher.example`, `https://chat.example:5000/`; or the URL of a WebSocket, `wss://chat.example/ws`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address, without brackets; an international name as DNS and certificates have it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What a WebSocket's URL says beside that; `None` for frames over TCP.
    pub web: Option<Web>,
}

/// What the URL of a WebSocket says beside host and port (RFC 6455, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Whether it is `wss`.
    pub tls: bool,
    /// Path and query.
    pub path: String,
}

impl Web {
    const fn scheme(&self) -> &'static str {
        if self.tls { "wss" } else { "ws" }
    }

    /// The port that goes without saying.
    const fn port(&self) -> u16 {
        if self.tls { 443 } else { 80 }
    }
}

/// Why a text is no target.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// No host in it.
    #[error("a target is HOST:PORT, such as localhost:5000 or [::1]:5000")]
    Shape,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address needs brackets: [::1]:5000")]
    Brackets,
    /// Nothing behind the colon.
    #[error("the port behind the colon is missing; without a colon it is 5000")]
    NoPort,
    /// Not a number from 1 to 65535.
    #[error("the port is a number from 1 to 65535")]
    Port,
    /// Another protocol.
    #[error(
        "a target is HOST:PORT, or the URL of a WebSocket, ws:// or wss://; {0}:// is another protocol"
    )]
    Scheme(String),
    /// The path of a WebSocket that no request can name.
    #[error(
        "the path of a WebSocket is ASCII without spaces and #, and the rest is percent-encoded"
    )]
    WebPath,
    /// Something behind the port.
    #[error(
        "a target ends with its port: nothing is at {0:?} there; a WebSocket is named by ws:// or wss://"
    )]
    Path(String),
    /// A name that no host can have.
    #[error("that is no name of a host")]
    Name,
    /// Somebody before the host.
    #[error("a target is HOST:PORT, without a user's name and @")]
    User,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        let (mut web, rest) = match text.split_once("://") {
            Some((scheme, rest)) if SCHEMES.iter().any(|s| s.eq_ignore_ascii_case(scheme)) => {
                (None, rest)
            }
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "ws" => (Some(Web { tls: false, path: String::new() }), rest),
                "wss" => (Some(Web { tls: true, path: String::new() }), rest),
                _ => return Err(TargetError::Scheme(scheme.to_owned())),
            },
            None => (None, text),
        };
        let without_port = web.as_ref().map_or(PORT, Web::port);
        let rest = if let Some(web) = &mut web {
            let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            web.path = web_path(path)?;
            host
        } else {
            bare(rest)?
        };
        if rest.contains('@') {
            return Err(TargetError::User);
        }
        let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
            let (host, behind) = bracketed.split_once(']').ok_or(TargetError::Shape)?;
            match behind.strip_prefix(':') {
                None if !behind.is_empty() => return Err(TargetError::Shape),
                port => (host, port),
            }
        } else {
            match rest.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => return Err(TargetError::Brackets),
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        if host.is_empty() {
            return Err(TargetError::Shape);
        }
        let port = match port {
            None => without_port,
            Some("") => return Err(TargetError::NoPort),
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)?,
        };
        Ok(Self { host: ascii(host)?, port, web })
    }
}

/// What stands before a path that says nothing.
fn bare(rest: &str) -> Result<&str, TargetError> {
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if path.is_empty() || path == "/" { Ok(host) } else { Err(TargetError::Path(path.to_owned())) }
}

/// A path and a query as a request names them.
fn web_path(path: &str) -> Result<String, TargetError> {
    if path.contains('#') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TargetError::WebPath);
    }
    Ok(if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
}

/// A host in ASCII.
fn ascii(host: &str) -> Result<String, TargetError> {
    if host.chars().any(|c| c.is_whitespace() || c.is_control() || "<>[]\\|^".contains(c)) {
        return Err(TargetError::Name);
    }
    if host.is_ascii() {
        return Ok(host.to_owned());
    }
    idna::domain_to_ascii_strict(host).map_err(|_| TargetError::Name)
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, web } = self;
        let (scheme, path) = match web {
            Some(web) => (format!("{}://", web.scheme()), web.path.as_str()),
            None => (String::new(), ""),
        };
        if host.contains(':') {
            write!(f, "{scheme}[{host}]:{port}{path}")
        } else {
            write!(f, "{scheme}{host}:{port}{path}")
        }
    }
}

impl Target {
    /// A server that speaks over TCP, with TLS or without.
    #[must_use]
    pub fn tcp(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, web: None }
    }

    /// The layers towards it, with TLS for this name unless its URL says that there is none.
    #[must_use]
    pub fn transport(&self, config: Arc<ClientConfig>, name: ServerName<'static>) -> Transport {
        let Some(web) = &self.web else { return Transport::tls(config, name) };
        let with_port = Self { web: None, ..self.clone() }.to_string();
        let authority = match with_port.strip_suffix(&format!(":{}", web.port())) {
            Some(host) => host.to_owned(),
            None => with_port,
        };
        let endpoint = Endpoint { tls: web.tls, authority, path: web.path.clone() };
        let tls = web.tls.then_some((config, name));
        Transport { tls, websocket: Some(Arc::new(endpoint)) }
    }

    /// Asks `getaddrinfo` for every address, in its order.
    ///
    /// # Errors
    /// When the name is not known.
    pub async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in tokio::net::lookup_host((self.host.as_str(), self.port)).await? {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::tls::{Trust, server_name};

    #[test]
    fn targets_are_read_as_people_write_them() {
        for text in ["localhost:5000", "127.0.0.1:1", "[::1]:5000", "chat.example.org:65535"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        for (text, target) in [
            ("localhost", "localhost:5000"),
            ("[::1]", "[::1]:5000"),
            ("https://localhost:5001", "localhost:5001"),
            ("SSL://chat.example/", "chat.example:5000"),
            ("tcp://[::1]:7", "[::1]:7"),
            (" 192.0.2.1:5000 ", "192.0.2.1:5000"),
            ("Bücher.example", "xn--bcher-kva.example:5000"),
            ("例え。テスト:7", "xn--r8jz45g.xn--zckzah:7"),
            ("[fe80::1%eth0]:7", "[fe80::1%eth0]:7"),
            ("ws://localhost", "ws://localhost:80/"),
            ("WSS://[::1]/chat/ws?room=a%20b", "wss://[::1]:443/chat/ws?room=a%20b"),
            ("wss://Bücher.example:8443?x", "wss://xn--bcher-kva.example:8443/?x"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), target);
        }
        let (scheme, path) = (
            |s: &str| TargetError::Scheme(s.to_owned()),
            |p: &str| TargetError::Path(p.to_owned()),
        );
        for (text, error) in [
            ("", TargetError::Shape),
            ("https://", TargetError::Shape),
            (":5000", TargetError::Shape),
            ("[::1", TargetError::Shape),
            ("[::1]5000", TargetError::Shape),
            ("::1:5000", TargetError::Brackets),
            ("::1", TargetError::Brackets),
            ("localhost:", TargetError::NoPort),
            ("https://localhost:/", TargetError::NoPort),
            ("irc://localhost:5000", scheme("irc")),
            ("localhost:5000/chat", path("/chat")),
            ("https://localhost?x", path("?x")),
            ("ws://localhost:5000/a b", TargetError::WebPath),
            ("ws://localhost:5000/a#b", TargetError::WebPath),
            ("ws://localhost:5000/\u{e9}", TargetError::WebPath),
            ("ws://ann@localhost:5000/", TargetError::User),
            ("ws:///ws", TargetError::Shape),
            ("ws://localhost:0/ws", TargetError::Port),
            ("ann@localhost:5000", TargetError::User),
            ("a b:1", TargetError::Name),
            ("\u{200b}.example", TargetError::Name),
            ("x\u{1b}[31m", TargetError::Name),
            ("localhost:0", TargetError::Port),
            ("localhost:http", TargetError::Port),
            ("localhost:70000", TargetError::Port),
        ] {
            assert_eq!(text.parse::<Target>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_request_leaves_out_the_port_that_goes_without_saying() {
        let config = || Arc::new(crate::net::tls::configuration(&Trust::Anything, None).unwrap());
        for (text, tls, authority) in [
            ("ws://localhost/ws", false, "localhost"),
            ("ws://localhost:443/ws", false, "localhost:443"),
            ("wss://localhost:443/ws", true, "localhost"),
            ("wss://[::1]:8080/ws", true, "[::1]:8080"),
        ] {
            let target: Target = text.parse().unwrap();
            let transport = target.transport(config(), server_name("localhost"));
            assert_eq!(transport.tls.is_some(), tls, "{text}");
            let path = "/ws".to_owned();
            let endpoint = Endpoint { tls, authority: authority.to_owned(), path };
            assert_eq!(*transport.websocket.unwrap(), endpoint);
        }
        let tcp: Target = "localhost:80".parse().unwrap();
        assert!(tcp.transport(config(), server_name("localhost")).websocket.is_none());
    }
}
