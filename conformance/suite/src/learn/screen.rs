//! What a student is shown: how far they have come, and the one stage that comes next. It makes sense
//! without colour; whoever prints it decides whether the escapes stay.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use conformance_kit::escape::{shorten, visible, visible_lines};

use super::{
    findings::Findings,
    path::Path,
    progress::{Progress, State, to_show},
    stage::{Line, Stage},
    wrap::wrap,
};
use crate::{case::Side, report::CaseResult, verdict::Verdict};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default();
const WIRE: Style = AnsiColor::Cyan.on_default();
const STRONG: Style = Style::new().bold();

/// How much of either side of a mismatch is shown.
const LONGEST_SIDE: usize = 700;
/// How many lines of what the subject printed are shown, and how long they may be.
const LAST_LINES: usize = 15;
const LONGEST_LINE: usize = 200;

/// The subject could not be spoken to at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoStart {
    /// The reason, such as `it has ended`; escaped.
    pub reason: String,
    /// The end of what it printed; escaped.
    pub printed: String,
}

/// All that is shown of one walk along a path.
pub struct Screen<'a> {
    /// The path.
    pub path: &'a Path,
    /// The command or address of the subject.
    pub subject: &'a str,
    /// How far it has come.
    pub progress: &'a Progress,
    /// What was found out.
    pub findings: &'a Findings,
    /// Why nothing was found out.
    pub no_start: Option<&'a NoStart>,
    /// SHOULD counts like MUST.
    pub strict: bool,
    /// The command that asks one case.
    pub again: &'a dyn Fn(&str) -> String,
    /// The command that grades the whole subject.
    pub grade: &'a str,
}

impl Screen<'_> {
    /// Renders it with ANSI styles.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a String can't fail, here and below.
        let _ = writeln!(
            out,
            "{STRONG}Your {}, step by step{STRONG:#}  {}\n",
            self.word(),
            shorten(&visible(self.subject), LONGEST_LINE)
        );
        self.marks(&mut out);
        match self.progress.current() {
            None => self.all_done(&mut out),
            Some(at) => {
                let Some(stage) = self.path.stages.get(at) else { return out };
                self.stage(&mut out, at, stage);
            }
        }
        out
    }

    const fn word(&self) -> &'static str {
        match self.path.side {
            Side::Server => "server",
            Side::Client => "client",
        }
    }

    /// A mark for every stage, in lines of a bearable length.
    fn marks(&self, out: &mut String) {
        let current = self.progress.current();
        let mut column = 0;
        for (at, (stage, state)) in self.path.stages.iter().zip(&self.progress.states).enumerate() {
            let (mark, style) = match state {
                State::Done => ("x", GOOD),
                State::Broken => ("!", BAD),
                State::Open | State::Unseen if current == Some(at) => (">", STRONG),
                State::Open | State::Unseen => (" ", Style::new()),
            };
            let width = stage.id.len() + 6;
            if column + width > 92 {
                out.push('\n');
                column = 0;
            }
            let space = if column == 0 { "" } else { "  " };
            column += width;
            let _ = write!(out, "{space}{style}[{mark}] {}{style:#}", stage.id);
        }
        let done = self.progress.states.iter().filter(|state| **state == State::Done).count();
        let _ = writeln!(out, "\n{done} of {} stages done.", self.path.stages.len());
    }

    fn stage(&self, out: &mut String, at: usize, stage: &Stage) {
        let broken = self.progress.states.get(at) == Some(&State::Broken);
        let (number, all) = (at + 1, self.path.stages.len());
        if broken {
            let _ = writeln!(
                out,
                "\n{BAD}Stage {number} of {all} was done, and is broken again: {}{BAD:#}\n",
                stage.title
            );
        } else {
            let _ = writeln!(
                out,
                "\n{STRONG}Stage {number} of {all}, {}: {}{STRONG:#}\n",
                stage.id, stage.title
            );
        }
        describe(out, stage);
        if let Some(no_start) = self.no_start {
            self.nothing_runs(out, no_start);
            return;
        }
        match to_show(self.path, at, self.findings, self.strict) {
            Some(case) => self.failure(out, at, case),
            None => {
                let _ = writeln!(
                    out,
                    "{ODD}Not every case of this stage was asked: the time was over before.{ODD:#}"
                );
            }
        }
    }

    fn nothing_runs(&self, out: &mut String, no_start: &NoStart) {
        let (expected, often) = match self.path.side {
            Side::Server => (
                "a server that is started, listens, and goes on running",
                "The program ends at once, or listens at another port than the one of its command line: {port} is filled in there.",
            ),
            Side::Client => (
                "a program that can be started",
                "The command does not work when you type it yourself either.",
            ),
        };
        let _ = writeln!(out, "{BAD}Not yet:{BAD:#} your {} can't be spoken to", self.word());
        field(out, "expected", expected);
        field(out, "actual", &shorten(&visible(&no_start.reason), LONGEST_SIDE));
        field(out, "often", often);
        self.printed(out, &no_start.printed, "printed");
    }

    fn failure(&self, out: &mut String, at: usize, case: &CaseResult) {
        let cases = self.path.cases(at, self.strict);
        let passed = cases
            .iter()
            .filter(|row| self.findings.case(row.id).is_some_and(|case| case.verdict.carries()))
            .count();
        let broken = self.progress.states.get(at) == Some(&State::Broken);
        let word = if broken { "No longer" } else { "Not yet" };
        let reading =
            if case.literal { " (by the letter of the assignment; no points)" } else { "" };
        let _ = writeln!(
            out,
            "{BAD}{word}:{BAD:#} {STRONG}{}{STRONG:#}  {}{reading}; {passed} of {} of this stage pass",
            visible(&case.id),
            visible(&case.title),
            cases.len()
        );
        match &case.verdict {
            Verdict::Fail(mismatch) => {
                field(out, "expected", &shorten(&visible(&mismatch.expected), LONGEST_SIDE));
                field(out, "actual", &shorten(&visible(&mismatch.actual), LONGEST_SIDE));
            }
            Verdict::Inconclusive { reason } => {
                field(out, "unclear", &shorten(&visible(reason), LONGEST_SIDE));
            }
            Verdict::Blocked { by } => field(out, "waits", &format!("for {}", visible(by))),
            Verdict::Pass | Verdict::Observed { .. } | Verdict::NotApplicable { .. } => {}
        }
        if !case.hint.is_empty() {
            field(out, "often", &visible(&case.hint));
        }
        // What was printed in another case would lead astray.
        if !case.printed.trim().is_empty() {
            self.printed(out, &case.printed, "printed meanwhile");
        }
        // Commands stay on one line, so that they can be copied.
        let _ = writeln!(out, "  again     {}", visible(&(self.again)(&case.id)));
    }

    fn printed(&self, out: &mut String, text: &str, when: &str) {
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        let _ = writeln!(out, "  your {} {when}", self.word());
        // A line that comes again and again must not push the exception out of sight.
        let mut lines: Vec<(&str, usize)> = Vec::new();
        for line in text.lines() {
            match lines.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => lines.push((line, 1)),
            }
        }
        for (line, times) in lines.iter().skip(lines.len().saturating_sub(LAST_LINES)) {
            let times = if *times > 1 { format!("  ({times} times)") } else { String::new() };
            // Indented, so that no line of it can be taken for one of ours or for a command.
            let line = shorten(&visible_lines(line), LONGEST_LINE);
            let _ = writeln!(out, "    | {line}{times}");
        }
    }

    fn all_done(&self, out: &mut String) {
        let kept = if self.strict { "MUST and every SHOULD" } else { "MUST" };
        let _ = writeln!(
            out,
            "\n{GOOD}Congratulations: all stages are done. Your {} keeps every {kept} that was asked.{GOOD:#}",
            self.word()
        );
        let extras = (0..self.path.stages.len()).flat_map(|at| self.path.extras(at));
        let missing: Vec<_> = extras
            .filter_map(|row| self.findings.case(row.id))
            .filter(|case| !case.verdict.carries())
            .collect();
        if !missing.is_empty() {
            let _ = writeln!(
                out,
                "\n{STRONG}Also good to have{STRONG:#} (no points depend on it; --strict makes it part of the stages)"
            );
            for case in missing {
                let word = match &case.verdict {
                    Verdict::Blocked { by } => format!(" (waits for {})", visible(by)),
                    Verdict::Inconclusive { .. } => " (unclear)".to_owned(),
                    _ => String::new(),
                };
                let _ = writeln!(
                    out,
                    "  {ODD}{:27}{ODD:#} {}{word}",
                    visible(&case.id),
                    visible(&case.title)
                );
            }
        }
        let _ = writeln!(out, "\nThe whole grading, with all that was left out here:");
        let _ = writeln!(out, "  {}", visible(self.grade));
    }
}

/// A stage as it is shown before it is done.
fn describe(out: &mut String, stage: &Stage) {
    for paragraph in stage.asks {
        out.push_str(&wrap(paragraph, "", ""));
        out.push('\n');
    }
    let _ = writeln!(out, "{STRONG}On the wire{STRONG:#} (length in hexadecimal, then the body)");
    let ends = stage.wire.iter().filter_map(Line::ends);
    let width = ends.map(|(from, to)| from.len() + to.len() + 4).max().unwrap_or_default();
    for line in stage.wire {
        let _ = match line.ends() {
            Some((from, to)) => {
                let ends = format!("{from} -> {to}");
                writeln!(out, "  {ends:width$}  {WIRE}{}{WIRE:#}", line.text())
            }
            None => writeln!(out, "  {}", line.text()),
        };
    }
    let _ = writeln!(out, "\n{STRONG}How{STRONG:#}");
    for way in stage.how {
        let (text, code) = way.split_once('\n').unwrap_or((way, ""));
        out.push_str(&wrap(text, "  - ", "    "));
        // Code stays as it is, so that it can be copied.
        for line in code.lines() {
            let _ = writeln!(out, "      {line}");
        }
    }
    out.push('\n');
}

fn field(out: &mut String, name: &str, text: &str) {
    out.push_str(&wrap(text, &format!("  {name:8}  "), "            "));
}

/// The whole path: what each stage asks, and its cases.
#[must_use]
pub fn outline(path: &Path) -> String {
    let mut out = String::new();
    for (at, stage) in path.stages.iter().enumerate() {
        let (id, title) = (stage.id, stage.title);
        let _ = writeln!(out, "{STRONG}{:2} {id:10}{STRONG:#}  {title}", at + 1);
        for (word, rows) in [("MUST", path.cases(at, false)), ("SHOULD", path.extras(at))] {
            if !rows.is_empty() {
                let ids: Vec<&str> = rows.iter().map(|row| row.id).collect();
                out.push_str(&wrap(&ids.join(" "), &format!("   {word:10}  "), "               "));
            }
        }
    }
    out
}
