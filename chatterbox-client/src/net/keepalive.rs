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

/// So many bytes the kernel may hold that it has not sent, about: a message waits for them, and for a file there are always some.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 16 * 1024;

/// Lets the kernel end a connection whose peer has vanished, in less than two minutes, and keeps what it has not sent small (FI-5).
///
/// # Errors
/// The platform lacks an option; the connection works without it.
pub fn watch(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let keepalive =
        TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL).with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    Ok(())
}
