//! One session of the client: it is started, gives a name, is welcomed, and then the case begins.

use std::{sync::Arc, time::Duration};

use conformance_kit::clock;
use serde_json::{Value, json};

use super::{
    listener::Listener,
    operator::{Action, Means, Operator, person},
    peer::Peer,
    screen::ScreenMark,
    shared::Shared,
};
use crate::verdict::Verdict;

/// How many new letters are a word to the user.
pub const A_WORD: usize = 2;

/// One client that is at the suite's server.
pub struct ClientSession {
    /// The client and its user.
    pub operator: Operator,
    /// The listener for further connections.
    pub listener: Listener,
    /// The connection on which the client asked for its name.
    pub peer: Peer,
    /// That name.
    pub name: String,
    /// The name that its user has typed.
    pub typed: String,
    /// Another user, who is in the list.
    pub other: String,
    pub(super) shared: Arc<Shared>,
    pub(super) welcomed: ScreenMark,
}

impl ClientSession {
    /// How long something that must come may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.shared.pace().patience
    }

    /// Waits for what may still trickle in.
    pub async fn settle(&self) {
        tokio::time::sleep(self.shared.pace().settle).await;
    }

    /// A welcome as most servers send it.
    #[must_use]
    pub fn welcome_frame(&self, history: &[Value]) -> Value {
        json!({
            "USERNAME_ACCEPTED": true,
            "INFO": "Welcome",
            "USER_LIST": [self.other, self.name],
            "MESSAGES": history,
        })
    }

    /// Accepts the name, and waits until the client has taken that in.
    pub async fn welcome(&mut self) {
        let frame = self.welcome_frame(&[]);
        self.accept(&frame).await;
    }

    /// The same with a frame of the case's own.
    pub async fn accept(&mut self, frame: &Value) {
        self.peer.send(frame).await;
        self.taken_in().await;
    }

    /// Waits until the client has taken in what was sent to it: it has written something, or had
    /// the time to, and is quiet.
    pub async fn taken_in(&mut self) {
        let settle = self.shared.pace().settle;
        let mark = self.operator.screen.mark();
        self.peer.until_read().await;
        let _ = self.operator.screen.wait(settle, |screen| screen.mark() != mark).await;
        self.operator.screen.quiet(settle / 2, settle * 10).await;
        self.welcomed = self.operator.screen.mark();
    }

    /// Sends a message of the other user to everybody.
    pub async fn hears(&mut self, text: &str) {
        let message = self.public(text);
        self.peer.send_messages(&[message]).await;
    }

    /// A message of the other user to everybody.
    #[must_use]
    pub fn public(&self, text: &str) -> Value {
        json!([self.other, "ALL", clock::unix_seconds(), text])
    }

    /// Whether the client shows a text, by itself or, where it is known to need it, with a key.
    pub async fn shows(&self, text: &str) -> bool {
        if let Means::Person(person) = self.operator.means() {
            return person::ask(person, format!("Does the client show {text:?} by now?")).await;
        }
        let holds = |screen: &super::screen::Screen| screen.shows(ScreenMark::START, text);
        if !self.shared.quirks().needs_a_key() {
            return self.operator.screen.wait(self.patience(), holds).await;
        }
        for _ in 0..4 {
            self.operator.act(Action::Line(String::new())).await;
            if self.operator.screen.wait(self.patience() / 4, holds).await {
                return true;
            }
        }
        false
    }

    /// The texts of these that the client does not show.
    pub async fn missing<'t>(&self, texts: &'t [String]) -> Vec<&'t str> {
        let mut missing = Vec::new();
        for text in texts {
            if !self.shows(text).await {
                missing.push(text.as_str());
            }
        }
        missing
    }

    /// Passes when the client shows a text.
    ///
    /// # Errors
    /// A failure that says what it shows instead.
    pub async fn must_show(&mut self, text: &str, about: &str) -> Result<(), Verdict> {
        if self.shows(text).await {
            return Ok(());
        }
        let expected = format!("the client shows \"{text}\", {about}");
        self.operator.in_vain(&expected);
        Err(Verdict::missing(expected, self.shown()))
    }

    /// Passes when the client told its user something since a mark, in whatever words.
    pub async fn tells(&self, since: ScreenMark, what: &str) -> bool {
        if let Means::Person(person) = self.operator.means() {
            return person::ask(person, format!("Does the client tell you that {what}?")).await;
        }
        self.operator
            .screen
            .wait(self.patience(), |screen| screen.news(since, &self.typed) >= A_WORD)
            .await
    }

    /// Waits until something that was typed arrives as a message, alone or with what the client adds to
    /// it.
    ///
    /// # Errors
    /// A failure that says what came instead.
    pub async fn must_send(
        &mut self,
        text: &str,
    ) -> Result<conformance_kit::wire::message::Message, Verdict> {
        let patience = self.patience();
        if let Some(message) = self.peer.find_message(patience, |m| m.content.contains(text)).await
        {
            return Ok(message);
        }
        let expected = format!("a message with the content \"{text}\", which was typed");
        self.peer.in_vain(&expected);
        Err(Verdict::missing(expected, format!("{}; {}", self.peer.heard(), self.shown())))
    }

    /// Says something and waits for it.
    ///
    /// # Errors
    /// As [`ClientSession::must_send`].
    pub async fn still_sends(&mut self, text: &str) -> Result<(), Verdict> {
        self.operator.act(Action::Say(text.to_owned())).await;
        self.must_send(text).await.map(|_| ())
    }

    /// The client's output since its welcome, for reports.
    #[must_use]
    pub fn shown(&self) -> String {
        describe(&self.operator, self.welcomed)
    }

    /// Signs that the client fell over; wording is not judged, but these are not meant for users.
    #[must_use]
    pub fn crash(&self) -> Option<String> {
        crash(&self.operator)
    }
}

/// Describes the output of a client, and whether it still runs.
#[must_use]
pub fn describe(operator: &Operator, since: ScreenMark) -> String {
    let shown = operator.screen.tail(since, 400);
    let mut text = match (operator.means(), shown.is_empty()) {
        (Means::Person(_), _) => "the person says no".to_owned(),
        (_, true) => "the client shows nothing new".to_owned(),
        (_, false) => format!("the client shows: {shown}"),
    };
    if let Some(exit) = operator.exit() {
        text.push_str("; ");
        text.push_str(&exit.describe());
    }
    text
}

/// Signs that a client fell over.
#[must_use]
pub fn crash(operator: &Operator) -> Option<String> {
    const SIGNS: [&str; 9] = [
        "Traceback (most recent call last)",
        "panicked at",
        "Exception in thread",
        "Unhandled exception",
        "UnhandledPromiseRejection",
        "Uncaught ",
        "goroutine 1 [running]",
        "Segmentation fault",
        "core dumped",
    ];
    if let Some(sign) = SIGNS.iter().find(|sign| operator.screen.holds_bytes(sign.as_bytes())) {
        return Some(format!("\"{sign}\": {}", describe(operator, ScreenMark::START)));
    }
    operator.exit().filter(|exit| exit.signal.is_some()).map(|exit| exit.describe())
}
