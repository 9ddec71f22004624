//! `HOST` or `HOST:PORT`, from the words of a user to what getaddrinfo and a certificate know.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A host, and a port if one was given with it: `localhost`, `localhost:5000`, `::1`, `[::1]`, `[::1]:5000`,
/// `bücher.example`.
///
/// [`fmt::Display`] writes it so that [`FromStr`] reads the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name in ASCII (an international one in Punycode), or an address without brackets.
    pub host: String,
    /// The port behind the host; 0 is any.
    pub port: Option<u16>,
}

/// The reason why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Nothing is there.
    #[error("a host needs a name")]
    Empty,
    /// A port without a host.
    #[error("the host before the port is missing: localhost:{0}")]
    NoHost(String),
    /// A number, which getaddrinfo would take for an IPv4 address.
    #[error("{0} is no host; a port is given as -p {0}")]
    Number(String),
    /// A bracket without its other half, or something else than an IPv6 address inside.
    #[error("brackets are for an IPv6 address: [::1] or [::1]:5000")]
    Brackets,
    /// Several colons, and no IPv6 address.
    #[error("that is no IPv6 address; with a port it is written as [::1]:5000")]
    Colons,
    /// No number from 0 to 65535 behind the colon.
    #[error("the port behind the colon is not a number up to 65535")]
    Port,
    /// A URL.
    #[error("no URL is needed: HOST or HOST:PORT, without {0}://")]
    Url(String),
    /// A character that no host has.
    #[error("no name of a host has {0:?} in it")]
    Character(char),
    /// A name that Punycode has no form of.
    #[error("that is no name of a host that there could be")]
    Name,
}

/// Two ports for one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host says port {of_host}, and -p says {of_flag}")]
pub struct Contradiction {
    /// The port behind the host.
    pub of_host: u16,
    /// The port of `-p`.
    pub of_flag: u16,
}

impl HostPort {
    /// The port to use, if `-p` may have been given as well.
    ///
    /// # Errors
    /// [`Contradiction`] when both are given and differ.
    pub fn port_with(&self, flag: Option<u16>) -> Result<Option<u16>, Contradiction> {
        match (self.port, flag) {
            (Some(of_host), Some(of_flag)) if of_host != of_flag => {
                Err(Contradiction { of_host, of_flag })
            }
            (of_host, of_flag) => Ok(of_host.or(of_flag)),
        }
    }
}

impl FromStr for HostPort {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if let Some((scheme, _)) = text.split_once("://") {
            let scheme = scheme.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
            return Err(AddressError::Url(scheme));
        }
        let (host, port) = split(text)?;
        let port = port.map(|digits| number(digits).ok_or(AddressError::Port)).transpose()?;
        if host.is_empty() {
            return Err(match port {
                Some(port) => AddressError::NoHost(port.to_string()),
                None => AddressError::Empty,
            });
        }
        if let Some(host) = v6(host) {
            return Ok(Self { host, port });
        }
        let odd =
            |c: &char| c.is_whitespace() || c.is_control() || "/\\@?#[]<>\"'`%|^{}".contains(*c);
        if let Some(odd) = host.chars().find(odd) {
            return Err(AddressError::Character(odd));
        }
        let host = ascii(host)?;
        // Punycode writes digits of all kinds as those of ASCII.
        if host.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AddressError::Number(host));
        }
        Ok(Self { host, port })
    }
}

/// Host and port as they stand there.
fn split(text: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, behind) = bracketed.split_once(']').ok_or(AddressError::Brackets)?;
        if v6(host).is_none() {
            return Err(AddressError::Brackets);
        }
        return match behind.strip_prefix(':') {
            None if !behind.is_empty() => Err(AddressError::Brackets),
            port => Ok((host, port)),
        };
    }
    if v6(text).is_some() {
        return Ok((text, None));
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, port)) if port.contains(':') => Err(AddressError::Colons),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// Digits only: `u16::from_str` takes a plus sign, too.
fn number(digits: &str) -> Option<u16> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// An IPv6 address, with a scope perhaps (`fe80::1%eth0`).
fn v6(text: &str) -> Option<String> {
    let (address, scope) = text.split_once('%').map_or((text, None), |(a, s)| (a, Some(s)));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let address: Ipv6Addr = address.parse().ok()?;
    match scope {
        None => Some(address.to_string()),
        Some(scope) if !scope.is_empty() && scope.bytes().all(allowed) => {
            Some(format!("{address}%{scope}"))
        }
        Some(_) => None,
    }
}

/// The form of a name that DNS and certificates have. A name in ASCII stays as it is.
fn ascii(host: &str) -> Result<String, AddressError> {
    if host.is_ascii() || host.parse::<IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    idna::domain_to_ascii_strict(host).map_err(|_| AddressError::Name)
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<(String, Option<u16>), AddressError> {
        text.parse::<HostPort>().map(|read| (read.host, read.port))
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("localhost:5000", "localhost", Some(5000)),
            ("127.0.0.1", "127.0.0.1", None),
            ("127.0.0.1:0", "127.0.0.1", Some(0)),
            ("::1", "::1", None),
            ("::", "::", None),
            ("[::]", "::", None),
            ("[::1]", "::1", None),
            ("[::1]:5906", "::1", Some(5906)),
            ("0::1", "::1", None),
            ("[2001:DB8:0::1]:1", "2001:db8::1", Some(1)),
            ("fe80::1%eth0", "fe80::1%eth0", None),
            ("fe80:0::1%eth0", "fe80::1%eth0", None),
            ("[fe80::1%eth0]:1", "fe80::1%eth0", Some(1)),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", None),
            ("chat.example.org.", "chat.example.org.", None),
            ("my_host", "my_host", None),
            ("127.1", "127.1", None),
            ("bücher.example", "xn--bcher-kva.example", None),
            ("BÜCHER.Example:5000", "xn--bcher-kva.example", Some(5000)),
            ("faß.de", "xn--fa-hia.de", None),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah", None),
            (" localhost ", "localhost", None),
        ] {
            assert_eq!(read(text), Ok((host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for (text, error) in [
            ("", AddressError::Empty),
            (" ", AddressError::Empty),
            (":", AddressError::Port),
            (":5000", AddressError::NoHost("5000".to_owned())),
            ("5000", AddressError::Number("5000".to_owned())),
            ("[", AddressError::Brackets),
            ("[::1", AddressError::Brackets),
            ("[::1]5000", AddressError::Brackets),
            ("[localhost]", AddressError::Brackets),
            ("[]", AddressError::Brackets),
            ("::1]", AddressError::Colons),
            ("::1:5000:", AddressError::Colons),
            ("a:b:c", AddressError::Colons),
            ("localhost:", AddressError::Port),
            ("localhost:http", AddressError::Port),
            ("localhost:+5", AddressError::Port),
            ("localhost:65536", AddressError::Port),
            ("https://chat.example", AddressError::Url("https".to_owned())),
            ("chat.example/x", AddressError::Character('/')),
            ("ann@chat.example", AddressError::Character('@')),
            ("\u{b2}", AddressError::Number("2".to_owned())),
            ("a b", AddressError::Character(' ')),
            ("a\u{1b}[31m", AddressError::Character('\u{1b}')),
            ("host%eth0", AddressError::Character('%')),
            ("\u{200b}.example", AddressError::Name),
            ("ü..example", AddressError::Name),
        ] {
            assert_eq!(read(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn two_ports_have_to_agree() {
        let with = |text: &str, flag| text.parse::<HostPort>().unwrap().port_with(flag);
        assert_eq!(with("a:5", None), Ok(Some(5)));
        assert_eq!(with("a:5", Some(5)), Ok(Some(5)));
        assert_eq!(with("a", Some(6)), Ok(Some(6)));
        assert_eq!(with("a", None), Ok(None));
        assert_eq!(with("a:5", Some(6)), Err(Contradiction { of_host: 5, of_flag: 6 }));
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_typed(text in "\\PC{0,24}") {
            if let Ok(read) = text.parse::<HostPort>() {
                prop_assert!(read.host.is_ascii());
                prop_assert_eq!(read.to_string().parse(), Ok(read));
            }
        }
    }
}
