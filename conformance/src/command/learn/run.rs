//! Runs `learn` once, or again and again.

use anyhow::Context as _;
use conformance_suite::learn::{Screen, outline};

use super::{
    arguments::{LearnArguments, LearnSide},
    learner::Learner,
    walk::{Memory, Walk, walk},
    watch::watch,
};
use crate::command::{interrupt, say};

/// Shows the next stage, and gives the exit code.
pub(crate) fn run(arguments: &LearnArguments) -> anyhow::Result<u8> {
    let way = match &arguments.side {
        Some(LearnSide::Client(client)) => client.way,
        None => arguments.server.way,
    };
    if way.list {
        let path = match &arguments.side {
            Some(LearnSide::Client(_)) => &conformance_suite::learn::CLIENT,
            None => &conformance_suite::learn::SERVER,
        };
        say::print(outline(path))?;
        return Ok(0);
    }
    let learner = match &arguments.side {
        Some(LearnSide::Client(client)) => Learner::client(client)?,
        None => Learner::server(&arguments.server)?,
    };
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    let ended = if way.watch {
        interrupt::block_on(&runtime, watch(&learner, way.strict))?
    } else {
        interrupt::block_on(&runtime, async {
            let walked = walk(&learner, &Memory::nothing(learner.path()), way.strict).await?;
            show(&learner, &walked, way.strict);
            Ok(walked.exit_code)
        })?
    };
    Ok(ended.unwrap_or_else(|failure| {
        failure.tell();
        failure.exit_code
    }))
}

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
        let bug = conformance_kit::escape::visible(bug);
        anstream::eprintln!("conformance: a bug in the suite, please report it: {bug}");
    }
}
