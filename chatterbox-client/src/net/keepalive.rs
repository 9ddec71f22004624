//! Dead links: the kernel notices a server that has vanished without a word, whether there is something to send or not.
//!
//! PING does the same where it is agreed. A base server has no PING, and to write to a vanished server succeeds for many
//! minutes: by default Linux sends unacknowledged bytes again for 15 minutes, and looks after a silent peer after two
//! hours.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// A silent connection is probed after this long.
const IDLE: Duration = Duration::from_secs(60);

/// The time between two probes, and their number.
const INTERVAL: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// The limit for the acknowledgement of what was sent, a probe too.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(90);

/// Lets the kernel end a connection whose peer has vanished, in less than two minutes.
///
/// # Errors
/// The platform lacks an option; the connection works without it.
pub fn watch(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let keepalive =
        TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL).with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// The kernel keeps the promise; that it does so can only be seen with a link that is cut for two minutes.
    #[tokio::test]
    async fn a_vanished_server_is_noticed_within_two_minutes_silent_or_busy() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = crate::net::dial::dial("127.0.0.1", port).await.unwrap();
        let socket = SockRef::from(&stream);
        let limit = Duration::from_secs(120);
        assert!(socket.keepalive().unwrap());
        let probing =
            socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert!(socket.tcp_keepalive_time().unwrap() + probing < limit);
        assert!(socket.tcp_user_timeout().unwrap().unwrap() < limit);
    }
}
