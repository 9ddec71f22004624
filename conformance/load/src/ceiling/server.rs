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

/// Whoever is so many batches behind is dropped: members of this tool always read.
const MOST_WAITING: usize = 16_384;

const OPEN: &[u8] = br#"{"MESSAGES": ["#;
const CLOSE: &[u8] = b"]}";

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitOptions {
    /// Messages in each write: the mean, from 1 on.
    pub batch: f64,
    /// Without TLS.
    pub plaintext: bool,
}

type Batch = Arc<[u8]>;

/// The way to one thread.
#[derive(Clone)]
struct Lane {
    arrivals: mpsc::UnboundedSender<StdTcpStream>,
    batches: Arc<Mutex<Vec<Batch>>>,
    news: Arc<Notify>,
}

/// Where messages become batches.
struct Press {
    lanes: Vec<Lane>,
    mean: f64,
    printed: f64,
    count: usize,
    bytes: Vec<u8>,
    is_fresh: bool,
}

impl Press {
    /// How many messages the next batch has: whole numbers with the right mean.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a batch has at most as many messages as are on their way"
    )]
    fn size(&self) -> usize {
        (((self.printed + 1.0) * self.mean).floor() - (self.printed * self.mean).floor()) as usize
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
            self.print();
        }
    }

    fn print(&mut self) {
        self.bytes.extend_from_slice(CLOSE);
        let length = Prefix::NETWORK.announce(self.bytes.len() - 4);
        if let Some(prefix) = self.bytes.first_chunk_mut::<4>() {
            *prefix = length;
        }
        let batch: Batch = self.bytes.as_slice().into();
        self.bytes.clear();
        self.count = 0;
        self.printed += 1.0;
        for lane in &self.lanes {
            let mut batches = lane.batches.lock().unwrap_or_else(PoisonError::into_inner);
            batches.push(Arc::clone(&batch));
            lane.news.notify_one();
        }
    }

    /// Prints what has waited since the last call.
    fn hurry(&mut self) {
        if self.count > 0 && !self.is_fresh {
            self.print();
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
    let (lanes, receivers): (Vec<_>, Vec<_>) = (0..threads)
        .map(|_| {
            let (arrivals, received) = mpsc::unbounded_channel();
            let (batches, news) = (Arc::default(), Arc::new(Notify::new()));
            (Lane { arrivals, batches, news }, received)
        })
        .unzip();
    let press = Arc::new(Mutex::new(Press {
        lanes: lanes.clone(),
        mean: options.batch.max(1.0),
        printed: 0.0,
        count: 0,
        bytes: Vec::new(),
        is_fresh: false,
    }));
    for (lane, received) in lanes.iter().cloned().zip(receivers) {
        let (press, tls) = (Arc::clone(&press), tls.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().spawn(move || {
            let local = LocalSet::new();
            local.block_on(&runtime, run_lane(lane, received, press, tls));
        })?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().spawn(move || runtime.block_on(accept(&lanes, &press)))?;
    let mut nothing = [0; 64];
    while io::stdin().read(&mut nothing)? > 0 {}
    Ok(())
}

async fn accept(lanes: &[Lane], press: &Mutex<Press>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    {
        let mut out = io::stdout().lock();
        writeln!(out, "listening on {}", listener.local_addr()?)?;
        out.flush()?;
    }
    let mut hurry = tokio::time::interval(PATIENCE);
    let mut lane = lanes.iter().cycle();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let (Ok((tcp, _)), Some(lane)) = (accepted, lane.next()) {
                    // A lane that is gone takes nobody any more.
                    let _ = lane.arrivals.send(tcp.into_std()?);
                }
            }
            _ = hurry.tick() => press.lock().unwrap_or_else(PoisonError::into_inner).hurry(),
        }
    }
}

/// One thread: it takes connections, and walks them whenever there is news.
async fn run_lane(
    lane: Lane,
    mut arrivals: mpsc::UnboundedReceiver<StdTcpStream>,
    press: Arc<Mutex<Press>>,
    tls: Option<Arc<ServerConfig>>,
) {
    let seats: Rc<RefCell<Vec<Rc<Seat>>>> = Rc::default();
    let buffer = Rc::new(RefCell::new(vec![0; 64 * 1024]));
    loop {
        tokio::select! {
            () = lane.news.notified() => {
                let mut batches = lane.batches.lock().unwrap_or_else(PoisonError::into_inner);
                let news = std::mem::take(&mut *batches);
                drop(batches);
                seats.borrow_mut().retain(|seat| seat.deliver(&news));
            }
            arrival = arrivals.recv() => {
                let Some(arrival) = arrival else { return };
                if let Ok(seat) = Seat::new(arrival, tls.as_ref()) {
                    let (seats, press) = (Rc::downgrade(&seats), Arc::clone(&press));
                    spawn_local(read(Rc::new(seat), seats, press, Rc::clone(&buffer)));
                }
            }
        }
    }
}

/// One connection.
struct Seat {
    tcp: TcpStream,
    wire: RefCell<Writing>,
}

struct Writing {
    secure: Option<TlsSession<UnbufferedServerConnection>>,
    out: Vec<u8>,
    written: usize,
    waiting: VecDeque<Batch>,
    is_blocked: bool,
    is_gone: bool,
}

impl Writing {
    fn seal(&mut self, bytes: &[u8]) {
        match &mut self.secure {
            Some(secure) => self.is_gone |= secure.seal(bytes, &mut self.out).is_err(),
            None => self.out.extend_from_slice(bytes),
        }
    }
}

impl Seat {
    fn new(tcp: StdTcpStream, tls: Option<&Arc<ServerConfig>>) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let secure = match tls {
            Some(tls) => {
                let end = UnbufferedServerConnection::new(Arc::clone(tls));
                Some(TlsSession::new(end.map_err(io::Error::other)?))
            }
            None => None,
        };
        let wire = RefCell::new(Writing {
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
                let seat = Rc::clone(self);
                spawn_local(async move { seat.unblock().await });
            }
        }
        !wire.is_gone && wire.waiting.len() <= MOST_WAITING
    }

    fn push(&self, wire: &mut Writing) {
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
    seat: Rc<Seat>,
    seats: Weak<RefCell<Vec<Rc<Seat>>>>,
    press: Arc<Mutex<Press>>,
    buffer: Rc<RefCell<Vec<u8>>>,
) {
    let mut frames = FrameReader::default();
    let mut has_joined = false;
    let mut leftover = Vec::new();
    while seat.tcp.readable().await.is_ok() {
        let mut joins = false;
        {
            let mut buffer = buffer.borrow_mut();
            let kept = leftover.len();
            let Some(front) = buffer.get_mut(..kept) else { break };
            front.copy_from_slice(&leftover);
            let count = match seat.tcp.try_read(buffer.get_mut(kept..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => break,
            };
            let Some(bytes) = buffer.get_mut(..kept + count) else { break };
            let mut press = press.lock().unwrap_or_else(PoisonError::into_inner);
            let mut take = |bytes: &[u8]| {
                frames.push(bytes, None, |piece| match piece {
                    Piece::Body(body) if has_joined || joins => {
                        let inner = body.trim_ascii_end().strip_prefix(OPEN);
                        let inner = inner.and_then(|inner| inner.strip_suffix(CLOSE));
                        inner.into_iter().for_each(|message| press.take(message));
                    }
                    _ => joins = true,
                });
            };
            let mut wire = seat.wire.borrow_mut();
            let Writing { secure, out, .. } = &mut *wire;
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
        if !seat.deliver(welcome.as_slice()) {
            break;
        }
        if joins && !has_joined {
            has_joined = true;
            let Some(seats) = seats.upgrade() else { return };
            seats.borrow_mut().push(Rc::clone(&seat));
        }
    }
    seat.wire.borrow_mut().is_gone = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_the_mean_that_was_asked_for() {
        let mut press = Press {
            lanes: Vec::new(),
            mean: 3.25,
            printed: 0.0,
            count: 0,
            bytes: Vec::new(),
            is_fresh: false,
        };
        let mut sizes = Vec::new();
        for _ in 0..100 {
            sizes.push(press.size());
            press.printed += 1.0;
        }
        assert_eq!(sizes.iter().sum::<usize>(), 325);
        assert!(sizes.iter().all(|size| *size == 3 || *size == 4));
    }
}
