//! `--repeat N`: several runs become one report, and what did not always come out the same is
//! called flaky.

use super::Report;
use crate::verdict::Verdict;

/// Puts the reports of the same cases together; `None` when there are none.
///
/// The worst outcome of a case stands, with its timeline; a grade must not depend on luck.
#[must_use]
pub fn merge(reports: Vec<Report>) -> Option<Report> {
    let runs = reports.len();
    let mut reports = reports.into_iter();
    let mut merged = reports.next()?;
    let mut passes: Vec<usize> =
        merged.cases.iter().map(|case| usize::from(is_good(&case.verdict))).collect();
    let mut changed = vec![false; merged.cases.len()];
    for report in reports {
        merged.took_ms += report.took_ms;
        merged.bugs.extend(report.bugs);
        for ((case, other), (passed, changed)) in
            merged.cases.iter_mut().zip(report.cases).zip(passes.iter_mut().zip(&mut changed))
        {
            *passed += usize::from(is_good(&other.verdict));
            *changed |= case.verdict.word() != other.verdict.word();
            if badness(&other.verdict) > badness(&case.verdict) {
                *case = other;
            }
        }
    }
    for ((case, passed), changed) in merged.cases.iter_mut().zip(passes).zip(changed) {
        if changed {
            case.flaky = Some(format!("good in {passed} of {runs} runs"));
        }
    }
    Some(merged)
}

const fn is_good(verdict: &Verdict) -> bool {
    verdict.carries()
}

const fn badness(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Observed { .. } | Verdict::NotApplicable { .. } => 0,
        Verdict::Blocked { .. } => 1,
        Verdict::Inconclusive { .. } => 2,
        Verdict::Fail(_) => 3,
    }
}
