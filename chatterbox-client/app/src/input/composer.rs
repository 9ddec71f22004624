//! The composer: the text that is being typed, of one line or several, and the lines that were typed before.

use std::collections::VecDeque;

use tui_input::{Input, InputRequest};

/// So many earlier lines are kept.
const EARLIER: usize = 500;

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
    /// The cursor goes to the beginning.
    Home,
    /// The cursor goes to the end.
    End,
    /// The character before the cursor goes.
    Backspace,
    /// The character behind the cursor goes.
    Delete,
    /// The word before the cursor goes; it can be put back.
    WordBackspace,
    /// The word behind the cursor goes; it can be put back.
    WordDelete,
    /// Everything before the cursor goes; it can be put back.
    KillToStart,
    /// Everything behind the cursor goes; it can be put back.
    KillToEnd,
    /// What went last is put back.
    Yank,
}

/// What Enter means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// There is nothing to send.
    Nothing,
    /// One line, which may be a command.
    Line(String),
    /// A text of several lines, which the user has agreed to send as one message.
    Text(String),
    /// A text of several lines, or a large one, was pasted: the user is asked once whether it is to be sent. The next Enter
    /// agrees, any editing takes the question back.
    Ask {
        /// How many lines it has.
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
    killed: String,
    earlier: VecDeque<String>,
    /// The place of the earlier line that is shown, counted from the newest, and what was typed before it was.
    recalled: Option<(usize, String)>,
    /// Whether the text has lines that were pasted, so that it is asked about.
    pasted: bool,
    asked: bool,
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
        self.asked
    }

    /// Takes another text; the cursor is at its end.
    pub fn set(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
        self.recalled = None;
        self.asked = false;
        self.pasted = false;
    }

    /// Inserts a typed text at the cursor.
    pub fn insert(&mut self, text: &str) {
        let cursor = self.cursor();
        let (before, behind) = self.text().split_at_checked(cursor).unwrap_or((self.text(), ""));
        let place = before.chars().count() + text.chars().count();
        let whole = format!("{before}{text}{behind}");
        self.input = Input::new(whole).with_cursor(place);
        self.asked = false;
    }

    /// Inserts a pasted text at the cursor: its line ends become those of this program, the last one goes, and so do control
    /// characters.
    pub fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let clean: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        self.insert(&clean);
        self.pasted |= clean.contains('\n');
    }

    /// Replaces a part of the text, as a completion does; the cursor is behind it.
    pub fn replace(&mut self, from: usize, to: usize, with: &str) {
        let text = self.text();
        let (Some(before), Some(behind)) = (text.get(..from), text.get(to..)) else { return };
        let place = before.chars().count() + with.chars().count();
        let whole = format!("{before}{with}{behind}");
        self.input = Input::new(whole).with_cursor(place);
        self.asked = false;
    }

    /// Edits the text.
    pub fn edit(&mut self, edit: Edit) {
        let request = match edit {
            Edit::Left => InputRequest::GoToPrevChar,
            Edit::Right => InputRequest::GoToNextChar,
            Edit::WordLeft => InputRequest::GoToPrevWord,
            Edit::WordRight => InputRequest::GoToNextWord,
            Edit::Home => InputRequest::GoToStart,
            Edit::End => InputRequest::GoToEnd,
            Edit::Backspace => InputRequest::DeletePrevChar,
            Edit::Delete => InputRequest::DeleteNextChar,
            Edit::WordBackspace => InputRequest::DeletePrevWord,
            Edit::WordDelete => InputRequest::DeleteNextWord,
            Edit::KillToStart | Edit::KillToEnd | Edit::Yank => return self.kill(edit),
        };
        self.input.handle(request);
        self.asked = false;
    }

    fn kill(&mut self, edit: Edit) {
        let cursor = self.cursor();
        let (before, behind) = self.text().split_at_checked(cursor).unwrap_or((self.text(), ""));
        let (before, behind) = (before.to_owned(), behind.to_owned());
        match edit {
            Edit::KillToStart => {
                self.input = Input::new(behind).with_cursor(0);
                self.killed = before;
            }
            Edit::KillToEnd => {
                self.input = Input::new(before);
                self.killed = behind;
            }
            _ => {
                let killed = self.killed.clone();
                self.insert(&killed);
            }
        }
        self.asked = false;
    }

    /// Shows the line before the one that is shown. Says whether there is one.
    pub fn earlier(&mut self) -> bool {
        let (place, typed) = match self.recalled.take() {
            Some((place, typed)) => (place + 1, typed),
            None => (0, self.text().to_owned()),
        };
        let Some(line) = self.earlier.iter().rev().nth(place).cloned() else {
            self.recalled = place.checked_sub(1).map(|place| (place, typed));
            return false;
        };
        self.set(&line);
        self.recalled = Some((place, typed));
        true
    }

    /// Shows the line behind the one that is shown, in the end what was typed. Says whether there is one.
    pub fn later(&mut self) -> bool {
        let Some((place, typed)) = self.recalled.take() else { return false };
        match place.checked_sub(1) {
            Some(place) => {
                let line = self.earlier.iter().rev().nth(place).cloned().unwrap_or_default();
                self.set(&line);
                self.recalled = Some((place, typed));
            }
            None => self.set(&typed),
        }
        true
    }

    /// Adds a line to those that were typed before; the application decides which may be kept ([`crate::Effect::Remember`]).
    pub fn remember(&mut self, line: String) {
        if self.earlier.back() == Some(&line) {
            return;
        }
        self.earlier.push_back(line);
        while self.earlier.len() > EARLIER {
            self.earlier.pop_front();
        }
    }

    /// The lines that were typed before, from the newest on.
    pub fn remembered(&self) -> impl Iterator<Item = &str> {
        self.earlier.iter().rev().map(String::as_str)
    }

    /// Enter: takes the text, unless the user has to be asked first. `most` is the number of characters that the server takes.
    pub fn enter(&mut self, most: Option<usize>) -> Entered {
        let characters = self.text().chars().count();
        if let Some(over) = most.and_then(|most| characters.checked_sub(most + 1)) {
            return Entered::TooLong(over + 1);
        }
        let lines = self.text().lines().count();
        if self.pasted && lines > 1 && !self.asked {
            self.asked = true;
            return Entered::Ask { lines, characters };
        }
        let text = self.text().to_owned();
        self.set("");
        match text.trim().is_empty() {
            true => Entered::Nothing,
            false if text.contains('\n') => Entered::Text(text),
            false => Entered::Line(text),
        }
    }
}
