//! The real address of a request that comes through proxies: the header Forwarded (RFC 7239).
//!
//! Each proxy appends whom it got the request from, so the list is read from its end, as long as who has written an entry is
//! trusted. What stands before that may be invented, and does not change how the end is read.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::HeaderMap;
use hyper::header::FORWARDED;

use crate::config::Config;

/// The address of who sent the request, as far as trusted proxies know it; the peer's own where that is none.
pub(super) fn real_peer(headers: &HeaderMap, peer: SocketAddr, config: &Config) -> SocketAddr {
    let Some(trusted) = &config.trust_proxy else { return peer };
    let values = headers.get_all(FORWARDED).iter().rev();
    let mut elements = values.flat_map(|value| Elements { before: Some(value.as_bytes()) });
    let mut known = peer;
    while trusted.contains(known.ip()) {
        // An entry without an address (`unknown`, `_hidden`), or one that is none: nothing is known beyond this proxy.
        let Some(next) = elements.next().and_then(sender) else { break };
        known = next;
    }
    known
}

/// The elements of a list, the last one first.
struct Elements<'a> {
    /// What has not been read; `None` at the end.
    before: Option<&'a [u8]>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let text = self.before.take()?;
            let element = match last(text, b',') {
                Some((before, element)) => {
                    self.before = Some(before);
                    element
                }
                None => text,
            };
            // Empty elements of a list have no meaning (RFC 9110, 5.6.1).
            if !element.trim_ascii().is_empty() {
                return Some(element);
            }
        }
    }
}

/// What stands before the last separator that is not quoted, and behind it.
fn last(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let mut quoted = false;
    for (place, byte) in text.iter().enumerate().rev() {
        let (before, rest) = text.split_at(place);
        if *byte == b'"' && !(quoted && is_escaped(before)) {
            quoted = !quoted;
        } else if *byte == separator && !quoted {
            return Some((before, rest.get(1..).unwrap_or_default()));
        }
    }
    None
}

/// Whether a byte behind these stands for itself.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address behind `for` in an element; `None` where there is none, or more than one.
fn sender(element: &[u8]) -> Option<SocketAddr> {
    let mut rest = Some(element);
    let mut found = None;
    while let Some(text) = rest.take() {
        let pair = match last(text, b';') {
            Some((before, pair)) => {
                rest = Some(before);
                pair
            }
            None => text,
        };
        let pair = std::str::from_utf8(pair).ok()?.trim_matches([' ', '\t']);
        if pair.is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    node(&unquoted(found?)?)
}

/// The text of a token or of a quoted string.
fn unquoted(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"') else {
        return (!value.contains(['"', '\\'])).then(|| value.to_owned());
    };
    let mut text = String::new();
    let mut characters = inner.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(text),
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
}

/// `192.0.2.7`, `192.0.2.7:4711`, `[2001:db8::7]`, `[2001:db8::7]:4711`. A port that is hidden or not there is 0.
fn node(text: &str) -> Option<SocketAddr> {
    let (address, behind) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, behind) = rest.split_once(']')?;
            (IpAddr::V6(address.parse::<Ipv6Addr>().ok()?), behind)
        }
        None => {
            let (address, behind) = text.split_at(text.find(':').unwrap_or(text.len()));
            (IpAddr::V4(address.parse().ok()?), behind)
        }
    };
    let port = match behind.strip_prefix(':') {
        None => behind.is_empty().then_some(0)?,
        Some(hidden) if is_hidden(hidden) => 0,
        Some(port) if (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit()) => {
            port.parse().ok()?
        }
        Some(_) => return None,
    };
    Some(SocketAddr::new(address.to_canonical(), port))
}

fn is_hidden(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn config(trusted: &str) -> Config {
        Config { trust_proxy: Some(trusted.parse().unwrap()), ..Config::default() }
    }

    fn headers<T: AsRef<[u8]>>(values: &[T]) -> HeaderMap {
        values
            .iter()
            .map(|value| (FORWARDED, HeaderValue::from_bytes(value.as_ref()).unwrap()))
            .collect()
    }

    const PEER: &str = "10.0.0.1:1";

    fn found(values: &[&str]) -> String {
        real_peer(&headers(values), PEER.parse().unwrap(), &config("10.0.0.0/8,2001:db8:1::/48"))
            .to_string()
    }

    #[test]
    fn the_last_one_who_is_no_proxy_is_taken() {
        for (values, expected) in [
            (&["for=192.0.2.7"][..], "192.0.2.7:0"),
            (&["For=192.0.2.7"], "192.0.2.7:0"),
            (&["for=\"192.0.2.7:4711\";proto=https;by=10.0.0.1"], "192.0.2.7:4711"),
            (&["proto=https;FOR=\"[2001:db8::7]\""], "[2001:db8::7]:0"),
            (&["for=\"[2001:db8::7]:4711\""], "[2001:db8::7]:4711"),
            (&["for=\"[::ffff:192.0.2.7]:4711\""], "192.0.2.7:4711"),
            (&["for=\"192.0.2.7:_hidden\""], "192.0.2.7:0"),
            (&["for=\"\\192.0.2.7\""], "192.0.2.7:0"),
            // Two proxies, and what the sender has invented.
            (&["for=1.1.1.1, for=192.0.2.7, for=10.0.0.9"], "192.0.2.7:0"),
            (
                &["for=1.1.1.1", "for=192.0.2.7,for=10.0.0.9", "for=\"[2001:db8:1::5]\""],
                "192.0.2.7:0",
            ),
            // Somebody within the trusted networks.
            (&["for=10.0.0.8, for=10.0.0.9"], "10.0.0.8:0"),
            // Lists may have empty elements, and elements empty pairs.
            (&[" , for=192.0.2.7 ;, ,"], "192.0.2.7:0"),
            (&["for=192.0.2.7;host=\"a,b;for=1.1.1.1\""], "192.0.2.7:0"),
            // Nothing is known beyond the proxy.
            (&["for=unknown"], PEER),
            (&["for=_hidden"], PEER),
            (&["for=192.0.2.7, for=unknown"], PEER),
            (&["for=192.0.2.7, proto=https"], PEER),
            (&["for=192.0.2.7, for=unknown, for=10.0.0.9"], "10.0.0.9:0"),
            (&["for=192.0.2.7;for=192.0.2.8"], PEER),
            (&["for=2001:db8::7"], PEER),
            (&["for=\"192.0.2.7"], PEER),
            (&["for=\"192.0.2.7:65536\""], PEER),
            (&["for=\"192.0.2.7:+1\""], PEER),
            (&["for=\"192.0.2.7\"x"], PEER),
            (&["for=192.0.2.7/8"], PEER),
            (&["for=\"[2001:db8::7\""], PEER),
            (&["for=\"[192.0.2.7]\""], PEER),
            (&["for"], PEER),
            (&[""], PEER),
            (&[], PEER),
        ] {
            assert_eq!(found(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_the_sender_invents_does_not_hide_what_the_proxy_says() {
        for invented in [
            "for=\"",
            "for=\"\\",
            "\"",
            "\\",
            "for=\"a\\\"",
            ",,,;;;=\"=",
            "for=1.1.1.1;",
            "\"for=1.1.1.1",
            "for=1.1.1.1;x=\"",
        ] {
            assert_eq!(
                found(&[&format!("{invented}, for=192.0.2.7")]),
                "192.0.2.7:0",
                "{invented}"
            );
            let quoted = format!("{invented},for=\"[2001:db8::7]:1\";host=\"a\\\",b\"");
            assert_eq!(found(&[&quoted]), "[2001:db8::7]:1", "{invented}");
            assert_eq!(found(&[invented, "for=192.0.2.7"]), "192.0.2.7:0", "{invented}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let named = headers(&["for=192.0.2.7"]);
        for (peer, trusted, expected) in [
            ("192.0.2.1:5", "10.0.0.0/8", "192.0.2.1:5"),
            ("[::ffff:10.0.0.1]:5", "10.0.0.0/8", "192.0.2.7:0"),
            ("10.0.0.2:5", "10.0.0.1", "10.0.0.2:5"),
        ] {
            let found = real_peer(&named, peer.parse().unwrap(), &config(trusted));
            assert_eq!(found.to_string(), expected);
        }
        let peer = PEER.parse().unwrap();
        assert_eq!(real_peer(&named, peer, &Config::default()), peer);
    }

    #[test]
    fn sixteen_kibibytes_are_read_in_one_go() {
        let many = format!("for=192.0.2.7{}", ",for=10.0.0.9".repeat(1260));
        assert!(many.len() > 16_000);
        assert_eq!(found(&[&many]), "192.0.2.7:0");
        for filling in ["\"", "\\", ",", ";", "\\\"", "for=\"", "for=10.0.0.9,"] {
            let found = found(&[&filling.repeat(16 * 1024 / filling.len())]);
            assert!([PEER, "10.0.0.9:0"].contains(&found.as_str()), "{filling}: {found}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(values in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>().prop_filter("a header", |b| (*b >= 32 && *b != 127) || *b == 9), 0..60),
                r#"[for=0-9a-f:.,;"\\\[\]_ ]{0,60}"#.prop_map(String::into_bytes),
            ],
            0..4,
        )) {
            let trusted = config("0.0.0.0/0,::/0");
            real_peer(&headers(&values), PEER.parse().unwrap(), &trusted);
        }

        #[test]
        fn any_address_comes_through(address: IpAddr, port: u16, before in "[ -~]{0,30}") {
            let address = SocketAddr::new(address.to_canonical(), port);
            let value = format!("{before},for=\"{address}\"");
            let headers = headers(&[value]);
            prop_assert_eq!(real_peer(&headers, PEER.parse().unwrap(), &config("10.0.0.1")), address);
        }
    }
}
