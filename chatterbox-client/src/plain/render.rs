//! Rendering for terminals and pipes: the words of an output with the colours of its roles, or JSON.

use std::collections::VecDeque;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chatterbox_app::{Output, Role, Span, Stream};

use super::colour::{pipe_colours, terminal_colours};

/// About how much is rendered at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Some whole lines for one stream.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) stream: Stream,
    /// The lines, each with its line break.
    pub(super) text: String,
}

/// The form of the outputs of one session.
pub(super) struct Renderer {
    /// Whether a program reads the lines, all of them from one stream.
    json: bool,
    /// Whether there are colours on standard output and on standard error.
    colours: (bool, bool),
}

impl Renderer {
    pub(super) fn for_terminal() -> Self {
        Self { json: false, colours: terminal_colours() }
    }

    pub(super) fn for_pipes(json: bool) -> Self {
        Self { json, colours: pipe_colours() }
    }

    /// Takes outputs of one stream off the front of the queue and renders them, up to a limit.
    pub(super) fn chunk(&self, outputs: &mut VecDeque<Output>) -> Option<Chunk> {
        let stream = self.stream(outputs.front()?);
        let mut text = String::new();
        while text.len() < CHUNK_BYTES
            && outputs.front().is_some_and(|output| self.stream(output) == stream)
            && let Some(output) = outputs.pop_front()
        {
            text.push_str(&self.line(&output, stream));
            text.push('\n');
        }
        Some(Chunk { stream, text })
    }

    fn stream(&self, output: &Output) -> Stream {
        if self.json { Stream::Output } else { output.stream() }
    }

    fn line(&self, output: &Output, stream: Stream) -> String {
        let colour = match stream {
            Stream::Output => self.colours.0,
            Stream::Error => self.colours.1,
        };
        if self.json { output.json() } else { render(output, colour) }
    }
}

/// The output's words, in colours where these are wanted, without a line break at the end.
fn render(output: &Output, colour: bool) -> String {
    if !colour {
        return output.text();
    }
    let mut line = String::new();
    for span in output.spans() {
        // Writing to a String can't fail.
        let _ = match style_of(&span) {
            Some(style) => write!(line, "{style}{}{style:#}", span.text),
            None => line.write_str(&span.text),
        };
    }
    line
}

fn style_of(span: &Span) -> Option<Style> {
    match span.role {
        Role::Plain => None,
        Role::Quiet => Some(Style::new().dimmed()),
        Role::Alarm => Some(AnsiColor::Red.on_default()),
        Role::Private => Some(AnsiColor::Magenta.on_default()),
        Role::Sender => Some(colour_of(&span.text)),
    }
}

/// A name has the same colour at every client; red and magenta are left out, since they mean something else.
fn colour_of(name: &str) -> Style {
    const COLOURS: [AnsiColor; 6] = [
        AnsiColor::Green,
        AnsiColor::Yellow,
        AnsiColor::Blue,
        AnsiColor::Cyan,
        AnsiColor::BrightGreen,
        AnsiColor::BrightCyan,
    ];
    let sum = name.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31) + usize::from(byte));
    COLOURS.get(sum % COLOURS.len()).map_or(Style::new(), |colour| colour.on_default()).bold()
}

#[cfg(test)]
mod tests {
    use chatterbox_app::{Message, MessageKind, Wire};
    use chatterbox_proto::WireText;

    use super::*;

    fn wire(text: &str) -> Wire {
        WireText::new(text.to_owned())
    }

    #[test]
    fn colour_only_adds_to_a_line() {
        let outputs = [
            Output::Message(Message {
                when: "14:03".to_owned(),
                time: 1,
                from: wire("bob"),
                to: Some(wire("ann")),
                text: wire("psst"),
                id: None,
                tag: None,
                kind: MessageKind::Live,
            }),
            Output::Users { users: vec![wire("ann"), wire("bob")], more: 3 },
            Output::Error(wire("no")),
            Output::note("hint"),
        ];
        for output in outputs {
            let coloured = render(&output, true);
            assert!(coloured.contains("\u{1b}[") && coloured.ends_with(['m', 't']));
            let mut plain = String::new();
            let mut rest = coloured.as_str();
            while let Some((before, after)) = rest.split_once('\u{1b}') {
                plain.push_str(before);
                rest = after.split_once('m').unwrap().1;
            }
            plain.push_str(rest);
            assert_eq!(plain, render(&output, false));
        }
    }
}
