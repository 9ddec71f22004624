//! Draws a scene: the one way from the state of the application and of the screen to the cells of the terminal. It changes
//! nothing but these.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::layout::Layout;
use super::prompt::Input;
pub(crate) use super::scene::{Drawn, Scene};
use super::ui::Overlay;
use super::{help, list, people, popup, sidebar, status, timeline};

/// Draws a scene.
pub(crate) fn draw(frame: &mut Frame<'_>, scene: &Scene<'_>) -> Drawn {
    let area = frame.area();
    let (drawn, cursor) = paint(frame.buffer_mut(), area, scene);
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    drawn
}

/// Draws a scene into a part of a buffer.
pub(super) fn paint(
    buffer: &mut Buffer,
    area: Rect,
    scene: &Scene<'_>,
) -> (Drawn, Option<Position>) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return (Drawn::default(), None);
    }
    if let Some(ground) = scene.theme.ground() {
        buffer.set_style(area, ground);
    }
    let input = Input::new(scene, area.width);
    let layout = Layout::new(area, scene.ui, input.len(), status::told(scene, area.width));
    let seen = timeline::draw(buffer, layout.timeline, scene);
    let mut drawn = Drawn {
        end_seen: seen.end,
        above: seen.above,
        visible: seen.visible,
        timeline: layout.timeline,
        input_room: input.room(),
        ..Drawn::default()
    };
    let mut cursor = input.draw(buffer, layout.input, scene);
    status::draw_title(buffer, layout.title, scene, !layout.conversations.is_empty());
    drawn.conversations = sidebar::draw(buffer, layout.conversations, scene);
    people::draw(buffer, layout.people, scene);
    match &scene.ui.overlay {
        Some(Overlay::Completion { completion, chosen }) => {
            popup::draw(buffer, layout.timeline, scene, completion, *chosen);
        }
        Some(Overlay::List(list)) => {
            // With a row of the timeline at most, the list takes its place.
            cursor = list::draw(buffer, layout.timeline, scene, list).or(cursor);
        }
        Some(Overlay::Help { scroll }) => {
            drawn.help_most = help::draw(buffer, layout.timeline, scene, *scroll);
        }
        None => {}
    }
    status::draw_status(buffer, layout.status, scene, seen.below);
    (drawn, cursor)
}
