//! Stands between a client and a server, passes every byte on as it came, and watches the frames of
//! both.
#![allow(clippy::disallowed_methods, reason = "the proxy's tasks end with it")]

use std::{
    io,
    net::{Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use conformance_kit::{
    authority::{Authority, Shows},
    net::dial::{self, Duplex},
    wire::{
        decoder::{Body, Decoder, Step},
        frame::Frame,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{invariants::Invariants, server::shared::Shared};

/// The direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client.
    Up,
    /// From the server.
    Down,
}

/// A proxy in front of one server, for one client.
pub struct Proxy {
    /// The port for the client, on localhost.
    pub port: u16,
    /// Violations of the client.
    pub client: Arc<Invariants>,
    /// Violations of the server.
    pub server: Arc<Invariants>,
    seen: Arc<Seen>,
    accepting: Vec<JoinHandle<()>>,
}

/// The frames that passed.
struct Seen {
    frames: Mutex<Vec<(Way, Frame)>>,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    frames: usize,
    connected: bool,
    client_closed: bool,
    trouble: Option<String>,
}

struct Door {
    shared: Arc<Shared>,
    tls: TlsAcceptor,
    seen: Arc<Seen>,
    client: Arc<Invariants>,
    server: Arc<Invariants>,
}

impl Proxy {
    /// Opens a port on localhost.
    ///
    /// # Errors
    /// When there is none.
    pub async fn open(shared: &Arc<Shared>, authority: &Authority) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let mut listeners = vec![listener];
        // A client that tries ::1 first goes on to the other address when nobody is there.
        listeners.extend(TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await);
        let new = || {
            Arc::new(Invariants::new(
                shared.invariants.mark().to_owned(),
                shared.invariants.number(),
            ))
        };
        let (client, server) = (new(), new());
        let state = watch::Sender::new(State::default());
        let seen = Arc::new(Seen { frames: Mutex::default(), state });
        let door = Arc::new(Door {
            shared: Arc::clone(shared),
            tls: TlsAcceptor::from(authority.server(Shows::Good)),
            seen: Arc::clone(&seen),
            client: Arc::clone(&client),
            server: Arc::clone(&server),
        });
        let accepting =
            listeners.into_iter().map(|l| tokio::spawn(Arc::clone(&door).accept(l))).collect();
        Ok(Self { port, client, server, seen, accepting })
    }

    /// Waits for a frame in which something is found.
    pub async fn find<T>(
        &self,
        way: Way,
        patience: Duration,
        pick: impl Fn(&Frame) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.seen.state.subscribe();
        let mut at = 0;
        let finding = async {
            loop {
                state.mark_unchanged();
                let frames = self.since(at);
                at += frames.len();
                let mine = frames.iter().filter(|(went, _)| *went == way);
                if let Some(found) = mine.map(|(_, frame)| frame).find_map(&pick) {
                    return Some(found);
                }
                if state.changed().await.is_err() {
                    return None;
                }
            }
        };
        timeout(patience, finding).await.ok().flatten()
    }

    /// Waits until the client has closed its connection.
    pub async fn client_closes(&self, patience: Duration) -> bool {
        let mut state = self.seen.state.subscribe();
        timeout(patience, state.wait_for(|state| state.client_closed))
            .await
            .is_ok_and(|w| w.is_ok())
    }

    /// Waits until somebody has connected.
    pub async fn connects(&self, patience: Duration) {
        let mut state = self.seen.state.subscribe();
        let _ = timeout(patience, state.wait_for(|state| state.connected)).await;
    }

    /// Why there is no connection, if that is known.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.seen.state.borrow().trouble.clone()
    }

    fn since(&self, at: usize) -> Vec<(Way, Frame)> {
        let frames = self.seen.frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames.get(at..).unwrap_or_default().to_vec()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for task in &self.accepting {
            task.abort();
        }
    }
}

impl Door {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut guests = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => if let Ok((tcp, _)) = accepted {
                    guests.spawn(Arc::clone(&self).serve(tcp));
                },
                Some(_) = guests.join_next() => {}
            }
        }
    }

    async fn serve(self: Arc<Self>, tcp: TcpStream) {
        if let Err(error) = self.pass(tcp).await {
            self.seen.state.send_modify(|state| state.trouble = Some(error.to_string()));
        }
    }

    async fn pass(&self, tcp: TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        let mut head = [0; 1];
        if tcp.peek(&mut head).await? == 0 {
            return Err(io::Error::other("the client closed the connection at once"));
        }
        // A client without TLS is still worth looking at: what it lacks is told apart.
        let client: Box<dyn Duplex> =
            if head == [0x16] { Box::new(self.tls.accept(tcp).await?) } else { Box::new(tcp) };
        let patience = self.shared.timing().patience;
        let link = dial::dial(self.shared.address(), &self.shared.transport(), patience)
            .await
            .map_err(io::Error::other)?;
        self.seen.state.send_modify(|state| state.connected = true);
        let (client_in, client_out) = tokio::io::split(client);
        let (server_in, server_out) = tokio::io::split(link.stream);
        tokio::join!(
            self.pump(Way::Up, client_in, server_out),
            self.pump(Way::Down, server_in, client_out)
        );
        Ok(())
    }

    async fn pump(
        &self,
        way: Way,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) {
        let quirks = self.shared.quirks();
        let prefix = if way == Way::Up { quirks.reads } else { quirks.sends };
        let mut decoder = Decoder::new(prefix);
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..count).unwrap_or_default();
            decoder.push(bytes);
            while let Step::Body(body) = decoder.step() {
                self.saw(way, body);
            }
            if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
                break;
            }
        }
        if way == Way::Up {
            self.seen.state.send_modify(|state| state.client_closed = true);
        }
        let _ = to.shutdown().await;
    }

    fn saw(&self, way: Way, body: Body) {
        let frame = Frame::read(self.shared.clock.elapsed(), body);
        let invariants = if way == Way::Up { &self.client } else { &self.server };
        invariants.look("the matrix", &frame);
        self.seen.frames.lock().unwrap_or_else(PoisonError::into_inner).push((way, frame));
        self.seen.state.send_modify(|state| state.frames += 1);
    }
}
