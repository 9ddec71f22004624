//! Shows what a walk has found out.

use conformance_kit::escape;
use conformance_suite::learn::Screen;

use super::{learner::Learner, walk::Walk};
use crate::command::say;

/// Shows the stage that a walk has come to.
pub(super) fn show(learner: &Learner, walked: &Walk, strict: bool) {
    let screen = Screen {
        path: learner.path(),
        subject: &learner.name(),
        progress: &walked.progress,
        findings: &walked.findings,
        no_start: walked.no_start.as_ref(),
        strict,
        again: &|id| learner.command(Some(id)),
        grade: &learner.command(None),
    };
    // A reader that has gone is no failure, and a full disk is not the student's.
    let _ = say::print(screen.render());
    for bug in &walked.bugs {
        let bug = escape::visible(bug);
        anstream::eprintln!("conformance: a bug in the suite, please report it: {bug}");
    }
}
