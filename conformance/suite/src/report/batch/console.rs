//! The table of a batch for a terminal, and a line for each submission while it goes on.

use std::fmt::Write as _;

use conformance_kit::escape::{shorten, visible};
use unicode_width::UnicodeWidthStr as _;

use super::results::{Batch, Outcome, Submission};

/// The most columns of a name.
const LONGEST_NAME: usize = 32;
/// The most characters of a remark in the line of a submission.
const LONGEST_REMARK: usize = 160;

/// What became of one submission, in a line.
#[must_use]
pub fn progress(done: usize, all: usize, one: &Submission) -> String {
    let name = visible(&one.name);
    let first = one.first_failed.as_deref().map(|id| format!(", first {}", visible(id)));
    let judged = format!(
        "{} of {} points, {} MUST failed{}, {}",
        one.points,
        one.of,
        one.must_failed,
        first.unwrap_or_default(),
        seconds(one)
    );
    let text = match one.outcome {
        Outcome::Judged => judged,
        Outcome::CutShort => format!("cut short: {judged}"),
        Outcome::NotJudged => format!("not judged: {}", remark(one)),
    };
    format!("[{done}/{all}] {name}: {text}")
}

/// Renders the table.
#[must_use]
pub fn render(batch: &Batch) -> String {
    let mut out = String::new();
    let names = batch.submissions.iter().map(|one| name(one).width());
    let width = names.max().unwrap_or(0).max("submission".len());
    // Writing to a String can't fail.
    let _ = writeln!(
        out,
        "{:width$}  {:>13}  {:>18}  {:>7}  {:24} remarks",
        "submission", "points", "MUST pass/fail/open", "time", "first failing"
    );
    for one in &batch.submissions {
        let name = name(one);
        let pad = " ".repeat(width - name.width());
        let (points, must) = match one.outcome {
            Outcome::NotJudged => ("-".to_owned(), "-".to_owned()),
            _ => (
                format!("{} of {}", one.points, one.of),
                format!("{}/{}/{}", one.must_passed, one.must_failed, one.must_open),
            ),
        };
        let word = match one.outcome {
            Outcome::Judged => "",
            Outcome::CutShort => "cut short: ",
            Outcome::NotJudged => "not judged: ",
        };
        let first = visible(one.first_failed.as_deref().unwrap_or("-"));
        let line = format!(
            "{name}{pad}  {points:>13}  {must:>19}  {:>7}  {first:24} {word}{}",
            seconds(one),
            remark(one)
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let count = |outcome| batch.submissions.iter().filter(|one| one.outcome == outcome).count();
    let _ = write!(out, "\n{} submissions judged", count(Outcome::Judged));
    for (outcome, word) in [(Outcome::CutShort, "cut short"), (Outcome::NotJudged, "not judged")] {
        if count(outcome) > 0 {
            let _ = write!(out, ", {} {word}", count(outcome));
        }
    }
    out.push_str(".\n");
    out
}

fn name(one: &Submission) -> String {
    shorten(&visible(&one.name), LONGEST_NAME)
}

fn remark(one: &Submission) -> String {
    shorten(&visible(&one.remarks.join("; ")), LONGEST_REMARK)
}

fn seconds(one: &Submission) -> String {
    format!("{}.{} s", one.took_ms / 1_000, one.took_ms % 1_000 / 100)
}
