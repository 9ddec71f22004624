//! Stands between a client and a server, passes every frame on as it came, and watches those of both.
#![allow(clippy::disallowed_methods, reason = "the proxy's tasks end with it")]

use std::{
    io,
    net::{Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use conformance_kit::{
    authority::{Authority, Shows},
    net::dial::Duplex,
    wire::{
        decoder::{Body, Decoder, Step},
        frame::Frame,
        prefix::Prefix,
        recognise::first_frame,
    },
};
use tokio::{
    io::{AsyncWriteExt as _, ReadHalf, WriteHalf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    ends::End,
    relay::{Ended, Relay},
};
use crate::{connection::Unread, invariants::Invariants, server::shared::Shared};

/// In how many bytes a first frame is looked for.
const LONGEST_START: usize = 64 * 1024;
/// How many frames of a meeting are kept.
const MOST_FRAMES: usize = 20_000;

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
    reads: Prefix,
    seen: Arc<Seen>,
    accepting: Vec<JoinHandle<()>>,
}

/// A frame that passed.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Its direction.
    pub way: Way,
    /// The frame.
    pub frame: Frame,
    /// It came in several reads, or records where these can be seen.
    pub in_pieces: bool,
}

/// The frames that passed.
struct Seen {
    frames: Mutex<Vec<Passed>>,
    state: watch::Sender<State>,
}

/// How far the two have come.
#[derive(Debug, Clone, Default)]
pub struct State {
    frames: usize,
    connected: bool,
    client_closed: bool,
    /// Who has closed the connection before the other one did.
    pub closed_first: Option<Way>,
    /// Why there is no connection.
    pub trouble: Option<String>,
    /// How the client wrote the length of its first frame.
    pub prefix: Option<Prefix>,
    /// The client speaks without TLS.
    pub client_plain: bool,
    /// The server does.
    pub server_plain: bool,
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
        Ok(Self { port, client, server, reads: shared.quirks().reads, seen, accepting })
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
                let mine = frames.iter().filter(|passed| passed.way == way);
                if let Some(found) = mine.map(|passed| &passed.frame).find_map(&pick) {
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

    /// How far the two have come.
    #[must_use]
    pub fn state(&self) -> State {
        self.seen.state.borrow().clone()
    }

    /// Waits until one of the two has closed the connection.
    pub async fn ends(&self) {
        let mut state = self.seen.state.subscribe();
        if state.wait_for(|state| state.closed_first.is_some()).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// How the server reads lengths.
    #[must_use]
    pub const fn reads(&self) -> Prefix {
        self.reads
    }

    /// How many frames have passed.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.since(0).len()
    }

    /// The frames that have passed since a mark.
    #[must_use]
    pub fn since(&self, at: usize) -> Vec<Passed> {
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
        let client = End::of_client(tcp, &self.tls).await?;
        let server = self.server_end().await?;
        self.seen.state.send_modify(|state| {
            // Some clients look around and connect again: the last connection counts.
            (state.connected, state.closed_first, state.client_closed) = (true, None, false);
            state.client_plain |= !client.tls;
            state.server_plain |= !server.tls;
        });
        let (up, down) = (client.unread, server.unread);
        let (client_tls, server_tls) = (client.tls, server.tls);
        let (client_in, client_out) = tokio::io::split(client.stream);
        let (server_in, server_out) = tokio::io::split(server.stream);
        tokio::join!(
            self.pump(Way::Up, client_tls, down, client_in, server_out),
            self.pump(Way::Down, server_tls, up, server_in, client_out)
        );
        Ok(())
    }

    async fn server_end(&self) -> io::Result<End> {
        let dialing = async {
            let tcp = TcpStream::connect(self.shared.address()).await?;
            End::of_server(tcp, self.shared.transport()).await
        };
        let patience = self.shared.timing().patience;
        let slow = |_| io::Error::other("the server does not take the connection");
        timeout(patience, dialing).await.map_err(slow)?
    }

    async fn pump(
        &self,
        way: Way,
        records: bool,
        unread: Option<Unread>,
        from: ReadHalf<Box<dyn Duplex>>,
        mut to: WriteHalf<Box<dyn Duplex>>,
    ) {
        let quirks = self.shared.quirks();
        let prefix = if way == Way::Up { quirks.reads } else { quirks.sends };
        let mut decoder = Decoder::new(prefix);
        // The beginning of what a client sends, until its first frame is whole.
        let mut first = (way == Way::Up).then(Vec::new);
        let mut lost = false;
        let see = |bytes: &[u8]| {
            if let Some(start) = &mut first {
                start.extend_from_slice(bytes);
                let found = first_frame(start).and_then(|frame| frame.prefix);
                if found.is_some() || start.len() > LONGEST_START {
                    first = None;
                    self.seen.state.send_modify(|state| state.prefix = found);
                }
            }
            if lost {
                return;
            }
            let mut in_pieces = decoder.is_partial();
            decoder.push(bytes);
            loop {
                match decoder.step() {
                    Step::Body(body) => self.saw(way, body, std::mem::take(&mut in_pieces)),
                    Step::More => break,
                    // Nothing behind an absurd length can be understood, and none of it is kept.
                    Step::Absurd(_) => {
                        lost = true;
                        break;
                    }
                }
            }
        };
        let patience = self.shared.timing().patience;
        let relay = Relay { prefix, records, unread, patience };
        let ended = relay.run(from, &mut to, see).await;
        if ended == Ended::Sender {
            self.seen.state.send_modify(|state| {
                state.closed_first.get_or_insert(way);
                state.client_closed |= way == Way::Up;
            });
        }
        let _ = to.shutdown().await;
    }

    fn saw(&self, way: Way, body: Body, in_pieces: bool) {
        let frame = Frame::read(self.shared.clock.elapsed(), body);
        let invariants = if way == Way::Up { &self.client } else { &self.server };
        invariants.look("the matrix", &frame);
        let mut frames = self.seen.frames.lock().unwrap_or_else(PoisonError::into_inner);
        if frames.len() < MOST_FRAMES {
            frames.push(Passed { way, frame, in_pieces });
        }
        drop(frames);
        self.seen.state.send_modify(|state| state.frames += 1);
    }
}
