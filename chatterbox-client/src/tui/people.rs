//! The people who are where one talks: how many, and the names of those for whom there is room.

use chatterbox_app::Target;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{clear, fill, put, shorten};
use super::scene::Scene;
use super::theme::Role;

/// Behind the name of somebody who is away.
const AWAY: &str = " (away)";

/// Draws them with the line at their left edge.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) {
    let Some(model) = scene.app.model().filter(|_| !area.is_empty()) else { return };
    let x = area.x.saturating_sub(1);
    let edge = Rect { x, width: 1, ..area };
    clear(buffer, edge.union(area), scene.theme.ground());
    fill(buffer, edge, '│', scene.style(Role::Border));
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    let quiet = scene.style(Role::Quiet);
    let Some(count) = scene.app.people_count(model.front()) else {
        let words = match model.front() {
            Target::User(_) => "you two",
            Target::Lobby | Target::Room(_) => "not listed",
        };
        put(buffer, (area.x, area.y), area.width, words, quiet);
        return;
    };
    put(buffer, (area.x, area.y), area.width, &format!("{count} here"), quiet);
    let rows = usize::from(area.height.saturating_sub(1));
    if rows == 0 {
        return;
    }
    let most = if count > rows { rows.saturating_sub(1) } else { rows };
    let Some(people) = scene.app.first_people(model.front(), most) else {
        put(buffer, (area.x, area.y + 1), area.width, "not listed", quiet);
        return;
    };
    let me = scene.app.me().unwrap_or_default();
    let mut y = area.y + 1;
    let shown = people.len();
    for (name, away) in people {
        let screen = name.screen();
        let role = match name.as_wire() == me {
            true => Role::Own,
            false if away => Role::Quiet,
            false => Role::of_name(screen.as_str()),
        };
        let behind = if away { AWAY } else { "" };
        let room = area.width.saturating_sub(u16::try_from(behind.len()).unwrap_or_default());
        let used =
            put(buffer, (area.x, y), room, &shorten(screen.as_str(), room), scene.style(role));
        put(buffer, (area.x + used, y), area.width - used, behind, quiet);
        y += 1;
    }
    if count > shown {
        let words = format!("and {} more", count - shown);
        put(buffer, (area.x, y), area.width, &words, quiet);
    }
}
