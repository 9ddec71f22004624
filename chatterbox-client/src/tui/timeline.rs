//! The timeline: the items of the conversation in front, from an anchor upwards. Nothing is measured that is not seen, so a
//! frame costs the same whatever the number of items.
//!
//! A block is an item with the lines above it that belong to it: the beginning, a new day, what is new.

use chatterbox_app::model::{Body, Conversation, Item, Key, Older};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cells::{fill, put, put_right, shorten, width};
use super::help::keys_of;
use super::layout::{Columns, Time};
use super::rows::{FOUND, LOCKED, RULE, Row, rows};
use super::scene::Scene;
use super::theme::Role;
use super::ui::Scroll;
use crate::keymap::Action;

/// Whoever goes up by so many rows goes to the oldest item: measuring them all would take longer than a frame.
const FAR: isize = 100_000;

/// What of a timeline is seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Whether its end is.
    pub(super) end: bool,
    /// Whether its oldest item is.
    pub(super) above: bool,
    /// How many items are below the lower edge.
    pub(super) below: usize,
    /// The items that are seen, from the upper edge on.
    pub(super) visible: Vec<Key>,
}

/// Where one reads after going up by so many rows, in a timeline of this size; down, if they are negative. It stops at the oldest
/// item, which is at the upper edge then, and at the end.
pub(crate) fn scrolled(
    scene: &Scene<'_>,
    width: u16,
    height: u16,
    from: Scroll,
    rows: isize,
) -> Scroll {
    let Some(view) = View::new(scene, width) else { return Scroll::End };
    let start = view.anchor(from);
    let place = if rows >= FAR {
        Place { at: 0, hidden: 0 }
    } else if rows >= 0 {
        view.up(start, rows.unsigned_abs())
    } else {
        view.down(start, rows.unsigned_abs())
    };
    view.scroll(view.settled(place, usize::from(height)))
}

/// Where one reads when an item is brought into view: it is in the middle of a timeline of this size, or at the end.
pub(crate) fn showing(scene: &Scene<'_>, width: u16, height: u16, key: Key) -> Scroll {
    let at = Scroll::At { key, hidden: 0 };
    scrolled(scene, width, height, at, -isize::try_from(height / 2).unwrap_or_default())
}

/// Draws the conversation in front.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>) -> Seen {
    let mut seen = Seen { end: true, above: true, ..Seen::default() };
    let Some(view) = View::new(scene, area.width) else { return seen };
    if area.is_empty() {
        return Seen::default();
    }
    let last = view.last();
    let start = view.settled(view.anchor(scene.ui.scroll), usize::from(area.height));
    seen.end = start == (Place { at: last, hidden: 0 });
    seen.below = last - start.at + usize::from(start.hidden > 0);
    let (mut at, mut hidden) = (start.at, start.hidden);
    let mut y = area.bottom();
    while let Some(block) = view.block(at) {
        seen.visible.push(block.item.key);
        let lower = y;
        for row in (0..block.len()).rev().skip(hidden) {
            if y == area.top() {
                break;
            }
            y -= 1;
            view.draw_row(buffer, Rect { y, height: 1, ..area }, &block, row);
        }
        let shown = usize::from(lower - y) + hidden;
        if y == area.top() && (at > 0 || shown < block.len()) {
            seen.above = false;
            break;
        }
        hidden = 0;
        match at.checked_sub(1) {
            Some(before) => at = before,
            None => break,
        }
    }
    seen.visible.reverse();
    seen
}

/// A place in a timeline: the item at the lower edge, and how many rows of its block are below that edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    at: usize,
    hidden: usize,
}

/// An item with the lines above it.
struct Block<'s> {
    item: &'s Item,
    above: Vec<(String, Role)>,
    rows: Vec<Row<'s>>,
}

impl Block<'_> {
    fn len(&self) -> usize {
        self.above.len() + self.rows.len()
    }
}

/// A timeline in one width.
struct View<'s> {
    scene: &'s Scene<'s>,
    conversation: &'s Conversation,
    columns: Columns,
}

impl<'s> View<'s> {
    /// The conversation in front, if there is something in it.
    fn new(scene: &'s Scene<'s>, width: u16) -> Option<Self> {
        let conversation = scene.app.model()?.in_front()?;
        let columns = Columns::new(width, scene.ui.times);
        (!conversation.timeline.is_empty()).then_some(Self { scene, conversation, columns })
    }

    fn last(&self) -> usize {
        self.conversation.timeline.len().saturating_sub(1)
    }

    /// What has gone since was among the oldest.
    fn anchor(&self, scroll: Scroll) -> Place {
        match scroll {
            Scroll::End => Place { at: self.last(), hidden: 0 },
            Scroll::At { key, hidden } => {
                let at = self.conversation.timeline.place(key);
                at.map_or(Place { at: 0, hidden: 0 }, |at| Place { at, hidden })
            }
        }
    }

    fn scroll(&self, place: Place) -> Scroll {
        match self.conversation.timeline.item(place.at) {
            Some(item) if place != (Place { at: self.last(), hidden: 0 }) => {
                Scroll::At { key: item.key, hidden: place.hidden }
            }
            _ => Scroll::End,
        }
    }

    fn up(&self, from: Place, mut rows: usize) -> Place {
        let Place { mut at, mut hidden } = from;
        loop {
            let all = self.height(at);
            let seen = all.saturating_sub(hidden);
            if rows < seen {
                return Place { at, hidden: hidden + rows };
            }
            if at == 0 {
                return Place { at, hidden: all.saturating_sub(1) };
            }
            rows -= seen;
            (at, hidden) = (at - 1, 0);
        }
    }

    fn down(&self, from: Place, mut rows: usize) -> Place {
        let Place { mut at, mut hidden } = from;
        loop {
            if rows <= hidden {
                return Place { at, hidden: hidden - rows };
            }
            if at >= self.last() {
                return Place { at: self.last(), hidden: 0 };
            }
            rows -= hidden;
            at += 1;
            hidden = self.height(at);
        }
    }

    /// The place nearest to this one from which the timeline fills so many rows, as far as there are so many.
    fn settled(&self, place: Place, height: usize) -> Place {
        let at = place.at.min(self.last());
        // The block can have become smaller since; one row of it is seen.
        let hidden = match place.hidden {
            0 => 0,
            hidden => hidden.min(self.height(at).saturating_sub(1)),
        };
        let mut seen = 0;
        for above in (0..=at).rev() {
            let all = self.height(above);
            seen += if above == at { all.saturating_sub(hidden) } else { all };
            if seen >= height {
                return Place { at, hidden };
            }
        }
        self.down(Place { at, hidden }, height - seen)
    }

    fn height(&self, at: usize) -> usize {
        self.block(at).map_or(1, |block| block.len())
    }

    fn block(&self, at: usize) -> Option<Block<'s>> {
        let timeline = &self.conversation.timeline;
        let item = timeline.item(at)?;
        let before = at.checked_sub(1).and_then(|before| timeline.item(before));
        let mut above = Vec::new();
        if before.is_none()
            && let Some(words) = self.oldest()
        {
            above.push((words, Role::Quiet));
        }
        let time = self.scene.time;
        if before.is_none_or(|before| !time.is_same_day(before.time, item.time)) {
            let today = time.is_same_day(self.scene.now, item.time);
            let mut day = if today { "today, ".to_owned() } else { String::new() };
            day.push_str(&time.day(item.time));
            if self.columns.time == Time::None {
                day.push(' ');
                day.push_str(&time.hour_minute(item.time));
            }
            above.push((day, Role::Quiet));
        }
        // What one says oneself is nothing new.
        let own = matches!(&item.body, Body::Speech(speech) if speech.own);
        if !own && before.is_some_and(|before| self.conversation.marker == Some(before.key)) {
            above.push(("new".to_owned(), Role::Unread));
        }
        let rows = rows(item, usize::from(self.columns.text));
        Some(Block { item, above, rows })
    }

    /// What is before the oldest item.
    fn oldest(&self) -> Option<String> {
        match self.conversation.older {
            Older::Unknown if !self.scene.app.is_acknowledged() => None,
            Older::Unknown | Older::More => {
                let keys = keys_of(self.scene, Action::PageUp);
                Some(keys.map_or("there may be older ones".to_owned(), |keys| {
                    format!("{keys} asks for older ones")
                }))
            }
            Older::Asked => Some("asking for older ones …".to_owned()),
            Older::Beginning => Some("the beginning".to_owned()),
        }
    }

    fn draw_row(&self, buffer: &mut Buffer, area: Rect, block: &Block<'_>, row: usize) {
        if let Some((words, role)) = block.above.get(row) {
            return self.draw_line(buffer, area, words, *role);
        }
        let place = row - block.above.len();
        let Some(row) = block.rows.get(place) else { return };
        let Columns { time, name, air, text } = self.columns;
        let style = |role| self.scene.style(role);
        let (x, y) = (area.x, area.y);
        if place == 0 {
            let words = match time {
                Time::None => String::new(),
                Time::Minutes => self.scene.time.hour_minute(block.item.time),
                Time::Seconds => self.scene.time.hour_minute_second(block.item.time),
            };
            put(buffer, (x, y), time.width().saturating_sub(1), &words, style(Role::Quiet));
            if let Body::Speech(speech) = &block.item.body {
                let from = speech.from.as_str();
                let role = if speech.own { Role::Own } else { Role::of_name(from) };
                put_right(buffer, (x + time.width(), y), name, from, style(role));
            }
        }
        let rule = self.columns.rule();
        let (sign, role) = match row.sign {
            _ if self.scene.ui.found == Some(block.item.key) => (FOUND, Role::Selection),
            rule @ (RULE | LOCKED) => (rule, Role::Border),
            '!' => ('!', Role::Alarm),
            sign => (sign, row.role),
        };
        put(buffer, (x + rule, y), 1, sign.encode_utf8(&mut [0; 4]), style(role));
        let text = text.min(area.width.saturating_sub(rule + 1 + air));
        put(buffer, (x + rule + 1 + air, y), text, &row.text, style(row.role));
    }

    /// A line with words in its middle.
    fn draw_line(&self, buffer: &mut Buffer, area: Rect, words: &str, role: Role) {
        let border = if role == Role::Unread { role } else { Role::Border };
        fill(buffer, area, '─', self.scene.style(border));
        let words = shorten(words, area.width.saturating_sub(4));
        let used = width(&words);
        if used == 0 {
            return;
        }
        let x = area.x + (area.width - used) / 2;
        fill(buffer, Rect { x: x - 1, width: used + 2, ..area }, ' ', self.scene.style(Role::Text));
        put(buffer, (x, area.y), used, &words, self.scene.style(role));
    }
}
