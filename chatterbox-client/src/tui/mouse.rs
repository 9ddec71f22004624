//! The mouse: the wheel scrolls, a click chooses a conversation.

use chatterbox_app::Intent;
use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::control::{Control, Demand};
use super::ui::{Overlay, Scroll};
use crate::session::{View, Wish};

/// The wheel scrolls so many rows.
const ROWS: isize = 3;

impl Control {
    pub(super) fn mouse(&mut self, mouse: MouseEvent, view: &View<'_>) -> Option<Demand> {
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.scroll(ROWS, view),
            MouseEventKind::ScrollDown if self.ui.scroll != Scroll::End => {
                self.scroll(-ROWS, view);
            }
            MouseEventKind::Down(MouseButton::Left) => {
                if matches!(self.ui.overlay, Some(Overlay::Help { .. } | Overlay::List(_))) {
                    self.ui.overlay = None;
                    return None;
                }
                let rows = &self.drawn.conversations;
                let (_, place) = rows.iter().find(|(row, _)| row.contains(at))?;
                let target = &view.app.model()?.conversations().get(*place)?.target;
                return Some(Demand::Wish(Wish::Intent(Intent::Open(target.clone()))));
            }
            _ => {}
        }
        None
    }
}
