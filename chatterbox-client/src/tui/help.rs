//! The help: the keys and what they do, from the table of all actions and the keys that the user has given them.

use chatterbox_app::wrap;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::cells::{clear, fill, put, shorten};
use super::scene::Scene;
use super::theme::Role;
use crate::keymap::{Action, BY_NUMBER, Keymap, Scope, TABLE};

/// The keys of an action have so many columns at most.
const KEYS: u16 = 22;

/// Draws it over an area, so many rows of it being above the upper edge. Gives how many can be.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, scroll: usize) -> usize {
    if area.is_empty() {
        return 0;
    }
    clear(buffer, area, scene.theme.ground());
    let bar = scene.style(Role::Bar);
    fill(buffer, Rect { height: 1, ..area }, ' ', bar);
    let title = "Keys (Esc closes, Up and Down scroll)";
    let room = area.width.saturating_sub(2);
    put(buffer, (area.x + 1, area.y), room, &shorten(title, room), bar);
    let keys = KEYS.min(area.width / 2);
    let text = usize::from(area.width.saturating_sub(keys + 3));
    let rows = rows(scene.ui.typing.keymap(), text);
    let height = usize::from(area.height.saturating_sub(1));
    let most = rows.len().saturating_sub(height);
    let seen = rows.iter().skip(scroll.min(most)).take(height);
    for ((left, right), y) in seen.zip(area.y + 1..) {
        let heading = right.is_empty() && !left.is_empty();
        let modifier = if heading { Modifier::BOLD } else { Modifier::empty() };
        let style = scene.style(Role::Text).add_modifier(modifier);
        let room = if heading { area.width.saturating_sub(1) } else { keys };
        put(buffer, (area.x + 1, y), room, &shorten(left, room), style);
        let x = area.x + keys + 2;
        put(buffer, (x, y), area.right().saturating_sub(x), right, scene.style(Role::Text));
    }
    most
}

/// Keys and sentences, row by row.
fn rows(keymap: &Keymap, text: usize) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let by_number = by_number(keymap);
    for (scope, heading) in [(Scope::Screen, "The screen"), (Scope::Typing, "Typing")] {
        if !rows.is_empty() {
            rows.push((String::new(), String::new()));
        }
        rows.push((heading.to_owned(), String::new()));
        for row in TABLE.iter().filter(|row| row.scope == scope && keymap.has(row.action)) {
            let (mut keys, help) = match (row.action, &by_number) {
                (Action::Conversation(1), Some(keys)) => (keys.clone(), BY_NUMBER),
                (Action::Conversation(_), Some(_)) => continue,
                (action, _) => {
                    let keys: Vec<_> = keymap.keys(action).iter().map(|keys| shown(keys)).collect();
                    (keys.join(", "), row.help)
                }
            };
            for part in wrap(help, text) {
                rows.push((std::mem::take(&mut keys), part.to_owned()));
            }
        }
    }
    rows
}

/// The keys of the conversations by their number, if they are one with each of the digits: `Alt-1 to Alt-9`.
fn by_number(keymap: &Keymap) -> Option<String> {
    let one = |number: u8| match keymap.keys(Action::Conversation(number)).as_slice() {
        [keys] => Some(keys.clone()),
        _ => None,
    };
    let (first, last) = (one(1)?, one(9)?);
    let held = first.strip_suffix('1')?;
    let alike = (1..=9).all(|number| one(number) == Some(format!("{held}{number}")));
    alike.then(|| format!("{} to {}", shown(&first), shown(&last)))
}

/// The first keys of an action, as people write them; `None` if the user has taken them all away.
pub(super) fn keys_of(scene: &Scene<'_>, action: Action) -> Option<String> {
    scene.ui.typing.keymap().keys(action).first().map(|keys| shown(keys))
}

/// Keys as people write them: `ctrl-g` is `Ctrl-G`.
fn shown(keys: &str) -> String {
    let part = |part: &str| match part {
        "pageup" => "PgUp".to_owned(),
        "pagedown" => "PgDn".to_owned(),
        "backtab" => "Shift-Tab".to_owned(),
        _ => {
            let mut characters = part.chars();
            let first = characters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(characters).collect()
        }
    };
    let key = |key: &str| key.split('-').map(part).collect::<Vec<_>>().join("-");
    keys.split(' ').map(key).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keymap::Row;
    use crate::tui::cells::width;

    #[test]
    fn every_action_is_in_the_help_with_all_its_keys() {
        let rows = rows(&Keymap::default(), 200);
        let is_numbered = |row: &&Row| matches!(row.action, Action::Conversation(_));
        for row in TABLE.iter().filter(|row| !is_numbered(row)) {
            let line = rows.iter().find(|(_, help)| help.trim_end() == row.help);
            let (keys, _) = line.unwrap();
            for key in row.keys {
                assert!(keys.contains(&shown(key)), "{key} {keys}");
            }
            assert!(width(keys) <= KEYS, "{keys}");
        }
        let numbered: Vec<_> = rows.iter().filter(|(keys, _)| keys.contains("Alt-9")).collect();
        assert_eq!(numbered, [&("Alt-1 to Alt-9".to_owned(), BY_NUMBER.to_owned())]);
        assert_eq!(shown("ctrl-x ctrl-e"), "Ctrl-X Ctrl-E");
        assert_eq!(shown("alt-/"), "Alt-/");
    }

    #[test]
    fn conversations_with_other_keys_have_a_row_each() {
        let keys = ["f5".to_owned()];
        let keymap = Keymap::changed([("conversation-3", keys.as_slice())]).unwrap();
        let rows = rows(&keymap, 200);
        let row = |keys: &str, help: &str| rows.contains(&(keys.to_owned(), help.to_owned()));
        assert!(row("F5", "Go to the third conversation."), "{rows:?}");
        assert!(row("Alt-9", "Go to the ninth conversation."), "{rows:?}");
        assert!(!rows.iter().any(|(_, help)| help == BY_NUMBER), "{rows:?}");
    }
}
