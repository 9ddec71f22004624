//! A line on the terminal that says what is being asked, and goes away.

use std::io::{IsTerminal as _, Write as _};

use conformance_suite::{CaseResult, case::Row, report::Header, run::Watch};

/// Shown on a terminal only.
pub(super) struct ProgressLine {
    live: bool,
    what: String,
    cases: usize,
    done: usize,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        let live = std::io::stderr().is_terminal();
        Self { live, what: String::new(), cases: 0, done: 0 }
    }

    /// The name of what is asked from now on.
    pub(super) fn names(&mut self, what: String) {
        (self.what, self.cases, self.done) = (what, 0, 0);
        self.show();
    }

    /// Takes the line away.
    fn clear(&self) {
        self.write("\r\u{1b}[K");
    }

    fn show(&self) {
        let count =
            if self.cases > 0 { format!(" {}/{}", self.done, self.cases) } else { String::new() };
        self.write(&format!("\r\u{1b}[K{}{count} ...", self.what));
    }

    fn write(&self, text: &str) {
        if self.live {
            // A terminal that is gone needs no progress.
            let mut stderr = std::io::stderr();
            let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        }
    }
}

/// An interrupt drops whatever is under way.
impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Watch for ProgressLine {
    fn begins(&mut self, _: &Header, cases: &[&'static Row]) {
        self.cases = cases.len();
        self.show();
    }

    fn done(&mut self, _: &CaseResult) {
        self.done += 1;
        self.show();
    }
}
