//! Finds a port of this machine for a server, and looks whether one is being listened on, without a connection: a
//! server that has just been started must not begin its life with a client that says nothing.
#![allow(clippy::disallowed_methods, reason = "reads what the system knows about its sockets")]

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// A port that was free a moment ago; nobody promises more on a shared machine.
///
/// It lies below those that systems give to outgoing connections: the suite itself makes hundreds of these, and one of
/// them could get the port before the server does.
///
/// # Errors
/// When this machine gives none.
pub fn free_port() -> io::Result<u16> {
    let free = |port| std::net::TcpListener::bind(("127.0.0.1", port));
    for _ in 0..32 {
        if let Ok(listener) = free(rand::random_range(10_240..32_000)) {
            return Ok(listener.local_addr()?.port());
        }
    }
    Ok(free(0)?.local_addr()?.port())
}

/// Whether somebody listens at this address of this machine; `None` where the system does not tell.
#[must_use]
pub fn is_listened_on(address: SocketAddr) -> Option<bool> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables: Vec<String> =
        tables.into_iter().filter_map(|table| std::fs::read_to_string(table).ok()).collect();
    (!tables.is_empty()).then(|| tables.iter().any(|table| holds(table, address)))
}

/// Whether a table of sockets, as Linux writes it, has one that listens at this address or at all.
fn holds(table: &str, address: SocketAddr) -> bool {
    // State 0A is LISTEN; addresses are 32-bit words of the machine, in hexadecimal as everything here.
    let word = |bytes: &[u8; 4]| format!("{:08X}", u32::from_ne_bytes(*bytes));
    let six = |octets: [u8; 16]| octets.as_chunks::<4>().0.iter().map(word).collect::<String>();
    let any = "0".repeat(32);
    let hosts = match address.ip() {
        IpAddr::V4(ip) => {
            vec![word(&ip.octets()), "0".repeat(8), six(ip.to_ipv6_mapped().octets()), any]
        }
        IpAddr::V6(ip) => vec![six(ip.octets()), any],
    };
    let wanted: Vec<String> =
        hosts.into_iter().map(|host| format!("{host}:{:04X}", address.port())).collect();
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = fields.next().unwrap_or_default();
        wanted.iter().any(|place| place == local) && fields.nth(1) == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:C350 0100007F:1389 01 00000000:00000000 00:00000000 00000000     0
   2: 00000000:1770 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
";

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn only_sockets_that_listen_there_count() {
        assert!(holds(TABLE, at("127.0.0.1:5000")) && holds(TABLE, at("127.0.0.2:6000")));
        for other in ["127.0.0.1:50000", "127.0.0.1:5001", "127.0.0.2:5000", "[::1]:5000"] {
            assert!(!holds(TABLE, at(other)), "{other}");
        }
    }

    #[test]
    fn a_listener_of_this_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let elsewhere = SocketAddr::from(([127, 0, 0, 2], address.port()));
        assert_ne!(is_listened_on(address), Some(false));
        assert_ne!(is_listened_on(elsewhere), Some(true));
        drop(listener);
        assert_ne!(is_listened_on(address), Some(true));
    }
}
