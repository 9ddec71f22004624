//! Rendering for terminals and pipes: the words of an output with the colours of its roles, or JSON, piece by piece.

use std::collections::VecDeque;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use chatterbox_app::{Output, Role, Span, Stream, Words};

use super::colour::{pipe_colours, terminal_colours};

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
    /// Whether each chunk has to end with a line break: the line editor stands below it.
    whole_lines: bool,
    /// Whether there are colours on standard output and on standard error.
    colours: (bool, bool),
    /// The rest of the output that is being rendered.
    rest: Option<Rest>,
}

/// An output that is partly rendered.
struct Rest {
    stream: Stream,
    spans: VecDeque<(Option<Style>, Words)>,
}

impl Renderer {
    pub(super) fn for_terminal() -> Self {
        Self { json: false, whole_lines: true, colours: terminal_colours(), rest: None }
    }

    pub(super) fn for_pipes(json: bool) -> Self {
        Self { json, whole_lines: false, colours: pipe_colours(), rest: None }
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
            self.rest = rest.push_into(&mut text);
        }
        if self.whole_lines && !text.ends_with('\n') {
            text.push('\n');
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
        let spans = match (self.json, self.whole_lines) {
            (true, _) => output.into_json(),
            (false, true) => output.into_terminal_spans(),
            (false, false) => output.into_spans(),
        };
        let styled = |span: Span| {
            let style = if colour && !self.json { style_of(&span) } else { None };
            (style, span.words)
        };
        Rest { stream, spans: spans.into_iter().map(styled).collect() }
    }
}

impl Rest {
    /// Appends the next pieces, up to the limit of a chunk. Returns what is left; behind the last piece is a line break.
    fn push_into(mut self, text: &mut String) -> Option<Self> {
        let mut applied = None;
        while text.len() < CHUNK_BYTES
            && let Some((style, words)) = self.spans.front_mut()
        {
            apply(text, &mut applied, *style);
            words.push_next(text, CHUNK_BYTES.saturating_sub(text.len()).max(1));
            if words.left() == 0 {
                self.spans.pop_front();
            }
        }
        apply(text, &mut applied, None);
        if !self.spans.is_empty() {
            return Some(self);
        }
        text.push('\n');
        None
    }
}

/// Changes the style of what follows. Writing to a String can't fail.
fn apply(text: &mut String, applied: &mut Option<Style>, wanted: Option<Style>) {
    let before = std::mem::replace(applied, wanted);
    if before == wanted {
        return;
    }
    if let Some(style) = before {
        let _ = write!(text, "{style:#}");
    }
    if let Some(style) = wanted {
        let _ = write!(text, "{style}");
    }
}

fn style_of(span: &Span) -> Option<Style> {
    match span.role {
        Role::Plain => None,
        Role::Quiet => Some(Style::new().dimmed()),
        Role::Alarm => Some(AnsiColor::Red.on_default()),
        Role::Private | Role::Mention => Some(AnsiColor::Magenta.on_default()),
        Role::Sender => Some(colour_of(&span.words.peek(NAME))),
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

    fn render(output: &Output, colour: bool) -> String {
        let colours = (colour, colour);
        let mut renderer = Renderer { json: false, whole_lines: false, colours, rest: None };
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
                to: Some(wire("ann")),
                in_room: false,
                text: wire("psst"),
                id: None,
                taken: None,
                tag: None,
                mention: true,
                kind: MessageKind::Live,
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
            let renderer =
                Renderer { json, whole_lines: false, colours: (false, false), rest: None };
            let (whole, longest) = all(renderer, outputs.clone());
            assert!(longest <= 7 * CHUNK_BYTES, "{longest}");
            let words = outputs.clone().map(|o| if json { o.json() } else { o.text() } + "\n");
            assert_eq!(whole, words.concat());
        }
        let colours = (true, true);
        let renderer = Renderer { json: false, whole_lines: true, colours, rest: None };
        let (whole, _) = all(renderer, outputs);
        assert_eq!(whole.matches("\\u{1b}").count(), 5 * CHUNK_BYTES);
        assert_eq!(whole.lines().count(), 7, "each chunk ends with a line break");
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
