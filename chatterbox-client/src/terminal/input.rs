//! The bytes of a terminal as events: keys, the mouse, the focus, what is pasted.
//!
//! It is pure: what is not understood is passed over, and nothing is kept without a bound.

use std::collections::VecDeque;

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// Of one paste so many bytes are taken: more than anything has room for, so that it is refused and not cut.
const PASTE: usize = 1024 * 1024;

/// The longest sequence of a key.
const SEQUENCE: usize = 64;

/// A click without mode 1006 has so many bytes behind `ESC [`.
const CLICK: usize = 4;

const ESC: u8 = 0x1b;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Makes events of bytes.
#[derive(Debug, Default)]
pub(super) struct Parser {
    bytes: VecDeque<u8>,
    events: VecDeque<Event>,
    /// What was pasted, while the end of it has not come.
    paste: Option<Vec<u8>>,
}

/// What the first bytes are.
enum Found {
    /// An event, or nothing of use, and how many bytes it has.
    Event(Option<Event>, usize),
    /// The beginning of a paste, which has so many bytes.
    Paste(usize),
    /// The beginning of something.
    Part,
}

impl Parser {
    /// Takes bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        self.parse();
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether a key has begun whose rest has to come at once. A paste may take any time.
    pub(super) fn has_begun(&self) -> bool {
        self.paste.is_none() && !self.bytes.is_empty()
    }

    /// No rest has come: the bytes stand for themselves.
    pub(super) fn end_key(&mut self) {
        if self.paste.is_some() {
            return;
        }
        let Some(first) = self.bytes.pop_front() else { return };
        let second = self.bytes.front().copied();
        let event = match (first, second) {
            (ESC, None) => Some(key(KeyCode::Esc, KeyModifiers::NONE)),
            // Alt with a letter that begins a sequence.
            (ESC, Some(letter @ (b'[' | b'O'))) if self.bytes.len() == 1 => {
                Some(key(KeyCode::Char(char::from(letter)), KeyModifiers::ALT))
            }
            (ESC, _) => None,
            _ => Some(key(KeyCode::Char(char::REPLACEMENT_CHARACTER), KeyModifiers::NONE)),
        };
        // Half a sequence is of no use.
        if first == ESC {
            self.bytes.clear();
        }
        self.events.extend(event);
        self.parse();
    }

    /// Whether a paste has begun whose end has not come.
    pub(super) fn is_pasting(&self) -> bool {
        self.paste.is_some()
    }

    /// The end of the paste does not come: what came of it is all of it.
    pub(super) fn end_paste(&mut self) {
        let Some(mut text) = self.paste.take() else { return };
        let room = PASTE.saturating_sub(text.len());
        text.extend(self.bytes.drain(..).take(room));
        self.events.push_back(Event::Paste(String::from_utf8_lossy(&text).into_owned()));
    }

    fn parse(&mut self) {
        loop {
            let bytes = self.bytes.make_contiguous();
            if let Some(paste) = &mut self.paste {
                let end = bytes.windows(PASTE_END.len()).position(|window| window == PASTE_END);
                // The beginning of its end may be there.
                let part = end.unwrap_or(bytes.len().saturating_sub(PASTE_END.len() - 1));
                let room = PASTE.saturating_sub(paste.len());
                paste.extend(bytes.iter().take(part.min(room)));
                self.bytes.drain(..part);
                if end.is_none() {
                    return;
                }
                self.bytes.drain(..PASTE_END.len());
                let text = self.paste.take().unwrap_or_default();
                self.events.push_back(Event::Paste(String::from_utf8_lossy(&text).into_owned()));
                continue;
            }
            match find(bytes) {
                _ if bytes.is_empty() => return,
                Found::Event(event, length) => {
                    self.events.extend(event);
                    self.bytes.drain(..length);
                }
                Found::Paste(length) => {
                    self.paste = Some(Vec::new());
                    self.bytes.drain(..length);
                }
                Found::Part => return,
            }
        }
    }
}

fn key(code: KeyCode, held: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, held))
}

fn found(code: KeyCode, held: KeyModifiers, length: usize) -> Found {
    Found::Event(Some(key(code, held)), length)
}

fn find(bytes: &[u8]) -> Found {
    match bytes {
        [] | [ESC] => Found::Part,
        [ESC, b'[', rest @ ..] => sequence(rest),
        [ESC, b'O'] => Found::Part,
        // Enter of the number pad. Behind `ESC [` the same letter ends what the mouse sends.
        [ESC, b'O', b'M', ..] => found(KeyCode::Enter, KeyModifiers::NONE, 3),
        [ESC, b'O', last, ..] => match letter(*last) {
            Some(code) => found(code, KeyModifiers::NONE, 3),
            None => found(KeyCode::Char('O'), KeyModifiers::ALT, 2),
        },
        [ESC, ESC, ..] => found(KeyCode::Esc, KeyModifiers::NONE, 1),
        [ESC, rest @ ..] => match find(rest) {
            Found::Event(Some(Event::Key(mut pressed)), length) => {
                pressed.modifiers |= KeyModifiers::ALT;
                Found::Event(Some(Event::Key(pressed)), length + 1)
            }
            Found::Event(event, length) => Found::Event(event, length + 1),
            other => other,
        },
        [b'\r', ..] => found(KeyCode::Enter, KeyModifiers::NONE, 1),
        [b'\t', ..] => found(KeyCode::Tab, KeyModifiers::NONE, 1),
        [0x7f, ..] => found(KeyCode::Backspace, KeyModifiers::NONE, 1),
        [0, ..] => found(KeyCode::Char(' '), KeyModifiers::CONTROL, 1),
        [control @ 0x01..=0x1a, ..] => {
            found(KeyCode::Char(char::from(control + b'a' - 1)), KeyModifiers::CONTROL, 1)
        }
        [control @ 0x1c..=0x1f, ..] => {
            found(KeyCode::Char(char::from(control - 0x1c + b'4')), KeyModifiers::CONTROL, 1)
        }
        [first, ..] => character(bytes, *first),
    }
}

/// A character of UTF-8.
fn character(bytes: &[u8], first: u8) -> Found {
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    let given = bytes.get(..length.min(bytes.len())).unwrap_or_default();
    match std::str::from_utf8(given) {
        Ok(text) => Found::Event(
            text.chars().next().map(|c| key(KeyCode::Char(c), KeyModifiers::NONE)),
            length,
        ),
        Err(error) if error.error_len().is_none() => Found::Part,
        Err(error) => found(
            KeyCode::Char(char::REPLACEMENT_CHARACTER),
            KeyModifiers::NONE,
            error.error_len().unwrap_or(1),
        ),
    }
}

/// A sequence behind `ESC [`.
fn sequence(rest: &[u8]) -> Found {
    if let [b'[', last, ..] = rest {
        // The console of Linux.
        let code = last.checked_sub(b'A').filter(|number| *number < 5);
        return Found::Event(code.map(|number| key(KeyCode::F(number + 1), KeyModifiers::NONE)), 4);
    }
    if rest.first() == Some(&b'M') {
        // The mouse of a terminal without mode 1006: button, column and row are a byte each.
        return if rest.len() < CLICK { Found::Part } else { Found::Event(None, CLICK + 2) };
    }
    let is_last = |byte: &u8| (0x40..=0x7e).contains(byte);
    let start = usize::from(rest.first() == Some(&b'['));
    let Some(end) = rest.iter().skip(start).position(is_last).map(|end| end + start) else {
        return if rest.len() > SEQUENCE { Found::Event(None, 2) } else { Found::Part };
    };
    let length = end + 3;
    let last = rest.get(end).copied().unwrap_or_default();
    let text = rest.get(..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
    if let Some(mouse) = text.strip_prefix('<') {
        return Found::Event(click(mouse, last), length);
    }
    let mut numbers = text.split(';').map(|number| {
        number.split(':').next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(1)
    });
    let first = numbers.next().unwrap_or(1);
    let second = numbers.next().unwrap_or(1);
    let code = match last {
        b'~' if first == 200 => return Found::Paste(length),
        b'I' => return Found::Event(Some(Event::FocusGained), length),
        b'O' => return Found::Event(Some(Event::FocusLost), length),
        b'Z' => Some(KeyCode::BackTab),
        b'~' if first == 27 => numbers.next().and_then(number_of),
        b'~' => numbered(first),
        b'u' => number_of(first),
        last => letter(last),
    };
    Found::Event(code.map(|code| key(code, held(second))), length)
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

fn numbered(number: u32) -> Option<KeyCode> {
    let f = |from: u32| u8::try_from(number - from).ok().map(KeyCode::F);
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => f(10),
        17..=21 => f(11),
        23..=26 => f(12),
        28 | 29 => f(13),
        31..=34 => f(14),
        _ => None,
    }
}

/// A key by the number of its character.
fn number_of(number: u32) -> Option<KeyCode> {
    match number {
        9 => Some(KeyCode::Tab),
        13 => Some(KeyCode::Enter),
        27 => Some(KeyCode::Esc),
        127 => Some(KeyCode::Backspace),
        _ => char::from_u32(number).filter(|c| !c.is_control()).map(KeyCode::Char),
    }
}

/// The keys that are held, as sequences write them.
fn held(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let signs = [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)];
    let held = signs.into_iter().filter(|(bit, _)| bits & bit != 0);
    held.fold(KeyModifiers::NONE, |all, (_, one)| all | one)
}

fn click(text: &str, last: u8) -> Option<Event> {
    let mut numbers = text.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let pressed = match button & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match (button & 0x60, button & 3, last) {
        (0x40, 0, _) => MouseEventKind::ScrollUp,
        (0x40, 1, _) => MouseEventKind::ScrollDown,
        (0, 0..=2, b'M') => MouseEventKind::Down(pressed),
        (0, 0..=2, b'm') => MouseEventKind::Up(pressed),
        (0x20, 0..=2, _) => MouseEventKind::Drag(pressed),
        _ => return None,
    };
    let (column, row) = (column.saturating_sub(1), row.saturating_sub(1));
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events as words, with everything that a parser waits for taken as it is.
    fn words(pieces: &[&[u8]]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut words = Vec::new();
        for piece in pieces {
            parser.push(piece);
        }
        for _ in 0..8 {
            parser.end_key();
        }
        while let Some(event) = parser.next() {
            words.push(match event {
                Event::Key(key) => format!("{:?} {}", key.code, key.modifiers),
                Event::Paste(text) => format!("paste {text:?}"),
                Event::Mouse(mouse) => format!("{:?} {} {}", mouse.kind, mouse.column, mouse.row),
                other => format!("{other:?}"),
            });
        }
        words
    }

    #[test]
    fn keys_are_what_terminals_send() {
        let table: &[(&[u8], &[&str])] = &[
            (b"a\xc3\xa4", &["Char('a') ", "Char('\u{e4}') "]),
            (b"\r\t\x7f", &["Enter ", "Tab ", "Backspace "]),
            (b"\x01\x1a\x0a", &["Char('a') Control", "Char('z') Control", "Char('j') Control"]),
            (b"\x1b", &["Esc "]),
            (b"\x1b\x1b", &["Esc ", "Esc "]),
            (b"\x1ba\x1b/\x1b\r", &["Char('a') Alt", "Char('/') Alt", "Enter Alt"]),
            (b"\x1b[A\x1bOB\x1b[H\x1b[4~", &["Up ", "Down ", "Home ", "End "]),
            (b"\x1b[1;5D\x1b[1;3A\x1b[5;5~", &["Left Control", "Up Alt", "PageUp Control"]),
            (b"\x1bOP\x1b[15~\x1b[24~\x1b[[B", &["F(1) ", "F(5) ", "F(12) ", "F(2) "]),
            (b"\x1b[Z\x1b[I\x1b[O", &["BackTab ", "FocusGained", "FocusLost"]),
            (b"\x1b[97;5u\x1b[27;5;103~", &["Char('a') Control", "Char('g') Control"]),
            (b"\x1b[<0;3;4M\x1b[<65;1;1M", &["Down(Left) 2 3", "ScrollDown 0 0"]),
            // The mouse as terminals write it that don't know mode 1006, and as rxvt does; and Enter of the number pad.
            (b"\x1b[M \x21\x7fx\x1b[M\x1b[My", &["Char('x') ", "Char('y') "]),
            (b"\x1b[32;3;4My\x1b[M", &["Char('y') "]),
            (b"\x1bOM", &["Enter "]),
            (b"\x1b[200~a\r\nb\x1b[A\x1b[201~c", &["paste \"a\\r\\nb\\u{1b}[A\"", "Char('c') "]),
            // What is no UTF-8, and what nobody knows.
            (b"\xff\xe9x", &["Char('\u{fffd}') ", "Char('\u{fffd}') ", "Char('x') "]),
            (b"\xc3", &["Char('\u{fffd}') "]),
            (b"\x1b[?1;2cx\x1b[999~y", &["Char('x') ", "Char('y') "]),
            (b"\x1b[", &["Char('[') Alt"]),
            (b"\x1b[1;", &[]),
        ];
        for (bytes, expected) in table {
            assert_eq!(words(&[bytes]), *expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_pieces_make_no_difference() {
        let bytes =
            "a\u{e4}\u{1b}[1;5D\u{1b}OP\u{1b}[200~\u{4f60}\u{1b}[201~\u{1b}[<0;3;4M\u{1f600}\r"
                .as_bytes();
        let whole = words(&[bytes]);
        for at in 0..bytes.len() {
            let (one, other) = bytes.split_at(at);
            assert_eq!(words(&[one, other]), whole, "cut at {at}");
        }
        let each: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(words(&each), whole);
    }

    #[test]
    fn a_paste_whose_end_does_not_come_does_not_take_the_keys_behind_it() {
        let mut parser = Parser::default();
        parser.push(b"\x1b[200~ab\x1b[20");
        assert!(parser.is_pasting() && !parser.has_begun());
        parser.end_paste();
        assert!(!parser.is_pasting());
        assert_eq!(parser.next(), Some(Event::Paste("ab\u{1b}[20".to_owned())));
        parser.push(b"\x03");
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(parser.next(), Some(Event::Key(ctrl_c)));
        parser.push(b"\x1b[200~cd\x1b[201~");
        assert_eq!(parser.next(), Some(Event::Paste("cd".to_owned())));
    }

    #[test]
    fn nothing_is_kept_without_a_bound() {
        let mut parser = Parser::default();
        parser.push(b"\x1b[200~");
        for _ in 0..300 {
            parser.push(&[b'x'; 8192]);
        }
        parser.push(PASTE_END);
        match parser.next() {
            Some(Event::Paste(text)) => assert_eq!(text.len(), PASTE),
            other => panic!("{other:?}"),
        }
        parser.push(b"\x1b[");
        parser.push(&[b'1'; 5000]);
        assert!(parser.bytes.len() <= SEQUENCE + 2);
    }
}
