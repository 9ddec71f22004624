//! Lists from which one row is chosen: the palette, conversations, mentions, links, what a search finds.

use chatterbox_proto::ScreenText;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use super::cells::{clear, fill, put, put_right, shorten, width};
use super::scene::Scene;
use super::theme::Role;
use super::ui::List;

/// What is typed is shown with so many characters at most.
const QUERY: usize = 200;

/// Draws it over an area: its title, what was typed, and its rows around the chosen one. Gives the place of the cursor.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    list: &List,
) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    clear(buffer, area, scene.theme.ground());
    let bar = scene.style(Role::Bar);
    fill(buffer, Rect { height: 1, ..area }, ' ', bar);
    let place = if list.rows.is_empty() { 0 } else { list.chosen + 1 };
    let count = format!("{place} of {}", list.rows.len());
    let counted = width(&count) + 2;
    let room = area.width.saturating_sub(2);
    put_right(buffer, (area.x + 1, area.y), room, &count, bar);
    let mut x = area.x + 1;
    let title = format!("{}: ", list.title);
    let left = |x: u16| area.right().saturating_sub(x).saturating_sub(counted + 1);
    x += put(buffer, (x, area.y), left(x), &title, bar.add_modifier(Modifier::BOLD));
    let query = ScreenText::shortened(&list.query, QUERY);
    x += put(buffer, (x, area.y), left(x), last_of(query.as_str(), left(x)), bar);
    let height = usize::from(area.height.saturating_sub(1));
    let first = list.chosen.saturating_sub(height / 2).min(list.rows.len().saturating_sub(height));
    let rows = list.rows.iter().enumerate().skip(first).take(height);
    for ((place, row), y) in rows.zip(area.y + 1..) {
        let is_chosen = place == list.chosen;
        let style = |role| if is_chosen { scene.style(Role::Selection) } else { scene.style(role) };
        fill(buffer, Rect { y, height: 1, ..area }, ' ', style(Role::Text));
        put(buffer, (area.x, y), 1, if is_chosen { ">" } else { " " }, style(Role::Text));
        let note = shorten(row.note.as_str(), area.width / 2);
        let noted = width(&note);
        let room = area.width.saturating_sub(2 + if noted > 0 { noted + 2 } else { 0 });
        put(buffer, (area.x + 1, y), room, &shorten(row.text.as_str(), room), style(Role::Text));
        put_right(buffer, (area.x, y), area.width.saturating_sub(1), &note, style(Role::Quiet));
    }
    if list.rows.is_empty() && height > 0 {
        let at = (area.x + 1, area.y + 1);
        put(buffer, at, area.width.saturating_sub(1), "nothing", scene.style(Role::Quiet));
    }
    Some(Position { x: x.min(area.right() - 1), y: area.y })
}

/// The end of a text, of at most so many cells: there the cursor is.
fn last_of(text: &str, most: u16) -> &str {
    let mut rest = text;
    while width(rest) > most {
        let mut characters = rest.chars();
        characters.next();
        rest = characters.as_str();
    }
    rest
}
