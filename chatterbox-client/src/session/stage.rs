//! The stages of a session: the event that is waited for, on which its deadlines depend.

use chatterbox_app::{App, InputMode};

use super::link::Link;
use super::prompting::Prompting;

/// The state that the deadlines depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) mode: InputMode,
    pub(super) stage: Stage,
    /// Whether a person answers the questions; they get less time than a program, which would not notice.
    pub(super) interactive: bool,
    /// Whether nothing is on its way any more, to the server or to the screen.
    pub(super) settled: bool,
    /// How many messages are not acknowledged.
    pub(super) unanswered: usize,
}

/// The event that a session waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The next event, for as long as it takes.
    Chat,
    /// The reason of a server that can't be written to any more.
    LastWords,
    /// A name or a password, with no more lines to come.
    Name,
    /// The server's answer to a name, with no more lines to come.
    Login,
    /// The server taking the last messages, this many bytes of them.
    Sending(usize),
    /// This many answers of the server.
    Owed(usize),
    /// Files, of which so many bytes have moved.
    Moving(u64),
    /// Messages that are already on their way.
    Drain,
}

impl Stage {
    pub(super) fn of(app: &App, link: &Link, prompting: &Prompting) -> Self {
        match app.input_mode() {
            // The back-off of a lost connection has its own end.
            _ if app.is_down() => Self::Chat,
            // So has the wait for a server that takes no more now.
            _ if app.again_at().is_some() => Self::Chat,
            // What has arrived is shown first, however long that takes.
            _ if app.has_more() => Self::Chat,
            _ if link.write_failed() => Self::LastWords,
            _ if !prompting.has_ended() => Self::Chat,
            InputMode::LoginPending => Self::Login,
            InputMode::Name | InputMode::Password => Self::Name,
            _ if !link.is_idle() => Self::Sending(link.unsent()),
            _ if app.pending_replies() > 0 => Self::Owed(app.pending_replies()),
            _ => app.moved().map_or(Self::Drain, Self::Moving),
        }
    }
}
