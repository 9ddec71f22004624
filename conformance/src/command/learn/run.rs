//! Runs `learn` once, or again and again.

use anyhow::Context as _;
use conformance_suite::learn::{CLIENT, SERVER, outline};

use super::{
    arguments::{LearnArguments, LearnSide},
    learner::Learner,
    show::show,
    walk::{Memory, walk},
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
            Some(LearnSide::Client(_)) => &CLIENT,
            None => &SERVER,
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
