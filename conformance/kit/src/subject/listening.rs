//! Looks whether a port of this machine is being listened on, without a connection: a server that has
//! just been started must not begin its life with a client that says nothing.
#![allow(clippy::disallowed_methods, reason = "reads what the system knows about its sockets")]

/// Whether somebody listens on this port of this machine; `None` where the system does not tell.
#[must_use]
pub fn is_listened_on(port: u16) -> Option<bool> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables: Vec<String> =
        tables.into_iter().filter_map(|table| std::fs::read_to_string(table).ok()).collect();
    (!tables.is_empty()).then(|| tables.iter().any(|table| holds(table, port)))
}

/// Whether a table of sockets, as Linux writes it, has one that listens on this port.
fn holds(table: &str, port: u16) -> bool {
    // State 0A is LISTEN; ports are hexadecimal, as everything here.
    let end = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = fields.next().unwrap_or_default();
        local.ends_with(&end) && fields.nth(1) == Some("0A")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:C350 0100007F:1389 01 00000000:00000000 00:00000000 00000000     0
";

    #[test]
    fn only_sockets_that_listen_count() {
        assert!(holds(TABLE, 5000));
        assert!(!holds(TABLE, 50000) && !holds(TABLE, 5001) && !holds("", 5000));
    }

    #[test]
    fn a_listener_of_this_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_ne!(is_listened_on(port), Some(false));
        drop(listener);
        assert_ne!(is_listened_on(port), Some(true));
    }
}
