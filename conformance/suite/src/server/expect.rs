//! Waits for frames within the deadline, and describes what arrived instead.

use std::time::Duration;

use conformance_kit::{
    escape,
    trace::Kind,
    wire::{frame::Frame, message::Message},
};

use super::peer::{Mark, Peer};
use crate::verdict::Verdict;

impl Peer {
    /// The current position: later frames are behind this mark.
    pub fn mark(&mut self) -> Mark {
        self.inbox.mark()
    }

    /// Takes in what has arrived, without waiting.
    pub fn catch_up(&mut self) {
        self.inbox.catch_up();
    }

    /// The frames that arrived since a mark.
    pub fn frames(&mut self, since: Mark) -> &[Frame] {
        self.inbox.frames(since)
    }

    /// Every message that has arrived since a mark.
    pub fn messages(&mut self, since: Mark) -> Vec<Message> {
        self.inbox.messages(since)
    }

    /// Waits for the first frame since a mark in which something is found.
    pub async fn find<T>(&mut self, since: Mark, pick: impl Fn(&Frame) -> Option<T>) -> Option<T> {
        let patience = self.shared.timing().patience;
        self.inbox.find(since, patience, pick).await
    }

    /// The same, with another deadline.
    pub async fn find_within<T>(
        &mut self,
        patience: Duration,
        since: Mark,
        pick: impl Fn(&Frame) -> Option<T>,
    ) -> Option<T> {
        self.inbox.find(since, patience, pick).await
    }

    /// Looks for the first frame in which something is found, among those that are there.
    pub fn find_now<T>(&mut self, pick: impl Fn(&Frame) -> Option<T>) -> Option<T> {
        self.frames(Mark::START).iter().find_map(pick)
    }

    /// Waits for a message since a mark.
    pub async fn find_message(
        &mut self,
        since: Mark,
        wanted: impl Fn(&Message) -> bool,
    ) -> Option<Message> {
        self.find(since, |frame| frame.messages().into_iter().find(|m| wanted(m))).await
    }

    /// Waits for a message with this content.
    ///
    /// # Errors
    /// A failure that says what came instead.
    pub async fn expect_content(&mut self, content: &str) -> Result<Message, Verdict> {
        if let Some(message) = self.find_message(Mark::START, |m| m.content == content).await {
            return Ok(message);
        }
        let expected =
            format!("{} gets the message \"{}\"", self.role, escape::shorten(content, 120));
        self.in_vain(&expected);
        Err(Verdict::missing(expected, self.heard(Mark::START)))
    }

    /// Waits for an error since a mark.
    ///
    /// # Errors
    /// A failure that says what came instead.
    pub async fn expect_error(&mut self, since: Mark, about: &str) -> Result<String, Verdict> {
        match self.find(since, Frame::error).await {
            Some(text) => Ok(text),
            None => {
                let expected = format!("{} gets {{\"ERROR\": text}} for {about}", self.role);
                self.in_vain(&expected);
                Err(Verdict::missing(expected, self.heard(since)))
            }
        }
    }

    /// Writes down what was waited for until now and did not come; the picture of a failing case shows it.
    pub(super) fn in_vain(&self, what: &str) {
        self.trace.note(&self.role, Kind::Missing, what);
    }

    /// Waits for the notice that somebody joined.
    pub async fn find_joined(&mut self, since: Mark, name: &str) -> bool {
        let named = |frame: &Frame| frame.joined()?.iter().any(|n| n == name).then_some(());
        let told = self.find(since, named).await.is_some();
        if !told {
            self.in_vain(&format!("{{\"USERS_JOINED\": [\"{name}\"]}}"));
        }
        told
    }

    /// Waits for the notice that somebody left.
    pub async fn find_left(&mut self, since: Mark, name: &str) -> bool {
        let named = |frame: &Frame| frame.left()?.iter().any(|n| n == name).then_some(());
        let told = self.find(since, named).await.is_some();
        if !told {
            self.in_vain(&format!("{{\"USERS_LEFT\": [\"{name}\"]}}"));
        }
        told
    }

    /// Waits until the server closes the connection; false when it stays open.
    pub async fn find_closed(&mut self) -> bool {
        let patience = self.shared.timing().patience;
        self.inbox.find_closed(patience).await
    }

    /// Whether the server has closed the connection by now.
    pub fn is_closed(&mut self) -> bool {
        self.inbox.catch_up();
        self.inbox.closed().is_some()
    }

    /// How often a content has arrived since the beginning.
    pub fn count(&mut self, content: &str) -> usize {
        self.messages(Mark::START).iter().filter(|m| m.content == content).count()
    }

    /// Says in words what has arrived since a mark; for the `actual` of a mismatch.
    pub fn heard(&mut self, since: Mark) -> String {
        let role = self.role.clone();
        // Joins and leaves of other cases' users are no news.
        let notice = |frame: &&Frame| {
            frame.object().is_some_and(|object| {
                object.keys().all(|key| key == "USERS_JOINED" || key == "USERS_LEFT")
            })
        };
        let (notices, frames): (Vec<&Frame>, Vec<&Frame>) =
            self.frames(since).iter().partition(notice);
        let mut last: Vec<String> =
            frames.iter().rev().take(3).map(|frame| escape::bytes(&frame.body, 160)).collect();
        last.reverse();
        let mut text = match frames.len() {
            0 => format!("{role} got nothing"),
            1..=3 => format!("{role} got {}", last.join(" and ")),
            count => format!("{role} got {count} frames, the last ones {}", last.join(" and ")),
        };
        if !notices.is_empty() {
            text.push_str(&format!("; beside {} notices of joins and leaves", notices.len()));
        }
        for how in self.trouble.as_deref().into_iter().chain(self.inbox.closed()) {
            text.push_str("; ");
            text.push_str(how);
        }
        text
    }
}
