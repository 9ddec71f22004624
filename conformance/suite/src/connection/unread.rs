//! How much of what was sent a program on this machine has not read yet.
//!
//! TCP glues what is written before the other end has read: two frames that the suite writes one after
//! the other may come as one read, and a client that can't take that apart would fail a case about
//! something else. The kernel knows what lies unread in a socket, and Linux tells it in `/proc/net`.
#![allow(clippy::disallowed_methods, reason = "the kernel's table of sockets is a file")]

use std::{fs, time::Duration};

use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

/// How often the table is looked at.
const INTERVAL: Duration = Duration::from_millis(4);

/// The other end of one TCP connection, as far as it is on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unread {
    ours: u16,
    theirs: u16,
}

impl Unread {
    /// The other end of a connection.
    pub(crate) fn at_the_end_of(tcp: &TcpStream) -> Option<Self> {
        let (ours, theirs) = (tcp.local_addr().ok()?, tcp.peer_addr().ok()?);
        Some(Self { ours: ours.port(), theirs: theirs.port() })
    }

    /// How many bytes wait there; `None` where that can't be seen: another machine, another system, or
    /// a connection that is gone.
    pub(crate) fn bytes(self) -> Option<u64> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].into_iter();
        let mut tables = tables.filter_map(|file| fs::read_to_string(file).ok());
        tables.find_map(|table| self.look_up(&table))
    }

    /// Waits until everything was read; false when it was not in time, or that can't be seen.
    pub(crate) async fn read(self, patience: Duration) -> Option<bool> {
        self.bytes()?;
        let reading = async {
            while self.bytes().is_some_and(|bytes| bytes > 0) {
                sleep(INTERVAL).await;
            }
        };
        Some(timeout(patience, reading).await.is_ok())
    }

    /// The row of the other end is the one in which the ports have changed places.
    fn look_up(self, table: &str) -> Option<u64> {
        table.lines().skip(1).find_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (local, remote, _state, queues) =
                (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            let mine = port(local)? == self.theirs && port(remote)? == self.ours;
            let (_to_send, unread) = queues.split_once(':')?;
            mine.then(|| u64::from_str_radix(unread, 16).ok())?
        })
    }
}

/// The port of an address such as `0100007F:1F90`.
fn port(address: &str) -> Option<u16> {
    u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn the_row_with_the_ports_in_each_others_place_counts() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n   \
            0: 0100007F:1388 0100007F:C001 01 00000000:000000FF 00:00000000 00000000     0\n   \
            1: 0100007F:C001 0100007F:1388 01 00000000:0000001A 00:00000000 00000000     0\n";
        assert_eq!(Unread { ours: 5000, theirs: 0xC001 }.look_up(table), Some(26));
        assert_eq!(Unread { ours: 5000, theirs: 0xC002 }.look_up(table), None);
        assert_eq!(Unread { ours: 1, theirs: 2 }.look_up("nonsense\nmore of: it\n"), None);
    }

    #[tokio::test]
    async fn what_was_not_read_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialing = TcpStream::connect(listener.local_addr().unwrap());
        let (ours, theirs) = tokio::join!(listener.accept(), dialing);
        let (mut ours, mut theirs) = (ours.unwrap().0, theirs.unwrap());
        let unread = Unread::at_the_end_of(&ours).unwrap();
        if unread.bytes().is_none() {
            eprintln!("SKIPPED: this system does not tell what lies unread in a socket");
            return;
        }
        ours.write_all(b"frame").await.unwrap();
        assert_eq!(unread.bytes(), Some(5));
        assert_eq!(unread.read(Duration::from_millis(20)).await, Some(false));
        let reading = async {
            sleep(INTERVAL * 5).await;
            theirs.read_exact(&mut [0; 5]).await.unwrap();
        };
        let (read, ()) = tokio::join!(unread.read(Duration::from_secs(60)), reading);
        assert_eq!((read, unread.bytes()), (Some(true), Some(0)));
    }
}
