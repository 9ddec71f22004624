//! Connections of a server that is alone, which it ended, or which ended, although nothing had hit it. Of several nodes one may send its
//! users away for a reason that nobody outside knows.

use super::{
    findings::{Findings, Kind},
    reasons::{APART, CAUSE, explains},
    stays::{End, Stay, Stays},
};
use crate::evidence::{Evidence, SECOND};

/// Looks at the ends of all connections.
pub(super) fn look(evidence: &Evidence, stays: &Stays, findings: &mut Findings) {
    if !evidence.alone {
        return;
    }
    for (name, stay) in stays.all() {
        if stay.end == End::Server && !has_reason(evidence, stay) {
            findings.add(Kind::SentAway, || {
                let name = evidence.names.get(usize::from(name)).map_or("?", String::as_str);
                format!("the connection of {name} ended at {} s", stay.until / SECOND)
            });
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
