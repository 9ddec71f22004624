//! What grading a server and grading a client have in common: runs are repeated, held against
//! expectations, and reported.

use std::path::Path;

use anyhow::Context as _;
use conformance_suite::{
    Report,
    report::{
        console,
        expect::Expectations,
        json,
        points::{self, Rubric},
        repeat, write,
    },
};

use super::{
    interrupt,
    progress::Progress,
    shared::{Reports, read, rubric},
};

/// How a grading goes on, whoever is judged.
pub(super) struct Grading<'a> {
    /// How often everything runs.
    pub(super) repeat: u16,
    pub(super) reports: &'a Reports,
    /// The list of known failures.
    pub(super) expect: Option<&'a Path>,
    /// The folder for what happened in cases that did not pass.
    pub(super) transcripts: Option<&'a Path>,
}

/// Why a subject could not be judged, and how the program ends then.
pub(super) struct Failure {
    /// The reason, harmless on a terminal.
    pub(super) text: String,
    pub(super) hint: Option<&'static str>,
    pub(super) exit_code: u8,
}

impl Grading<'_> {
    /// Judges, writes the reports, and gives the exit code.
    pub(super) fn run<O>(
        &self,
        options: impl FnOnce() -> anyhow::Result<O>,
        mut judge: impl AsyncFnMut(&O, &mut Progress<'_>) -> Result<Report, Failure>,
    ) -> anyhow::Result<u8> {
        let rubric = rubric(self.reports)?;
        let expectations = match self.expect {
            Some(file) => Expectations::parse(&read(file)?)
                .with_context(|| format!("{} is no list of expectations", file.display()))?,
            None => Expectations::default(),
        };
        let options = options()?;
        let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
        let mut reports = Vec::new();
        for _ in 0..self.repeat {
            let mut progress = Progress::new(&self.reports.outputs, &rubric);
            match interrupt::block_on(&runtime, judge(&options, &mut progress))? {
                Ok(report) => reports.push(report),
                Err(failure) => {
                    anstream::eprintln!("conformance: {}", failure.text);
                    if let Some(hint) = failure.hint {
                        anstream::eprintln!("hint: {hint}");
                    }
                    return Ok(failure.exit_code);
                }
            }
        }
        let mut report = repeat::merge(reports).context("nothing was run")?;
        let started = report.header.started;
        expectations.apply(&mut report, started);
        if let Some(folder) = self.transcripts {
            write::transcripts(folder, &report)?;
        }
        publish(&report, self.reports, &rubric)
    }
}

/// The cases to run: those that were asked for, and those that did not pass in an earlier report.
pub(super) fn selection(only: &[String], failed: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let mut only = only.to_vec();
    if let Some(file) = failed {
        let earlier = json::read(&read(file)?)
            .with_context(|| format!("{} is no report of this suite", file.display()))?;
        let again = earlier.cases.iter().filter(|case| !case.verdict.carries());
        let before = only.len();
        only.extend(again.map(|case| case.id.clone()));
        anyhow::ensure!(only.len() > before, "nothing failed in {}", file.display());
    }
    Ok(only)
}

/// Renders an earlier report again.
pub(crate) fn replay(file: &Path, reports: &Reports) -> anyhow::Result<u8> {
    let report = json::read(&read(file)?)
        .with_context(|| format!("{} is no report of this suite", file.display()))?;
    publish(&report, reports, &rubric(reports)?)
}

fn publish(report: &Report, reports: &Reports, rubric: &Rubric) -> anyhow::Result<u8> {
    write::all(&reports.outputs, report, rubric).context("can't write a report")?;
    anstream::print!("{}", console::render(report));
    if reports.rubric.is_some() {
        let (score, most) = points::sum(&points::points(report, rubric));
        anstream::println!("{score} of {most} points.");
    }
    Ok(report.exit_code())
}
