//! Layout: which part of the screen is where. Nothing here draws.

use ratatui::layout::Rect;

use super::ui::Ui;

/// From this width on there is a list of conversations.
const CONVERSATIONS_FROM: u16 = 80;

/// From this width on there is a list of people, and more room for the conversations.
const PEOPLE_FROM: u16 = 110;

/// Below this height there are the timeline and the input only.
const ROWS_FOR_ALL: u16 = 8;

/// The input has so many rows at most.
const INPUT: u16 = 5;

/// Whether a screen of so many columns has the list of conversations.
pub(super) fn shows_conversations(columns: u16, ui: &Ui) -> bool {
    ui.conversations.unwrap_or(columns >= CONVERSATIONS_FROM)
}

/// Whether people can stand beside the timeline of a screen of so many columns.
pub(super) fn has_room_for_people(columns: u16) -> bool {
    columns >= PEOPLE_FROM
}

/// Whether a screen of so many columns has the list of people.
pub(super) fn shows_people(columns: u16, ui: &Ui) -> bool {
    ui.people.unwrap_or(has_room_for_people(columns))
}

/// Whether a timeline of so many columns has times.
pub(super) fn shows_times(columns: u16, ui: &Ui) -> bool {
    Columns::new(columns, ui.times).time != Time::None
}

/// The parts of the screen; one that is not shown is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Layout {
    pub(super) title: Rect,
    pub(super) conversations: Rect,
    pub(super) timeline: Rect,
    pub(super) people: Rect,
    pub(super) status: Rect,
    pub(super) input: Rect,
}

impl Layout {
    /// The layout of a screen whose input would like to have so many rows, and what is told in the place of the status so many.
    pub(super) fn new(screen: Rect, ui: &Ui, input: usize, told: u16) -> Self {
        let bars = u16::from(screen.height >= ROWS_FOR_ALL);
        // The timeline keeps more rows than the input.
        let most = INPUT.min(screen.height.saturating_sub(2 * bars) / 2).max(1);
        let input = u16::try_from(input).unwrap_or(most).clamp(1, most).min(screen.height);
        let (rest, input) = below(screen, input);
        // What is told takes its rows from the timeline, so that the end of that is seen above it; one row is left if there are two.
        let most = rest.height.saturating_sub(bars + 1).max(1);
        let (rest, status) = below(rest, told.max(bars).min(most));
        let title = Rect { height: bars.min(rest.height), ..rest };
        let body = Rect { y: rest.y + title.height, height: rest.height - title.height, ..rest };
        let mut layout = Self { title, status, input, timeline: body, ..Self::default() };
        let wide = has_room_for_people(screen.width);
        if bars > 0 && shows_conversations(screen.width, ui) {
            let width = if wide { 22 } else { 16 }.min(body.width / 2);
            layout.conversations = Rect { width, ..body };
            layout.timeline = behind(body, width);
        }
        if bars > 0 && shows_people(screen.width, ui) {
            let width = 18.min(body.width / 2);
            layout.people = Rect { x: body.right() - width, width, ..body };
            // Where there is little room they stand over the timeline, which stays as it is.
            if wide {
                layout.timeline.width = layout.timeline.width.saturating_sub(width + 1);
            }
        }
        layout
    }
}

/// What is above the last so many rows, and those.
fn below(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let above = Rect { height: area.height - rows, ..area };
    (above, Rect { y: above.bottom(), height: rows, ..area })
}

/// What is behind the first so many columns and the line at their edge.
fn behind(area: Rect, columns: u16) -> Rect {
    let columns = columns.saturating_add(1).min(area.width);
    Rect { x: area.x + columns, width: area.width - columns, ..area }
}

/// The columns of the timeline. They depend on its own width, so a pane that is taken away gives them its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    /// How the time is written.
    pub(super) time: Time,
    /// The columns of the name.
    pub(super) name: u16,
    /// The blanks on both sides of the rule.
    pub(super) air: u16,
    /// The columns of the text.
    pub(super) text: u16,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// Not at all; it stands in the line between two days.
    None,
    /// `22:13`
    Minutes,
    /// `22:13:20`
    Seconds,
}

impl Time {
    /// The columns of it, with the blank behind it.
    pub(super) fn width(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Minutes => 6,
            Self::Seconds => 9,
        }
    }
}

impl Columns {
    pub(super) fn new(width: u16, times: Option<bool>) -> Self {
        let (time, name, air) = match width {
            0..50 => (Time::Minutes, 8, 0),
            50..84 => (Time::Minutes, 12, 0),
            _ => (Time::Seconds, 16, 1),
        };
        let time = if times.unwrap_or(width >= 50) { time } else { Time::None };
        // A text needs more than the rest.
        let time = if width < time.width() + name + 13 { Time::None } else { time };
        let name = name.min(width.saturating_sub(1) / 3);
        let text = width.saturating_sub(time.width() + name + 1 + 2 * air).max(1);
        Self { time, name, air, text }
    }

    /// The column of the rule, counted from the left edge of the timeline.
    pub(super) fn rule(self) -> u16 {
        self.time.width() + self.name + self.air
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_those_of_the_design_and_leave_room_for_the_text() {
        for (width, times, time, name, text) in [
            // The timelines of screens of 40, 50, 80, 110 and 200 columns.
            (40, None, Time::None, 8, 31),
            (50, None, Time::Minutes, 12, 31),
            (63, None, Time::Minutes, 12, 44),
            (68, None, Time::Minutes, 12, 49),
            (158, None, Time::Seconds, 16, 130),
            (40, Some(true), Time::Minutes, 8, 25),
            (158, Some(false), Time::None, 16, 139),
            // What is too narrow for times has none, even if they are asked for.
            (20, Some(true), Time::None, 6, 13),
            (1, None, Time::None, 0, 1),
        ] {
            let columns = Columns::new(width, times);
            let Columns { air, .. } = columns;
            assert_eq!(columns, Columns { time, name, air, text }, "{width} {times:?}");
        }
        for width in 4..300 {
            let columns = Columns::new(width, Some(true));
            assert!(columns.rule() + 1 + columns.air + columns.text <= width, "{width}");
        }
    }
}
