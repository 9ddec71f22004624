//! The keys of a terminal, as they are pressed: a stream of events that can be put down for another program (`$EDITOR`).
//!
//! crossterm reads the terminal where its stream is polled, and goes on reading behind half a key: in the middle of an
//! escape sequence, or of a character that is no UTF-8, it would stop the whole session until the next key, and for ever
//! when the terminal is gone. So a thread of its own polls it.

use std::io;
use std::sync::Arc;
use std::thread;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use tokio::sync::{Notify, mpsc};

/// Back-pressure: with more events than this waiting, none is read.
const WAITING: usize = 256;

/// The events of a terminal.
#[derive(Default)]
pub(crate) struct Keys {
    reading: Option<Reading>,
}

/// A thread that reads.
struct Reading {
    events: mpsc::Receiver<io::Result<Event>>,
    stop: Arc<Notify>,
}

impl Keys {
    /// Begins to read.
    pub(crate) fn start() -> Self {
        Self { reading: Some(Reading::start()) }
    }

    /// The next event; `None` is the end of the terminal. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Event>> {
        match &mut self.reading {
            Some(reading) => reading.events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// An event that is there already.
    pub(crate) fn at_once(&mut self) -> Option<io::Result<Event>> {
        self.reading.as_mut()?.events.try_recv().ok()
    }

    /// Reads nothing until [`Keys::resume`], so that another program gets what is typed.
    pub(crate) fn pause(&mut self) {
        self.reading = None;
    }

    /// Reads again.
    pub(crate) fn resume(&mut self) {
        self.reading = Some(Reading::start());
    }
}

impl Reading {
    fn start() -> Self {
        let (sender, events) = mpsc::channel(WAITING);
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        thread::spawn(move || read(&sender, &stopped));
        Self { events, stop }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // A permit is kept for a thread that is not waiting yet.
        self.stop.notify_one();
    }
}

fn read(events: &mpsc::Sender<io::Result<Event>>, stop: &Notify) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        let mut stream = EventStream::new();
        loop {
            let event = tokio::select! {
                event = stream.next() => event,
                () = stop.notified() => return,
            };
            let Some(event) = event else { return };
            if events.send(event).await.is_err() {
                return;
            }
        }
    });
}
