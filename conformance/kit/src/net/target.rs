//! The address of a subject: a name or an address and a port, and everything that `getaddrinfo`
//! makes of them (`GA-1`).

use std::{fmt, io, net::SocketAddr, str::FromStr};

use thiserror::Error;

/// A host and a port as a user writes them: `localhost:5000`, `192.0.2.1:5000`, `[::1]:5000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Why a text is no target.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// No `:port` at its end.
    #[error("a target is HOST:PORT, such as localhost:5000 or [::1]:5000")]
    Shape,
    /// An IPv6 address without brackets.
    #[error("an IPv6 address needs brackets: [::1]:5000")]
    Brackets,
    /// Not a number from 1 to 65535.
    #[error("the port is a number from 1 to 65535")]
    Port,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once("]:").ok_or(TargetError::Shape)?,
            None => text.rsplit_once(':').ok_or(TargetError::Shape)?,
        };
        if host.is_empty() {
            return Err(TargetError::Shape);
        }
        if !text.starts_with('[') && host.contains(':') {
            return Err(TargetError::Brackets);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)?;
        Ok(Self { host: host.to_owned(), port })
    }
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
        for (text, error) in [
            ("localhost", TargetError::Shape),
            (":5000", TargetError::Shape),
            ("::1:5000", TargetError::Brackets),
            ("[::1]", TargetError::Shape),
            ("localhost:0", TargetError::Port),
            ("localhost:http", TargetError::Port),
            ("localhost:70000", TargetError::Port),
        ] {
            assert_eq!(text.parse::<Target>(), Err(error), "{text}");
        }
    }
}
