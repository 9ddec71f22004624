//! Longer notices: results of commands, pages of history, what becomes of the connection.

use std::fmt::{self, Write as _};
use std::time::Duration;

use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::commands::Outcome;

use super::output::{ALARM, Pen, QUIET, Wire};
use super::table::Table;

/// More lines of one result are not shown to a person.
const RESULT_LINES: usize = 1000;

pub(super) fn write_result(
    out: &mut String,
    pen: &Pen,
    command: &str,
    outcome: &Outcome,
    table: Option<&Table>,
) -> fmt::Result {
    let text = outcome.text.as_wire();
    // The text of a table of several lines is the table again.
    let several = text.trim_end().contains('\n');
    let mut first = true;
    if table.is_none() || !several {
        for line in text.trim_end().lines().take(RESULT_LINES) {
            if !first {
                out.push('\n');
            }
            let line = ScreenText::new(line);
            if outcome.ok {
                pen.write(out, QUIET, format_args!("* {line}"))?;
            } else if first {
                let command = ScreenText::new(command);
                pen.write(out, ALARM, format_args!("! {command}: {line}"))?;
            } else {
                pen.write(out, ALARM, format_args!("! {line}"))?;
            }
            first = false;
        }
    }
    for line in table.map(Table::lines).unwrap_or_default() {
        if !first {
            out.push('\n');
        }
        write!(out, "  {line}")?;
        first = false;
    }
    Ok(())
}

pub(super) fn write_page(
    out: &mut String,
    pen: &Pen,
    with: &Wire,
    count: usize,
    more: bool,
) -> fmt::Result {
    let whose = if with.as_wire() == chatterbox_proto::ALL {
        String::new()
    } else {
        format!(" with {}", with.screen())
    };
    let count = plural(count, "message");
    let rest = if more { "/history again shows older ones" } else { "that was the beginning" };
    pen.write(out, QUIET, format_args!("* history{whose}: {count}; {rest}"))
}

pub(super) fn write_lost(
    out: &mut String,
    pen: &Pen,
    why: &str,
    wait: Duration,
    waiting: usize,
) -> fmt::Result {
    let tenths = wait.as_millis().div_ceil(100);
    let wait = if tenths < 10 {
        format!("0.{tenths} s")
    } else {
        format!("{} s", wait.as_millis().div_ceil(1000))
    };
    let kept = match waiting {
        0 => String::new(),
        1 => " (1 message is kept)".to_owned(),
        more => format!(" ({more} messages are kept)"),
    };
    pen.write(out, ALARM, format_args!("-- {why}; trying again in {wait}{kept}"))
}

pub(super) fn write_back(
    out: &mut String,
    pen: &Pen,
    missed: usize,
    complete: bool,
) -> fmt::Result {
    let what = match (missed, complete) {
        (0, true) => "nothing was missed".to_owned(),
        (1, true) => "1 message was missed:".to_owned(),
        (missed, true) => format!("{missed} messages were missed:"),
        (0, false) => "what was said meanwhile is not known".to_owned(),
        (_, false) => "what was said meanwhile may be more than this:".to_owned(),
    };
    pen.write(out, QUIET, format_args!("-- back; {what}"))
}

pub(super) fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
