//! Stand-in until the timeline is drawn.

use chatterbox_app::model::Key;

use super::draw::Scene;
use super::ui::Scroll;

pub(crate) fn scrolled(scene: &Scene<'_>, _width: u16, _height: u16, from: Scroll, rows: isize) -> Scroll {
    let Some(conversation) = scene.app.model().and_then(|model| model.in_front()) else { return Scroll::End };
    let timeline = &conversation.timeline;
    let place = match from {
        Scroll::End => timeline.len().saturating_sub(1),
        Scroll::At { key, .. } => timeline.place(key).unwrap_or_default(),
    };
    let to = place.saturating_add_signed(-rows);
    match timeline.item(to) {
        Some(item) if to + 1 < timeline.len() => Scroll::At { key: item.key, hidden: 0 },
        _ => Scroll::End,
    }
}

pub(crate) fn showing(_scene: &Scene<'_>, _width: u16, _height: u16, key: Key) -> Scroll {
    Scroll::At { key, hidden: 0 }
}
