//! The scheduler's view of a subject: the one trait by which the sides differ.

use std::{future::ready, time::Duration};

use conformance_kit::trace::Trace;
use futures_util::future::BoxFuture;

use crate::{
    case::{Judged, Row},
    verdict::Verdict,
};

/// One subject of a run. What a default does is right for a subject that is started anew for every
/// case, as clients are.
pub(crate) trait Runner: Send {
    /// The side to which it belongs.
    type Side: Judged;

    /// Time since the run began.
    fn elapsed(&self) -> Duration;

    /// How many cases may run at the same time when so many are wanted.
    fn jobs(&self, wanted: usize) -> usize {
        wanted.max(1)
    }

    /// The type that a case acts with.
    fn hands(&self, case: &'static str, seed: u64) -> <Self::Side as Judged>::Hands;

    /// The trace of these hands.
    fn trace(hands: &<Self::Side as Judged>::Hands) -> &Trace;

    /// After how long a case is given up.
    fn limit(hands: &<Self::Side as Judged>::Hands) -> Duration;

    /// Why a case is not asked whatever its needs say.
    fn excuse(&self, _case: &Row) -> Option<Verdict> {
        None
    }

    /// Whether a need failed, but the suite has found another way to speak.
    fn spoken_around(&self, _case: &Row, _need: &str) -> bool {
        false
    }

    /// The verdict of a case that can't run because the subject is gone.
    fn unreachable(&self, _case: &Row) -> Option<Verdict> {
        None
    }

    /// Whether the subject still answers after a case; only looked at where there is reason to.
    fn check_health<'a>(
        _hands: &'a mut <Self::Side as Judged>::Hands,
        _case: &'a Row,
        _verdict: &'a Verdict,
    ) -> BoxFuture<'a, bool> {
        Box::pin(ready(true))
    }

    /// Counts the processes that were started one after the other.
    fn epoch(&self) -> usize {
        0
    }

    /// Whether the suite can start the subject again.
    fn is_ours(&self) -> bool {
        false
    }

    /// The verdict of a case after which the subject was dead.
    fn after_death(&self, _case: &Row, verdict: Verdict) -> Verdict {
        verdict
    }

    /// Repairs what a case left behind; `dead` says that it killed the subject.
    fn recover(&mut self, _case: &'static str, _dead: bool) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}
