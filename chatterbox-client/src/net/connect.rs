//! Connecting: address, TCP, TLS, in this order.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsConnector;

use super::connection::Connection;
use super::ssh_session::SshSession;
use super::trust::Trust;
use super::{dial, explain};
use crate::exit::{Exit, Failure};

/// The limit of the TLS handshake: a server that speaks something else often just waits.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// Connects, and authenticates the server unless the trust says otherwise (TL-1, TL-4). For an SSH session the server is told from
/// where that comes.
///
/// # Errors
/// A [`Failure`] that names the failure of each address, or the fault of the server's certificate.
pub async fn connect(
    host: &str,
    port: u16,
    trust: &Trust,
    ssh: Option<SshSession>,
) -> Result<Connection, Failure> {
    connect_to(host, port, trust, ssh).await.map_err(|failure| {
        // Servers listen there, which means every address of theirs.
        if host.parse().is_ok_and(|address: IpAddr| address.is_unspecified()) {
            failure.hint(format!("{host} is no address to connect to; on this machine: localhost"))
        } else {
            failure
        }
    })
}

async fn connect_to(
    host: &str,
    port: u16,
    trust: &Trust,
    ssh: Option<SshSession>,
) -> Result<Connection, Failure> {
    // The command line's mistakes are found before any server is asked.
    let setup = trust.setup()?;
    let name = setup.as_ref().map(|_| server_name(host)).transpose()?;
    let mut stream = dial::dial(host, port).await.map_err(|error| explain::dialling(&error))?;
    // Without TCP_NODELAY a small message waits for the acknowledgement of the one before. Setting it fails only when
    // the connection is gone already, which the next read reports.
    let _ = stream.set_nodelay(true);
    if let Some(session) = ssh {
        // A failure is seen again by what is written or read next.
        let _ = stream.write_all(&session.header()).await;
    }
    let untrusted = |failure: Failure| match ssh {
        // For a server that does not expect the header it is garbage.
        Some(_) => failure
            .hint("has the server been told to believe this machine? --trust-proxy 127.0.0.1,::1"),
        None => failure,
    };
    let (Some(setup), Some(name)) = (setup, name) else {
        return Ok(Connection::plaintext(stream));
    };
    let peer = stream.peer_addr().map_or_else(|_| host.to_owned(), |address| address.to_string());
    let connector = TlsConnector::from(setup.config.clone());
    match tokio::time::timeout(HANDSHAKE_TIME, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Connection::encrypted(stream)),
        Ok(Err(error)) => Err(untrusted(explain::handshake(&error, &peer, &setup.seen()))),
        Err(_) => Err(untrusted(explain::handshake_timeout(&peer, HANDSHAKE_TIME))),
    }
}

/// The name that the certificate has to be valid for.
fn server_name(host: &str) -> Result<ServerName<'static>, Failure> {
    // A scope (`fe80::1%eth0`) means something to this machine only.
    let address = host.split('%').next().unwrap_or(host);
    let name = if address.parse::<Ipv6Addr>().is_ok() { address } else { host };
    // The final dot of an absolute DNS name is in no certificate.
    let name = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(name.to_owned()).map_err(|_| {
        Failure::new(Exit::Usage, format!("no certificate can be for the name {host:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_address_of_no_host_is_told() {
        for host in ["0.0.0.0", "::", "127.0.0.1"] {
            let port = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .and_then(|listener| listener.local_addr())
                .map(|address| address.port());
            let failed = connect(host, port.unwrap(), &Trust::Plaintext, None).await;
            let told = failed.err().unwrap().to_string();
            assert_eq!(told.contains("no address to connect to"), host != "127.0.0.1", "{told}");
        }
    }
}
