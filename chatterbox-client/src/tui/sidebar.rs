//! The list of conversations: number, name, what is unread, and whether something is typed there. What is unread beyond its edges
//! is told in the first and the last row.

use chatterbox_app::model::Conversation;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{fill, put, put_right, shorten, width};
use super::names::{count_of, counted, name_of};
use super::scene::Scene;
use super::theme::Role;

/// Stands before what is unread where something is typed that is not sent.
const DRAFT: &str = "\"";

/// In a list of fewer rows there are conversations only.
const ROWS_FOR_REST: usize = 3;

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
    let all = || conversations.iter().enumerate();
    let rows = all().skip(first).take(height);
    for ((place, conversation), y) in rows.zip(area.y..area.bottom()) {
        let row = Rect { y, height: 1, ..area };
        // The one in front is in neither of these rows.
        let beyond = match place {
            _ if height < ROWS_FOR_REST => None,
            _ if place == first => Beyond::of("↑", all().take(first + 1).rev()),
            _ if place + 1 == first + height => Beyond::of("↓", all().skip(place)),
            _ => None,
        };
        if let Some(Beyond { words, mentions, nearest }) = beyond {
            let style = scene.style(if mentions { Role::Mention } else { Role::Unread });
            put(buffer, (area.x, y), area.width, &shorten(&words, area.width), style);
            drawn.push((row, nearest));
            continue;
        }
        drawn.push((row, place));
        let is_front = place == front;
        let is_unread = conversation.unread > 0;
        let style = |role| if is_front { scene.style(Role::Selection) } else { scene.style(role) };
        if is_front {
            fill(buffer, row, ' ', style(Role::Selection));
        }
        put_right(buffer, (area.x, y), digits, &(place + 1).to_string(), style(Role::Quiet));
        let typed = scene.ui.typing.has_draft(conversation.serial());
        let count = format!("{}{}", if typed { DRAFT } else { "" }, count_of(conversation));
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

/// What is unread in conversations that are not seen.
struct Beyond {
    words: String,
    mentions: bool,
    /// The place of the first of them.
    nearest: usize,
}

impl Beyond {
    /// What is unread in these conversations; the first of them has the row in which it is told.
    fn of<'c>(
        arrow: &str,
        all: impl Iterator<Item = (usize, &'c Conversation)> + Clone,
    ) -> Option<Self> {
        let nearest = all.clone().skip(1).find(|(_, one)| one.unread > 0)?.0;
        let (unread, mentions) = all.fold((0, 0), |(unread, mentions), (_, one)| {
            (unread + one.unread, mentions + one.mentions)
        });
        let words = format!("{arrow} {} unread", counted(unread, mentions));
        Some(Self { words, mentions: mentions > 0, nearest })
    }
}
