//! The list of conversations: number, name, what is unread.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{fill, put, put_right, shorten, width};
use super::names::{count_of, name_of};
use super::scene::Scene;
use super::theme::Role;

/// Draws the list with the line at its right edge; gives the rows and the places of their conversations in the model.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) -> Vec<(Rect, usize)> {
    let mut drawn = Vec::new();
    let Some(model) = scene.app.model().filter(|_| !area.is_empty()) else { return drawn };
    let edge = Rect { x: area.right(), width: 1, ..area };
    fill(buffer, edge, '│', scene.style(Role::Border));
    let conversations = model.conversations();
    let front = conversations.iter().position(|one| one.is_at(model.front())).unwrap_or_default();
    let height = usize::from(area.height);
    // That in front is always among those that are seen.
    let first = front.saturating_sub(height / 2).min(conversations.len().saturating_sub(height));
    let digits = u16::try_from(conversations.len().to_string().len()).unwrap_or(1);
    let rows = conversations.iter().enumerate().skip(first).take(height);
    for ((place, conversation), y) in rows.zip(area.y..area.bottom()) {
        let row = Rect { y, height: 1, ..area };
        drawn.push((row, place));
        let is_front = place == front;
        let is_unread = conversation.unread > 0;
        let style = |role| if is_front { scene.style(Role::Selection) } else { scene.style(role) };
        if is_front {
            fill(buffer, row, ' ', style(Role::Selection));
        }
        put_right(buffer, (area.x, y), digits, &(place + 1).to_string(), style(Role::Quiet));
        let count = count_of(conversation);
        let air = u16::from(area.width > 16);
        let room = area.width.saturating_sub(digits + 1 + air);
        let counted = width(&count);
        put_right(buffer, (area.x + digits + 1, y), room, &count, style(Role::Unread));
        let room = room.saturating_sub(if counted > 0 { counted + 1 } else { 0 });
        let role = if is_unread { Role::Unread } else { Role::Text };
        let name = name_of(&conversation.target);
        put(buffer, (area.x + digits + 1, y), room, &shorten(name.as_str(), room), style(role));
    }
    drawn
}
