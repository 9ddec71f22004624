//! All questions, one after the other.

use super::{
    accusations, before, endings, findings::Findings, hearing::Hearing, log::Log, names, presence,
    refusals, stays::Stays, sudden,
};
use crate::evidence::Evidence;

/// Judges a run.
#[must_use]
pub fn judge(evidence: &Evidence) -> Findings {
    let mut findings = Findings::default();
    let log = Log::of(evidence, &mut findings);
    before::look(evidence, &mut findings);
    for testimony in &evidence.testimonies {
        Hearing::new(evidence, testimony, &log, &mut findings).hear();
    }
    names::look(evidence, &log, &mut findings);
    let stays = Stays::of(evidence);
    let notices = presence::look(evidence, &mut findings);
    accusations::look(evidence, &stays, notices, &mut findings);
    refusals::look(evidence, &stays, &mut findings);
    sudden::look(evidence, &stays, &mut findings);
    endings::look(evidence, &mut findings);
    findings
}
