//! The adapter: how a client without a terminal is operated, by JSON lines on its standard input
//! and output. `docs/guide/adapter.md` is the contract.

use serde::Deserialize;
use serde_json::{Value, json};

/// The version of the contract.
pub const VERSION: u32 = 1;

/// A request of the suite to an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order<'a> {
    /// Connect to the suite's server.
    Connect {
        /// The host to look up.
        host: &'a str,
        /// The port.
        port: u16,
        /// The file of the authority to trust.
        ca: &'a str,
    },
    /// Ask for this name.
    Join(&'a str),
    /// Say something to everybody.
    Say(&'a str),
    /// Say something to one user.
    Tell {
        /// The user.
        user: &'a str,
        /// What.
        text: &'a str,
    },
    /// Leave.
    Quit,
}

/// An order as one line.
#[must_use]
pub fn line(order: Order<'_>) -> String {
    let object = match order {
        Order::Connect { host, port, ca } => {
            json!({"do": "connect", "version": VERSION, "host": host, "port": port, "ca": ca})
        }
        Order::Join(name) => json!({"do": "join", "name": name}),
        Order::Say(text) => json!({"do": "say", "text": text}),
        Order::Tell { user, text } => json!({"do": "tell", "user": user, "text": text}),
        Order::Quit => json!({"do": "quit"}),
    };
    format!("{object}\n")
}

/// An event of an adapter.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Ready { version: u32 },
    Message { from: String, to: Option<String>, text: String },
    Users { names: Vec<String> },
    Joined { name: String },
    Left { name: String },
    Error { text: String },
    Info { text: String },
    Notice { text: String },
}

/// What a user would see of a line that an adapter wrote; a line that is no event is shown as it
/// is, and says so.
#[must_use]
pub fn render(line: &[u8]) -> String {
    match serde_json::from_slice::<Event>(line) {
        Ok(Event::Ready { version: VERSION }) => String::new(),
        Ok(Event::Ready { version }) => {
            format!("the adapter speaks version {version}, the suite {VERSION}\n")
        }
        Ok(Event::Message { from, to, text }) => match to {
            Some(to) => format!("{from} -> {to}: {text}\n"),
            None => format!("{from}: {text}\n"),
        },
        Ok(Event::Users { names }) => format!("users: {}\n", names.join(", ")),
        Ok(Event::Joined { name }) => format!("{name} joined\n"),
        Ok(Event::Left { name }) => format!("{name} left\n"),
        Ok(Event::Error { text } | Event::Info { text } | Event::Notice { text }) => {
            format!("{text}\n")
        }
        Err(error) => {
            let text = String::from_utf8_lossy(line);
            let json = serde_json::from_slice::<Value>(line).is_ok();
            let what = if json { format!("unknown event ({error}): ") } else { String::new() };
            format!("{what}{}\n", text.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_lines_and_events_are_what_one_sees() {
        assert_eq!(
            line(Order::Tell { user: "bob", text: "a \"b\"\n" }),
            "{\"do\":\"tell\",\"text\":\"a \\\"b\\\"\\n\",\"user\":\"bob\"}\n"
        );
        let shown =
            render(br#"{"event": "message", "from": "bob", "to": "ALL", "text": "\u0041"}"#);
        assert_eq!(shown, "bob -> ALL: A\n");
        assert_eq!(render(br#"{"event": "ready", "version": 1}"#), "");
        assert!(render(br#"{"event": "ready", "version": 9}"#).contains("version 9"));
        assert!(render(br#"{"event": "odd"}"#).starts_with("unknown event"));
        assert_eq!(render(b"Traceback\n"), "Traceback\n");
    }
}
