//! Which fault explains that a connection ended.

use super::stays::Stay;
use crate::evidence::{Evidence, Fault, Micros, SECOND, Struck};

/// A connection that ended so long after a fault of its node, ended because of it.
pub(super) const CAUSE: Micros = 5 * SECOND;
/// A node that is restarted in order holds the places of its users at least so long.
const DRAIN: Micros = SECOND;
/// A user may notice the end of a connection so long before, or after, a fault was put in.
pub(super) const APART: Micros = SECOND;
/// Without an engine, connections are closed about so long after it has gone.
const WITHOUT_ENGINE: std::ops::RangeInclusive<Micros> = 18 * SECOND..=26 * SECOND;

/// Whether a fault explains that a connection ended, and that its user was announced as gone. `next` is the user's next connection.
pub(super) fn explains(
    evidence: &Evidence,
    struck: &Struck,
    stay: &Stay,
    next: Option<&Stay>,
) -> bool {
    let end = stay.until;
    let is_near = |after: Micros| {
        struck.from <= end.saturating_add(APART)
            && end.saturating_sub(stay.lag) <= struck.until.saturating_add(after)
    };
    // Whoever goes on with the session so soon is not missed by anybody.
    let is_back = |within: Micros| {
        next.is_some_and(|next| next.resumed && next.from.saturating_sub(end) < within)
    };
    match struck.fault {
        Fault::QuorumLost | Fault::EngineKilled => {
            WITHOUT_ENGINE.contains(&end.saturating_sub(struck.from))
        }
        // The engine chooses another leader, which nobody is closed or missed for; what users do they know of; and clocks end nothing.
        Fault::LeaderKilled
        | Fault::LeaderHung
        | Fault::LeaderStopped
        | Fault::LeaderIsolated
        | Fault::FramesCut
        | Fault::UsersLeave
        | Fault::Flood
        | Fault::SlowReaders
        | Fault::ClockStepped => false,
        _ if struck.node != Some(stay.node) => false,
        Fault::NodeKilled | Fault::NodeNew => is_near(CAUSE) && !is_back(evidence.hold),
        Fault::RollingRestart | Fault::NodeStopped => is_near(CAUSE) && !is_back(DRAIN),
        Fault::ConnectionsCut => is_near(CAUSE),
        Fault::NodePaused | Fault::NodeCutOff | Fault::NodeIsolated | Fault::DiskFull => {
            is_near(evidence.grace)
        }
    }
}
