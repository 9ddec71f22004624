//! What was found out so far, over the runs of one walk along a path.

use std::collections::BTreeMap;

use crate::{
    report::{CaseResult, Report},
    verdict::Verdict,
};

/// The result of every case that was asked.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    results: BTreeMap<String, CaseResult>,
}

impl Findings {
    /// Adds a run. A case that was asked before, because others need it, keeps its worse result: one
    /// that does not always pass is not done.
    pub fn add(&mut self, report: Report) {
        for case in report.cases {
            let worse = self
                .results
                .get(&case.id)
                .is_none_or(|known| weight(&case.verdict) > weight(&known.verdict));
            if worse {
                self.results.insert(case.id.clone(), case);
            }
        }
    }

    /// The result of a case, if it was asked.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&CaseResult> {
        self.results.get(id)
    }

    /// The ids of all cases on which others may rest.
    #[must_use]
    pub fn passed(&self) -> Vec<String> {
        let passed = self.results.values().filter(|case| case.verdict.carries());
        passed.map(|case| case.id.clone()).collect()
    }
}

const fn weight(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Fail(_) => 3,
        Verdict::Inconclusive { .. } => 2,
        Verdict::Blocked { .. } => 1,
        Verdict::Pass | Verdict::Observed { .. } | Verdict::NotApplicable { .. } => 0,
    }
}
