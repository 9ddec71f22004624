//! The first line of a server, which is looked at before the client of the engine gets to it. That one keeps a line however long it is,
//! and looks through all of it after each piece that comes: a line without end costs all memory, and a processor for as long as it lasts.

#![allow(clippy::disallowed_methods, reason = "the edge: asks the engine")]

use futures_util::future::join_all;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::order::jetstream::settings::{HANDSHAKE, ServerUrl};

/// What every server of the engine says first.
const BEGINNING: &[u8] = b"INFO ";

/// The bytes of the first line. It names the servers of the cluster, and little beside.
const LONGEST: usize = 64 * 1024;

/// The servers that may be of the engine: all but those that say something that none of the engine says. One that is not there or says
/// nothing may be hung, or waits for TLS.
///
/// # Errors
/// No server is left: says what answers there.
pub async fn believable(servers: &[ServerUrl]) -> Result<Vec<&ServerUrl>, String> {
    let greetings = join_all(servers.iter().map(greeting)).await;
    let (mut left, mut why) = (Vec::new(), String::new());
    for (server, greeting) in servers.iter().zip(greetings) {
        match greeting {
            Ok(()) => left.push(server),
            Err(what) => why = format!("{server}: {what}"),
        }
    }
    if left.is_empty() { Err(why) } else { Ok(left) }
}

/// Hears a server out until it has said enough.
async fn greeting(server: &ServerUrl) -> Result<(), String> {
    timeout(HANDSHAKE, first_line(server)).await.unwrap_or(Ok(()))
}

async fn first_line(server: &ServerUrl) -> Result<(), String> {
    let address = server.address();
    let Ok(addresses) = address.socket_addrs().await else { return Ok(()) };
    let addresses: Vec<_> = addresses.collect();
    let Ok(mut stream) = TcpStream::connect(&*addresses).await else { return Ok(()) };
    let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        let new = piece.get(..count).unwrap_or_default();
        heard.extend_from_slice(new);
        if !heard.iter().zip(BEGINNING).all(|(heard, expected)| heard == expected) {
            return Err("what answers there is no nats-server".to_owned());
        }
        if new.contains(&b'\n') {
            return Ok(());
        }
        if heard.len() > LONGEST {
            return Err(format!("its first line is longer than {LONGEST} bytes"));
        }
    }
    Ok(())
}
