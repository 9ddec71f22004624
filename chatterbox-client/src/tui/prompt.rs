//! The input: what it is for, and what is typed, in up to five rows. A question of the server takes the place of the prompt. What is
//! secret is not shown, not even how long it is.

use chatterbox_app::input::Mask;
use chatterbox_app::wrap;
use chatterbox_proto::ScreenText;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::cells::{put, shorten, width};
use super::scene::Scene;
use super::theme::Role;
use crate::session::PromptKind;

/// A question has so many rows at most.
const QUESTION: usize = 3;

/// What stands behind the question for a secret.
const SECRET: &str = "(not shown)";

/// The rows of the input.
#[derive(Debug)]
pub(super) struct Input {
    /// The rows above the first that has something typed in it: all of a long question but its end.
    head: Vec<String>,
    /// What stands in front of the first row.
    lead: String,
    lead_role: Role,
    /// What is typed; all rows stand behind the width of `lead`.
    rows: Vec<String>,
    /// The row of the cursor among these, and its column.
    cursor: (usize, u16),
    /// The cells of a row.
    room: usize,
    secret: bool,
}

impl Input {
    /// The input of a scene on a screen of this width.
    pub(super) fn new(scene: &Scene<'_>, screen: u16) -> Self {
        let typing = &scene.ui.typing;
        let composer = typing.composer();
        let secret = typing.prompt().is_some_and(PromptKind::is_secret);
        let (mut head, lead, lead_role) = match typing.prompt() {
            Some(PromptKind::Name) => (Vec::new(), PromptKind::Name.text(), Role::Unread),
            // With its sign no question can look like the prompt of the chat.
            Some(prompt @ PromptKind::Reply(_)) => {
                let text = prompt.text();
                // That of a server has the sign already.
                let sign = if text.starts_with("? ") { "" } else { "? " };
                let (head, lead) = question(&format!("{sign}{text}"), screen);
                (head, lead, Role::Unread)
            }
            Some(prompt @ PromptKind::Chat(_)) => {
                (Vec::new(), chat(&prompt.text(), screen), Role::Own)
            }
            // No line is taken now; what is typed waits.
            None => (Vec::new(), chat(&format!("{}> ", scene.app.prompt()), screen), Role::Quiet),
        };
        let mut lead = lead;
        if width(&lead) > screen / 2 {
            head.push(std::mem::take(&mut lead));
        }
        let room = usize::from(screen.saturating_sub(width(&lead))).max(1);
        let mask = Mask { arguments: scene.app.secret_arguments() };
        let (text, cursor) = if secret { ("", 0) } else { (composer.text(), composer.cursor()) };
        let (rows, cursor) = typed(&mask, text, cursor, room);
        Self { head, lead, lead_role, rows, cursor, room, secret }
    }

    /// The cells that a row of what is typed has.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.rows.len()
    }

    /// Draws as many rows as there is room for, that of the cursor among them. Gives the place of the cursor.
    pub(super) fn draw(
        &self,
        buffer: &mut Buffer,
        area: Rect,
        scene: &Scene<'_>,
    ) -> Option<Position> {
        if area.is_empty() {
            return None;
        }
        let height = usize::from(area.height);
        let cursor_row = self.head.len() + self.cursor.0;
        let first = (cursor_row + 1).saturating_sub(height);
        let lead = width(&self.lead).min(area.width);
        let style = scene.style(Role::Text);
        for (place, y) in (first..self.len()).zip(area.y..area.bottom()) {
            let Some(row) = place.checked_sub(self.head.len()) else {
                let text = self.head.get(place).map(String::as_str).unwrap_or_default();
                put(buffer, (area.x, y), area.width, text, scene.style(self.lead_role));
                continue;
            };
            if row == 0 {
                put(buffer, (area.x, y), lead, &self.lead, scene.style(self.lead_role));
            } else if place == first {
                // There is more above it.
                put(buffer, (area.x, y), lead, "…", scene.style(Role::Quiet));
            }
            let text = self.rows.get(row).map(String::as_str).unwrap_or_default();
            put(buffer, (area.x + lead, y), area.width - lead, text, style);
            if self.secret {
                let room = area.width.saturating_sub(lead + 1);
                let words = shorten(SECRET, room);
                put(buffer, (area.x + lead + 1, y), room, &words, scene.style(Role::Quiet));
            }
        }
        let x = area.x.saturating_add(lead).saturating_add(self.cursor.1).min(area.right() - 1);
        let y = u16::try_from(cursor_row - first).unwrap_or_default().min(area.height - 1);
        Some(Position { x, y: area.y + y })
    }
}

/// Where what is typed goes, in a third of the screen at most.
fn chat(prompt: &str, screen: u16) -> String {
    let name = prompt.trim_end().trim_end_matches('>');
    format!("{}> ", shorten(name, (screen / 3).saturating_sub(2)))
}

/// A question: all rows but the last, and that.
fn question(text: &str, screen: u16) -> (Vec<String>, String) {
    let screen = screen.max(1);
    // A question that is too long is cut at its end, where the input begins.
    let most = screen.saturating_mul(u16::try_from(QUESTION).unwrap_or(1)).saturating_sub(2);
    let text = shorten(text, most);
    let mut rows: Vec<_> =
        wrap(&text, usize::from(screen)).into_iter().map(str::to_owned).collect();
    rows.truncate(QUESTION);
    let mut last = rows.pop().unwrap_or_default();
    if !last.is_empty() && !last.ends_with(' ') {
        last.push(' ');
    }
    (rows, last)
}

/// The rows of what is typed, and where in them the cursor is.
fn typed(mask: &Mask, text: &str, cursor: usize, room: usize) -> (Vec<String>, (usize, u16)) {
    let (text, cursor) = mask.apply_with_cursor(text, cursor);
    let (before, _) = text.split_at_checked(cursor).unwrap_or((&text, ""));
    let (line_of_cursor, in_line) =
        (before.matches('\n').count(), before.rsplit('\n').next().unwrap_or_default().len());
    let mut rows = Vec::new();
    let mut place = (0, 0);
    for (number, line) in text.split('\n').enumerate() {
        let (before, behind) = match number == line_of_cursor {
            true => line.split_at_checked(in_line).unwrap_or((line, "")),
            false => (line, ""),
        };
        let shown = ScreenText::new(line);
        let mut left = match behind {
            "" => shown.as_str().len(),
            _ => ScreenText::new(before).as_str().len(),
        };
        let first = rows.len();
        for row in wrap(shown.as_str(), room) {
            if number == line_of_cursor && left <= row.len() {
                let column = row.get(..left).map(width).unwrap_or_default();
                place = (rows.len(), column);
                left = usize::MAX;
            } else if left != usize::MAX {
                left -= row.len();
            }
            rows.push(row.to_owned());
        }
        // Behind a full row the cursor stands at the beginning of the next.
        if number == line_of_cursor && usize::from(place.1) >= room {
            let next = place.0 + 1;
            if next == rows.len() {
                rows.push(String::new());
            }
            place = (next, 0);
        }
        debug_assert!(rows.len() > first, "each line has a row");
    }
    (rows, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, cursor: usize, room: usize) -> (Vec<String>, (usize, u16)) {
        let arguments = vec![("/register".to_owned(), 1)];
        typed(&Mask { arguments }, text, cursor, room)
    }

    #[test]
    fn the_cursor_is_where_the_next_character_goes() {
        for (text, cursor, room, place) in [
            ("", 0, 10, (0, 0)),
            ("hello", 5, 10, (0, 5)),
            ("hello", 5, 5, (1, 0)),
            ("hello world", 11, 6, (1, 5)),
            ("hello world", 6, 6, (1, 0)),
            ("hello\nworld", 6, 20, (1, 0)),
            ("hello\nworld", 5, 20, (0, 5)),
            ("hello\n", 6, 20, (1, 0)),
            ("\n\nx", 2, 20, (2, 0)),
            ("世界", 3, 20, (0, 2)),
            ("世界", 6, 4, (1, 0)),
            ("世界", 6, 3, (1, 2)),
        ] {
            assert_eq!(rows(text, cursor, room).1, place, "{text:?} {cursor} {room}");
        }
    }

    #[test]
    fn a_secret_argument_is_stars_wherever_the_cursor_is() {
        for cursor in 0..=14 {
            let (rows, place) = rows("/register hush", cursor, 40);
            assert_eq!(rows, ["/register ****"]);
            assert_eq!(usize::from(place.1), cursor);
        }
    }

    #[test]
    fn a_secret_that_is_pasted_in_two_lines_is_stars_in_both() {
        let (rows, place) = rows("/register hu\nsh", 15, 40);
        assert_eq!((rows, place), (vec!["/register **".to_owned(), "**".to_owned()], (1, 2)));
    }

    #[test]
    fn what_was_pasted_does_not_act_on_the_screen() {
        let (rows, _) = rows("a\u{202e}b\u{1b}c\td", 0, 80);
        assert_eq!(rows, ["a\\u{202e}b\\u{1b}c    d"]);
    }

    #[test]
    fn a_long_question_leaves_room_for_its_answer() {
        let (head, lead) = question(&"word ".repeat(100), 20);
        assert!(head.len() < QUESTION && width(&lead) <= 20, "{head:?} {lead:?}");
        assert_eq!(question("name: ", 40), (Vec::new(), "name: ".to_owned()));
    }
}
