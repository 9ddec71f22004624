//! What a run leaves while it goes on: lines on the terminal, and reports that are complete enough
//! when the run is cut short.

use std::io::IsTerminal as _;

use conformance_suite::{
    CaseResult, Report,
    case::Row,
    report::{Header, console, format::Output, points::Rubric, write},
    run::Watch,
};

use super::say;

/// Shows and writes what is known so far.
pub(crate) struct Progress<'a> {
    outputs: &'a [Output],
    rubric: &'a Rubric,
    so_far: Option<Report>,
    live: bool,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(outputs: &'a [Output], rubric: &'a Rubric) -> Self {
        let live = std::io::stderr().is_terminal();
        Self { outputs, rubric, so_far: None, live }
    }

    /// The report of what was judged; nothing when the run did not come to its first case.
    pub(crate) fn into_report(self) -> Option<Report> {
        self.so_far
    }
}

impl Watch for Progress<'_> {
    fn begins(&mut self, header: &Header, cases: &[&'static Row]) {
        let reason = "the run has not come to this case".to_owned();
        self.so_far = Some(Report::unjudged(header.clone(), cases, reason));
    }

    fn done(&mut self, result: &CaseResult) {
        let Some(report) = &mut self.so_far else { return };
        if self.live {
            say::aside(console::line(result, report.header.strict));
        }
        report.enter(result);
        // A disk that is full is told at the end, once.
        let _ = write::all(self.outputs, report, self.rubric, write::Progress::Going);
    }
}
