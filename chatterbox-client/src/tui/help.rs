//! The help: the keys and what they do, from the table of all actions and the keys that the user has given them.

use chatterbox_app::wrap;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::cells::{clear, fill, put, shorten};
use super::scene::Scene;
use super::theme::Role;
use crate::keymap::{Action, Keymap, Scope, TABLE};

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
    for (scope, heading) in [(Scope::Screen, "The screen"), (Scope::Typing, "Typing")] {
        if !rows.is_empty() {
            rows.push((String::new(), String::new()));
        }
        rows.push((heading.to_owned(), String::new()));
        for row in TABLE.iter().filter(|row| row.scope == scope) {
            let keys: Vec<_> = keymap.keys(row.action).iter().map(|keys| shown(keys)).collect();
            let mut keys = keys.join(", ");
            for part in wrap(row.help, text) {
                rows.push((std::mem::take(&mut keys), part.to_owned()));
            }
        }
    }
    rows
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
    use crate::tui::cells::width;

    #[test]
    fn every_action_is_in_the_help_with_all_its_keys() {
        let rows = rows(&Keymap::default(), 200);
        for row in TABLE {
            let line = rows.iter().find(|(_, help)| help.trim_end() == row.help);
            let (keys, _) = line.unwrap();
            for key in row.keys {
                assert!(keys.contains(&shown(key)), "{key} {keys}");
            }
            assert!(width(keys) <= KEYS, "{keys}");
        }
        assert_eq!(shown("ctrl-x ctrl-e"), "Ctrl-X Ctrl-E");
        assert_eq!(shown("alt-/"), "Alt-/");
    }
}
