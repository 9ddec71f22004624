//! The keys of a terminal, as they are pressed: a stream of events that can be put down for another program (`$EDITOR`).

use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;

use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;

/// The events of a terminal.
#[derive(Default)]
pub(crate) struct Keys {
    stream: Option<EventStream>,
}

impl Keys {
    /// Begins to read.
    pub(crate) fn start() -> Self {
        Self { stream: Some(EventStream::new()) }
    }

    /// The next event; `None` is the end of the terminal. Cancelling it loses nothing.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Event>> {
        match &mut self.stream {
            Some(stream) => stream.next().await,
            None => pending().await,
        }
    }

    /// An event that is there already. It never waits; but the stream remembers who has asked for it first, so it has to be asked
    /// from the task that waits for the next one.
    pub(crate) async fn at_once(&mut self) -> Option<io::Result<Event>> {
        let mut next = pin!(self.next());
        poll_fn(|context| match next.as_mut().poll(context) {
            Poll::Ready(event) => Poll::Ready(event),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    /// Reads nothing until [`Keys::resume`], so that another program gets what is typed.
    pub(crate) fn pause(&mut self) {
        self.stream = None;
    }

    /// Reads again.
    pub(crate) fn resume(&mut self) {
        self.stream = Some(EventStream::new());
    }
}
