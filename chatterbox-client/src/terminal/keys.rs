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

/// The rest of a paste comes within this time. Without it a paste whose end is lost would take every key, Ctrl-C too.
const REST_OF_PASTE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// The events of a terminal.
pub(crate) struct Keys {
    reading: Option<Reading>,
    /// A failure that was met where only events are taken.
    failed: Option<io::Error>,
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
    ///
    /// # Errors
    /// Nothing can be read, so that no key would do anything.
    pub(crate) fn start() -> io::Result<Self> {
        Ok(Self { reading: Some(Reading::start()?), failed: None })
    }

    /// The next event; `None` is the end of the terminal, and comes once. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Event>> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        let event = self.receive().await;
        if event.is_none() {
            self.reading = None;
        }
        event
    }

    async fn receive(&mut self) -> Option<io::Result<Event>> {
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

    /// An event that is there already. An end or a failure is left to [`Keys::next`].
    pub(crate) fn at_once(&mut self) -> Option<Event> {
        match self.reading.as_mut()?.events.try_recv().ok()? {
            Ok(event) => Some(event),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }

    /// Waits for something, or for Ctrl-C.
    pub(crate) async fn unless_interrupted<T>(
        &mut self,
        wait: impl Future<Output = Option<T>>,
    ) -> Option<T> {
        tokio::select! {
            done = wait => done,
            () = self.interrupt() => None,
        }
    }

    /// Waits for Ctrl-C; every other key is dropped.
    async fn interrupt(&mut self) {
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

    /// Reads again. That nothing can be read any more comes as a failure.
    pub(crate) fn resume(&mut self) {
        match Reading::start() {
            Ok(reading) => self.reading = Some(reading),
            Err(error) => self.failed = Some(error),
        }
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
        let wait = match parser.is_pasting() {
            true => Some(&REST_OF_PASTE),
            false => parser.has_begun().then_some(&REST),
        };
        let count = match poll(&mut ready, wait) {
            Err(Errno::INTR) => continue,
            polled => polled?,
        };
        let [typed, stop] = ready;
        if !stop.revents().is_empty() {
            return Ok(());
        }
        if count == 0 && parser.is_pasting() {
            parser.end_paste();
        } else if count == 0 {
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
