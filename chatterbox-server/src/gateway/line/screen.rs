//! The screen: the bytes that are written to a terminal, in either mode.
//!
//! In character mode the last row is the line that is being typed: whatever is said is written above it, and it is drawn again below.
//! In line mode the terminal shows what is typed by itself, so nothing is ever drawn again, and there is no escape sequence.
//!
//! All text goes through [`Screen::print`], which leaves out every control character: escape sequences are written here and nowhere
//! else. Text is UTF-8, which has no byte 255, so nothing that somebody says can be a command of telnet.

use chatterbox_app::cells;
use chatterbox_proto::ScreenText;
use unicode_segmentation::UnicodeSegmentation as _;

/// How wide a terminal is that does not say it, and the least and the most that is believed.
const WIDTH: usize = 80;
const NARROWEST: usize = 20;
const WIDEST: usize = 500;

/// So many cells are left for what is typed, whatever stands before it.
const LEFT: usize = 24;

/// What is in one cell has so many bytes at most, or is cut.
const CELL: usize = 64;

/// Who shows what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The terminal: it sends lines.
    Line,
    /// The server: the terminal sends keys.
    Character,
}

/// The line that is being typed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row<'r> {
    /// What stands before it; safe to show.
    pub(crate) prompt: &'r str,
    pub(crate) text: &'r str,
    /// The place of the cursor, in bytes.
    pub(crate) cursor: usize,
    /// Whether nothing of it is shown.
    pub(crate) is_secret: bool,
}

/// What is to be written, and what of it is drawn again.
#[derive(Debug)]
pub(crate) struct Screen {
    mode: Mode,
    width: usize,
    /// What was not written yet.
    out: Vec<u8>,
    /// Whether a prompt stands in the last row.
    is_drawn: bool,
    /// The row as it was drawn last.
    drawn: String,
}

impl Screen {
    pub(crate) fn new(mode: Mode) -> Self {
        Self { mode, width: WIDTH, out: Vec::new(), is_drawn: false, drawn: String::new() }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn set_mode(&mut self, mode: Mode) {
        if self.mode != mode {
            self.mode = mode;
            self.redraw();
        }
    }

    /// The terminal has so many columns; 0 says nothing.
    pub(crate) fn set_width(&mut self, width: u16) {
        self.width = if width == 0 { WIDTH } else { usize::from(width).clamp(NARROWEST, WIDEST) };
    }

    /// What is to be written.
    pub(crate) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// How many bytes are to be written.
    pub(crate) fn unwritten(&self) -> usize {
        self.out.len()
    }

    /// Wipes the row, where a terminal in line mode shows the bytes with which the server has asked what it is.
    pub(crate) fn wipe(&mut self) {
        self.push("\r\u{1b}[2K");
    }

    /// Writes a line, or several, above the one that is being typed.
    pub(crate) fn print(&mut self, text: &str) {
        self.clear_row();
        for line in text.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            self.push_text(line);
            self.push("\r\n");
        }
    }

    /// Draws the line that is being typed, unless it stands there already.
    pub(crate) fn draw(&mut self, row: Row<'_>) {
        let drawn = match self.mode {
            Mode::Line => row.prompt.chars().filter(|c| !c.is_control()).collect(),
            Mode::Character => self.row(row),
        };
        if self.is_drawn && drawn == self.drawn {
            return;
        }
        if self.mode == Mode::Line {
            self.clear_row();
        }
        self.is_drawn = !drawn.is_empty();
        self.push(&drawn);
        self.drawn = drawn;
    }

    /// The line is drawn again, whatever stands there.
    pub(crate) fn redraw(&mut self) {
        self.drawn.clear();
    }

    /// The line that is being typed, as it is drawn where the server shows it.
    fn row(&self, row: Row<'_>) -> String {
        let prompt = self.prompt(row.prompt);
        let room = self.width.saturating_sub(cells(prompt) + 1);
        let (text, behind) =
            if row.is_secret { (String::new(), 0) } else { seen(row.text, row.cursor, room) };
        let own = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let mut drawn = format!("\r{}{}\u{1b}[K", own(prompt), own(&text));
        if behind > 0 {
            drawn.push_str(&format!("\u{1b}[{behind}D"));
        }
        drawn
    }

    /// The line that was being typed is complete. Where the server shows it, it stays as it is if `stays`, and goes otherwise.
    pub(crate) fn enter(&mut self, row: Row<'_>, stays: bool) {
        if self.mode == Mode::Line {
            // The terminal has gone to the next row.
            self.is_drawn = false;
            return;
        }
        if !stays {
            return self.clear_row();
        }
        let text = if row.is_secret { "" } else { row.text };
        self.push("\r");
        self.push_text(self.prompt(row.prompt).to_owned().as_str());
        self.push_text(ScreenText::new(text).as_str());
        self.push("\u{1b}[K\r\n");
        self.is_drawn = false;
    }

    /// There is no room for what is typed.
    pub(crate) fn ring(&mut self) {
        if self.mode == Mode::Character {
            self.push("\u{7}");
        }
    }

    /// The prompt, or the end of it where it would leave too little room for what is typed.
    fn prompt<'p>(&self, prompt: &'p str) -> &'p str {
        let most = self.width.saturating_sub(LEFT).max(self.width / 2);
        if cells(prompt) <= most {
            return prompt;
        }
        let mut from = prompt.len();
        let mut used = 0;
        for (at, grapheme) in prompt.grapheme_indices(true).rev() {
            used += cells(grapheme);
            if used > most {
                break;
            }
            from = at;
        }
        prompt.get(from..).unwrap_or_default()
    }

    fn clear_row(&mut self) {
        if !std::mem::take(&mut self.is_drawn) {
            return;
        }
        self.push(match self.mode {
            Mode::Line => "\r\n",
            Mode::Character => "\r\u{1b}[K",
        });
    }

    /// Text of others, or about them.
    fn push_text(&mut self, text: &str) {
        let mut buffer = [0; 4];
        for c in text.chars().filter(|c| !c.is_control()) {
            self.out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
    }

    fn push(&mut self, own: &str) {
        self.out.extend_from_slice(own.as_bytes());
    }
}

/// The part of a text around the cursor that fits into so many cells, and how many of them are behind the cursor.
fn seen(text: &str, cursor: usize, room: usize) -> (String, usize) {
    let (before, behind) = text.split_at_checked(cursor).unwrap_or((text, ""));
    // What is far away is not even looked at.
    let (before, behind) = (tail(before, room * CELL), head(behind, room * CELL));
    let (before, behind) = (ScreenText::new(before), ScreenText::new(behind));
    let mut used = 0;
    let mut fits = |grapheme: &str| {
        used += cells(grapheme);
        used <= room
    };
    let from = before.as_str().grapheme_indices(true).rev();
    let from = from.take_while(|(_, grapheme)| fits(grapheme)).last();
    let from = from.map_or(before.as_str().len(), |(at, _)| at);
    let before = before.as_str().get(from..).unwrap_or_default();
    let mut used = cells(before);
    let mut seen = before.to_owned();
    let mut after = 0;
    for grapheme in behind.as_str().graphemes(true) {
        used += cells(grapheme);
        if used > room {
            break;
        }
        seen.push_str(grapheme);
        after += cells(grapheme);
    }
    (seen, after)
}

/// The end of a text, of so many bytes at most.
fn tail(text: &str, most: usize) -> &str {
    let from = (text.len().saturating_sub(most)..=text.len()).find(|at| text.is_char_boundary(*at));
    from.and_then(|from| text.get(from..)).unwrap_or_default()
}

/// The beginning of a text, of so many bytes at most.
fn head(text: &str, most: usize) -> &str {
    let to = (0..=text.len().min(most)).rev().find(|at| text.is_char_boundary(*at));
    to.and_then(|to| text.get(..to)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(screen: &mut Screen) -> String {
        String::from_utf8(std::mem::take(screen.out())).unwrap()
    }

    fn row<'r>(prompt: &'r str, text: &'r str) -> Row<'r> {
        Row { prompt, text, cursor: text.len(), is_secret: false }
    }

    #[test]
    fn what_is_said_goes_above_the_line_that_is_typed() {
        let mut screen = Screen::new(Mode::Character);
        screen.draw(row("> ", ":jo"));
        screen.print("* hello\n* again");
        screen.draw(row("> ", ":jo"));
        screen.enter(row("> ", ":join"), true);
        screen.draw(row("[room/x] ann: ", "hi"));
        screen.enter(row("[room/x] ann: ", "hi"), false);
        insta::assert_snapshot!(
            written(&mut screen).escape_debug().to_string().replace("\\n", "\\n\n"),
            @r"
        \r> :jo\u{1b}[K\r\u{1b}[K* hello\r\n
        * again\r\n
        \r> :jo\u{1b}[K\r> :join\u{1b}[K\r\n
        \r[room/x] ann: hi\u{1b}[K\r\u{1b}[K
        "
        );
    }

    #[test]
    fn in_line_mode_nothing_is_drawn_again_and_nothing_escapes() {
        let mut screen = Screen::new(Mode::Line);
        screen.wipe();
        screen.draw(row("> ", ""));
        screen.draw(row("> ", ""));
        screen.print("* somebody\u{1b}[2J");
        screen.draw(row("> ", ""));
        screen.enter(row("> ", ":list"), true);
        screen.print("* here: ann");
        screen.draw(row("", ""));
        screen.print("[10:00] bob: hi");
        screen.ring();
        insta::assert_snapshot!(
            written(&mut screen).escape_debug().to_string().replace("\\n", "\\n\n"),
            @r"
        \r\u{1b}[2K> \r\n
        * somebody[2J\r\n
        > * here: ann\r\n
        [10:00] bob: hi\r\n
        "
        );
    }

    #[test]
    fn b1_no_text_writes_a_control_character_and_no_byte_is_255() {
        let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        for mode in [Mode::Line, Mode::Character] {
            let mut screen = Screen::new(mode);
            screen.print(&all.replace('\n', ""));
            let out = std::mem::take(screen.out());
            let text = out.strip_suffix(b"\r\n").unwrap();
            assert!(!text.contains(&255) && !text.contains(&0x1b));
            assert!(std::str::from_utf8(text).unwrap().chars().all(|c| !c.is_control()));
        }
    }

    #[test]
    fn the_row_is_never_wider_than_the_terminal() {
        for (text, cursor, room, shown, behind) in [
            ("hello", 5, 10, "hello", 0),
            ("hello", 2, 10, "hello", 3),
            ("hello world", 11, 5, "world", 0),
            ("hello world", 0, 5, "hello", 5),
            ("你好世界", 12, 5, "世界", 0),
            ("e\u{301}e\u{301}e\u{301}", 9, 2, "e\u{301}e\u{301}", 0),
            ("👩\u{200d}💻x", 11, 2, "👩\u{200d}💻", 0),
            ("", 0, 0, "", 0),
        ] {
            let (seen, after) = seen(text, cursor, room);
            assert_eq!((seen.as_str(), after), (shown, behind), "{text} at {cursor} in {room}");
        }
        let mut screen = Screen::new(Mode::Character);
        for width in [1, 20, 33, 80, 9999] {
            screen.set_width(width);
            for text in ["x".repeat(5000), "世".repeat(3000)] {
                screen.draw(row(&"p".repeat(400), &text));
                let out = written(&mut screen);
                let out = out.trim_start_matches('\r').trim_end_matches("\u{1b}[K");
                assert!(cells(out) < usize::from(width).clamp(NARROWEST, WIDEST), "{width}: {out}");
            }
        }
    }

    #[test]
    fn a_secret_is_not_shown_nor_how_long_it_is() {
        let mut screen = Screen::new(Mode::Character);
        let secret = Row { is_secret: true, ..row("password of ann: ", "hush") };
        screen.draw(secret);
        screen.enter(secret, true);
        let out = written(&mut screen);
        assert_eq!(out, "\rpassword of ann: \u{1b}[K\rpassword of ann: \u{1b}[K\r\n");
    }
}
