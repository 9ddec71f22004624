//! Shows messages to the user: as lines, on a full screen, or as events of an adapter.
#![allow(clippy::disallowed_methods, reason = "writes to the standard output")]

use std::{collections::VecDeque, io::Write as _};

use conformance_kit::escape;
use conformance_suite::fault::ClientFault;
use serde_json::json;

use crate::faults::Faults;

/// Lines that a full screen has room for.
const ROWS: usize = 30;

/// One thing to see.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Message { from: String, to: String, text: String },
    Users(Vec<String>),
    Joined(String),
    Left(String),
    Error(String),
    Info(String),
    Notice(String),
}

pub(crate) struct Show {
    faults: Faults,
    adapter: bool,
    /// Output that waits for a key.
    held: Vec<Item>,
    rows: VecDeque<String>,
}

impl Show {
    pub(crate) fn new(adapter: bool, faults: Faults) -> Self {
        let show = Self { faults, adapter, held: Vec::new(), rows: VecDeque::new() };
        if show.full() {
            show.write("\x1b[?1049h\x1b[2J");
        }
        if adapter {
            show.write(&format!("{}\n", json!({"event": "ready", "version": 1})));
        }
        show
    }

    pub(crate) fn prompt(&self, text: &str) {
        if !self.adapter && !self.faults.acts(ClientFault::NoPrompt) {
            self.write(text);
        }
    }

    /// Shows one thing, or holds it back.
    pub(crate) fn item(&mut self, item: Item) {
        if self.faults.acts(ClientFault::ShowsOnKeyOnly) && !matches!(item, Item::Notice(_)) {
            self.held.push(item);
        } else {
            self.now(&item);
        }
    }

    /// Shows what was held back.
    pub(crate) fn release(&mut self) {
        for item in std::mem::take(&mut self.held) {
            self.now(&item);
        }
    }

    fn now(&mut self, item: &Item) {
        let line = if self.adapter { event(item) } else { self.line(item) };
        if self.full() {
            self.rows.push_back(line);
            while self.rows.len() > ROWS {
                self.rows.pop_front();
            }
            let rows: Vec<_> = self.rows.iter().map(|row| format!("\x1b[K{row}\r\n")).collect();
            self.write(&format!("\x1b[H{}\x1b[J\x1b[40;1H> ", rows.concat()));
        } else {
            self.write(&format!("{line}\n"));
            if self.faults.acts(ClientFault::PromptEverywhere) {
                self.write("[chat] > ");
            }
        }
    }

    fn line(&self, item: &Item) -> String {
        match item {
            Item::Message { from, to, text } => {
                let text = self.clean(text);
                match to.as_str() {
                    _ if self.faults.acts(ClientFault::SenderHidden) => text,
                    "ALL" => format!("<{}> {text}", self.clean(from)),
                    _ => format!("<{}> (private) {text}", self.clean(from)),
                }
            }
            Item::Users(names) => format!("* here: {}", self.clean(&names.join(", "))),
            Item::Joined(name) => format!("* {} joined", self.clean(name)),
            Item::Left(name) => format!("* {} left", self.clean(name)),
            Item::Error(text) => format!("! {}", self.clean(text)),
            Item::Info(text) | Item::Notice(text) => format!("* {}", self.clean(text)),
        }
    }

    fn clean(&self, text: &str) -> String {
        if text.chars().any(char::is_control) && self.faults.acts(ClientFault::ControlsRaw) {
            return text.to_owned();
        }
        escape::visible(text)
    }

    fn full(&self) -> bool {
        self.faults.acts(ClientFault::FullScreen)
    }

    fn write(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }
}

impl Drop for Show {
    fn drop(&mut self) {
        if self.full() {
            self.write("\x1b[?1049l");
        }
    }
}

fn event(item: &Item) -> String {
    match item {
        Item::Message { from, to, text } => {
            json!({"event": "message", "from": from, "to": to, "text": text})
        }
        Item::Users(names) => json!({"event": "users", "names": names}),
        Item::Joined(name) => json!({"event": "joined", "name": name}),
        Item::Left(name) => json!({"event": "left", "name": name}),
        Item::Error(text) => json!({"event": "error", "text": text}),
        Item::Info(text) => json!({"event": "info", "text": text}),
        Item::Notice(text) => json!({"event": "notice", "text": text}),
    }
    .to_string()
}
