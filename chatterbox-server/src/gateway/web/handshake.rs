//! The opening handshake of a WebSocket (RFC 6455, section 4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Version};
use ring::digest;

/// What makes an answer of a key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The version of the protocol.
pub(super) const VERSION: &str = "13";

/// Why a request opens no WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoWebSocket {
    /// It does not ask for one.
    NotAsked,
    /// It asks for another version.
    Version,
    /// It is broken.
    Broken,
}

/// What answers the key of a request for a WebSocket.
///
/// # Errors
/// [`NoWebSocket`].
pub(super) fn accept<B>(request: &Request<B>) -> Result<HeaderValue, NoWebSocket> {
    let headers = request.headers();
    if !has_token(headers, &header::UPGRADE, "websocket")
        || !has_token(headers, &header::CONNECTION, "upgrade")
    {
        return Err(NoWebSocket::NotAsked);
    }
    if request.method() != Method::GET || request.version() != Version::HTTP_11 {
        return Err(NoWebSocket::Broken);
    }
    match headers.get(header::SEC_WEBSOCKET_VERSION) {
        Some(version) if version == VERSION => {}
        Some(_) => return Err(NoWebSocket::Version),
        None => return Err(NoWebSocket::Broken),
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or(NoWebSocket::Broken)?.as_bytes();
    let is_key = STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16);
    if !is_key || headers.get_all(header::SEC_WEBSOCKET_KEY).iter().count() > 1 {
        return Err(NoWebSocket::Broken);
    }
    // No secret depends on the hash: it shows that the other side speaks WebSocket.
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key);
    hash.update(GUID);
    let accept = STANDARD.encode(hash.finish());
    HeaderValue::try_from(accept).map_err(|_| NoWebSocket::Broken)
}

/// Whether a header, which may be there several times, has this word in its list.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: [(&str, &str); 4] = [
        ("upgrade", "websocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        // The example of the RFC.
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn asked(headers: &[(&str, &str)]) -> Result<HeaderValue, NoWebSocket> {
        let mut request = Request::builder().uri("/ws");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        accept(&request.body(()).unwrap())
    }

    #[test]
    fn the_answer_is_that_of_the_standard() {
        assert_eq!(asked(&REQUEST).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn whatever_is_missing_opens_nothing() {
        use NoWebSocket::{Broken, NotAsked, Version};
        for (place, value, why) in [
            (0, "h2c", NotAsked),
            (1, "keep-alive", NotAsked),
            (2, "8", Version),
            (3, "dGhlIHNhbXBsZSBub25jZQ", Broken),
            (3, "", Broken),
            (3, "dGhlIHNhbXBsZSBub25jZSBpcyB0b28gbG9uZw==", Broken),
        ] {
            let mut request = REQUEST;
            request[place].1 = value;
            assert_eq!(asked(&request), Err(why), "{value}");
            let without: Vec<_> =
                REQUEST.into_iter().filter(|one| one.0 != REQUEST[place].0).collect();
            let why = if place < 2 { NotAsked } else { Broken };
            assert_eq!(asked(&without), Err(why), "{}", REQUEST[place].0);
        }
        let twice = [&REQUEST[..], &REQUEST[3..]].concat();
        assert_eq!(asked(&twice), Err(Broken));
    }
}
