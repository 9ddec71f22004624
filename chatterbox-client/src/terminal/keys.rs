//! The keys of a terminal, as they are pressed: a stream of events that can be put down for another program (`$EDITOR`).
//!
//! A thread of its own reads the terminal. crossterm's stream reads where it is polled, and goes on reading behind half a
//! key, so a byte that is no UTF-8 would stop the whole session until the next key, and a terminal that is gone would stop
//! it for ever; and of more than 1 KiB that is typed at once it leaves the rest in the terminal until something else comes.

use std::future::pending;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd as _;
use std::thread;

use crossterm::event::{Event, KeyCode, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::input::Parser;
use super::size::size;

/// Back-pressure: with more events than this waiting, none is read.
const WAITING: usize = 256;

/// The rest of a key comes within this time.
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 30_000_000 };

/// The events of a terminal.
#[derive(Default)]
pub(crate) struct Keys {
    reading: Option<Reading>,
}

/// A thread that reads until this is dropped.
struct Reading {
    events: mpsc::Receiver<io::Result<Event>>,
    /// The terminal has another size.
    resized: Option<Signal>,
    /// The thread ends when this is closed.
    _stop: PipeWriter,
}

impl Keys {
    /// Begins to read.
    pub(crate) fn start() -> Self {
        Self { reading: Reading::start().ok() }
    }

    /// The next event; `None` is the end of the terminal. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Event>> {
        let Some(Reading { events, resized, .. }) = &mut self.reading else {
            return pending().await;
        };
        tokio::select! {
            event = events.recv() => event,
            () = next_size(resized.as_mut()) => {
                let (columns, rows) = size();
                Some(Ok(Event::Resize(columns, rows)))
            }
        }
    }

    /// An event that is there already.
    pub(crate) fn at_once(&mut self) -> Option<io::Result<Event>> {
        self.reading.as_mut()?.events.try_recv().ok()
    }

    /// Waits for Ctrl-C; every other key is dropped.
    pub(crate) async fn interrupt(&mut self) {
        loop {
            match self.next().await {
                Some(Ok(Event::Key(key)))
                    if key.code == KeyCode::Char('c')
                        && key.modifiers.contains(KeyModifiers::CONTROL) =>
                {
                    return;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return pending().await,
            }
        }
    }

    /// Reads nothing until [`Keys::resume`], so that another program gets what is typed.
    pub(crate) fn pause(&mut self) {
        self.reading = None;
    }

    /// Reads again.
    pub(crate) fn resume(&mut self) {
        self.reading = Reading::start().ok();
    }
}

impl Reading {
    fn start() -> io::Result<Self> {
        let (sender, events) = mpsc::channel(WAITING);
        let (stopped, stop) = io::pipe()?;
        thread::spawn(move || {
            if let Err(error) = run(&sender, &stopped) {
                let _ = sender.blocking_send(Err(error));
            }
        });
        Ok(Self { events, resized: signal(SignalKind::window_change()).ok(), _stop: stop })
    }
}

async fn next_size(resized: Option<&mut Signal>) {
    match resized {
        Some(resized) => drop(resized.recv().await),
        None => pending().await,
    }
}

fn run(events: &mpsc::Sender<io::Result<Event>>, stopped: &PipeReader) -> io::Result<()> {
    let input = io::stdin();
    let mut parser = Parser::default();
    let mut piece = [0; 4096];
    loop {
        let mut ready = [PollFd::new(&input, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        let wait = parser.has_begun().then_some(&REST);
        let count = match poll(&mut ready, wait) {
            Err(Errno::INTR) => continue,
            polled => polled?,
        };
        let [typed, stop] = ready;
        if !stop.revents().is_empty() {
            return Ok(());
        }
        if count == 0 {
            parser.end_key();
        } else if !typed.revents().is_empty() {
            match read(input.as_fd(), &mut piece) {
                Ok(0) => return Ok(()),
                Ok(got) => parser.push(piece.get(..got).unwrap_or_default()),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        while let Some(event) = parser.next() {
            if events.blocking_send(Ok(event)).is_err() {
                return Ok(());
            }
        }
    }
}
