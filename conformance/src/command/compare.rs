//! `conformance compare`: two reports side by side, of single runs or of batches.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use clap::Args;
use conformance_kit::escape;
use conformance_suite::{
    Report,
    report::{
        batch::{Batch, Submission},
        compare::{self, Change, Comparison},
        json,
        points::{self, Rubric},
        write,
    },
};
use serde_json::json;

use super::shared::read;

/// Compares two JSON reports: what got better, what got worse, what changed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  conformance compare before.json after.json
  conformance compare before.json after.json --md comment.md
  conformance compare monday.json friday.json        two results of batch --json

Exit codes: 0 nothing got worse, 1 something did, 64 usage.")]
pub(crate) struct CompareArguments {
    /// The earlier report: of --report json=FILE, or of batch --json FILE.
    #[arg(value_name = "A.json")]
    before: PathBuf,
    /// The later one.
    #[arg(value_name = "B.json")]
    after: PathBuf,
    /// Write the differences for a pull request.
    #[arg(long, value_name = "FILE")]
    md: Option<PathBuf>,
    /// Write the differences for programs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// One of the two files.
enum Read {
    Run(Box<Report>),
    Batch(Batch),
}

/// Compares: 0 when nothing got worse, 1 when something did.
pub(crate) fn run(arguments: &CompareArguments) -> anyhow::Result<u8> {
    let read_one = |file: &PathBuf| -> anyhow::Result<Read> {
        let text = read(file)?;
        if let Ok(batch) = serde_json::from_str(&text) {
            return Ok(Read::Batch(batch));
        }
        json::read(&text).map(|report| Read::Run(Box::new(report))).with_context(|| {
            format!("{} is no report of conformance, and no result of batch", file.display())
        })
    };
    let told = match (read_one(&arguments.before)?, read_one(&arguments.after)?) {
        (Read::Run(before), Read::Run(after)) => runs(&before, &after),
        (Read::Batch(before), Read::Batch(after)) => batches(&before, &after),
        _ => anyhow::bail!("one is the report of a run, the other the result of a batch"),
    };
    if let Some(file) = &arguments.md {
        write::atomically(file, told.markdown.as_bytes())?;
    }
    if let Some(file) = &arguments.json {
        let text = serde_json::to_string_pretty(&told.json)? + "\n";
        write::atomically(file, text.as_bytes())?;
    }
    anstream::print!("{}", told.text);
    Ok(u8::from(told.is_worse))
}

/// A comparison in every form.
struct Told {
    text: String,
    markdown: String,
    json: serde_json::Value,
    is_worse: bool,
}

fn runs(before: &Report, after: &Report) -> Told {
    let head = |name: &str, report: &Report| {
        let totals = report.totals();
        let (score, most) = points::sum(&points::points(report, &Rubric::default()));
        format!(
            "{name}  {}: {} passed, {} failed, {} warned, {} blocked, {} inconclusive; {score} of {most} points\n",
            escape::visible(&report.header.target),
            totals.passed,
            totals.failed,
            totals.warned,
            totals.blocked,
            totals.inconclusive
        )
    };
    let found = compare::reports(before, after);
    let rows = found.render("");
    let gap = if rows.is_empty() { "" } else { "\n" };
    let text =
        format!("{}{}{gap}{rows}\n{}\n", head("A", before), head("B", after), found.summary());
    Told {
        text,
        markdown: found.markdown(),
        is_worse: found.count(Change::Worse) > 0,
        json: json!(found),
    }
}

fn batches(before: &Batch, after: &Batch) -> Told {
    let mut text = String::new();
    if before.suite != after.suite {
        let (a, b) = (escape::visible(&before.suite), escape::visible(&after.suite));
        text.push_str(&format!("!  the suites differ: {a} and {b}\n"));
    }
    let mut markdown = "| submission | points before | after | |\n|---|---|---|---|\n".to_owned();
    let mut all = serde_json::Map::new();
    let (mut worse, mut same) = (0, 0);
    let mut names: BTreeMap<&str, [Option<&Submission>; 2]> = BTreeMap::new();
    for one in &before.submissions {
        names.entry(&one.name).or_default()[0] = Some(one);
    }
    for one in &after.submissions {
        names.entry(&one.name).or_default()[1] = Some(one);
    }
    for (name, both) in names {
        let shown = escape::visible(name);
        let [Some(a), Some(b)] = both else {
            let word = if both[0].is_some() { "only in A" } else { "only in B" };
            text.push_str(&format!("{shown}: {word}\n"));
            continue;
        };
        let found = compare::outcomes_of(&a.cases, &b.cases);
        let is_worse =
            found.count(Change::Worse) > 0 || (b.cases.is_empty() && !a.cases.is_empty());
        worse += usize::from(is_worse);
        if is_same(a, b, &found) {
            same += 1;
        } else {
            let summary = found.summary();
            let (before, after) = (score(a), score(b));
            text.push_str(&format!(
                "{shown}: {before} -> {after}; {summary}\n{}",
                found.render("    ")
            ));
            let cell = shown.replace('|', "\\|").replace('<', "&lt;");
            markdown.push_str(&format!("| {cell} | {before} | {after} | {summary} |\n"));
        }
        all.insert(
            name.to_owned(),
            json!({"before": before_after(a), "after": before_after(b), "cases": found}),
        );
    }
    text.push_str(&format!("\n{worse} submissions got worse, {same} are as before.\n"));
    Told { text, markdown, json: all.into(), is_worse: worse > 0 }
}

fn is_same(a: &Submission, b: &Submission, found: &Comparison) -> bool {
    found.differences.is_empty() && score(a) == score(b) && a.outcome == b.outcome
}

fn score(one: &Submission) -> String {
    if one.cases.is_empty() {
        "not judged".to_owned()
    } else {
        format!("{} of {}", one.points, one.of)
    }
}

fn before_after(one: &Submission) -> serde_json::Value {
    json!({"outcome": one.outcome, "points": one.points, "of": one.of})
}
