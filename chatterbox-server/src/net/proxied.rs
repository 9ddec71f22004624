//! The real address of a connection that comes through a proxy: the PROXY protocol, version 2.
//!
//! The header is optional, and recognised by its signature, which no frame, TLS record, request or line begins with. Nothing else
//! is taken out of the socket: what follows the header is read by who serves the connection.

#![allow(clippy::disallowed_methods, reason = "the edge: a proxy has a deadline")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use crate::config::Config;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, a byte for version and command, one for the kind of address, and the length of the rest.
const FIXED: usize = 16;

/// Version 2, and the proxy speaks for itself. All that follows is to be passed over, the kind of address included.
const LOCAL: u8 = 0x20;

/// The longest rest that is read, in bytes. Addresses take 216 at most; what proxies add about TLS is longer.
const LONGEST: usize = 16 * 1024;

/// A part of the signature may be all that has come. It stays in the socket, so this is when to look again.
const AGAIN: Duration = Duration::from_millis(20);

/// Up to here the signature is line ends, as somebody may type them.
const LINE_ENDS: usize = 4;

/// Whether this address may say whom it speaks for.
pub(super) fn is_trusted(peer: IpAddr, config: &Config) -> bool {
    config.trust_proxy.as_ref().is_some_and(|trusted| trusted.contains(peer))
}

/// The address that a proxy names; its own where it speaks for itself, or has sent no header in this time.
///
/// # Errors
/// The header is broken, not there in time, or the connection ends within it.
pub(super) async fn real_peer(
    stream: &mut TcpStream,
    peer: SocketAddr,
    time: Duration,
) -> io::Result<SocketAddr> {
    let deadline = Instant::now() + time;
    if !announces_itself(stream, deadline).await? {
        return Ok(peer);
    }
    let named = timeout_at(deadline, read(stream)).await??;
    Ok(named.unwrap_or(peer))
}

/// Whether a header comes, without reading anything.
async fn announces_itself(stream: &TcpStream, deadline: Instant) -> io::Result<bool> {
    let mut seen = [0; SIGNATURE.len()];
    loop {
        let Ok(count) = timeout_at(deadline, stream.peek(&mut seen)).await else {
            return Ok(false);
        };
        let seen = seen.get(..count?).unwrap_or_default();
        if seen.is_empty() || !SIGNATURE.starts_with(seen) {
            return Ok(false);
        }
        if seen.len() == SIGNATURE.len() {
            return Ok(true);
        }
        if timeout_at(deadline, sleep(AGAIN)).await.is_err() {
            return if seen.len() <= LINE_ENDS { Ok(false) } else { Err(broken("half a header")) };
        }
    }
}

/// Reads exactly the header; `None` is a proxy that speaks for itself, or for somebody who has no address of the Internet.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut header = vec![0; FIXED];
    stream.read_exact(&mut header).await?;
    let [.., command, _kind, high, low] = header[..] else { return Err(broken("half a header")) };
    let rest = usize::from(u16::from_be_bytes([high, low]));
    if rest > LONGEST {
        return Err(broken("the header is too long"));
    }
    stream.take(rest as u64).read_to_end(&mut header).await?;
    if header.len() < FIXED + rest {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if command == LOCAL {
        return Ok(None);
    }
    let config = ParseConfig { include_tlvs: false, allow_v1: false, allow_v2: true };
    let (header, _) =
        ProxyHeader::parse(&header, config).map_err(|_| broken("the header is malformed"))?;
    Ok(header.proxied_address().map(|addresses| addresses.source))
}

fn broken(problem: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(command: u8, kind: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, kind], &length, rest].concat()
    }

    /// What a header says, and how much of what stands behind it was taken, too.
    fn said(mut bytes: &[u8]) -> io::Result<Option<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(read(&mut bytes)).map(|named| named.map(|address| address.to_string()))
    }

    #[test]
    fn every_kind_of_the_specification_is_understood() {
        let v4 = [&[192, 0, 2, 7][..], &[10, 0, 0, 1], &[0x12, 0x34, 0, 80]].concat();
        let v6 = {
            let one: std::net::Ipv6Addr = "2001:db8::7".parse().unwrap();
            [&one.octets()[..], &[0; 16], &[0x12, 0x34, 0, 80]].concat()
        };
        let unix = [0; 216];
        let tlv = |addresses: &[u8]| [addresses, &[0x04, 0, 3, 1, 2, 3], &[0xEE, 0, 0]].concat();
        // Behind the addresses may stand what is no TLV at all: it is not looked at.
        let odd = |addresses: &[u8]| [addresses, &[0xFF; 5]].concat();
        for (bytes, expected) in [
            (header(0x21, 0x11, &v4), Some("192.0.2.7:4660")),
            (header(0x21, 0x12, &v4), Some("192.0.2.7:4660")),
            (header(0x21, 0x21, &v6), Some("[2001:db8::7]:4660")),
            (header(0x21, 0x22, &v6), Some("[2001:db8::7]:4660")),
            (header(0x21, 0x11, &tlv(&v4)), Some("192.0.2.7:4660")),
            (header(0x21, 0x21, &odd(&v6)), Some("[2001:db8::7]:4660")),
            (header(0x21, 0x00, &[]), None),
            (header(0x21, 0x00, &tlv(&[])), None),
            (header(0x21, 0x31, &unix), None),
            (header(0x21, 0x32, &tlv(&unix)), None),
            (header(0x20, 0x00, &[]), None),
            // LOCAL: the kind of address is to be ignored, whatever it is, and the rest to be passed over.
            (header(0x20, 0x11, &v4), None),
            (header(0x20, 0x11, &[]), None),
            (header(0x20, 0xFF, &[1; 300]), None),
            (
                header(0x21, 0x11, &[&v4[..], &vec![0; LONGEST - v4.len()]].concat()),
                Some("192.0.2.7:4660"),
            ),
        ] {
            assert_eq!(said(&bytes).unwrap().as_deref(), expected, "{:?}", &bytes[12..16]);
        }
        for bytes in [
            header(0x11, 0x11, &v4),
            header(0x31, 0x11, &v4),
            header(0x22, 0x11, &v4),
            header(0x2F, 0x11, &v4),
            header(0x21, 0x11, &v4[..11]),
            header(0x21, 0x21, &v4),
            header(0x21, 0x31, &unix[..215]),
            header(0x21, 0x41, &v6),
            header(0x21, 0x13, &v4),
            header(0x21, 0x01, &v4),
            header(0x21, 0x11, &vec![0; LONGEST + 1]),
            header(0x20, 0x00, &vec![0; 65_535]),
            header(0x21, 0x11, &v4)[..27].to_vec(),
            header(0x21, 0x11, &v4)[..15].to_vec(),
        ] {
            assert!(said(&bytes).is_err(), "{:?}", &bytes[12..]);
        }
    }

    /// What becomes of a connection on which this is sent, when the deadline has passed.
    async fn in_time(bytes: &[u8]) -> io::Result<SocketAddr> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let mut sender = TcpStream::connect(listener.local_addr()?).await?;
        let (mut stream, peer) = listener.accept().await?;
        tokio::io::AsyncWriteExt::write_all(&mut sender, bytes).await?;
        let named = real_peer(&mut stream, peer, Duration::from_millis(100)).await?;
        // Nothing was taken.
        let mut left = vec![0; bytes.len()];
        stream.read_exact(&mut left).await?;
        assert_eq!(left, bytes);
        assert_eq!(named, peer);
        Ok(named)
    }

    #[tokio::test]
    async fn who_says_nothing_speaks_for_itself_and_half_a_header_is_an_end() {
        for silent in [&b""[..], b"\r", b"\r\n", b"\r\n\r\n", b"\r\nx", b"GET / HTTP/1.1\r\n"] {
            in_time(silent).await.unwrap();
        }
        for half in
            [&SIGNATURE[..5], &SIGNATURE[..11], &SIGNATURE[..], &header(0x21, 0x11, &[0; 12])[..27]]
        {
            in_time(half).await.unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn nothing_behind_the_header_is_read(command: u8, kind: u8, rest in prop::collection::vec(any::<u8>(), 0..400)) {
            let behind = [0xAB; 7];
            let bytes = [header(command, kind, &rest), behind.to_vec()].concat();
            let mut stream = &bytes[..];
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(read(&mut stream));
            prop_assert_eq!(stream, &behind[..]);
        }
    }
}
