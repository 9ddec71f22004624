//! Two runs side by side: what got better, what got worse, and why the two can't simply be compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use conformance_kit::escape::{shorten, visible};
use serde::{Deserialize, Serialize};

use super::{CaseResult, Report};
use crate::{cases, clause::Level, verdict::Verdict};

/// The most characters of an observed value that are shown.
const LONGEST_VALUE: usize = 60;

/// What one case came to, without its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The case.
    pub id: String,
    /// Its revision.
    pub revision: u16,
    /// How binding it is.
    pub level: Level,
    /// The verdict in a word.
    pub verdict: String,
    /// What was observed, where nothing is demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl From<&CaseResult> for Outcome {
    fn from(case: &CaseResult) -> Self {
        let value = match &case.verdict {
            Verdict::Observed { value, .. } => Some(value.clone()),
            _ => None,
        };
        Self {
            id: case.id.clone(),
            revision: case.revision,
            level: case.level,
            verdict: case.verdict.word().to_owned(),
            value,
        }
    }
}

/// How one case differs between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It came out worse.
    Worse,
    /// It came out better.
    Better,
    /// It came out otherwise, neither better nor worse.
    Changed,
    /// Only the second run has it.
    New,
    /// Only the first run has it.
    Removed,
}

impl Change {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Worse, "worse"),
        (Self::Better, "better"),
        (Self::Changed, "changed"),
        (Self::New, "new"),
        (Self::Removed, "removed"),
    ];
}

/// One case that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The case.
    pub id: String,
    /// How it differs.
    pub change: Change,
    /// What it came to in the first run.
    pub before: Option<Outcome>,
    /// What it came to in the second.
    pub after: Option<Outcome>,
}

/// What two runs have and don't have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Why the two can't simply be compared.
    pub remarks: Vec<String>,
    /// The cases that differ, the worse ones first.
    pub differences: Vec<Difference>,
    /// How many cases are as they were.
    pub same: usize,
}

/// Compares two reports.
#[must_use]
pub fn reports(before: &Report, after: &Report) -> Comparison {
    let outcomes = |report: &Report| report.cases.iter().map(Outcome::from).collect::<Vec<_>>();
    let mut comparison = outcomes_of(&outcomes(before), &outcomes(after));
    let (a, b) = (&before.header, &after.header);
    let mut remark = |what: &str, a: &str, b: &str| {
        if a != b {
            comparison.remarks.push(format!("{what} differ: {} and {}", visible(a), visible(b)));
        }
    };
    remark("the suites", &a.suite, &b.suite);
    remark("the editions of the norm", &a.edition, &b.edition);
    remark("the settings of --strict", &a.strict.to_string(), &b.strict.to_string());
    for (which, report) in [("A", before), ("B", after)] {
        if let Some(trouble) = &report.trouble {
            let what = visible(&trouble.line());
            comparison.remarks.push(format!("{which} did not come to its end: {what}"));
        }
    }
    comparison
}

/// Compares what cases came to.
#[must_use]
pub fn outcomes_of(before: &[Outcome], after: &[Outcome]) -> Comparison {
    let index = |outcomes: &[Outcome]| -> BTreeMap<String, Outcome> {
        outcomes.iter().map(|outcome| (outcome.id.clone(), outcome.clone())).collect()
    };
    let (before, after) = (index(before), index(after));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut comparison = Comparison::default();
    let mut revised = Vec::new();
    for id in ids {
        let (a, b) = (before.get(id), after.get(id));
        if let (Some(a), Some(b)) = (a, b)
            && a.revision != b.revision
        {
            revised.push(format!("{} ({} and {})", visible(id), a.revision, b.revision));
        }
        match change(a, b) {
            None => comparison.same += 1,
            Some(change) => comparison.differences.push(Difference {
                id: id.clone(),
                change,
                before: a.cloned(),
                after: b.cloned(),
            }),
        }
    }
    if !revised.is_empty() {
        comparison.remarks.push(format!(
            "these cases judge by another revision, and may differ for that alone: {}",
            revised.join(", ")
        ));
    }
    comparison.differences.sort_by_key(|difference| difference.change);
    comparison
}

fn change(before: Option<&Outcome>, after: Option<&Outcome>) -> Option<Change> {
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => (before, after),
        (None, _) => return Some(Change::New),
        (_, None) => return Some(Change::Removed),
    };
    match (rank(&before.verdict), rank(&after.verdict)) {
        (Some(a), Some(b)) if b < a => Some(Change::Worse),
        (Some(a), Some(b)) if b > a => Some(Change::Better),
        _ if before.verdict == after.verdict && before.value == after.value => None,
        _ => Some(Change::Changed),
    }
}

/// How good a verdict is; what nothing is demanded of is neither.
fn rank(verdict: &str) -> Option<u8> {
    match verdict {
        "pass" => Some(2),
        "blocked" | "inconclusive" => Some(1),
        "fail" => Some(0),
        _ => None,
    }
}

impl Comparison {
    /// How many cases differ in this way.
    #[must_use]
    pub fn count(&self, change: Change) -> usize {
        self.differences.iter().filter(|difference| difference.change == change).count()
    }

    /// Renders the differences for a person, each line behind `indent`.
    #[must_use]
    pub fn render(&self, indent: &str) -> String {
        let mut out = String::new();
        // Writing to a String can't fail.
        for remark in &self.remarks {
            let _ = writeln!(out, "{indent}!  {remark}");
        }
        for (change, word) in Change::ALL {
            let of = self.differences.iter().filter(|difference| difference.change == change);
            for difference in of {
                let _ = writeln!(out, "{indent}{word:8} {}", line(difference));
            }
        }
        out
    }

    /// How many cases differ how, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = Change::ALL.iter().map(|(change, word)| (self.count(*change), *word));
        let mut parts: Vec<String> =
            counts.filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        parts.push(format!("{} as before", self.same));
        parts.join(", ")
    }

    /// Renders the differences as a table for pull requests.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("{}\n", self.summary());
        for remark in &self.remarks {
            let _ = writeln!(out, "\n> {}", cell(remark));
        }
        if !self.differences.is_empty() {
            out.push_str("\n| | case | level | before | after |\n|---|---|---|---|---|\n");
        }
        for difference in &self.differences {
            let word = Change::ALL.iter().find(|(change, _)| *change == difference.change);
            let shown = |outcome: &Option<Outcome>| outcome.as_ref().map_or(String::new(), came_to);
            let level = difference.after.as_ref().or(difference.before.as_ref()).map(|o| o.level);
            let _ = writeln!(
                out,
                "| {} | `{}` | {} | {} | {} |",
                word.map_or("", |(_, word)| word),
                cell(&difference.id),
                level.map_or(String::new(), |level| level.to_string()),
                cell(&shown(&difference.before)),
                cell(&shown(&difference.after)),
            );
        }
        out
    }
}

fn line(difference: &Difference) -> String {
    let id = visible(&difference.id);
    let title = cases::find(&difference.id).map_or("", |case| case.title);
    let came_to = |outcome: &Option<Outcome>| outcome.as_ref().map_or(String::new(), came_to);
    let (before, after) = (came_to(&difference.before), came_to(&difference.after));
    let level = difference.after.as_ref().or(difference.before.as_ref()).map(|o| o.level);
    let level = level.map_or(String::new(), |level| level.to_string());
    let how = match difference.change {
        Change::New => after,
        Change::Removed => before,
        _ => format!("{before} -> {after}"),
    };
    format!("{level:6} {id:26} {how:20} {title}").trim_end().to_owned()
}

fn came_to(outcome: &Outcome) -> String {
    match &outcome.value {
        Some(value) => format!("{:?}", shorten(&visible(value), LONGEST_VALUE)),
        None => visible(&outcome.verdict),
    }
}

/// A text in a table of Markdown.
fn cell(text: &str) -> String {
    visible(text).replace('|', "\\|").replace('`', "'").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(id: &str, verdict: &str, value: Option<&str>) -> Outcome {
        let value = value.map(str::to_owned);
        Outcome { id: id.into(), revision: 1, level: Level::Must, verdict: verdict.into(), value }
    }

    fn compare(a: &str, b: &str) -> Vec<Change> {
        let comparison = outcomes_of(&[outcome("x", a, None)], &[outcome("x", b, None)]);
        comparison.differences.into_iter().map(|difference| difference.change).collect()
    }

    #[test]
    fn a_verdict_gets_better_or_worse_or_only_other() {
        assert_eq!(compare("pass", "fail"), [Change::Worse]);
        assert_eq!(compare("pass", "blocked"), [Change::Worse]);
        assert_eq!(compare("blocked", "fail"), [Change::Worse]);
        assert_eq!(compare("fail", "inconclusive"), [Change::Better]);
        assert_eq!(compare("blocked", "pass"), [Change::Better]);
        assert_eq!(compare("blocked", "inconclusive"), [Change::Changed]);
        assert_eq!(compare("pass", "not-applicable"), [Change::Changed]);
        assert_eq!(compare("fail", "fail"), []);
    }

    #[test]
    fn values_revisions_and_lists_of_cases_differ() {
        let before = [outcome("a", "observed", Some("yes")), outcome("b", "pass", None)];
        let mut after = [outcome("a", "observed", Some("no")), outcome("c", "pass", None)];
        after[0].revision = 2;
        let comparison = outcomes_of(&before, &after);
        let changes: Vec<_> = comparison.differences.iter().map(|d| d.change).collect();
        assert_eq!(changes, [Change::Changed, Change::New, Change::Removed]);
        assert!(comparison.remarks[0].contains("a (1 and 2)"), "{:?}", comparison.remarks);
        let text = comparison.render("  ");
        assert!(text.contains("\"yes\" -> \"no\""), "{text}");
        assert_eq!(comparison.summary(), "1 changed, 1 new, 1 removed, 0 as before");
    }

    #[test]
    fn a_report_that_lies_does_nothing_to_a_terminal_or_a_table() {
        let hostile = outcome("\u{1b}[31m|`<b>", "pass", None);
        let comparison = outcomes_of(&[], &[hostile]);
        let (text, table) = (comparison.render(""), comparison.markdown());
        assert!(!text.contains('\u{1b}') && !table.contains('\u{1b}') && !table.contains("<b>"));
        assert!(table.contains("[31m\\|'&lt;b>"), "{table}");
    }
}
