//! The seam between a session and what shows it: a terminal, pipes, or anything else that can ask for a line.

use std::collections::VecDeque;
use std::io;

use chatterbox_app::model::Alert;
use chatterbox_app::{App, Intent, Output, Question};
use chatterbox_proto::ScreenText;

use super::link::LinkState;

/// A place that shows outputs and asks for lines. Outputs are data; the screen renders them.
///
/// A session asks for one line at a time, and for the next only when it knows what that line is for. It hands outputs
/// over only when there is room, so that a slow screen slows the server down (back-pressure).
pub(crate) trait Screen {
    /// Whether a person sits in front of it: the end of the input is then the wish to leave at once.
    fn is_interactive(&self) -> bool;

    /// Whether outputs come to [`Screen::show`], those of them that are lines. A screen that shows the application's model gets
    /// none.
    fn wants_outputs(&self) -> bool {
        true
    }

    /// Works off keys that were pressed, up to the first that is a wish. After it comes another [`ScreenEvent::Keys`], if keys are
    /// left.
    fn work(&mut self, _view: &View<'_>) -> Option<Wish> {
        None
    }

    /// Draws what has changed, if it is time; called before each wait.
    fn draw(&mut self, _view: &View<'_>) {}

    /// Somebody has named the user, or speaks to them alone.
    fn alert(&mut self, _alert: &Alert) {}

    /// Whether a line that is asked for can be replaced by another one at any time: a question takes the place of the chat's line,
    /// which the screen keeps meanwhile.
    fn asks_anew(&self) -> bool {
        false
    }

    /// Whether the screen takes a line of this kind now, where it can be replaced. A question waits while something is half typed, or
    /// a list is open: the rest of it must not become the answer. Asked before each wait, until it does.
    fn gives_way(&mut self, _kind: &PromptKind) -> bool {
        true
    }

    /// Whether another program has the terminal, for which Ctrl-C is meant.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// Asks for a line. Returns false if no more lines can be asked for.
    fn ask(&mut self, prompt: Prompt) -> bool;

    /// Waits for the next event: a line if one was asked for (`line`), room for outputs if some wait (`room`), or the
    /// end of the screen. Cancelling it loses nothing.
    async fn event(&mut self, line: bool, room: bool) -> ScreenEvent;

    /// Shows outputs from the front of the queue, as many as there is room for; at least one after
    /// [`ScreenEvent::Room`].
    fn show(&mut self, outputs: &mut VecDeque<Output>);

    /// Whether a part of an output that was handed over waits for room.
    fn has_rest(&self) -> bool;

    /// The session has failed: the last look at what was shown, for what has to stay on a screen that vanishes.
    fn last_look(&mut self, _view: &View<'_>) {}

    /// Shows all outputs and waits until they are shown, however slow the screen is. The caller may give up by
    /// cancelling it.
    ///
    /// # Errors
    /// The screen can't be written to.
    async fn finish(&mut self, outputs: &mut VecDeque<Output>) -> io::Result<()>;

    /// Leaves the screen as it was before the session.
    fn restore(&mut self);

    /// Stops the program as the user wants, with the screen as it was before the session.
    fn suspend(&mut self) {}

    /// The program goes on after it was stopped.
    fn resume(&mut self) {}
}

/// What a screen can look at.
pub(crate) struct View<'v> {
    pub(crate) app: &'v App,
    pub(crate) link: &'v LinkState,
    /// In seconds since 1970.
    pub(crate) now: i64,
}

/// What the user wants by a key.
#[derive(Debug)]
pub(crate) enum Wish {
    /// The answer to a [`Prompt`].
    Typed(Typed),
    /// Anything else.
    Intent(Intent),
}

/// An event of a screen.
#[derive(Debug)]
pub(crate) enum ScreenEvent {
    Typed(Typed),
    /// Keys were pressed: [`Screen::work`] works them off.
    Keys,
    /// It is time to draw.
    Draw,
    /// There is room for outputs.
    Room,
    /// The terminal is gone.
    HungUp,
    /// Nothing can be shown any more.
    Closed(io::Result<()>),
}

/// A request for a line.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) kind: PromptKind,
    /// An earlier line for the editor's history.
    pub(crate) remember: Option<String>,
    /// The arguments to mask while they are typed: the command, and the place of its first secret word.
    pub(crate) secret_arguments: Vec<(String, usize)>,
}

/// The purpose of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PromptKind {
    /// A name to join under.
    Name,
    /// A message or command, behind the room that it goes to or the name of the user.
    Chat(ScreenText),
    /// The answer to a question.
    Reply(Question),
}

impl PromptKind {
    /// The words in front of the line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Name => "name: ".to_owned(),
            Self::Chat(me) => format!("{me}> "),
            Self::Reply(question) => question.text.to_string(),
        }
    }

    /// Whether the line must not be seen.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Reply(question) if question.secret)
    }
}

/// The answer to a [`Prompt`].
#[derive(Debug)]
pub(crate) enum Typed {
    /// A line, without its line break.
    Line(String),
    /// A text of several rows, which is said as it is.
    Text(String),
    /// The line of chat gives way to a question that waits. It was dropped if it may be a secret.
    GaveWay { dropped: bool },
    /// A line longer than any server takes; it was skipped.
    TooLong,
    /// The input has ended.
    End,
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-C or Ctrl-D in place of an answer.
    Cancelled,
    /// Reading failed.
    Failed(io::Error),
}
