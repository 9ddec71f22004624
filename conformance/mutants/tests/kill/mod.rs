//! What the kill matrices of both sides have in common: every case against every fault that it names.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

use std::{collections::BTreeSet, env, future::Future};

use conformance_suite::{
    Report,
    case::{Case, Defect as _, Judged},
    clause::Level,
    verdict::Verdict,
};
use futures_util::{StreamExt as _, stream};

/// A case, and a fault that it must notice.
pub type Pair<J> = (&'static Case<J>, <J as Judged>::Fault);

/// Every pair, or those of the cases whose ids hold one of the words in `KILL`.
pub fn pairs<J: Judged>(
    cases: impl Iterator<Item = &'static Case<J>>,
) -> impl Iterator<Item = Pair<J>> {
    let only = env::var("KILL").unwrap_or_default();
    cases
        .filter(move |case| only.split(',').any(|part| case.id.contains(part)))
        .flat_map(|case| case.killed_by.iter().map(move |fault| (case, *fault)))
}

/// Every case names a fault, and every fault is named by a case or is one of these.
pub fn all_are_named<J: Judged>(
    cases: impl Iterator<Item = &'static Case<J>>,
    faults: &[J::Fault],
    unjudged: &[J::Fault],
) {
    let mut known: BTreeSet<&str> = unjudged.iter().map(|fault| fault.name()).collect();
    for case in cases {
        assert!(!case.killed_by.is_empty(), "{} names no fault", case.id);
        known.extend(case.killed_by.iter().map(|fault| fault.name()));
    }
    for fault in faults {
        assert!(known.contains(fault.name()), "{} is unused", fault.name());
    }
}

/// Why a case did not notice a fault that came to act so often; `None` when it did.
pub fn unnoticed<J: Judged>(
    (case, fault): Pair<J>,
    (report, times): &(Report, usize),
    healthy: &Report,
) -> Option<String> {
    let pair = format!("{} on {}", case.id, fault.name());
    if *times == 0 {
        return Some(format!("{pair}: the fault never acted"));
    }
    let (result, before) = (report.case(case.id)?, healthy.case(case.id)?);
    let noticed = match (&result.verdict, &before.verdict) {
        (Verdict::Fail(_), _) => case.level != Level::Open,
        (Verdict::Observed { value, .. }, Verdict::Observed { value: old, .. }) => value != old,
        _ => false,
    };
    (!noticed).then(|| format!("{pair}: {:?} (was {:?})", result.verdict, before.verdict))
}

/// The pairs for which there is a complaint, of which some are tried at the same time.
pub async fn complaints<J: Judged, F: Future<Output = Option<String>>>(
    pairs: impl IntoIterator<Item = Pair<J>>,
    at_once: usize,
    attempt: impl Fn(Pair<J>) -> F,
) -> Vec<(Pair<J>, String)> {
    stream::iter(pairs)
        .map(|pair| {
            let trying = attempt(pair);
            async move { Some((pair, trying.await?)) }
        })
        .buffer_unordered(at_once)
        .filter_map(|complaint| async move { complaint })
        .collect()
        .await
}

/// Fails when there is a complaint.
pub fn nothing_is_left<J: Judged>(complaints: &[(Pair<J>, String)]) {
    let texts: Vec<&str> = complaints.iter().map(|(_, text)| text.as_str()).collect();
    assert!(texts.is_empty(), "{} unnoticed:\n{}", texts.len(), texts.join("\n"));
}
