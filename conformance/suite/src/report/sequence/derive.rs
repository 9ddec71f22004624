//! The dashed line of a failing case in which no wait in vain was recorded and nothing wrong came: what
//! the mismatch expects, in the lane of the role that it names.

use std::collections::HashSet;

use super::model::{Diagram, Step, What};
use crate::{report::CaseResult, verdict::Verdict};

/// Adds what was expected behind the last thing that the case looked at.
pub(super) fn expectation(diagram: &mut Diagram, case: &CaseResult) {
    let Verdict::Fail(mismatch) = &case.verdict else { return };
    let told = |step: &Step| matches!(&step.what, What::Missing(text) if is_about(text, &mismatch.expected));
    if diagram.steps.iter().any(told) {
        return;
    }
    // Where something wrong came, that is what there is to see; nothing stayed away.
    let came = |step: &Step| matches!(&step.what, What::Frame(f) if f.telling && !f.from_suite);
    if !mismatch.missing && diagram.steps.iter().any(came) {
        return;
    }
    let named = |text: &str| {
        let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.find_map(|word| diagram.lane(word))
    };
    // What a client should have done is mostly to be seen on its screen, and no frame.
    let own = diagram.subject_is_first();
    let lane = named(&mismatch.expected).or_else(|| named(&mismatch.actual)).filter(|_| !own);
    let lane = if lane.is_none() && !own { last_active(diagram) } else { lane };
    let after = diagram.steps.iter().rposition(|step| !is_epilogue(diagram, step));
    let after = after.map_or(0, |at| at + 1);
    let at = after.checked_sub(1).and_then(|n| diagram.steps.get(n)).map_or(0, |step| step.at);
    let what = What::Expected(conformance_kit::escape::visible(&mismatch.expected));
    diagram.steps.insert(after.min(diagram.steps.len()), Step { at, lane, what });
}

/// Marks the frames that carry what the mismatch speaks of: the message that should have come, or the one that
/// should not have.
pub(super) fn tell(diagram: &mut Diagram, case: &CaseResult) {
    let Verdict::Fail(mismatch) = &case.verdict else { return };
    let names: HashSet<String> =
        diagram.lanes.iter().filter_map(|lane| lane.name.clone()).collect();
    let quoted = |text: &str| -> Vec<String> {
        let parts = text.split('"').skip(1).step_by(2);
        parts.filter(|part| is_nonce(part) && !names.contains(*part)).map(str::to_owned).collect()
    };
    let mut told = quoted(&mismatch.expected);
    if !mismatch.missing {
        told.extend(quoted(&mismatch.actual));
    }
    for step in &mut diagram.steps {
        if let What::Frame(frame) = &mut step.what {
            frame.telling = told.iter().any(|text| frame.text.contains(text.as_str()));
        }
    }
}

/// Whether a text is one that the suite made up, and no key or word of the protocol.
fn is_nonce(text: &str) -> bool {
    let has = |is: fn(char) -> bool| text.chars().any(is);
    text.len() >= 6 && has(|c| c.is_ascii_digit()) && has(char::is_alphabetic)
}

/// Whether what was waited for is what the case expected: a case may also wait in vain for something else.
fn is_about(missing: &str, expected: &str) -> bool {
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    words(missing).is_subset(&words(expected))
}

/// Whether a step only tidies up: the suite leaves, or looks whether the subject still lives.
fn is_epilogue(diagram: &Diagram, step: &Step) -> bool {
    let health = step.lane.and_then(|lane| diagram.lanes.get(lane));
    health.is_some_and(|lane| lane.role == super::fold::HEALTH)
        || matches!(step.what, What::Closes { by_suite: true, .. })
}

/// The lane on which the subject was heard last.
fn last_active(diagram: &Diagram) -> Option<usize> {
    let heard = |step: &&Step| matches!(&step.what, What::Frame(frame) if !frame.from_suite);
    let mut steps = diagram.steps.iter().rev().filter(|step| !is_epilogue(diagram, step));
    let last = steps.clone().find(heard).or_else(|| steps.find(|step| step.lane.is_some()));
    last.and_then(|step| step.lane)
}
