//! What a session needs of the outside: lines in when asked for, lines out, both bounded.
//!
//! Reading a terminal or a pipe blocks, so does writing to one. Each has a thread of its own, and the session talks to
//! the two through channels. A thread reads one line when it is asked for one: before the server has answered a name,
//! nobody knows what the next line is.

use std::collections::VecDeque;
use std::io;

use chatterbox_app::{Output, Question, Stream};
use chatterbox_proto::ScreenText;
use tokio::sync::{mpsc, oneshot};

use crate::plain::render::render;

/// A request for a line.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    /// What for.
    pub(crate) ask: Ask,
    /// What the line begins with: it was half typed before.
    pub(crate) prefill: String,
    /// An earlier line that the arrow keys may bring back from now on.
    pub(crate) remember: Option<String>,
    /// Which words are not to be seen: behind this first word, from this place on.
    pub(crate) secrets: Vec<(String, usize)>,
}

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A name is needed.
    Name,
    /// Something to say, by the user of this name.
    Chat(ScreenText),
    /// The answer to a question.
    Reply(Question),
}

impl Ask {
    /// What stands before the line.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Name => "name: ".to_owned(),
            Self::Chat(me) => format!("{me}> "),
            Self::Reply(question) => question.text.to_string(),
        }
    }

    /// Whether what is typed is not to be seen.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Reply(question) if question.secret)
    }
}

/// The answer to a [`Prompt`].
#[derive(Debug)]
pub(crate) enum Input {
    /// A line, without its end.
    Line(String),
    /// A line longer than any server takes; it was passed over.
    TooLong,
    /// There will be no more lines.
    End,
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-C or Ctrl-D in place of an answer.
    Cancelled,
    /// Reading failed.
    Failed(io::Error),
}

/// Some whole lines for one stream.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// Where they go.
    pub(crate) stream: Stream,
    /// The lines, each with its newline.
    pub(crate) text: String,
}

/// How many chunks may wait for a slow terminal; then the server has to wait.
pub(crate) const CHUNKS: usize = 16;

/// About how much of the waiting lines is written at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Both directions.
pub(crate) struct Console {
    /// Whether a person sits at a terminal: then the end of the input is the wish to leave at once.
    pub(crate) interactive: bool,
    /// Whether the lines are for a program.
    pub(crate) json: bool,
    /// Colours on the output and on the error output.
    pub(crate) colours: (bool, bool),
    /// Asks for a line.
    pub(crate) prompts: mpsc::Sender<Prompt>,
    /// The lines.
    pub(crate) input: mpsc::Receiver<Input>,
    /// What is shown; dropping it ends the thread that shows.
    pub(crate) output: mpsc::Sender<Chunk>,
    /// How showing ended.
    pub(crate) output_ended: oneshot::Receiver<io::Result<()>>,
    /// Prepares for the last lines to be shown; given whether a line is still asked for.
    pub(crate) before_last: Box<dyn FnOnce(bool) + Send>,
    /// Puts the terminal in order.
    pub(crate) restore: Box<dyn FnOnce() + Send>,
}

impl Console {
    /// Takes lines that go to the same stream off the front of `lines`, as one piece.
    pub(crate) fn chunk(&self, lines: &mut VecDeque<Output>) -> Option<Chunk> {
        // A program reads one stream.
        let of = |line: &Output| if self.json { Stream::Output } else { line.stream() };
        let stream = of(lines.front()?);
        let colour = match stream {
            Stream::Output => self.colours.0,
            Stream::Error => self.colours.1,
        };
        let mut text = String::new();
        while lines.front().is_some_and(|line| of(line) == stream) {
            let Some(line) = lines.pop_front() else { break };
            text.push_str(&if self.json { line.json() } else { render(&line, colour) });
            text.push('\n');
            if text.len() >= CHUNK_BYTES {
                break;
            }
        }
        Some(Chunk { stream, text })
    }
}
