//! The least that a server can do: it writes bytes that are ready to sockets, and nothing else.
//!
//! It reads no JSON, keeps no names and no history and routes nothing. The bytes of a message are cut
//! out of the sender's frame at fixed places, a fixed number of them becomes one frame, and that is
//! written to everybody: one encryption and one write for each connection and batch. Members can't
//! tell it from a chat, so the same code receives and checks what it writes, and its CPU time is
//! what the sockets and TLS cost on this machine.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, Read as _, Write as _},
    net::TcpStream as StdTcpStream,
    rc::{Rc, Weak},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use conformance_kit::{
    authority::{Authority, Shows},
    wire::prefix::Prefix,
};
use rustls::{ServerConfig, server::UnbufferedServerConnection};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::{LocalSet, spawn_local},
};

use crate::{
    frame_reader::{FrameReader, Piece},
    tls::TlsSession,
};

/// How long an unfinished batch waits for more.
const PATIENCE: Duration = Duration::from_millis(20);

/// A slow consumer is dropped at so many pending batches; members of this tool always read.
const MOST_WAITING: usize = 16_384;

const OPEN: &[u8] = br#"{"MESSAGES": ["#;
const CLOSE: &[u8] = b"]}";

/// The options of the ceiling's server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitOptions {
    /// Messages in each write: the mean, from 1 on.
    pub batch: f64,
    /// Without TLS.
    pub plaintext: bool,
}

type Batch = Arc<[u8]>;

/// The queue of one thread: new connections and batches.
#[derive(Clone)]
struct ThreadQueue {
    arrivals: mpsc::UnboundedSender<StdTcpStream>,
    batches: Arc<Mutex<Vec<Batch>>>,
    news: Arc<Notify>,
}

/// Collects messages into batches and publishes each batch to every thread.
struct Batcher {
    queues: Vec<ThreadQueue>,
    mean: f64,
    published: f64,
    count: usize,
    bytes: Vec<u8>,
    is_fresh: bool,
}

impl Batcher {
    /// How many messages the next batch has: whole numbers with the right mean.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a batch has at most as many messages as are on their way"
    )]
    fn size(&self) -> usize {
        (((self.published + 1.0) * self.mean).floor() - (self.published * self.mean).floor())
            as usize
    }

    fn take(&mut self, message: &[u8]) {
        if self.count == 0 {
            self.bytes.extend_from_slice(&[0; 4]);
            self.bytes.extend_from_slice(OPEN);
        } else {
            self.bytes.extend_from_slice(b", ");
        }
        self.bytes.extend_from_slice(message);
        self.count += 1;
        self.is_fresh = true;
        if self.count >= self.size().max(1) {
            self.publish();
        }
    }

    fn publish(&mut self) {
        self.bytes.extend_from_slice(CLOSE);
        let length = Prefix::NETWORK.announce(self.bytes.len() - 4);
        if let Some(prefix) = self.bytes.first_chunk_mut::<4>() {
            *prefix = length;
        }
        let batch: Batch = self.bytes.as_slice().into();
        self.bytes.clear();
        self.count = 0;
        self.published += 1.0;
        for queue in &self.queues {
            let mut batches = queue.batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.push(Arc::clone(&batch));
            queue.news.notify_one();
        }
    }

    /// Publishes an unfinished batch that has waited since the last call.
    fn publish_stale(&mut self) {
        if self.count > 0 && !self.is_fresh {
            self.publish();
        }
        self.is_fresh = false;
    }
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
    let (queues, receivers): (Vec<_>, Vec<_>) = (0..threads)
        .map(|_| {
            let (arrivals, received) = mpsc::unbounded_channel();
            let (batches, news) = (Arc::default(), Arc::new(Notify::new()));
            (ThreadQueue { arrivals, batches, news }, received)
        })
        .unzip();
    let batcher = Arc::new(Mutex::new(Batcher {
        queues: queues.clone(),
        mean: options.batch.max(1.0),
        published: 0.0,
        count: 0,
        bytes: Vec::new(),
        is_fresh: false,
    }));
    for (queue, received) in queues.iter().cloned().zip(receivers) {
        let (batcher, tls) = (Arc::clone(&batcher), tls.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().spawn(move || {
            let local = LocalSet::new();
            local.block_on(&runtime, run_thread(queue, received, batcher, tls));
        })?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().spawn(move || runtime.block_on(accept(&queues, &batcher)))?;
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
            _ = ticks.tick() => batcher.lock().unwrap_or_else(PoisonError::into_inner).publish_stale(),
        }
    }
}

/// One thread: it takes connections, and walks them whenever there is news.
async fn run_thread(
    queue: ThreadQueue,
    mut arrivals: mpsc::UnboundedReceiver<StdTcpStream>,
    batcher: Arc<Mutex<Batcher>>,
    tls: Option<Arc<ServerConfig>>,
) {
    let connections: Rc<RefCell<Vec<Rc<Connection>>>> = Rc::default();
    let buffer = Rc::new(RefCell::new(vec![0; 64 * 1024]));
    loop {
        tokio::select! {
            () = queue.news.notified() => {
                let mut batches = queue.batches.lock().unwrap_or_else(PoisonError::into_inner);
                let news = std::mem::take(&mut *batches);
                drop(batches);
                connections.borrow_mut().retain(|connection| connection.deliver(&news));
            }
            arrival = arrivals.recv() => {
                let Some(arrival) = arrival else { return };
                if let Ok(connection) = Connection::new(arrival, tls.as_ref()) {
                    let (connections, batcher) = (Rc::downgrade(&connections), Arc::clone(&batcher));
                    spawn_local(read(Rc::new(connection), connections, batcher, Rc::clone(&buffer)));
                }
            }
        }
    }
}

struct Connection {
    tcp: TcpStream,
    wire: RefCell<WriteHalf>,
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
    fn new(tcp: StdTcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
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
        Ok(Self { tcp: TcpStream::from_std(tcp)?, wire })
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
            wire.seal(&batch);
        }
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
    batcher: Arc<Mutex<Batcher>>,
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
            let mut batcher = batcher.lock().unwrap_or_else(PoisonError::into_inner);
            let mut take = |bytes: &[u8]| {
                frames.push(bytes, None, |piece| match piece {
                    Piece::Body(body) if has_joined || joins => {
                        let inner = body.trim_ascii_end().strip_prefix(OPEN);
                        let inner = inner.and_then(|inner| inner.strip_suffix(CLOSE));
                        inner.into_iter().for_each(|message| batcher.take(message));
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
        let welcome = joins.then(|| {
            let body = br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#;
            [&[0, 0, 0, 60][..], body].concat().into()
        });
        // What the handshake has to say goes out as well.
        if !connection.deliver(welcome.as_slice()) {
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
    use super::*;

    #[test]
    fn batches_have_the_mean_that_was_asked_for() {
        let mut batcher = Batcher {
            queues: Vec::new(),
            mean: 3.25,
            published: 0.0,
            count: 0,
            bytes: Vec::new(),
            is_fresh: false,
        };
        let mut sizes = Vec::new();
        for _ in 0..100 {
            sizes.push(batcher.size());
            batcher.published += 1.0;
        }
        assert_eq!(sizes.iter().sum::<usize>(), 325);
        assert!(sizes.iter().all(|size| *size == 3 || *size == 4));
    }
}
