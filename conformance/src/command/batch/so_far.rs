//! What a run has found until now: it may be cut short at any moment, and what it knew counts.

use std::sync::{Arc, Mutex, PoisonError};

use conformance_suite::{CaseResult, Report, case::Row, report::Header, run::Watch};

/// Holds the results of a run; clones hold the same.
#[derive(Clone, Default)]
pub(super) struct SoFar(Arc<Mutex<Option<Report>>>);

impl SoFar {
    /// The report of what was found; `None` when the run had not begun.
    pub(super) fn take(&self) -> Option<Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Watch for SoFar {
    fn begins(&mut self, header: &Header, cases: &[&'static Row]) {
        let reason = "the run was cut short before this case".to_owned();
        let report = Report::unjudged(header.clone(), cases, reason);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    fn done(&mut self, result: &CaseResult) {
        let mut report = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(report) = report.as_mut() {
            report.enter(result);
        }
    }
}
