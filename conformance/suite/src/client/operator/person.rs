//! The assisted mode: a person does what the suite asks, and says what the client shows. For
//! clients with a graphical interface and no adapter.
#![allow(clippy::disallowed_methods, reason = "asks at the terminal of the suite")]

use std::{
    fmt,
    io::{self, BufRead as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use super::action::Action;

/// A request to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Start the client, or connect with it.
    Start {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The file of the authority to trust.
        ca: String,
    },
    /// Do this in the client.
    Do(Action),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { host, port, ca } => {
                write!(f, "Start the client afresh: host {host}, port {port}, trusting {ca}")
            }
            Self::Do(action) => write!(f, "{action}"),
        }
    }
}

/// Somebody who operates a client and sees what it shows.
pub trait Person: Send {
    /// Asks for something to be done; returns when the person has read it, not when it is done.
    fn please(&mut self, request: &Request);
    /// Asks a question that has a yes or no.
    fn answers(&mut self, question: &str) -> bool;
}

/// A person, shared by the cases of a run.
pub type SharedPerson = Arc<Mutex<dyn Person>>;

/// Asks in a thread, since people take their time.
pub(crate) async fn ask(person: &SharedPerson, question: String) -> bool {
    let person = Arc::clone(person);
    let asking = tokio::task::spawn_blocking(move || {
        person.lock().unwrap_or_else(PoisonError::into_inner).answers(&question)
    });
    asking.await.unwrap_or(false)
}

/// Requests in a thread.
pub(crate) async fn please(person: &SharedPerson, request: Request) {
    let person = Arc::clone(person);
    let asking = tokio::task::spawn_blocking(move || {
        person.lock().unwrap_or_else(PoisonError::into_inner).please(&request);
    });
    let _ = asking.await;
}

/// The person at the terminal of the suite.
#[derive(Debug, Default)]
pub struct AtTerminal;

impl Person for AtTerminal {
    fn please(&mut self, request: &Request) {
        let _ = writeln!(io::stderr(), "> {request}");
    }

    fn answers(&mut self, question: &str) -> bool {
        loop {
            let _ = write!(io::stderr(), "? {question} (y/n) ");
            let mut line = String::new();
            match io::stdin().lock().read_line(&mut line) {
                Ok(1..) => match line.trim().to_ascii_lowercase().as_str() {
                    "y" | "yes" => return true,
                    "n" | "no" => return false,
                    _ => {}
                },
                // Nobody is there any more: nothing was seen.
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_sentences() {
        let text = Request::Do(Action::Tell { user: "bob".into(), text: "psst".into() });
        assert_eq!(text.to_string(), "Send \"psst\" to bob only");
        let start = Request::Start { host: "localhost".into(), port: 1, ca: "ca.crt".into() };
        assert!(start.to_string().contains("port 1"));
    }
}
