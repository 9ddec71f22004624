//! Listens for one client: a port of its own, with a certificate that the client should trust or
//! refuse.
#![allow(clippy::disallowed_methods, reason = "the accepting tasks are owned by the Listener")]

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use conformance_kit::{
    authority::Shows,
    trace::{Kind, Trace},
};
use rustls::ProtocolVersion;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    peer::{Hello, Peer},
    shared::Shared,
};
use crate::connection::Unread;

/// How many ports are tried until one is free in both address families.
const TRIES: usize = 20;

/// The address on which the suite listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Where {
    /// On `localhost`, whatever that is here.
    #[default]
    Localhost,
    /// On `::1` only.
    V6Only,
    /// Nowhere: the port is closed.
    Nowhere,
}

/// How far a client has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    pub connected: usize,
    /// Those that can carry frames.
    pub open: usize,
    /// Why the last handshake failed.
    pub failed: Option<String>,
}

/// A port for one client.
pub struct Listener {
    /// The host that the client is given.
    pub host: String,
    pub port: u16,
    arrivals: UnboundedReceiver<Peer>,
    contact: watch::Receiver<Contact>,
    accepting: Vec<JoinHandle<()>>,
}

struct AcceptLoop {
    shared: Arc<Shared>,
    case: &'static str,
    trace: Trace,
    shows: Shows,
    arrivals: UnboundedSender<Peer>,
    contact: Arc<watch::Sender<Contact>>,
}

impl Listener {
    /// Opens a port.
    ///
    /// # Errors
    /// When the machine has none, or not the address that was wanted.
    pub async fn open(
        shared: &Arc<Shared>,
        case: &'static str,
        trace: &Trace,
        place: Where,
        shows: Shows,
    ) -> io::Result<Self> {
        let (listeners, port) = bind(place).await?;
        let (sender, arrivals) = unbounded_channel();
        let (contact_sender, contact) = watch::channel(Contact::default());
        let contact_sender = Arc::new(contact_sender);
        let accepting = listeners
            .into_iter()
            .map(|listener| {
                let accept = AcceptLoop {
                    shared: Arc::clone(shared),
                    case,
                    trace: trace.clone(),
                    shows,
                    arrivals: sender.clone(),
                    contact: Arc::clone(&contact_sender),
                };
                tokio::spawn(Arc::new(accept).accept(listener))
            })
            .collect();
        let host = if place == Where::V6Only { "::1" } else { "localhost" }.to_owned();
        Ok(Self { host, port, arrivals, contact, accepting })
    }

    /// Waits for the next connection that can carry frames.
    pub async fn next(&mut self, patience: Duration) -> Option<Peer> {
        timeout(patience, self.arrivals.recv()).await.ok().flatten()
    }

    /// How far the client has come.
    #[must_use]
    pub fn contact(&self) -> Contact {
        self.contact.borrow().clone()
    }

    /// Waits until the client has come so far; never ends when it does not.
    pub fn reached<F: FnMut(&Contact) -> bool>(&self, far: F) -> impl Future<Output = ()> + use<F> {
        let mut contact = self.contact.clone();
        async move {
            if contact.wait_for(far).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for task in &self.accepting {
            task.abort();
        }
    }
}

/// Listens on one port of every address.
async fn bind(place: Where) -> io::Result<(Vec<TcpListener>, u16)> {
    let first = if place == Where::V6Only { "[::1]:0" } else { "127.0.0.1:0" };
    let mut last = io::Error::other("no port");
    for _ in 0..TRIES {
        let listener = TcpListener::bind(first).await?;
        let port = listener.local_addr()?.port();
        match place {
            Where::V6Only => return Ok((vec![listener], port)),
            // The port was free a moment ago, and stays out of reach of what is bound to 0 next.
            Where::Nowhere => return Ok((Vec::new(), port)),
            Where::Localhost => {}
        }
        match TcpListener::bind(SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port))).await {
            Ok(other) => return Ok((vec![listener, other], port)),
            // Somebody else has it: a client that tries ::1 first would end up there.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(_) => return Ok((vec![listener], port)),
        }
    }
    Err(last)
}

impl AcceptLoop {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut guests = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((tcp, address)) = accepted {
                    self.contact.send_modify(|contact| contact.connected += 1);
                    self.trace.note("server", Kind::Opened, &format!("TCP from {address}"));
                    guests.spawn(Arc::clone(&self).welcome(tcp));
                },
                Some(_) = guests.join_next() => {}
            }
        }
    }

    async fn welcome(self: Arc<Self>, tcp: TcpStream) {
        match self.handshake(tcp).await {
            Ok(peer) => {
                let _ = self.arrivals.send(peer);
                self.contact.send_modify(|contact| contact.open += 1);
            }
            Err(reason) => {
                self.trace.note("server", Kind::Note, &format!("no connection: {reason}"));
                self.contact.send_modify(|contact| contact.failed = Some(reason));
            }
        }
    }

    async fn handshake(&self, tcp: TcpStream) -> Result<Peer, String> {
        let text = |error: io::Error| error.to_string();
        tcp.set_nodelay(true).map_err(text)?;
        let unread = Unread::at_the_end_of(&tcp);
        let start = |stream, hello| {
            Ok(Peer::start(&self.shared, self.case, &self.trace, unread, stream, hello))
        };
        // Whoever is known to speak without TLS may wait for the server's first word.
        if self.shared.quirks().plaintext {
            return start(Box::new(tcp), Hello::default());
        }
        // TLS clients speak first; those without TLS do so when they have a name.
        let mut head = [0; 2];
        match tcp.peek(&mut head).await.map_err(text)? {
            0 => return Err("the client closed the connection before it sent a byte".to_owned()),
            1 if head[0] == 0x16 => {}
            // A handshake of any version; 0x16 alone may be a length in little-endian order.
            2.. if head == [0x16, 3] => {}
            _ => return start(Box::new(tcp), Hello::default()),
        }
        let acceptor = TlsAcceptor::from(self.shared.authority.server(self.shows));
        let stream = acceptor.accept(tcp).await.map_err(text)?;
        let connection = stream.get_ref().1;
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
            other => format!("{other:?}"),
        };
        let sni = connection.server_name().map(str::to_owned);
        let hello = Hello { sni, version: Some(version) };
        start(Box::new(stream), hello)
    }
}
