//! The popup of completion: it stands over the timeline, at the input.

use chatterbox_app::complete::Completion;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{clear, fill, put, shorten, width};
use super::scene::Scene;
use super::theme::Role;

/// It has so many rows at most.
const ROWS: u16 = 8;

/// A name is shown in so many columns at most, so that there is room for what it means.
const SHOWN: u16 = 30;

/// Draws it at the lower edge of an area: what is known of the argument, then the candidates.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
    completion: &Completion,
    chosen: Option<usize>,
) {
    let candidates = &completion.candidates;
    let most = usize::from(ROWS.min(area.height));
    let about = completion.about.len().min(most.saturating_sub(candidates.len().min(3)));
    let height = candidates.len().min(most - about);
    let first = chosen.map_or(0, |chosen| (chosen + 1).saturating_sub(height));
    let seen = || candidates.iter().enumerate().skip(first).take(height);
    let shown = seen().map(|(_, one)| width(one.shown.as_str())).max().unwrap_or(0).min(SHOWN);
    let notes = seen().map(|(_, one)| width(one.note.as_str()).saturating_add(shown + 5)).max();
    let abouts =
        completion.about.iter().take(about).map(|line| width(line.as_str()).saturating_add(2));
    let wide = abouts.chain(notes).max().unwrap_or(0).min(area.width);
    let rows = u16::try_from(about + height).unwrap_or(ROWS);
    let popup = Rect {
        x: area.x,
        y: area.bottom() - rows.min(area.height),
        width: wide,
        height: rows.min(area.height),
    };
    clear(buffer, popup, scene.theme.ground());
    fill(buffer, popup, ' ', scene.style(Role::Bar));
    let mut y = popup.y;
    for line in completion.about.iter().take(about) {
        let room = popup.width.saturating_sub(2);
        put(buffer, (popup.x + 1, y), room, &shorten(line.as_str(), room), scene.style(Role::Bar));
        y += 1;
    }
    for (place, candidate) in seen() {
        let is_chosen = chosen == Some(place);
        let role = if is_chosen { Role::Selection } else { Role::Bar };
        // In themes where both are reversed the sign tells them apart, and the ground does.
        let style = if is_chosen && scene.style(Role::Bar) == scene.style(Role::Selection) {
            scene.theme.ground().unwrap_or_default()
        } else {
            scene.style(role)
        };
        fill(buffer, Rect { y, height: 1, ..popup }, ' ', style);
        put(buffer, (popup.x, y), 1.min(popup.width), if is_chosen { ">" } else { " " }, style);
        let room = shown.min(popup.width.saturating_sub(1));
        put(buffer, (popup.x + 1, y), room, &shorten(candidate.shown.as_str(), room), style);
        let room = popup.width.saturating_sub(shown + 4);
        put(buffer, (popup.x + shown + 3, y), room, &shorten(candidate.note.as_str(), room), style);
        y += 1;
    }
}
