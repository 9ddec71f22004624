//! What grading a server and grading a client have in common: runs are repeated, held against
//! expectations, and reported. However a run ends, it leaves reports: those of an earlier run would be
//! taken for its own.

use std::path::Path;

use anyhow::Context as _;
use conformance_kit::escape;
use conformance_suite::{
    Options, Pattern, Report,
    case::Row,
    cases,
    report::{
        Trouble, console,
        expect::Expectations,
        json,
        points::{self, Rubric},
        repeat, write,
    },
    run::plan,
};

use super::{
    interrupt::{self, Interrupted},
    progress::Progress,
    say::{self, Stream},
    shared::{Reports, USAGE, read, rubric},
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
    /// The report of an earlier run from which the cases are taken.
    pub(super) failed: Option<&'a Path>,
    /// The subject, as the user named it.
    pub(super) target: String,
    /// The command that repeats the run.
    pub(super) command: String,
    /// The cases that these options ask for.
    pub(super) plan: fn(&Options) -> Vec<&'static Row>,
}

/// Why a subject could not be judged, and how the program ends then.
pub(super) struct Failure {
    /// The reason, harmless on a terminal.
    pub(super) text: String,
    /// The end of what the subject printed; escaped.
    pub(super) printed: String,
    pub(super) hint: Option<&'static str>,
    pub(super) exit_code: u8,
}

impl Failure {
    pub(super) fn tell(&self) {
        say::aside(format_args!("conformance: {}", self.text));
        if !self.printed.trim().is_empty() {
            say::aside("it printed:");
            for line in self.printed.trim_end().lines() {
                // Indented, so that no line of it can be taken for one of ours or for a command.
                say::aside(format_args!("  | {}", escape::visible(line)));
            }
        }
        if let Some(hint) = self.hint {
            say::aside(format_args!("hint: {hint}"));
        }
    }
}

impl Grading<'_> {
    /// Judges, writes the reports, and gives the exit code.
    pub(super) fn run<S>(
        &self,
        prepare: impl FnOnce() -> anyhow::Result<(S, Options)>,
        judge: impl AsyncFnMut(&S, &Options, &mut Progress<'_>) -> Result<Report, Failure>,
    ) -> anyhow::Result<u8> {
        let rubric = rubric(self.reports);
        let prepared = self.expectations().and_then(|expected| Ok((expected, prepare()?)));
        match (rubric, prepared) {
            (Ok(rubric), Ok((expected, (subject, options)))) => {
                self.judge(&subject, &options, &rubric, &expected, judge)
            }
            (Err(error), _) | (_, Err(error)) => {
                let options = Options { command: self.command.clone(), ..Options::default() };
                let trouble = Trouble::new(format!("{error:#}"), USAGE);
                let report = self.nothing(&options, trouble);
                // What was to be repeated is kept for the next try.
                let earlier = |file: &Path| self.failed.is_some_and(|failed| failed == file);
                let mut outputs = self.reports.outputs.clone();
                let contested = self.reports.on_standard_output() > 1;
                let contested = |file: &Path| contested && write::is_standard_output(file);
                outputs.retain(|output| !earlier(&output.file) && !contested(&output.file));
                leave(write::all(&outputs, &report, &Rubric::default(), write::Progress::Done));
                Err(error)
            }
        }
    }

    fn judge<S>(
        &self,
        subject: &S,
        options: &Options,
        rubric: &Rubric,
        expected: &Expectations,
        mut judge: impl AsyncFnMut(&S, &Options, &mut Progress<'_>) -> Result<Report, Failure>,
    ) -> anyhow::Result<u8> {
        let outputs = &self.reports.outputs;
        // Whatever ends the program from here on, no report of an earlier run is left.
        let begun = Trouble::new("the run was cut short before its first case", 2);
        let begun = self.nothing(options, begun);
        write::all(outputs, &begun, rubric, write::Progress::Going)
            .context("can't write a report")?;
        let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
        let mut reports = Vec::new();
        for _ in 0..self.repeat {
            let mut progress = Progress::new(outputs, rubric);
            let judged = judge(subject, options, &mut progress);
            match interrupt::block_on(&runtime, judged) {
                Ok(Ok(report)) => reports.push(report),
                Ok(Err(failure)) => {
                    let mut trouble = Trouble::new(&failure.text, failure.exit_code);
                    trouble.hint = failure.hint.map(str::to_owned);
                    let mut report = self.cut_short(reports, options, trouble);
                    report.output.clone_from(&failure.printed);
                    failure.tell();
                    leave(write::all(outputs, &report, rubric, write::Progress::Done));
                    return Ok(failure.exit_code);
                }
                Err(interrupted) => {
                    let trouble = Trouble::new("the run was interrupted", Interrupted::EXIT);
                    reports.extend(progress.into_report());
                    let report = self.cut_short(reports, options, trouble);
                    leave(write::all(outputs, &report, rubric, write::Progress::Done));
                    return Err(interrupted);
                }
            }
        }
        let mut report = repeat::merge(reports).context("nothing was run")?;
        let started = report.header.started;
        expected.apply(&mut report, started);
        if let Some(folder) = self.transcripts {
            write::transcripts(folder, &report)?;
        }
        publish(&report, self.reports, rubric)
    }

    fn expectations(&self) -> anyhow::Result<Expectations> {
        let Some(file) = self.expect else { return Ok(Expectations::default()) };
        Expectations::parse(&read(file)?)
            .with_context(|| format!("{} is no list of expectations", file.display()))
    }

    /// The report of a run that judged nothing.
    fn nothing(&self, options: &Options, trouble: Trouble) -> Report {
        let header = plan::header(&self.target, options);
        Report::of_trouble(header, &(self.plan)(options), trouble)
    }

    /// The report of what was judged before something came in between.
    fn cut_short(&self, reports: Vec<Report>, options: &Options, trouble: Trouble) -> Report {
        match repeat::merge(reports) {
            Some(report) => Report { trouble: Some(trouble), ..report },
            None => self.nothing(options, trouble),
        }
    }
}

/// A report that can't be written is told, where something worse is told already.
fn leave(written: std::io::Result<()>) {
    if let Err(error) = written {
        say::aside(format_args!("conformance: can't write a report: {error}"));
    }
}

/// The cases to run: those that were asked for; of those, with an earlier report, the ones that did not
/// pass in it.
pub(super) fn selection(only: &[String], failed: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let mut only = only.to_vec();
    if let Some(file) = failed {
        let earlier = json::read(&read(file)?)
            .with_context(|| format!("{} is no report of this suite", file.display()))?;
        let wanted = Pattern::parse_list(&only)?;
        let is_wanted = |id: &str| {
            let row = cases::find(id);
            wanted.is_empty()
                || row.is_some_and(|row| wanted.iter().any(|pattern| pattern.matches(row)))
        };
        let again = earlier.cases.iter().filter(|case| !case.verdict.carries());
        only = again.map(|case| case.id.clone()).filter(|id| is_wanted(id)).collect();
        anyhow::ensure!(!only.is_empty(), "nothing of that failed in {}", file.display());
    }
    Ok(only)
}

/// Renders an earlier report again.
pub(crate) fn replay(file: &Path, reports: &Reports) -> anyhow::Result<u8> {
    let report = json::read(&read(file)?)
        .with_context(|| format!("{} is no report of this suite", file.display()))?;
    publish(&report, reports, &rubric(reports)?)
}

/// Writes the whole report wherever it goes, and tells people what is in it.
fn publish(report: &Report, reports: &Reports, rubric: &Rubric) -> anyhow::Result<u8> {
    let written = write::all(&reports.outputs, report, rubric, write::Progress::Done);
    let stream = if reports.take_standard_output() { Stream::Error } else { Stream::Output };
    stream.print(console::render(report))?;
    if reports.rubric.is_some() {
        let (score, most) = points::sum(&points::points(report, rubric));
        stream.print(format_args!("{score} of {most} points.\n"))?;
    }
    written.context("can't write a report")?;
    Ok(report.exit_code())
}
