//! The title row and the status row.

use chatterbox_app::{Target, wrap};
use chatterbox_proto::ScreenText;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::cells::{fill, put, put_right, shorten, width};
use super::help::keys_of;
use super::names::{count_of, name_of};
use super::scene::Scene;
use super::theme::Role;
use crate::keymap::Action;
use crate::session::Security;

/// A text of somebody else in one of the rows has so many characters at most.
const TEXT: usize = 300;

/// From so few characters on that are left of a message, their number is shown.
const LEFT: usize = 100;

/// From this width on a file has a bar.
const WIDE: u16 = 110;

/// A hint has so many rows at most.
const HINT_ROWS: u16 = 3;

/// Draws the title: what is in front, and what is unread elsewhere where no list says it.
pub(super) fn draw_title(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, listed: bool) {
    let Some(model) = scene.app.model().filter(|_| !area.is_empty()) else { return };
    let unread = if listed { String::new() } else { unread_elsewhere(scene, area.width / 2) };
    let unread_width = width(&unread);
    put_right(buffer, (area.x, area.y), area.width, &unread, scene.style(Role::Unread));
    let left = area.width.saturating_sub(if unread_width > 0 { unread_width + 2 } else { 0 });
    let topic = model.in_front().map(|front| front.topic.as_str()).unwrap_or_default();
    let (name, about) = match model.front() {
        Target::Lobby if topic.is_empty() => (name_of(model.front()), "everybody"),
        Target::User(_) => (name_of(model.front()), "private"),
        Target::Lobby | Target::Room(_) => (name_of(model.front()), topic),
    };
    let bold = scene.style(Role::Text).add_modifier(Modifier::BOLD);
    let used = put(buffer, (area.x, area.y), left, &shorten(name.as_str(), left), bold);
    let room = left.saturating_sub(used + 2);
    let about = ScreenText::shortened(about, TEXT);
    let about = shorten(about.as_str(), room);
    put(buffer, (area.x + used + 2, area.y), room, &about, scene.style(Role::Quiet));
}

/// `@bob 1! · #games 4`: mentions first.
fn unread_elsewhere(scene: &Scene<'_>, most: u16) -> String {
    let Some(model) = scene.app.model() else { return String::new() };
    let behind = || {
        let others = model.conversations().iter();
        others.filter(|one| one.unread > 0 && !one.is_at(model.front()))
    };
    let mut words = String::new();
    let first = behind().filter(|one| one.mentions > 0);
    for one in first.chain(behind().filter(|one| one.mentions == 0)) {
        let name = name_of(&one.target);
        let name = shorten(name.as_str(), 16);
        let before = if words.is_empty() { "" } else { " · " };
        let next = format!("{before}{name} {}", count_of(one));
        if width(&words) + width(&next) > most {
            if width(&words) + 2 <= most {
                words.push_str(" …");
            }
            break;
        }
        words.push_str(&next);
    }
    words
}

/// A part of the status row.
struct Part {
    text: String,
    alarm: bool,
    /// Those with the highest number go first where there is no room; with 0 it stays.
    rank: u8,
    /// The blanks before it.
    gap: u16,
}

impl Part {
    fn new(text: impl Into<String>, rank: u8) -> Self {
        Self { text: text.into(), alarm: false, rank, gap: 2 }
    }

    fn alarm(text: impl Into<String>) -> Self {
        Self { alarm: true, ..Self::new(text, 0) }
    }
}

/// Draws the status: who one is, how the connection is, and how much is below; or the hint.
pub(super) fn draw_status(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, below: usize) {
    if area.is_empty() {
        return;
    }
    if let Some(hint) = &scene.ui.hint {
        return draw_hint(buffer, area, scene, hint);
    }
    let bar = scene.style(Role::Bar);
    fill(buffer, area, ' ', bar);
    let help = keys_of(scene, Action::Help).map(|keys| format!("{keys} help")).unwrap_or_default();
    let mut parts = parts(scene, below, area.width);
    parts.push(Part::new(help.clone(), 9));
    let needed = |parts: &[Part]| {
        parts
            .iter()
            .fold(0_u16, |sum, part| sum.saturating_add(width(&part.text)).saturating_add(part.gap))
    };
    while needed(&parts) > area.width.saturating_add(1) {
        let Some(least) = parts.iter().map(|part| part.rank).max().filter(|rank| *rank > 0) else {
            break;
        };
        parts.retain(|part| part.rank != least);
    }
    let mut x = area.x + 1;
    for (place, part) in parts.into_iter().enumerate() {
        let gap = if place > 0 { part.gap } else { 0 };
        x = x.saturating_add(gap).min(area.right());
        let left = area.right() - x;
        let style = if part.alarm { alarm_on(bar, scene) } else { bar };
        if part.text == help {
            put_right(buffer, (x, area.y), left.saturating_sub(1), &help, style);
        } else {
            x += put(buffer, (x, area.y), left, &shorten(&part.text, left), style);
        }
    }
}

/// Draws the hint; one that is too long for the row has more of them.
fn draw_hint(buffer: &mut Buffer, area: Rect, scene: &Scene<'_>, hint: &str) {
    let bar = scene.style(Role::Bar).add_modifier(Modifier::BOLD);
    fill(buffer, area, ' ', bar);
    let hint = ScreenText::shortened(hint, TEXT);
    let room = area.width.saturating_sub(1);
    for (row, y) in wrap(hint.as_str(), usize::from(room)).into_iter().zip(area.y..area.bottom()) {
        put(buffer, (area.x + 1, y), room, row, bar);
    }
}

/// How many rows it takes to tell the hint, or that the connection is lost; none if there is nothing to tell.
pub(super) fn told(scene: &Scene<'_>, width: u16) -> u16 {
    let Some(hint) = &scene.ui.hint else { return u16::from(scene.link.lost.is_some()) };
    let hint = ScreenText::shortened(hint, TEXT);
    let rows = wrap(hint.as_str(), usize::from(width.saturating_sub(1))).len();
    u16::try_from(rows).unwrap_or(HINT_ROWS).clamp(1, HINT_ROWS)
}

/// The colour of an alarm as the ground of the words, with the bar reversed or not.
fn alarm_on(bar: Style, scene: &Scene<'_>) -> Style {
    let alarm = scene.style(Role::Alarm).add_modifier(Modifier::BOLD);
    // Where the bar is reversed, so is the alarm in it: its colour is the ground.
    bar.patch(alarm.add_modifier(bar.add_modifier | Modifier::REVERSED))
        .bg(alarm.bg.unwrap_or_default())
}

fn parts(scene: &Scene<'_>, below: usize, room: u16) -> Vec<Part> {
    let mut parts = Vec::new();
    let server = ScreenText::shortened(&scene.link.server, TEXT);
    match scene.app.me() {
        Some(me) => {
            let me = ScreenText::shortened(me, TEXT);
            let me = shorten(me.as_str(), 20);
            parts.push(Part::new(me, 3));
            let on = format!("on {}", shorten(server.as_str(), 40));
            parts.push(Part { gap: 1, ..Part::new(on, 7) });
        }
        None => parts.push(Part::new(shorten(server.as_str(), 40), 3)),
    }
    parts.push(match scene.link.security {
        Security::Tls => Part::new("TLS", 2),
        Security::Unverified => Part::alarm("TLS unverified"),
        Security::Plaintext => Part::alarm("PLAINTEXT"),
    });
    match (&scene.link.lost, scene.link.latency) {
        (Some((why, next)), _) => {
            let why = ScreenText::shortened(why, 60);
            let mut words = "lost".to_owned();
            // When the next try is matters more than why.
            if !why.as_str().is_empty() && room >= 70 {
                words.push_str(": ");
                words.push_str(&shorten(why.as_str(), 40));
            }
            if let Some(next) = next {
                let wait = next.saturating_duration_since(scene.instant).as_secs_f64().ceil();
                words.push_str(&format!(", next try in {wait:.0} s"));
            }
            let kept = scene.app.unanswered();
            if kept > 0 {
                words.push_str(&format!(", {kept} kept"));
            }
            parts.push(Part::alarm(words));
        }
        (None, Some(latency)) => {
            let words = match latency.as_millis() {
                ms @ 0..1000 => format!("{ms} ms"),
                _ => format!("{:.1} s", latency.as_secs_f64()),
            };
            parts.push(Part::new(words, 5));
        }
        (None, None) => {}
    }
    parts.extend(transfers(scene, room));
    parts.extend(room_left(scene));
    if below > 0 {
        let keys = keys_of(scene, Action::Newest).map(|keys| format!(" ({keys})"));
        parts.push(Part::new(format!("{below} below{}", keys.unwrap_or_default()), 1));
    }
    parts
}

/// How far files are, with bars where there is room.
fn transfers(scene: &Scene<'_>, room: u16) -> Option<Part> {
    let all = scene.app.transfers();
    let (first, more) = all.split_first()?;
    let mut words = if room >= WIDE { first.bar() } else { first.short() };
    if !more.is_empty() {
        words.push_str(&format!(" (and {} more)", more.len()));
    }
    Some(Part::new(words, 1))
}

/// How many characters are left of those that a message may have, when there are few, or how many are too many.
fn room_left(scene: &Scene<'_>) -> Option<Part> {
    let typing = &scene.ui.typing;
    let text = typing.composer().text();
    let most = scene.app.most_of(text).filter(|_| typing.is_chat() && !text.is_empty())?;
    let typed = text.chars().count();
    match most.checked_sub(typed) {
        Some(left) if left > LEFT.min(most / 5) => None,
        Some(left) => Some(Part::new(format!("{left} left"), 1)),
        None => Some(Part::alarm(format!("{} too many", typed - most))),
    }
}
