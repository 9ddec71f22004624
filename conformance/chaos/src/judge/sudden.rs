//! Connections of a server that is alone, which it ended, or which ended or fell silent, although nothing had hit it. Of several nodes one
//! may send its users away, or wait for the others, for a reason that nobody outside knows.

use super::{
    findings::{Findings, Kind},
    reasons::{APART, CAUSE, explains},
    stays::{End, Stay, Stays},
};
use crate::evidence::{Evidence, Fault, Micros, SECOND};

/// Looks at the ends of all connections.
pub(super) fn look(evidence: &Evidence, stays: &Stays, findings: &mut Findings) {
    if !evidence.alone {
        return;
    }
    for (name, stay) in stays.all() {
        let name = || evidence.names.get(usize::from(name)).map_or("?", String::as_str);
        match stay.end {
            End::Server if !has_reason(evidence, stay) => findings.add(Kind::SentAway, || {
                format!("the connection of {} ended at {} s", name(), stay.until / SECOND)
            }),
            End::GaveUp(patience) if !was_hit(evidence, stay, patience) => {
                findings.add(Kind::Silent, || {
                    let (until, patience) = (stay.until / SECOND, patience / SECOND);
                    format!("{} got no answer for {patience} s until {until} s", name())
                });
            }
            _ => {}
        }
    }
}

fn has_reason(evidence: &Evidence, stay: &Stay) -> bool {
    // A death is noticed within a second or so.
    let is_death = evidence.deaths.iter().any(|death| {
        let from = death.at.saturating_sub(CAUSE);
        let until = stay.until.saturating_sub(stay.lag);
        from <= stay.until && until <= death.at.saturating_add(CAUSE + APART)
    });
    is_death || evidence.faults.iter().any(|struck| explains(evidence, struck, stay, None))
}

/// Whether something hit the server while its user waited, or so shortly before that it explains the silence.
fn was_hit(evidence: &Evidence, stay: &Stay, patience: Micros) -> bool {
    let from = stay.until.saturating_sub(patience.saturating_add(CAUSE));
    let hit = |fault: Fault| fault.is_of_nodes() && fault != Fault::ClockStepped;
    let is_fault = evidence
        .faults
        .iter()
        .any(|struck| hit(struck.fault) && struck.from <= stay.until && from <= struck.until);
    let until = stay.until.saturating_add(CAUSE);
    is_fault || evidence.deaths.iter().any(|death| (from..=until).contains(&death.at))
}
