//! The server under load: found, or started for the run.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use conformance_kit::{
    authority::{Authority, AuthorityError},
    net::{
        target::Target,
        tls::{self, TlsSetupError, Trust},
    },
    subject::{
        place::Place,
        process::{Process, ProcessError},
        server::{OpenError, Server, Waiting},
    },
};
use thiserror::Error;
use tokio::time::timeout;

use super::connection::{Connection, Wire};

/// How long a server that was started may take to answer.
const START: Duration = Duration::from_secs(20);

/// How long a server that runs may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Why there is no server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// The name is not known.
    #[error("can't resolve {0}: {1}")]
    Resolve(Target, std::io::Error),
    /// Nobody answers.
    #[error("no answer from {target}: {why}{printed}")]
    Silent {
        /// Where.
        target: Target,
        /// The last error.
        why: String,
        /// The output of a server that was started.
        printed: String,
    },
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// It can't be started.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its certificate can't be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Source addresses were asked for, and the server has no address they could reach.
    #[error(
        "source addresses are 127.0.0.1 and so on: the server has to be at 127.0.0.0/8, not {0}"
    )]
    Sources(SocketAddr),
    /// The process can't be watched.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

/// A server and how to reach it.
pub struct Subject {
    /// As the user named it.
    pub name: String,
    /// The address that answers.
    pub address: SocketAddr,
    /// How members speak to it.
    pub wire: Wire,
    /// Its process, when that is known.
    pub process: Option<Process>,
    server: Server,
    /// The files of its certificate.
    _authority: Option<Authority>,
}

impl Subject {
    /// Finds or starts the server, and waits until it answers.
    ///
    /// # Errors
    /// Says what is wrong.
    pub async fn open(
        place: &Place,
        trust: &Trust,
        plaintext: bool,
        pid: Option<u32>,
    ) -> Result<Self, SubjectError> {
        let authority = match place {
            Place::Running(_) => None,
            Place::Command(_) => Some(Authority::make()?),
        };
        let mut server = Server::open(place, authority.as_ref()).await?;
        let wire = wire(&server.target, trust, plaintext)?;
        let address = answering(&mut server, &wire).await?;
        let process = server.process().or(pid).map(Process::find).transpose()?;
        let name = server.target.to_string();
        Ok(Self { name, address, wire, process, server, _authority: authority })
    }

    /// Seconds of CPU of what was started beside the process that is measured; 0 when the server is
    /// somebody else's.
    #[must_use]
    pub fn others_cpu(&self) -> f64 {
        self.server.others_cpu()
    }
}

/// The source addresses for so many connections: as many as were asked for; if nobody did, one for
/// every thousand when the server is on this machine, because servers limit connections by address.
///
/// # Errors
/// When they could not reach the server.
pub fn sources(
    address: SocketAddr,
    asked: Option<u32>,
    connections: u32,
) -> Result<Vec<IpAddr>, SubjectError> {
    let here = matches!(address.ip(), IpAddr::V4(ip) if ip.is_loopback());
    let count = match asked {
        Some(count) if count > 1 && !here => return Err(SubjectError::Sources(address)),
        Some(count) => count,
        None if here && cfg!(target_os = "linux") => connections.div_ceil(1_000),
        None => 1,
    };
    if count <= 1 {
        return Ok(Vec::new());
    }
    let first = u32::from(Ipv4Addr::LOCALHOST);
    Ok((0..count).map(|n| IpAddr::V4(Ipv4Addr::from(first + n))).collect())
}

fn wire(target: &Target, trust: &Trust, plaintext: bool) -> Result<Wire, SubjectError> {
    if plaintext {
        return Ok(Wire::Plain);
    }
    Ok(Wire::Tls(Arc::new(tls::configuration(trust, None)?), tls::server_name(&target.host)))
}

/// Waits until the server answers. One that somebody else runs is there or not; one that was started
/// needs its time.
async fn answering(server: &mut Server, wire: &Wire) -> Result<SocketAddr, SubjectError> {
    let patience = if server.is_ours() { START } else { Duration::ZERO };
    let waiting = Waiting::for_at_most(patience);
    loop {
        let resolved = server.target.resolve().await;
        let mut addresses =
            resolved.map_err(|error| SubjectError::Resolve(server.target.clone(), error))?;
        // Those that several source addresses can reach come first.
        addresses.sort_by_key(SocketAddr::is_ipv6);
        let mut why = "no address".to_owned();
        for address in addresses {
            match timeout(ANSWER, greet(address, wire)).await {
                Ok(Ok(())) => return Ok(address),
                Ok(Err(error)) => why = error,
                Err(_) => why = "no TLS handshake in time; without TLS: --plaintext".to_owned(),
            }
        }
        if waiting.again(server).await.is_err() {
            let printed = server.output();
            let printed =
                if printed.is_empty() { printed } else { format!("\nit printed: {printed}") };
            return Err(SubjectError::Silent { target: server.target.clone(), why, printed });
        }
    }
}

/// Connects and shakes hands.
async fn greet(address: SocketAddr, wire: &Wire) -> Result<(), String> {
    let mut connection =
        Connection::connect(address, None, wire).await.map_err(|error| error.to_string())?;
    let mut buffer = vec![0; 32 * 1024];
    std::future::poll_fn(|cx| {
        loop {
            if let std::task::Poll::Ready(Err(error)) = connection.poll_flush(cx) {
                return std::task::Poll::Ready(Err(error.to_string()));
            }
            if connection.is_ready() {
                return std::task::Poll::Ready(Ok(()));
            }
            match std::task::ready!(connection.poll_read(cx, &mut buffer, |_| {})) {
                Ok(arrived) if arrived.ended => {
                    return std::task::Poll::Ready(Err("it closed the connection".to_owned()));
                }
                Ok(_) => {}
                Err(error) => return std::task::Poll::Ready(Err(hint(&error.to_string()))),
            }
        }
    })
    .await
}

/// A hint for the most common errors.
fn hint(error: &str) -> String {
    if error.contains("certificate") {
        format!("{error} (give --ca FILE or --insecure)")
    } else if error.contains("corrupt message") {
        format!("{error} (a server without TLS? give --plaintext)")
    } else {
        error.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_many_when_they_have_to_be() {
        let here: SocketAddr = "127.0.0.1:5000".parse().unwrap();
        let there: SocketAddr = "192.0.2.1:5000".parse().unwrap();
        assert_eq!(sources(here, Some(1), 5_000).unwrap(), Vec::<IpAddr>::new());
        assert_eq!(sources(here, Some(2), 10).unwrap().len(), 2);
        assert!(sources(there, Some(2), 10).is_err());
        assert!(sources(there, None, 90_000).unwrap().is_empty());
        let many = sources(here, Some(300), 10).unwrap();
        assert_eq!(many.last().unwrap().to_string(), "127.0.1.44");
    }
}
