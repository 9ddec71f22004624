//! Who was announced as gone without reason. When that was is told by the messages around the notice, since clocks can't: where a node is
//! cut off, or finds the engine again later than others, its users hear of the same thing seconds later.

use std::collections::BTreeSet;

use super::{
    findings::{Findings, Kind},
    reasons::explains,
    stays::{End, Stay, Stays},
};
use crate::evidence::{Evidence, Micros, Name, SECOND};

/// A notice that somebody is gone, as one witness heard it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone {
    pub(super) at: Micros,
    pub(super) name: Name,
    /// The newest message that the witness had been told by then.
    pub(super) after: u64,
    /// The next one that came over the same connection.
    pub(super) before: u64,
}

/// Looks at all notices; several witnesses hear of one departure.
pub(super) fn look(
    evidence: &Evidence,
    stays: &Stays,
    notices: Vec<Gone>,
    findings: &mut Findings,
) {
    let mut accused: BTreeSet<(Name, Micros)> = BTreeSet::new();
    for gone in notices {
        let stays = stays.of_name(gone.name);
        // By then the user was there over this connection, or had been.
        let Some(at) = stays.iter().rposition(|stay| stay.has_begun_by(gone.after)) else {
            continue;
        };
        let Some(stay) = stays.get(at) else { continue };
        if is_false(evidence, stays, at, gone) && accused.insert((gone.name, stay.from)) {
            findings.add(Kind::FalseAccusation, || {
                let name = evidence.names.get(usize::from(gone.name)).map_or("?", String::as_str);
                format!(
                    "{name} was announced as gone at {:.1} s, between {} and {}; its connection with node {} ended as {:?} at {:.1} s",
                    seconds(gone.at), gone.after, gone.before, stay.node, stay.end, seconds(stay.until)
                )
            });
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "times of a run are small")]
fn seconds(at: Micros) -> f64 {
    at as f64 / SECOND as f64
}

/// Whether there was no reason: the user was told messages on and on, or lost a connection that nothing had broken, or was back in time.
fn is_false(evidence: &Evidence, stays: &[Stay], at: usize, gone: Gone) -> bool {
    let mut since = stays.iter().enumerate().skip(at);
    if since.clone().next().is_some_and(|(_, stay)| stay.spans(gone.after, gone.before)) {
        return true;
    }
    // The notice may be about any connection over which nothing came from then on, also about one over which nothing ever came.
    since.all(|(at, stay)| {
        stay.goes_on_to(gone.before) || is_wrong(evidence, stay, stays.get(at + 1))
    })
}

/// Whether nobody was to be told that a connection has ended.
fn is_wrong(evidence: &Evidence, stay: &Stay, next: Option<&Stay>) -> bool {
    match stay.end {
        End::Open | End::Own | End::GaveUp(_) | End::Reason => false,
        End::Moved | End::Server => {
            !evidence.faults.iter().any(|struck| explains(evidence, struck, stay, next))
        }
    }
}
