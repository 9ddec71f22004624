//! The diagram for a browser: an inline drawing without scripts or foreign resources, whose colours are those
//! of the page. Every text goes through the template's escaping.

use std::fmt::Write as _;

use conformance_kit::escape::shorten;
use maud::{Markup, html};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{
    elide::{elide, ends},
    model::{Diagram, Frame, Step, What},
};

/// The column of the times.
const TIMES: usize = 64;
/// The distance of two lanes.
const LANES: usize = 84;
/// The width that a page has room for; the subject stands at its end.
const ROOM: usize = 920;
/// The least distance of the subject from the nearest lane: more lanes scroll.
const LEAST: usize = 440;
/// The space on either side.
const MARGIN: usize = 44;
/// The heads of the lanes.
const HEADS: usize = 46;
/// The height of a line of text, and half the width of a character of it in pixels.
const LINE: usize = 15;
const HALF_CHARACTER: usize = 7;
/// The most lines that the text of an arrow takes.
const MOST_LINES: usize = 3;
/// How long a word is at most that is not broken.
const SHORT_WORD: usize = 20;
/// The most characters of a text that a pointer brings up.
const LONGEST_TITLE: usize = 700;

/// Draws a diagram. `id` is unique on the page.
#[must_use]
pub fn render(diagram: &Diagram, id: &str) -> Markup {
    let places = Places::of(diagram);
    let mut y = HEADS + 8;
    let mut rows = Vec::new();
    for step in &diagram.steps {
        let row = Row::of(&places, step);
        rows.push((y, row));
        y += rows.last().map_or(0, |(_, row)| row.height);
    }
    let height = y + 14;
    let (title, words) = (format!("{id}-sequence"), format!("{id}-steps"));
    html! {
        div.scroll { svg.sequence role="img" aria-labelledby=(format!("{title} {words}"))
            width=(places.width) height=(height) viewBox=(format!("0 0 {} {height}", places.width)) {
            title id=(title) { "What happened, as a sequence" }
            desc id=(words) { (in_words(diagram)) }
            (heads(diagram, &places))
            (lifelines(diagram, &places, &rows, height))
            @for ((y, row), step) in rows.iter().zip(&diagram.steps) {
                g { (draw(&places, step, row, *y)) }
            }
        } }
        @if !diagram.left_out.is_empty() {
            p.meta { "Left out: " (diagram.left_out.join("; ")) "." }
        }
    }
}

/// Where the lanes stand.
struct Places {
    lanes: Vec<usize>,
    subject: usize,
    width: usize,
    /// The distance of the subject from the nearest lane.
    apart: usize,
}

impl Places {
    fn of(diagram: &Diagram) -> Self {
        let count = diagram.lanes.len().max(1);
        let across = LANES * (count - 1);
        let left = TIMES + MARGIN;
        let apart = ROOM.saturating_sub(left + across + MARGIN).max(LEAST);
        let first = if diagram.subject_is_first() { left + apart } else { left };
        Self {
            lanes: (0..count).map(|lane| first + LANES * lane).collect(),
            subject: if diagram.subject_is_first() { left } else { left + across + apart },
            width: left + across + apart + MARGIN,
            apart,
        }
    }

    fn x(&self, lane: Option<usize>) -> usize {
        lane.and_then(|lane| self.lanes.get(lane)).copied().unwrap_or(self.subject)
    }
}

/// The texts of one step, wrapped.
struct Row {
    label: Vec<String>,
    below: String,
    /// Where the arrow is, measured from the top of the row.
    line: usize,
    height: usize,
}

impl Row {
    fn of(places: &Places, step: &Step) -> Self {
        let x = places.x(step.lane);
        let across = if x == places.subject { places.apart } else { x.abs_diff(places.subject) };
        let columns = across.saturating_sub(24) / HALF_CHARACTER;
        let (label, below) = match &step.what {
            What::Frame(frame) => {
                (elide(&frame.text, columns * MOST_LINES - 4), frame.remark.clone())
            }
            What::Missing(wanted) => (wanted.clone(), "never came".to_owned()),
            What::Expected(wanted) => (format!("expected: {wanted}"), String::new()),
            What::Opens(how) => (format!("connects, {how}"), String::new()),
            What::Closes { text, .. } | What::Note(text) => {
                (ends(text, columns * MOST_LINES - 30), String::new())
            }
            What::Fold { count, frames } => (
                format!("... {count} more {}", if *frames { "frames" } else { "steps" }),
                String::new(),
            ),
        };
        let label = wrap(&label, columns);
        let arrow = is_arrow(&step.what);
        let line = if arrow { LINE * label.len() + 4 } else { LINE - 4 };
        let below_line = if below.is_empty() { 10 } else { 22 };
        let height = if arrow { line + below_line } else { LINE * label.len() + 6 };
        Self { label, below, line, height }
    }
}

/// Whether a step goes from one lane to another.
const fn is_arrow(what: &What) -> bool {
    matches!(what, What::Frame(_) | What::Missing(_) | What::Expected(_))
}

fn heads(diagram: &Diagram, places: &Places) -> Markup {
    html! {
        @for (lane, x) in diagram.lanes.iter().zip(&places.lanes) {
            text.head x=(x) y="18" text-anchor="middle" { (shorten(&lane.role, 11)) }
            @if let Some(name) = &lane.name {
                text.small x=(x) y="34" text-anchor="middle" {
                    title { (name) }
                    (shorten(name, 11))
                }
            }
        }
        text.head.subject x=(places.subject) y="18" text-anchor="middle" { (diagram.subject) }
    }
}

/// Each lane as long as its connection is open.
fn lifelines(diagram: &Diagram, places: &Places, rows: &[(usize, Row)], height: usize) -> Markup {
    let bottom = height.saturating_sub(6);
    let line = |x: usize, from: usize, to: usize| format!("M{x} {from}V{to}");
    let mut paths = Vec::new();
    for (lane, x) in places.lanes.iter().enumerate() {
        let own = || diagram.steps.iter().zip(rows).filter(|(step, _)| step.lane == Some(lane));
        let opens = own().next().is_some_and(|(step, _)| matches!(step.what, What::Opens(_)));
        let mut from = (!opens).then_some(HEADS);
        for (step, (y, row)) in own() {
            match step.what {
                What::Closes { .. } => paths.extend(from.take().map(|f| line(*x, f, y + row.line))),
                What::Opens(_) | What::Frame(_) => from = from.or(Some(y + row.line)),
                _ => {}
            }
        }
        paths.extend(from.map(|from| line(*x, from, bottom)));
    }
    html! {
        @for path in paths { path.life d=(path) {} }
        path.life.subject d=(line(places.subject, HEADS, bottom)) {}
    }
}

fn draw(places: &Places, step: &Step, row: &Row, top: usize) -> Markup {
    let (x, subject, y) = (places.x(step.lane), places.subject, top + row.line);
    html! {
        text.time x=(TIMES - 6) y=(y) text-anchor="end" { (time(step.at)) }
        @match &step.what {
            What::Frame(frame) => (frame_arrow(frame, x, subject, y))
            What::Missing(_) => {
                path.missing d=(format!("M{subject} {y}H{x}")) {}
                path.cross d=(cross(x, y)) {}
            }
            What::Expected(_) if x != subject => path.missing d=(format!("M{subject} {y}H{x}")) {}
            What::Opens(_) => circle.opens cx=(x) cy=(y) r="4" {},
            What::Closes { .. } => path.ends d=(cross(x, y)) {},
            What::Note(_) => circle.note cx=(x) cy=(y) r="2.5" {},
            _ => {}
        }
        (label(places, step, row, top))
        @if !row.below.is_empty() {
            text.small.missing[matches!(step.what, What::Missing(_))] x=(x.min(subject) + 12) y=(y + 13) {
                (row.below)
            }
        }
    }
}

fn frame_arrow(frame: &Frame, x: usize, subject: usize, y: usize) -> Markup {
    let (from, to) = if frame.from_suite { (x, subject) } else { (subject, x) };
    let back = if to > from { to.saturating_sub(9) } else { to + 9 };
    let class = if frame.from_suite { "sent" } else { "received" };
    html! {
        title { (shorten(&frame.text, LONGEST_TITLE)) }
        path.(class).telling[frame.telling] d=(format!("M{from} {y}H{back}")) {}
        path.(class).point d=(format!("M{to} {y}L{back} {}V{}Z", y.saturating_sub(5), y + 5)) {}
    }
}

/// The text over an arrow, or beside what belongs to one lane alone.
fn label(places: &Places, step: &Step, row: &Row, top: usize) -> Markup {
    let x = places.x(step.lane);
    let class = match step.what {
        What::Missing(_) | What::Expected(_) => "missing",
        What::Frame(_) => "frame",
        _ => "small",
    };
    // Beside what stands at the right edge there is room on one side only.
    let edge = places.lanes.iter().copied().chain([places.subject]).max();
    let left = edge == Some(x);
    let across = is_arrow(&step.what) && x != places.subject;
    let (at, anchor) = if across {
        (x.min(places.subject) + 12, "start")
    } else if left {
        (x.saturating_sub(12), "end")
    } else {
        (x + 12, "start")
    };
    html! {
        @for (n, line) in row.label.iter().enumerate() {
            text.label.(class) x=(at) y=(top + LINE * (n + 1) - 2) text-anchor=(anchor) { (line) }
        }
    }
}

fn cross(x: usize, y: usize) -> String {
    let (left, right, up, down) = (x.saturating_sub(5), x + 5, y.saturating_sub(5), y + 5);
    format!("M{left} {up}L{right} {down}M{left} {down}L{right} {up}")
}

fn time(micros: u64) -> String {
    match micros {
        0..100_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        100_000..10_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

/// Breaks a text into a few lines of so many columns, between words where there are any.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text.chars() {
        if line.width() + c.width().unwrap_or(0) > columns {
            if lines.len() + 1 == MOST_LINES {
                line.push_str("...");
                break;
            }
            let word = line.rfind(' ').map_or(line.len(), |at| at + 1);
            let rest =
                if line.len() - word < SHORT_WORD { line.split_off(word) } else { String::new() };
            lines.push(std::mem::replace(&mut line, rest));
        }
        line.push(c);
    }
    lines.push(line);
    lines
}

/// The same for whoever can't see it.
fn in_words(diagram: &Diagram) -> String {
    let mut words = String::new();
    for step in &diagram.steps {
        let lane = step.lane.and_then(|lane| diagram.lanes.get(lane));
        let role = lane.map_or(diagram.subject, |lane| lane.role.as_str());
        let subject = diagram.subject;
        // Writing to a String can't fail.
        let _ = match &step.what {
            What::Frame(frame) => {
                let text = elide(&frame.text, 160);
                let (from, to) = if frame.from_suite { (role, subject) } else { (subject, role) };
                write!(words, "{from} to {to}: {text} ({}). ", frame.remark)
            }
            What::Missing(wanted) => write!(words, "Never came: {}. ", elide(wanted, 160)),
            What::Expected(wanted) => write!(words, "Expected: {}. ", elide(wanted, 160)),
            What::Opens(how) => write!(words, "{role} connects, {how}. "),
            What::Closes { text, .. } | What::Note(text) => {
                write!(words, "{role}: {}. ", elide(text, 160))
            }
            What::Fold { count, .. } => write!(words, "{count} more. "),
        };
    }
    words
}
