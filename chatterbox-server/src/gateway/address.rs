//! Where a gateway listens.

use std::fmt;

use chatterbox_address::{AddressError, HostPort};

/// Where a gateway listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayAddress {
    /// The host; this machine only where none was given.
    pub host: String,
    /// The port; 0 is any.
    pub port: u16,
}

impl GatewayAddress {
    /// Reads a port, HOST or HOST:PORT; `port` is the one where none is given.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str, port: u16) -> Result<Self, AddressError> {
        if let Ok(port) = text.parse() {
            return Ok(Self { host: "localhost".to_owned(), port });
        }
        let address: HostPort = text.parse()?;
        Ok(Self { host: address.host, port: address.port.unwrap_or(port) })
    }
}

impl fmt::Display for GatewayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HostPort { host: self.host.clone(), port: Some(self.port) }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_a_host_or_both() {
        let read = |text| GatewayAddress::parse(text, 8080).map(|address| address.to_string());
        for (text, address) in [
            ("8000", "localhost:8000"),
            ("0.0.0.0", "0.0.0.0:8080"),
            ("[::1]:80", "[::1]:80"),
            ("chat.example:443", "chat.example:443"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(address));
        }
        for text in ["", "70000", "http://chat.example", "a:b"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
