//! The composer: the text that is being typed, of one row or several, and the lines that were typed before.
//!
//! A *row* is what is between two line ends of the text, however a screen wraps it. The cursor is always between two graphemes:
//! what looks like one character is moved over and deleted as one.

use tui_input::{Input, InputRequest};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

use super::drawn_row::{DrawnRow, drawn_rows};
use super::paste::clean;
use super::recall::Recall;
use crate::wrap::cells;

/// The most bytes of a text; what would make it longer is not taken.
pub const TEXT: usize = 256 * 1024;

/// One step of editing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The cursor goes one character back.
    Left,
    /// The cursor goes one character on.
    Right,
    /// The cursor goes one word back.
    WordLeft,
    /// The cursor goes one word on.
    WordRight,
    /// The cursor goes to the beginning of its row.
    Home,
    /// The cursor goes to the end of its row.
    End,
    /// The character before the cursor goes.
    Backspace,
    /// The character behind the cursor goes.
    Delete,
    /// The word before the cursor goes; it can be put back.
    WordBackspace,
    /// The word behind the cursor goes; it can be put back.
    WordDelete,
    /// What is before the cursor in its row goes, at its beginning the line end before it; it can be put back.
    KillToStart,
    /// What is behind the cursor in its row goes, at its end the line end; it can be put back.
    KillToEnd,
    /// What went last is put back.
    Yank,
}

/// What Enter means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// There is nothing to send.
    Nothing,
    /// A typed line, which may be a command or begin with a recipient. It may have several rows: those behind the first were typed
    /// or pasted into it, and go where the first one goes.
    Line(String),
    /// A text of several rows that was pasted from its beginning on, and which the user has agreed to send as one message, whatever
    /// it begins with.
    Text(String),
    /// Several rows were pasted: the user is asked once whether the text is to be sent. The next Enter agrees, any editing takes
    /// the question back.
    Ask {
        /// How many rows the text has.
        lines: usize,
        /// How many characters it has.
        characters: usize,
    },
    /// It is longer than the server takes, by so many characters; it stays.
    TooLong(usize),
}

/// The text that is being typed.
#[derive(Debug, Default)]
pub struct Composer {
    input: Input,
    /// What was cut last, and whether what is cut now is added to it.
    killed: String,
    is_cutting: bool,
    /// The cell to which the cursor tends while it goes from row to row.
    column: Option<usize>,
    earlier: Recall,
    /// The place of the earlier line that is shown, and what was typed before it was.
    recalled: Option<(usize, String)>,
    /// Whether rows were pasted, so that the text is asked about.
    is_pasted: bool,
    /// Whether the first row was pasted as a whole, so that it is no command.
    is_verbatim: bool,
    is_asked: bool,
}

/// A text that is not sent yet, while another one is typed.
#[derive(Debug, Default)]
pub struct Draft {
    input: Input,
    recalled: Option<(usize, String)>,
    is_pasted: bool,
    is_verbatim: bool,
    is_asked: bool,
}

impl Draft {
    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// About how many bytes it has.
    pub fn size(&self) -> usize {
        self.text().len() + self.recalled.as_ref().map_or(0, |(_, typed)| typed.len())
    }
}

impl Composer {
    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The place of the cursor, in bytes.
    pub fn cursor(&self) -> usize {
        let characters = self.text().char_indices().nth(self.input.cursor());
        characters.map_or(self.text().len(), |(at, _)| at)
    }

    /// Whether the user was asked whether a pasted text is to be sent.
    pub fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Takes another text; the cursor is at its end. Says whether there was room for it; if not, the text stays as it is.
    pub fn set(&mut self, text: &str) -> bool {
        let text = clean(text);
        if text.len() > TEXT {
            return false;
        }
        self.put(&text);
        self.recalled = None;
        true
    }

    /// Takes the text away as it is, with the cursor and with the question about what was pasted, and puts another one in its place.
    /// The lines that were typed before stay.
    pub fn exchange(&mut self, draft: Draft) -> Draft {
        let Draft { input, recalled, is_pasted, is_verbatim, is_asked } = draft;
        let left = Draft {
            input: std::mem::replace(&mut self.input, input),
            recalled: std::mem::replace(&mut self.recalled, recalled),
            is_pasted: std::mem::replace(&mut self.is_pasted, is_pasted),
            is_verbatim: std::mem::replace(&mut self.is_verbatim, is_verbatim),
            is_asked: self.is_asked,
        };
        self.touched();
        self.is_asked = is_asked;
        left
    }

    /// Empties the text; it can be put back.
    pub fn clear(&mut self) {
        if !self.text().is_empty() {
            self.killed = self.text().to_owned();
        }
        self.set("");
    }

    /// Inserts a typed text at the cursor. Says whether there was room for it.
    pub fn insert(&mut self, text: &str) -> bool {
        let cursor = self.cursor();
        self.replace(cursor, cursor, text)
    }

    /// Inserts a pasted text at the cursor: its line ends become those of this program, the last one goes, and so do control
    /// characters. Says whether there was room for it.
    pub fn paste(&mut self, text: &str) -> bool {
        let text = clean(text);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let is_beginning = self.text().is_empty();
        if !self.insert(text) {
            return false;
        }
        if text.contains('\n') {
            self.is_pasted = true;
            self.is_verbatim |= is_beginning;
        }
        true
    }

    /// Inserts the line end of a pasted text that comes as keys ([`super::PasteGuard`]).
    pub fn paste_line_end(&mut self) -> bool {
        let is_taken = self.insert("\n");
        self.is_pasted |= is_taken;
        is_taken
    }

    /// Replaces a part of the text, as a completion does; the cursor is behind it. Says whether it could.
    pub fn replace(&mut self, from: usize, to: usize, with: &str) -> bool {
        let with = clean(with);
        let text = self.text();
        let (Some(before), Some(behind)) = (text.get(..from), text.get(to..)) else { return false };
        if from > to || before.len() + with.len() + behind.len() > TEXT {
            return false;
        }
        let cursor = before.len() + with.len();
        let whole = format!("{before}{with}{behind}");
        self.is_verbatim &= from > 0;
        self.input = std::mem::take(&mut self.input).with_value(whole);
        self.go(cursor);
        self.touched();
        true
    }

    /// Edits the text.
    pub fn edit(&mut self, edit: Edit) {
        let was_cutting = self.is_cutting;
        let cursor = self.cursor();
        self.touched();
        match edit {
            Edit::Left => self.request(InputRequest::GoToPrevChar, false),
            Edit::Right => self.request(InputRequest::GoToNextChar, true),
            Edit::WordLeft => self.request(InputRequest::GoToPrevWord, false),
            Edit::WordRight => self.request(InputRequest::GoToNextWord, true),
            Edit::Home => self.go(self.row_start(cursor)),
            Edit::End => self.go(self.row_end(cursor)),
            Edit::Backspace => self.request(InputRequest::DeletePrevChar, true),
            Edit::Delete => self.request(InputRequest::DeleteNextChar, true),
            Edit::WordBackspace => {
                self.request(InputRequest::GoToPrevWord, false);
                self.cut(self.cursor(), cursor, was_cutting, false);
            }
            Edit::WordDelete => {
                self.request(InputRequest::GoToNextWord, true);
                self.cut(cursor, self.cursor(), was_cutting, true);
            }
            Edit::KillToStart => {
                let start = self.row_start(cursor);
                let start = if start == cursor { start.saturating_sub(1) } else { start };
                self.cut(start, cursor, was_cutting, false);
            }
            Edit::KillToEnd => {
                let end = self.row_end(cursor);
                let end = if end == cursor { (end + 1).min(self.text().len()) } else { end };
                self.cut(cursor, end, was_cutting, true);
            }
            Edit::Yank => {
                let killed = self.killed.clone();
                self.insert(&killed);
            }
        }
        if self.text().is_empty() {
            self.is_pasted = false;
            self.is_verbatim = false;
        }
    }

    /// Moves the cursor so many rows down, or up where that is negative, to the cell where it was or near to it; the rows are those
    /// that are drawn where one has so many cells. Says whether it moved.
    pub fn move_row(&mut self, rows: isize, width: usize) -> bool {
        let cursor = self.cursor();
        let drawn = drawn_rows(self.text(), width);
        let Some(here) = drawn.iter().position(|row| row.has(cursor)) else { return false };
        let last = drawn.len().saturating_sub(1);
        let there = here.saturating_add_signed(rows).min(last);
        let (Some(from), Some(to)) = (drawn.get(here), drawn.get(there)) else { return false };
        if from.start == to.start {
            return false;
        }
        let text = |row: &DrawnRow, end| self.text().get(row.start..end).unwrap_or_default();
        let column = self.column.unwrap_or_else(|| cells(text(from, cursor)));
        let mut used = 0;
        let fits = |grapheme: &&str| {
            used += cells(grapheme);
            // Behind a full row the cursor would be in the next one.
            used <= column && (used < width || to.is_last)
        };
        let place = to.start
            + text(to, to.end).graphemes(true).take_while(fits).map(str::len).sum::<usize>();
        self.go(place);
        self.touched();
        self.column = Some(column);
        true
    }

    /// Shows the line before the one that is shown. Says whether there is one.
    pub fn earlier(&mut self) -> bool {
        let place = self.recalled.as_ref().map_or(0, |(place, _)| place + 1);
        self.recall(place)
    }

    /// Shows the line behind the one that is shown, in the end what was typed. Says whether there is one.
    pub fn later(&mut self) -> bool {
        let Some((place, typed)) = self.recalled.take() else { return false };
        match place.checked_sub(1) {
            Some(before) => {
                self.recalled = Some((place, typed));
                self.recall(before)
            }
            None => {
                self.put(&typed);
                true
            }
        }
    }

    /// Shows the earlier line at a place, counted from the newest; [`Composer::later`] leads back to what was typed. Says whether
    /// there is one.
    pub fn recall(&mut self, place: usize) -> bool {
        let Some(line) = self.earlier.at(place).map(str::to_owned) else { return false };
        let typed = self.recalled.take().map_or_else(|| self.text().to_owned(), |(_, typed)| typed);
        self.put(&line);
        self.recalled = Some((place, typed));
        true
    }

    /// Adds a line to those that were typed before; the application decides which may be kept ([`crate::Effect::Remember`]).
    pub fn remember(&mut self, line: &str) {
        let has_moved = self.earlier.push(clean(line).into_owned());
        if let Some((place, _)) = self.recalled.as_mut().filter(|_| has_moved) {
            *place += 1;
        }
    }

    /// The lines that were typed before, from the newest on.
    pub fn remembered(&self) -> impl Iterator<Item = &str> {
        self.earlier.iter()
    }

    /// Enter: takes the text, unless the user has to be asked first. `most` is the number of characters that the server takes.
    pub fn enter(&mut self, most: Option<usize>) -> Entered {
        let text = self.text();
        // The last line end of a paste that came as keys.
        let text = text.strip_suffix('\n').filter(|_| self.is_pasted).unwrap_or(text);
        if text.trim().is_empty() {
            self.set("");
            return Entered::Nothing;
        }
        let characters = text.chars().count();
        let over = characters.saturating_sub(most.unwrap_or(usize::MAX));
        if over > 0 {
            return Entered::TooLong(over);
        }
        let lines = text.split('\n').count();
        if self.is_pasted && lines > 1 && !self.is_asked {
            self.is_asked = true;
            return Entered::Ask { lines, characters };
        }
        let text = text.to_owned();
        let is_verbatim = self.is_verbatim && lines > 1;
        self.set("");
        if is_verbatim { Entered::Text(text) } else { Entered::Line(text) }
    }

    /// Takes another text, and leaves recall as it is.
    fn put(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
        self.touched();
        self.is_pasted = false;
        self.is_verbatim = false;
    }

    /// The text or the cursor was changed.
    fn touched(&mut self) {
        self.is_asked = false;
        self.is_cutting = false;
        self.column = None;
    }

    /// Lets the library move or delete. It knows words by their own boundaries, and a deletion can join what was apart: a cursor
    /// inside of a grapheme goes to its end, or to its beginning.
    fn request(&mut self, request: InputRequest, to_end: bool) {
        self.input.handle(request);
        let cursor = self.cursor();
        let text = self.text();
        let mut boundary = GraphemeCursor::new(cursor, text.len(), true);
        if boundary.is_boundary(text, 0) == Ok(true) {
            return;
        }
        let place =
            if to_end { boundary.next_boundary(text, 0) } else { boundary.prev_boundary(text, 0) };
        let place = place.ok().flatten().unwrap_or(if to_end { text.len() } else { 0 });
        self.set_cursor(place);
    }

    /// Moves the cursor to a place, or to the end of the grapheme around it.
    fn go(&mut self, place: usize) {
        self.set_cursor(place);
        // A cursor that does not move is looked at as well.
        self.request(InputRequest::SetCursor(self.input.cursor()), true);
    }

    fn set_cursor(&mut self, place: usize) {
        let characters =
            self.text().get(..place).map_or(usize::MAX, |before| before.chars().count());
        self.input.handle(InputRequest::SetCursor(characters));
    }

    /// Takes a part away, which can be put back; `adds` says that it is added to what was cut before, behind it or in front of it.
    fn cut(&mut self, from: usize, to: usize, adds: bool, is_behind: bool) {
        let cut = self.text().get(from..to).unwrap_or_default().to_owned();
        if !cut.is_empty() {
            self.replace(from, to, "");
            match (adds, is_behind) {
                (false, _) => self.killed = cut,
                (true, true) => self.killed.push_str(&cut),
                (true, false) => self.killed.insert_str(0, &cut),
            }
        }
        self.is_cutting = true;
    }

    /// The place where the row of a place starts.
    fn row_start(&self, place: usize) -> usize {
        let before = self.text().get(..place).unwrap_or_default();
        before.rfind('\n').map_or(0, |end| end + 1)
    }

    /// The place of the line end of the row of a place.
    fn row_end(&self, place: usize) -> usize {
        let behind = self.text().get(place..).unwrap_or_default();
        behind.find('\n').map_or(self.text().len(), |end| place + end)
    }
}
