//! The diagram for a terminal: a column for each lane, and beside it what an arrow carries. It makes sense
//! without colour, and is never wider than [`WIDTH`].

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{
    elide::{elide, ends},
    fold,
    model::{Diagram, Frame, Step, What},
};

/// The most columns of a line.
pub const WIDTH: usize = 106;
/// The most steps: a failure has to fit a screen with the words around it.
const MOST_STEPS: usize = 12;
/// The most columns of the name of a lane.
const LONGEST_ROLE: usize = 9;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The text, without a line break.
    pub text: String,
    /// Whether it shows what never came.
    pub missing: bool,
}

/// Draws a diagram in a few lines.
#[must_use]
pub fn lines(diagram: &Diagram) -> Vec<Line> {
    let diagram = compact(diagram.clone());
    let columns = Columns::of(&diagram);
    let mut open = vec![false; diagram.lanes.len()];
    // A lane whose beginning is not shown was there from the beginning.
    for (lane, is_open) in open.iter_mut().enumerate() {
        let first = diagram.steps.iter().find(|step| step.lane == Some(lane));
        *is_open = first.is_some_and(|step| !matches!(step.what, What::Opens(_)));
    }
    let mut lines = vec![Line { text: columns.heads(), missing: false }];
    for step in &diagram.steps {
        lines.push(row(&columns, &mut open, step));
    }
    lines
}

/// Leaves out what a short picture can do without.
fn compact(mut diagram: Diagram) -> Diagram {
    let spoken: Vec<bool> = (0..diagram.lanes.len())
        .map(|lane| {
            let frame = |step: &Step| matches!(step.what, What::Frame(_));
            diagram.steps.iter().any(|step| step.lane == Some(lane) && frame(step))
        })
        .collect();
    diagram.steps.retain(|step| {
        let spoken = step.lane.and_then(|lane| spoken.get(lane).copied()).unwrap_or(false);
        // The command is in the report already.
        let starts =
            step.lane.is_none() && matches!(&step.what, What::Note(t) if t.starts_with("starts: "));
        !(starts || matches!(step.what, What::Opens(_)) && spoken)
    });
    if diagram.steps.len() > MOST_STEPS {
        merge_joins(&mut diagram);
    }
    if diagram.steps.len() > MOST_STEPS && !is_about_notices(&diagram) {
        let notice =
            |step: &Step| matches!(&step.what, What::Frame(frame) if fold::is_notice(frame));
        diagram.steps.retain(|step| !notice(step));
    }
    fold::shorten(&mut diagram.steps, MOST_STEPS);
    diagram
}

/// Whether the question was who joined or left.
fn is_about_notices(diagram: &Diagram) -> bool {
    let about = |text: &str| text.contains("USERS_");
    diagram.steps.iter().any(|step| match &step.what {
        What::Missing(text) | What::Expected(text) => about(text),
        _ => false,
    })
}

/// Tells of a name that was asked for and accepted in one line.
fn merge_joins(diagram: &mut Diagram) {
    let mut at = 0;
    while at + 1 < diagram.steps.len() {
        let joined = match (diagram.steps.get(at), diagram.steps.get(at + 1)) {
            (Some(asks), Some(answer)) if asks.lane == answer.lane => joins(asks, answer),
            _ => None,
        };
        if let (Some(name), Some(step)) = (joined, diagram.steps.get_mut(at)) {
            step.what = What::Note(format!("joins as {name}"));
            diagram.steps.remove(at + 1);
        }
        at += 1;
    }
}

fn joins(asks: &Step, answer: &Step) -> Option<String> {
    let (What::Frame(asks), What::Frame(answer)) = (&asks.what, &answer.what) else { return None };
    let value = |frame: &Frame| serde_json::from_str::<serde_json::Value>(&frame.text).ok();
    let name = value(asks)?.get("USERNAME")?.as_str()?.to_owned();
    let accepted = value(answer)?.get("USERNAME_ACCEPTED")?.as_bool()?;
    (accepted && asks.from_suite != answer.from_suite).then(|| elide(&name, 30))
}

/// Where each lane stands.
struct Columns {
    names: Vec<String>,
    /// The column of each lane, and of the subject.
    lanes: Vec<usize>,
    subject: usize,
    width: usize,
}

impl Columns {
    fn of(diagram: &Diagram) -> Self {
        let role = |role: &str| {
            let mut name = String::new();
            let fits = |name: &str, c: char| name.width() + c.width().unwrap_or(0) <= LONGEST_ROLE;
            for c in role.chars() {
                if !fits(&name, c) {
                    break;
                }
                name.push(c);
            }
            name
        };
        let mut all: Vec<String> = diagram.lanes.iter().map(|lane| role(&lane.role)).collect();
        let first = diagram.subject_is_first();
        all.insert(if first { 0 } else { all.len() }, diagram.subject.to_owned());
        let mut columns = Vec::new();
        let mut width = 0;
        for name in &all {
            let room = name.width().max(4) + 2;
            columns.push(width + room / 2);
            width += room;
        }
        let width = columns.last().map_or(0, |last| last + 1);
        let subject = if first { columns.remove(0) } else { columns.pop().unwrap_or(0) };
        Self { names: all, lanes: columns, subject, width }
    }

    fn heads(&self) -> String {
        let mut line = String::new();
        for name in &self.names {
            let room = name.width().max(4) + 2;
            let before = (room - name.width()) / 2;
            line.push_str(&" ".repeat(before));
            line.push_str(name);
            line.push_str(&" ".repeat(room - name.width() - before));
        }
        line.trim_end().to_owned()
    }
}

fn row(columns: &Columns, open: &mut [bool], step: &Step) -> Line {
    let mut cells = vec![' '; columns.width];
    let mut put = |at: usize, c: char| {
        if let Some(cell) = cells.get_mut(at) {
            *cell = c;
        }
    };
    put(columns.subject, '|');
    for (lane, column) in columns.lanes.iter().enumerate() {
        if open.get(lane).copied().unwrap_or(false) {
            put(*column, '|');
        }
    }
    let own = step.lane.and_then(|lane| columns.lanes.get(lane)).copied();
    let at = own.unwrap_or(columns.subject);
    let mut missing = false;
    let mut text = match &step.what {
        What::Frame(frame) => {
            let (from, to) =
                if frame.from_suite { (at, columns.subject) } else { (columns.subject, at) };
            // What the failure speaks of stands out.
            let dash = if frame.telling && !frame.from_suite { '=' } else { '-' };
            arrow(&mut put, from, to, [dash, dash], true);
            // How the suite cuts its frames is the question of some cases; a subject may do it as it likes.
            let telling = if frame.from_suite { [", ", "the "] } else { ["never came", "read as"] };
            let remark = if telling.iter().any(|word| frame.remark.contains(word)) {
                format!("  ({})", frame.remark)
            } else {
                String::new()
            };
            let room = room(columns).saturating_sub(remark.width());
            format!("{}{remark}", fit(&elide(&frame.text, room), room))
        }
        What::Missing(wanted) => {
            missing = true;
            arrow(&mut put, columns.subject, at, ['-', ' '], false);
            put(at, 'x');
            let end = "  (never came)";
            format!("{}{end}", fit(wanted, room(columns).saturating_sub(end.len())))
        }
        What::Expected(wanted) => {
            missing = true;
            arrow(&mut put, columns.subject, at, ['-', ' '], false);
            put(at, '?');
            fit(&format!("expected: {wanted}"), room(columns))
        }
        What::Opens(how) => {
            put(at, 'o');
            format!("connects, {how}")
        }
        What::Closes { text, .. } => {
            put(at, 'x');
            ends(text, room(columns))
        }
        What::Note(text) => {
            put(at, '*');
            ends(text, room(columns))
        }
        What::Fold { count, frames } => {
            let lanes: Vec<usize> = match own {
                Some(own) => vec![own],
                None => columns.lanes.iter().copied().chain([columns.subject]).collect(),
            };
            lanes.into_iter().for_each(|column| put(column, ':'));
            format!("... {count} more {}", if *frames { "frames" } else { "steps" })
        }
    };
    if let (Some(lane), What::Closes { .. }) = (step.lane, &step.what)
        && let Some(open) = open.get_mut(lane)
    {
        *open = false;
    }
    if let (Some(lane), What::Opens(_) | What::Note(_) | What::Frame(_)) = (step.lane, &step.what)
        && let Some(open) = open.get_mut(lane)
    {
        *open = true;
    }
    text = fit(&text, room(columns));
    let lanes: String = cells.into_iter().collect();
    Line { text: format!("{lanes}  {text}").trim_end().to_owned(), missing }
}

/// Draws from one column to another.
fn arrow(put: &mut impl FnMut(usize, char), from: usize, to: usize, dash: [char; 2], head: bool) {
    let (left, right) = (from.min(to), from.max(to));
    for (n, column) in (left + 1..right).enumerate() {
        put(column, if n % 2 == 0 { dash[0] } else { dash[1] });
    }
    if head {
        if to > from { put(to.saturating_sub(1), '>') } else { put(to + 1, '<') }
    }
}

/// The columns that are left for texts.
const fn room(columns: &Columns) -> usize {
    let left = WIDTH.saturating_sub(columns.width + 2);
    if left < 24 { 24 } else { left }
}

/// Cuts a text to so many columns.
fn fit(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut width = 0;
    for c in text.chars() {
        width += c.width().unwrap_or(0);
        if width + 3 > room {
            break;
        }
        cut.push(c);
    }
    cut.push_str("...");
    cut
}
