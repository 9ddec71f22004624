//! Who was announced as gone without reason. When that was is told by the messages around the notice, since clocks can't: where a node is
//! cut off, or finds the engine again later than others, its users hear of the same thing seconds later.

use std::collections::BTreeSet;

use super::{
    findings::{Findings, Kind},
    stays::{End, Stay, Stays},
};
use crate::evidence::{Evidence, Fault, Micros, Name, SECOND, Struck};

/// A connection that ended so long after a fault of its node, ended because of it.
const CAUSE: Micros = 5 * SECOND;
/// A node that is restarted in order holds the places of its users at least so long.
const DRAIN: Micros = SECOND;
/// A user may notice the end of a connection so long before, or after, a fault was put in.
const APART: Micros = SECOND;
/// Without an engine, connections are closed about so long after it has gone.
const WITHOUT_ENGINE: std::ops::RangeInclusive<Micros> = 18 * SECOND..=26 * SECOND;

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
        End::Open | End::Own | End::Reason => false,
        End::Moved | End::Server => {
            !evidence.faults.iter().any(|struck| explains(evidence, struck, stay, next))
        }
    }
}

/// Whether a fault explains that a connection ended, and that its user was announced as gone.
fn explains(evidence: &Evidence, struck: &Struck, stay: &Stay, next: Option<&Stay>) -> bool {
    let end = stay.until;
    let is_near = |after: Micros| {
        struck.from <= end.saturating_add(APART) && end <= struck.until.saturating_add(after)
    };
    // Whoever goes on with the session so soon is not missed by anybody.
    let is_back = |within: Micros| {
        next.is_some_and(|next| next.resumed && next.from.saturating_sub(end) < within)
    };
    match struck.fault {
        Fault::QuorumLost | Fault::EngineKilled => {
            WITHOUT_ENGINE.contains(&end.saturating_sub(struck.from))
        }
        // The engine chooses another leader, which nobody is closed or missed for.
        Fault::LeaderKilled | Fault::LeaderHung | Fault::LeaderStopped | Fault::LeaderIsolated => {
            false
        }
        _ if struck.node != Some(stay.node) => false,
        Fault::NodeKilled | Fault::NodeNew => is_near(CAUSE) && !is_back(evidence.hold),
        Fault::RollingRestart | Fault::NodeStopped => is_near(CAUSE) && !is_back(DRAIN),
        Fault::NodePaused | Fault::NodeCutOff | Fault::NodeIsolated | Fault::DiskFull => {
            is_near(evidence.grace)
        }
    }
}
