//! What the user's lines mean: messages to all or to one user, and the way out.
#![allow(clippy::disallowed_methods, reason = "a program at the edge: it has a clock")]

use std::time::{Duration, Instant};

use conformance_kit::clock::unix_seconds;
use conformance_suite::fault::ClientFault;

use crate::{
    outbox,
    session::{End, Session},
    show::Item,
};

impl Session {
    pub(crate) async fn line(&mut self, me: &str, line: &str) -> Option<End> {
        let other = self.faults.has(ClientFault::OtherCommands);
        if let Some(to) = self.to.take() {
            let decorated = self.faults.acts(ClientFault::PrivateDecorated);
            let text = if decorated { format!("(private) {line}") } else { line.to_owned() };
            self.say(me, &to, &text);
            return None;
        }
        if line == if other { "/bye" } else { "/quit" } {
            if self.faults.acts(ClientFault::QuitKeepsConnection) {
                self.show.item(Item::Notice("bye".to_owned()));
                std::future::pending::<()>().await;
            }
            return Some(End::Quit);
        }
        if let (true, Some(user)) = (other, line.strip_prefix("/w ")) {
            let _ = self.faults.acts(ClientFault::OtherCommands);
            self.to = Some(user.to_owned());
            return None;
        }
        let private = line.strip_prefix('@').and_then(|rest| rest.split_once(' '));
        match private.filter(|_| !other) {
            Some(_) if self.faults.acts(ClientFault::PrivateToAll) => self.say(me, "ALL", line),
            Some((user, _)) if self.faults.acts(ClientFault::PrivateDecorated) => {
                self.say(me, user, line);
            }
            Some((user, text))
                if text.contains(' ') && self.faults.acts(ClientFault::PrivateFirstWord) =>
            {
                self.say(me, user, text.split(' ').next().unwrap_or_default());
            }
            Some((user, text)) => self.say(me, user, text),
            None if line.contains('@') && self.faults.acts(ClientFault::PrivateOnAnyAt) => {
                let behind = line.split('@').nth(1).unwrap_or_default();
                self.say(me, behind.split(' ').next().unwrap_or_default(), line);
            }
            None if line.is_empty() && !self.faults.acts(ClientFault::SendsEmpty) => {}
            None => {
                let quick =
                    self.last_line.is_some_and(|t| t.elapsed() < Duration::from_millis(300));
                if !(quick && self.faults.acts(ClientFault::SecondLineLost)) {
                    self.say(me, "ALL", line);
                }
                self.last_line = Some(Instant::now());
            }
        }
        None
    }

    pub(crate) fn say(&mut self, me: &str, to: &str, text: &str) {
        self.sent.push(text.to_owned());
        self.send(outbox::message(me, to, text, unix_seconds(), &self.faults));
    }
}
