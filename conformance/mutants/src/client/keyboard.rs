//! Reads the user's input: lines of a terminal or a pipe, or the orders of an adapter.
#![allow(clippy::disallowed_methods, reason = "reads the standard input in a thread")]

use std::{
    io::{BufRead as _, stdin},
    thread,
};

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Something that the user does.
#[derive(Debug)]
pub(crate) enum Key {
    /// A line.
    Line(String),
    /// An order of the suite, to an adapter.
    Order(Value),
    /// No more input.
    End,
}

/// Reads lines in a thread.
pub(crate) fn lines(adapter: bool) -> UnboundedReceiver<Key> {
    let (sender, keys) = unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lock().lines() {
            let Ok(line) = line else { break };
            let key = match (adapter, serde_json::from_str(&line)) {
                (true, Ok(order)) => Key::Order(order),
                _ => Key::Line(line),
            };
            if sender.send(key).is_err() {
                return;
            }
        }
        let _ = sender.send(Key::End);
    });
    keys
}

/// Forgets what is half typed.
pub(crate) fn forget() {
    let _ = tcflush(stdin(), QueueSelector::IFlush);
}

/// Makes Ctrl-C a character like others.
pub(crate) fn ignore_interrupts() {
    if let Ok(mut modes) = tcgetattr(stdin()) {
        modes.local_modes.remove(LocalModes::ISIG);
        let _ = tcsetattr(stdin(), OptionalActions::Now, &modes);
    }
}
