//! The names of the levels.

use conformance_kit::wire::frame::Frame;
use serde_json::Value;

use super::scene::guest;
use crate::{
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

/// How many levels there are.
const LEVELS: usize = 6;

pub(super) async fn named(c: &mut ServerHands) -> Outcome {
    let mut ann = guest(c, "ann").await?;
    let beside = |frame: &Frame| {
        frame.key("COMMANDS").map(|_| frame.key("LEVELS").cloned().unwrap_or_default())
    };
    let Some(levels) = ann.find(Mark::START, beside).await else {
        return Ok(Verdict::inconclusive(format!("no COMMANDS; {}", ann.heard(Mark::START))));
    };
    let names = |all: &Vec<Value>| {
        all.len() == LEVELS && all.iter().all(|name| name.as_str().is_some_and(|n| !n.is_empty()))
    };
    let expected = "LEVELS beside COMMANDS: a list of the names of levels 0 to 5";
    Ok(Verdict::check(levels.as_array().is_some_and(names), expected, levels.to_string()))
}
