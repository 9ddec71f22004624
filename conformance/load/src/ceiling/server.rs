//! The least that a server can do: it writes bytes that are ready to sockets, and nothing else.
//!
//! It reads no JSON, keeps no names and routes nothing. The bytes of a message are cut out of the
//! sender's frame at fixed places, many of them become one frame (`batcher`), and that is written to
//! everybody: one encryption and one write for each connection and batch. Where it is to keep a
//! history, whoever joins gets the bytes of all that was said before (`history`), with one encryption
//! and one write for each piece. Members can't tell it from a chat, so the same code receives and
//! checks what it writes, and its CPU time is what the sockets and TLS cost on this machine.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    net::TcpStream as StdTcpStream,
    rc::{Rc, Weak},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use conformance_kit::authority::{Authority, Shows};
use rustls::{ServerConfig, server::UnbufferedServerConnection};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{LocalSet, spawn_local},
};

use super::{
    batcher::{Batch, Batcher, Batches, CLOSE, OPEN, ThreadQueue, gather},
    history::{History, PIECE},
};
use crate::{
    frame_reader::{FrameReader, Piece},
    tls::TlsSession,
};

/// How long an unfinished batch of a fixed size waits for more.
const PATIENCE: Duration = Duration::from_millis(20);

/// A slow consumer is dropped at so many pending batches; members of this tool always read.
const MOST_WAITING: usize = 16_384;

/// The options of the ceiling's server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitOptions {
    /// Messages in each write.
    pub batches: Batches,
    /// Give what was said to whoever joins.
    pub keeps_history: bool,
    /// Without TLS.
    pub plaintext: bool,
}

/// What all connections share.
struct Room {
    batcher: Mutex<Batcher>,
    /// Empty when none is kept.
    history: Mutex<History>,
    keeps_history: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until the standard input ends, which it does with whoever started this process.
///
/// # Errors
/// When there is no socket or no certificate.
pub fn serve(options: LimitOptions) -> io::Result<()> {
    let tls = if options.plaintext {
        None
    } else {
        Some(Authority::make().map_err(io::Error::other)?.server(Shows::Good))
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (queues, receivers) = ThreadQueue::of(threads);
    let room = Arc::new(Room {
        batcher: Mutex::new(Batcher::new(queues.clone(), options.batches)),
        history: Mutex::default(),
        keeps_history: options.keeps_history,
    });
    for (queue, received) in queues.iter().cloned().zip(receivers) {
        let (room, tls) = (Arc::clone(&room), tls.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().spawn(move || {
            let local = LocalSet::new();
            local.block_on(&runtime, run_thread(queue, received, room, tls));
        })?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                accepted = accept(&queues, &room.batcher) => accepted,
                () = gather(&room.batcher) => Ok(()),
            }
        })
    })?;
    let mut nothing = [0; 64];
    while io::stdin().read(&mut nothing)? > 0 {}
    Ok(())
}

async fn accept(queues: &[ThreadQueue], batcher: &Mutex<Batcher>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    {
        let mut out = io::stdout().lock();
        writeln!(out, "listening on {}", listener.local_addr()?)?;
        out.flush()?;
    }
    let mut ticks = tokio::time::interval(PATIENCE);
    let mut queue = queues.iter().cycle();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let (Ok((tcp, _)), Some(queue)) = (accepted, queue.next()) {
                    // A thread that has ended takes no more connections.
                    let _ = queue.arrivals.send(tcp.into_std()?);
                }
            }
            _ = ticks.tick() => lock(batcher).publish_stale(),
        }
    }
}

/// One thread: it takes connections, and walks them whenever there is news.
async fn run_thread(
    queue: ThreadQueue,
    mut arrivals: mpsc::UnboundedReceiver<StdTcpStream>,
    room: Arc<Room>,
    tls: Option<Arc<ServerConfig>>,
) {
    let connections: Rc<RefCell<Vec<Rc<Connection>>>> = Rc::default();
    let buffer = Rc::new(RefCell::new(vec![0; 64 * 1024]));
    let sealed: Rc<RefCell<Vec<u8>>> = Rc::default();
    loop {
        tokio::select! {
            () = queue.news.notified() => {
                let news = queue.take();
                connections.borrow_mut().retain(|connection| connection.deliver(&news));
                queue.written(news.len());
            }
            arrival = arrivals.recv() => {
                let Some(arrival) = arrival else { return };
                if let Ok(connection) = Connection::new(arrival, tls.as_ref(), &sealed) {
                    let (connections, room) = (Rc::downgrade(&connections), Arc::clone(&room));
                    spawn_local(read(Rc::new(connection), connections, room, Rc::clone(&buffer)));
                }
            }
        }
    }
}

struct Connection {
    tcp: TcpStream,
    wire: RefCell<WriteHalf>,
    /// Where all connections of a thread encrypt pieces.
    sealed: Rc<RefCell<Vec<u8>>>,
}

struct WriteHalf {
    secure: Option<TlsSession<UnbufferedServerConnection>>,
    out: Vec<u8>,
    written: usize,
    waiting: VecDeque<Batch>,
    is_blocked: bool,
    is_gone: bool,
}

impl WriteHalf {
    fn seal(&mut self, bytes: &[u8]) {
        match &mut self.secure {
            Some(secure) => self.is_gone |= secure.seal(bytes, &mut self.out).is_err(),
            None => self.out.extend_from_slice(bytes),
        }
    }
}

impl Connection {
    fn new(
        tcp: StdTcpStream,
        tls: Option<&Arc<ServerConfig>>,
        sealed: &Rc<RefCell<Vec<u8>>>,
    ) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let secure = match tls {
            Some(tls) => {
                let end = UnbufferedServerConnection::new(Arc::clone(tls));
                Some(TlsSession::new(end.map_err(io::Error::other)?))
            }
            None => None,
        };
        let wire = RefCell::new(WriteHalf {
            secure,
            out: Vec::new(),
            written: 0,
            waiting: VecDeque::new(),
            is_blocked: false,
            is_gone: false,
        });
        Ok(Self { tcp: TcpStream::from_std(tcp)?, wire, sealed: Rc::clone(sealed) })
    }

    /// Writes batches, each with one write, as far as the socket takes them; false when it is gone.
    fn deliver(self: &Rc<Self>, batches: &[Batch]) -> bool {
        let mut wire = self.wire.borrow_mut();
        wire.waiting.extend(batches.iter().cloned());
        if !wire.is_blocked {
            self.push(&mut wire);
            if wire.is_blocked {
                let connection = Rc::clone(self);
                spawn_local(async move { connection.unblock().await });
            }
        }
        !wire.is_gone && wire.waiting.len() <= MOST_WAITING
    }

    fn push(&self, wire: &mut WriteHalf) {
        loop {
            while let Some(rest) = wire.out.get(wire.written..).filter(|rest| !rest.is_empty()) {
                match self.tcp.try_write(rest) {
                    Ok(count) => wire.written += count,
                    Err(error) => {
                        wire.is_blocked = error.kind() == io::ErrorKind::WouldBlock;
                        wire.is_gone |= !wire.is_blocked;
                        return;
                    }
                }
            }
            wire.out.clear();
            wire.written = 0;
            wire.is_blocked = false;
            let Some(batch) = wire.waiting.pop_front() else { return };
            if batch.len() < PIECE {
                wire.seal(&batch);
            } else {
                self.write_through(wire, &batch);
            }
            if wire.is_gone {
                return;
            }
        }
    }

    /// Writes a piece from where it lies, or from the buffer of the thread, where it is encrypted: it is
    /// copied no more often than it has to be. What the socket does not take is kept and goes out first.
    fn write_through(&self, wire: &mut WriteHalf, piece: &[u8]) {
        let mut sealed = self.sealed.borrow_mut();
        let bytes = match &mut wire.secure {
            None => piece,
            Some(secure) => {
                let Ok(length) = secure.seal_over(piece, &mut sealed) else {
                    wire.is_gone = true;
                    return;
                };
                sealed.get(..length).unwrap_or_default()
            }
        };
        let taken = match self.tcp.try_write(bytes) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                wire.is_gone = true;
                return;
            }
        };
        wire.out.extend_from_slice(bytes.get(taken..).unwrap_or_default());
    }

    async fn unblock(&self) {
        loop {
            if self.tcp.writable().await.is_err() {
                self.wire.borrow_mut().is_gone = true;
                return;
            }
            let mut wire = self.wire.borrow_mut();
            self.push(&mut wire);
            if !wire.is_blocked || wire.is_gone {
                return;
            }
        }
    }
}

/// Reads one connection: the first frame is taken for a name, all others for one message each.
async fn read(
    connection: Rc<Connection>,
    connections: Weak<RefCell<Vec<Rc<Connection>>>>,
    room: Arc<Room>,
    buffer: Rc<RefCell<Vec<u8>>>,
) {
    let mut frames = FrameReader::default();
    let mut has_joined = false;
    let mut leftover = Vec::new();
    while connection.tcp.readable().await.is_ok() {
        let mut joins = false;
        {
            let mut buffer = buffer.borrow_mut();
            let kept = leftover.len();
            let Some(front) = buffer.get_mut(..kept) else { break };
            front.copy_from_slice(&leftover);
            let count = match connection.tcp.try_read(buffer.get_mut(kept..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => break,
            };
            let Some(bytes) = buffer.get_mut(..kept + count) else { break };
            let mut batcher = lock(&room.batcher);
            let mut history = room.keeps_history.then(|| lock(&room.history));
            let mut take = |bytes: &[u8]| {
                frames.push(bytes, None, |piece| match piece {
                    Piece::Body(body) if has_joined || joins => {
                        let inner = body.trim_ascii_end().strip_prefix(OPEN);
                        let inner = inner.and_then(|inner| inner.strip_suffix(CLOSE));
                        if let Some(said) = inner {
                            if let Some(history) = &mut history {
                                history.keep(said);
                            }
                            batcher.take(said);
                        }
                    }
                    _ => joins = true,
                });
            };
            let mut wire = connection.wire.borrow_mut();
            let WriteHalf { secure, out, .. } = &mut *wire;
            leftover.clear();
            match secure {
                None => take(bytes),
                Some(secure) => {
                    let Ok(opened) = secure.open(bytes, out, take) else { break };
                    leftover.extend_from_slice(bytes.get(opened.used..).unwrap_or_default());
                }
            }
        }
        let welcome = joins.then(|| lock(&room.history).welcome());
        // What the handshake has to say goes out as well.
        if !connection.deliver(welcome.as_deref().unwrap_or_default()) {
            break;
        }
        if joins && !has_joined {
            has_joined = true;
            let Some(connections) = connections.upgrade() else { return };
            connections.borrow_mut().push(Rc::clone(&connection));
        }
    }
    connection.wire.borrow_mut().is_gone = true;
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt as _, net::TcpSocket};

    use super::*;

    /// Less than what is written in the test, so that it has to wait for its reader.
    const BUFFER: u32 = 256 * 1024;

    #[tokio::test]
    async fn of_many_pieces_one_is_under_way_and_all_come_in_their_order() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(BUFFER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(BUFFER).unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, peer) = tokio::join!(listener.accept(), socket.connect(address));
        let tcp = accepted.unwrap().0.into_std().unwrap();
        let connection = Rc::new(Connection::new(tcp, None, &Rc::default()).unwrap());
        // The last one is no whole piece.
        let size = |number: u8| if number == 199 { 5 } else { PIECE };
        let pieces: Vec<Batch> = (0..200).map(|number| vec![number; size(number)].into()).collect();
        let writing = async {
            assert!(connection.deliver(&pieces));
            {
                let wire = connection.wire.borrow();
                assert!(wire.is_blocked && wire.out.len() <= PIECE);
                assert!(!wire.waiting.is_empty() && wire.waiting.len() < 200);
            }
            let whole = pieces.concat();
            let mut come = vec![0; whole.len()];
            peer.unwrap().read_exact(&mut come).await.unwrap();
            assert!(come == whole);
            let wire = connection.wire.borrow();
            assert!(wire.waiting.is_empty() && !wire.is_gone);
        };
        LocalSet::new().run_until(writing).await;
    }
}
