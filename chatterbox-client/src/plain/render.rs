//! Rendering for terminals and pipes: the words of an output with the colours of its roles, or JSON, piece by piece.

use std::collections::VecDeque;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chatterbox_app::{Output, Role, Span, Stream, Words};

use super::colour::{pipe_colours, terminal_colours};
use super::wrapping::Wrapping;
use crate::name_colour::{COLOURS, colour_of};

/// About how much is rendered at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// A name's colour depends on at most so many bytes of it.
const NAME: usize = 128;

/// Some text for one stream: whole lines, or a part of a long one.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) stream: Stream,
    pub(super) text: String,
}

/// The form of the outputs of one session.
///
/// An output may have many megabytes, and six times as many when it is made safe to show. It is rendered piece by
/// piece, so that only a piece exists in that form.
pub(super) struct Renderer {
    /// Whether a program reads the lines, all of them from one stream.
    json: bool,
    /// On a terminal lines are wrapped, and each chunk ends with a line break: the prompt stands below it.
    wrapping: Option<Wrapping>,
    /// Whether there are colours on standard output and on standard error.
    colours: (bool, bool),
    /// The rest of the output that is being rendered.
    rest: Option<Rest>,
}

/// A span, as it is rendered.
struct Piece {
    style: Option<Style>,
    /// Whether it is what somebody has said.
    is_text: bool,
    words: Words,
}

/// An output that is partly rendered.
struct Rest {
    stream: Stream,
    spans: VecDeque<Piece>,
}

impl Renderer {
    pub(super) fn for_terminal() -> Self {
        let wrapping = Some(Wrapping::default());
        Self { json: false, wrapping, colours: terminal_colours(), rest: None }
    }

    pub(super) fn for_pipes(json: bool) -> Self {
        Self { json, wrapping: None, colours: pipe_colours(), rest: None }
    }

    /// The terminal has so many columns.
    pub(super) fn set_columns(&mut self, columns: u16) {
        if let Some(wrapping) = &mut self.wrapping {
            wrapping.set_columns(columns);
        }
    }

    /// Whether there are colours on standard output.
    pub(super) fn has_colours(&self) -> bool {
        self.colours.0
    }

    /// Whether a part of an output is left.
    pub(super) fn has_rest(&self) -> bool {
        self.rest.is_some()
    }

    /// Takes outputs of one stream off the front of the queue and renders them, up to a limit.
    pub(super) fn chunk(&mut self, outputs: &mut VecDeque<Output>) -> Option<Chunk> {
        let stream = match &self.rest {
            Some(rest) => rest.stream,
            None => self.stream(outputs.front()?),
        };
        let mut text = String::new();
        while text.len() < CHUNK_BYTES {
            let rest = match self.rest.take() {
                Some(rest) => rest,
                None if outputs.front().is_some_and(|output| self.stream(output) == stream) => {
                    let Some(output) = outputs.pop_front() else { break };
                    self.begin(output, stream)
                }
                None => break,
            };
            self.rest = rest.push_into(&mut text, self.wrapping.as_mut());
        }
        if let Some(wrapping) = &mut self.wrapping {
            wrapping.pause(&mut text);
        }
        Some(Chunk { stream, text })
    }

    fn stream(&self, output: &Output) -> Stream {
        if self.json { Stream::Output } else { output.stream() }
    }

    fn begin(&self, output: Output, stream: Stream) -> Rest {
        let colour = match stream {
            Stream::Output => self.colours.0,
            Stream::Error => self.colours.1,
        };
        let spans = match (self.json, self.wrapping.is_some()) {
            (true, _) => output.into_json(),
            (false, true) => output.into_terminal_spans(),
            (false, false) => output.into_spans(),
        };
        let styled = |span: Span| {
            let style = if colour && !self.json { style_of(&span) } else { None };
            let is_text = span.role == Role::Plain && matches!(span.words, Words::Wire(_));
            Piece { style, is_text, words: span.words }
        };
        Rest { stream, spans: spans.into_iter().map(styled).collect() }
    }
}

impl Rest {
    /// Appends the next pieces, up to the limit of a chunk. Returns what is left; behind the last piece is a line break.
    fn push_into(mut self, text: &mut String, wrapping: Option<&mut Wrapping>) -> Option<Self> {
        let mut into = Into { text, wrapping, applied: None };
        while into.text.len() < CHUNK_BYTES
            && let Some(Piece { style, is_text, words }) = self.spans.front_mut()
        {
            into.apply(*style);
            into.push(*is_text, words);
            if words.left() == 0 {
                self.spans.pop_front();
            }
        }
        into.apply(None);
        if !self.spans.is_empty() {
            return Some(self);
        }
        match into.wrapping {
            Some(wrapping) => wrapping.end(into.text),
            None => into.text.push('\n'),
        }
        None
    }
}

/// Where pieces are written.
struct Into<'t> {
    text: &'t mut String,
    wrapping: Option<&'t mut Wrapping>,
    applied: Option<Style>,
}

impl Into<'_> {
    /// Changes the style of what follows. Writing to a String can't fail.
    fn apply(&mut self, wanted: Option<Style>) {
        let before = std::mem::replace(&mut self.applied, wanted);
        if before == wanted {
            return;
        }
        let mut codes = String::new();
        if let Some(style) = before {
            let _ = write!(codes, "{style:#}");
        }
        if let Some(style) = wanted {
            let _ = write!(codes, "{style}");
        }
        match &mut self.wrapping {
            Some(wrapping) => wrapping.style(&codes),
            None => self.text.push_str(&codes),
        }
    }

    /// Writes the next piece of the words.
    fn push(&mut self, is_text: bool, words: &mut Words) {
        let limit = CHUNK_BYTES.saturating_sub(self.text.len()).max(1);
        let Some(wrapping) = &mut self.wrapping else { return words.push_next(self.text, limit) };
        if is_text {
            wrapping.text_begins(self.text);
        }
        let mut piece = String::new();
        words.push_next(&mut piece, limit);
        wrapping.push(&piece, self.text);
    }
}

fn style_of(span: &Span) -> Option<Style> {
    match span.role {
        Role::Plain => None,
        Role::Quiet => Some(Style::new().dimmed()),
        Role::Alarm => Some(AnsiColor::Red.on_default()),
        Role::Private | Role::Mention => Some(AnsiColor::Magenta.on_default()),
        Role::Sender => Some(style_of_name(&span.words.peek(NAME))),
    }
}

fn style_of_name(name: &str) -> Style {
    const STYLES: [AnsiColor; COLOURS as usize] = [
        AnsiColor::Green,
        AnsiColor::Yellow,
        AnsiColor::Blue,
        AnsiColor::Cyan,
        AnsiColor::BrightGreen,
        AnsiColor::BrightCyan,
    ];
    let colour = STYLES.get(usize::from(colour_of(name)));
    colour.map_or(Style::new(), |colour| colour.on_default()).bold()
}

#[cfg(test)]
mod tests {
    use chatterbox_app::{Lock, Message, MessageKind, Wire};
    use chatterbox_proto::WireText;

    use super::*;

    fn wire(text: &str) -> Wire {
        WireText::new(text.to_owned())
    }

    fn render(output: &Output, colour: bool) -> String {
        let colours = (colour, colour);
        let mut renderer = Renderer { json: false, wrapping: None, colours, rest: None };
        let mut outputs = VecDeque::from([output.clone()]);
        let chunk = renderer.chunk(&mut outputs).unwrap();
        assert!(!renderer.has_rest() && outputs.is_empty());
        chunk.text.trim_end_matches('\n').to_owned()
    }

    #[test]
    fn colour_only_adds_to_a_line() {
        let outputs = [
            Output::Message(Message {
                when: "14:03".to_owned(),
                time: 1,
                from: wire("bob"),
                own: false,
                to: Some(wire("ann")),
                in_room: false,
                text: wire("psst"),
                id: None,
                taken: None,
                tag: None,
                quote: None,
                file: None,
                mentions: Vec::new(),
                mention: true,
                named: true,
                kind: MessageKind::Live,
                lock: Lock::Open,
            }),
            Output::Users {
                users: vec![wire("ann"), wire("bob")],
                away: vec![wire("bob")],
                more: 3,
            },
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

    /// A hostile server sends a text of many megabytes, each byte of which takes six on a screen.
    #[test]
    fn f16_a_long_output_is_never_rendered_as_a_whole() {
        let long = "\u{1b}".repeat(5 * CHUNK_BYTES);
        let outputs = [Output::Error(wire(&long)), Output::note("next")];
        for json in [false, true] {
            let renderer = Renderer { json, wrapping: None, colours: (false, false), rest: None };
            let (whole, longest) = all(renderer, outputs.clone());
            assert!(longest <= 7 * CHUNK_BYTES, "{longest}");
            let words = outputs.clone().map(|o| if json { o.json() } else { o.text() } + "\n");
            assert_eq!(whole, words.concat());
        }
        let colours = (true, true);
        let wrapping = Some(Wrapping::default());
        let mut renderer = Renderer { json: false, wrapping, colours, rest: None };
        renderer.set_columns(60);
        let (whole, longest) = all(renderer, outputs);
        assert!(longest <= 8 * CHUNK_BYTES, "{longest}");
        let text: String = whole.split("\r\n").map(str::trim_start).collect();
        assert_eq!(text.matches("\\u{1b}").count(), 5 * CHUNK_BYTES);
        assert!(whole.ends_with("-- next\u{1b}[0m\r\n"), "{:?}", whole.get(whole.len() - 40..));
    }

    fn all(mut renderer: Renderer, outputs: impl IntoIterator<Item = Output>) -> (String, usize) {
        let mut outputs = outputs.into_iter().collect();
        let (mut whole, mut longest) = (String::new(), 0);
        while let Some(chunk) = renderer.chunk(&mut outputs) {
            longest = longest.max(chunk.text.len());
            whole.push_str(&chunk.text);
        }
        assert!(!renderer.has_rest());
        (whole, longest)
    }
}
