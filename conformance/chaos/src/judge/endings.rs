//! How nodes ended: those that were told to end in order, and those that nobody ended.

use super::findings::{Findings, Kind};
use crate::evidence::{Evidence, SECOND};

/// Whoever is told to end does so with 0; anything else is told to an operator, and starts alarms.
pub(super) fn look(evidence: &Evidence, findings: &mut Findings) {
    for struck in &evidence.faults {
        let Some(ended) = struck.ended.filter(|ended| !ended.is_in_order()) else { continue };
        findings.add(Kind::Ended, || {
            let node = struck.node.map_or_else(|| "?".to_owned(), |node| node.to_string());
            format!(
                "node {node} was told to end at {} s ({}), and ended with {ended}",
                struck.from / SECOND,
                struck.fault.word()
            )
        });
    }
    for death in &evidence.deaths {
        findings.add(Kind::Died, || format!("{}, at {} s", death.how, death.at / SECOND));
    }
}
