//! The address of a subject: a name or an address and a port, and everything that `getaddrinfo`
//! makes of them (`GA-1`).

use std::{fmt, io, net::SocketAddr, str::FromStr};

use thiserror::Error;

/// The port of a target without one, which is the course's.
const PORT: u16 = 5000;

/// What may stand before a host although it says nothing: whether there is TLS is found out.
const SCHEMES: [&str; 5] = ["https", "ssl", "tls", "tcp", "http"];

/// A host and a port as a user writes them: `localhost:5000`, `192.0.2.1`, `[::1]:5000`,
/// `bücher.example`, `https://chat.example:5000/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address, without brackets; an international name as DNS and certificates have it.
    pub host: String,
    /// Port.
    pub port: u16,
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
    #[error("a target is HOST:PORT, without {0}://: the chat is a protocol of its own")]
    Scheme(String),
    /// Something behind the port.
    #[error("a target ends with its port: nothing is at {0:?} there")]
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
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if SCHEMES.iter().any(|s| s.eq_ignore_ascii_case(scheme)) => rest,
            Some((scheme, _)) => return Err(TargetError::Scheme(scheme.to_owned())),
            None => text,
        };
        let rest = match rest.find(['/', '?', '#']) {
            Some(at) if rest.get(at..) == Some("/") => rest.get(..at).unwrap_or_default(),
            Some(at) => {
                return Err(TargetError::Path(rest.get(at..).unwrap_or_default().to_owned()));
            }
            None => rest,
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
            None => PORT,
            Some("") => return Err(TargetError::NoPort),
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)?,
        };
        Ok(Self { host: ascii(host)?, port })
    }
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
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl Target {
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
}
