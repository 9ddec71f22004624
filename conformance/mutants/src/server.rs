//! The mutant server's sockets, TLS and switch.
#![allow(clippy::disallowed_methods, reason = "every task ends when the power is cut")]

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use conformance_suite::fault::Fault;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Mutex,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    chat::Chat,
    faults::Faults,
    power::Power,
    session::{self, Shared},
};

/// A running mutant; it stops when this is dropped.
pub struct Mutant {
    /// The addresses on which it listens.
    pub addresses: Vec<SocketAddr>,
    /// Its faults, with their counters.
    pub faults: Faults,
    power: Power,
}

impl Mutant {
    /// Waits until a fault has killed the server.
    pub async fn died(&self) {
        self.power.clone().cut().await;
    }
}

impl Drop for Mutant {
    fn drop(&mut self) {
        self.power.off();
    }
}

/// Starts a mutant on these addresses; all get the port of the first. Without a certificate it
/// speaks no TLS.
///
/// # Errors
/// When an address can't be bound, or the certificate and its key don't fit.
pub async fn start(
    hosts: &[SocketAddr],
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    faults: &[Fault],
) -> io::Result<Mutant> {
    let faults = Faults::new(faults);
    let power = Power::on();
    let shared = Shared {
        faults: faults.clone(),
        chat: Arc::new(Mutex::new(Chat::new(faults.clone()))),
        power: power.clone(),
    };
    let plaintext = faults.acts(Fault::Plaintext);
    let tls = match identity.filter(|_| !plaintext) {
        Some((chain, key)) => Some(acceptor(chain, key)?),
        None => None,
    };
    let mut tries = 0;
    let (addresses, listeners) = loop {
        match bind(hosts, faults.acts(Fault::OneAddressOnly)).await {
            // The port that the first address got may be in use at the second.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < PORT_TRIES => {
                tries += 1;
            }
            bound => break bound?,
        }
    };
    for listener in listeners {
        tokio::spawn(accept(listener, tls.clone(), shared.clone()));
    }
    Ok(Mutant { addresses, faults, power })
}

/// How often a port is looked for that is free at all addresses.
const PORT_TRIES: u32 = 16;

/// Binds one port at all addresses, or only at the first while the others are said to be there too.
async fn bind(
    hosts: &[SocketAddr],
    first_only: bool,
) -> io::Result<(Vec<SocketAddr>, Vec<TcpListener>)> {
    let mut addresses: Vec<SocketAddr> = Vec::new();
    let mut listeners = Vec::new();
    for host in hosts {
        let mut address = *host;
        if let Some(first) = addresses.first() {
            address.set_port(first.port());
            if first_only {
                addresses.push(address);
                continue;
            }
        }
        let listener = TcpListener::bind(address).await?;
        addresses.push(listener.local_addr()?);
        listeners.push(listener);
    }
    Ok((addresses, listeners))
}

fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> io::Result<TlsAcceptor> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Numbers connections over all listeners.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Shared) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.power.clone().cut() => return,
        };
        let Ok((tcp, from)) = accepted else { continue };
        let _ = tcp.set_nodelay(true);
        let connection = (CONNECTIONS.fetch_add(1, Ordering::Relaxed), from.ip());
        let (tls, shared) = (tls.clone(), shared.clone());
        let f = shared.faults.clone();
        if f.has(Fault::HandshakeInAcceptLoop) {
            let _ = f.acts(Fault::HandshakeInAcceptLoop);
            if let Some(tls) = tls
                && let Ok(stream) = tls.accept(tcp).await
            {
                tokio::spawn(session::serve(shared, connection, stream));
            }
            continue;
        }
        let serving = serve(tcp, tls, shared, connection);
        if f.acts(Fault::OneAtATime) {
            serving.await;
        } else {
            tokio::spawn(serving);
        }
    }
}

async fn serve(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: Shared,
    connection: (u64, IpAddr),
) {
    let f = shared.faults.clone();
    let Some(tls) = tls else { return session::serve(shared, connection, tcp).await };
    if f.has(Fault::AgreesToOldTls) || f.has(Fault::PlaintextToo) {
        let mut head = [0; 11];
        let looking = timeout(Duration::from_secs(5), async {
            while tcp.peek(&mut head).await? < head.len() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            io::Result::Ok(())
        });
        if !matches!(looking.await, Ok(Ok(()))) {
            return;
        }
        if !head.starts_with(&[0x16, 3]) && f.acts(Fault::PlaintextToo) {
            return session::serve(shared, connection, tcp).await;
        }
        if head.ends_with(&[3, 2]) && f.acts(Fault::AgreesToOldTls) {
            return agree_to_old_tls(tcp).await;
        }
    }
    let handshake = tokio::select! {
        handshake = tls.accept(tcp) => handshake,
        () = shared.power.clone().cut() => return,
    };
    if let Ok(stream) = handshake {
        session::serve(shared, connection, stream).await;
    }
}

/// The beginning of a ServerHello for TLS 1.1; nobody will ask for the rest.
async fn agree_to_old_tls(mut tcp: TcpStream) {
    let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0xC0, 0x13, 0]);
    let _ = tcp.write_all(&hello).await;
    let mut rest = [0; 256];
    let _ = timeout(Duration::from_secs(5), tcp.read(&mut rest)).await;
}
