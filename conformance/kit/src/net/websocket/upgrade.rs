//! The handshake of a client (RFC 6455, section 4.1): an HTTP request, and what its answer has to hold.

use std::io;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY as SHA1, digest};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::escape;

/// What is hashed behind the key of the request.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The longest head of an answer.
const LONGEST_HEAD: usize = 16 * 1024;
/// The most headers of an answer.
const MOST_HEADERS: usize = 64;
/// How much is read at once.
const PIECE: usize = 1024;
/// How much is shown of what a server says.
const SHOWN: usize = 100;

/// Where a WebSocket is, as the request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether TLS is below.
    pub tls: bool,
    /// Host and port, without the port that goes without saying.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Endpoint {
    /// The origin of a page that is served there.
    fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }

    fn request(&self, key: &str) -> String {
        let Self { authority, path, .. } = self;
        format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nOrigin: {}\r\n\r\n",
            self.origin()
        )
    }
}

/// Why there is no WebSocket.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// Another status than 101.
    #[error("the server refuses the WebSocket: {0}")]
    Refused(String),
    /// The answer is no HTTP.
    #[error("the answer to the request for a WebSocket is no HTTP: \"{0}\"")]
    NotHttp(String),
    /// A header is missing, or wrong.
    #[error("the answer to the request for a WebSocket is wrong: {0}")]
    Wrong(String),
    /// The answer does not end.
    #[error(
        "the answer to the request for a WebSocket has more than {LONGEST_HEAD} bytes of headers"
    )]
    Long,
    /// The connection ended.
    #[error("the server closed the connection instead of answering the request for a WebSocket")]
    Closed,
    /// The connection broke.
    #[error("the request for a WebSocket: {0}")]
    Broken(#[from] io::Error),
}

/// Asks for a WebSocket, and gives the bytes that came behind the answer.
///
/// # Errors
/// Says what the server answered instead.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    endpoint: &Endpoint,
) -> Result<Vec<u8>, UpgradeError> {
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    stream.write_all(endpoint.request(&key).as_bytes()).await?;
    stream.flush().await?;
    let (mut answer, mut piece) = (Vec::new(), [0; PIECE]);
    let end = loop {
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            // What is there tells more than that there is no more of it.
            return Err(if answer.is_empty() { UpgradeError::Closed } else { not_http(&answer) });
        }
        let from = answer.len().saturating_sub(3);
        answer.extend(piece.iter().take(count));
        let fresh = answer.get(from..).unwrap_or_default();
        if let Some(at) = fresh.windows(4).position(|four| four == b"\r\n\r\n") {
            break from + at + 4;
        }
        if !b"HTTP/1.1 ".starts_with(answer.get(..9).unwrap_or(&answer)) {
            return Err(not_http(&answer));
        }
        if answer.len() > LONGEST_HEAD {
            return Err(UpgradeError::Long);
        }
    };
    let rest = answer.split_off(end);
    check(&answer, &key)?;
    Ok(rest)
}

fn not_http(answer: &[u8]) -> UpgradeError {
    UpgradeError::NotHttp(escape::bytes(answer, SHOWN))
}

/// Holds the head of an answer against the key of the request.
fn check(head: &[u8], key: &str) -> Result<(), UpgradeError> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(UpgradeError::Long),
        _ => return Err(not_http(head)),
    }
    let code = response.code.unwrap_or_default();
    if code != 101 {
        let reason = response.reason.unwrap_or_default();
        let status = format!("HTTP status {code} {reason}");
        let mut status = escape::bytes(status.trim_end().as_bytes(), SHOWN);
        if (200..300).contains(&code) || code == 404 {
            // Something else is there, or nothing.
            status += "; is its path the right one? Ours is /ws";
        }
        return Err(UpgradeError::Refused(status));
    }
    let wrong = |what: String| Err(UpgradeError::Wrong(what));
    // A header that occurs twice is a list.
    let values = |name: &str| -> Vec<String> {
        let named = response.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| escape::bytes(header.value.trim_ascii(), SHOWN)).collect()
    };
    if !matches!(values("Upgrade").as_slice(), [one] if one.eq_ignore_ascii_case("websocket")) {
        return wrong(format!(
            "Upgrade is \"{}\" instead of websocket",
            values("Upgrade").join(", ")
        ));
    }
    let connection = values("Connection").join(",");
    if !connection.split(',').any(|option| option.trim().eq_ignore_ascii_case("upgrade")) {
        return wrong(format!("Connection is \"{connection}\", without Upgrade"));
    }
    let accept = STANDARD.encode(digest(&SHA1, format!("{key}{GUID}").as_bytes()));
    if values("Sec-WebSocket-Accept") != [accept] {
        let got = values("Sec-WebSocket-Accept").join(", ");
        return wrong(format!(
            "Sec-WebSocket-Accept is \"{got}\", which does not belong to the key"
        ));
    }
    for name in ["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"] {
        if let Some(value) = values(name).first() {
            return wrong(format!("{name} is \"{value}\", which was not offered"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455, section 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn told(answer: &str) -> String {
        check(answer.as_bytes(), KEY).unwrap_err().to_string()
    }

    #[test]
    fn the_example_of_the_standard_is_right() {
        check(GOOD.as_bytes(), KEY).unwrap();
    }

    #[test]
    fn each_header_counts() {
        for (from, to, what) in [
            ("101 Switching Protocols", "403 For\tbidden", "HTTP status 403 For\\u{9}bidden"),
            (
                "101 Switching Protocols",
                "200 OK",
                "HTTP status 200 OK; is its path the right one? Ours is /ws",
            ),
            ("WebSocket", "h2c", "Upgrade is \"h2c\""),
            ("upgrade: WebSocket\r\n", "", "Upgrade is \"\""),
            ("keep-alive, Upgrade", "keep-alive", "Connection is \"keep-alive\""),
            ("s3pP", "s3pQ", "does not belong to the key"),
            ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "not offered"),
            ("\r\n\r\n", "\r\nSec-WebSocket-Protocol: chat\r\n\r\n", "not offered"),
            ("HTTP/1.1", "SSH-2.0", "no HTTP"),
        ] {
            let answer = GOOD.replacen(from, to, 1);
            assert!(told(&answer).contains(what), "{to}: {}", told(&answer));
        }
        let many = format!("\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS));
        assert!(told(&GOOD.replacen("\r\n\r\n", &many, 1)).contains("headers"));
    }

    #[test]
    fn the_request_says_where_it_comes_from() {
        let endpoint =
            Endpoint { tls: true, authority: "chat.example:8443".into(), path: "/ws?a=b".into() };
        let request = endpoint.request("KEY");
        assert!(request.starts_with("GET /ws?a=b HTTP/1.1\r\nHost: chat.example:8443\r\n"));
        assert!(request.contains("\r\nOrigin: https://chat.example:8443\r\n"));
        assert!(
            request.contains("\r\nSec-WebSocket-Key: KEY\r\n") && request.ends_with("\r\n\r\n")
        );
    }
}
