//! Leaves out what a reader need not see: other cases' users, the probe behind a case, long runs, the
//! suite's tidying up; and keeps every diagram within bounds.

use std::collections::HashSet;

use serde_json::Value;

use super::diagram::{Diagram, Frame, Step, What};

/// The connection that looks, behind a case, whether the subject still answers.
pub(super) const HEALTH: &str = "health";
/// The most steps that are shown.
const MOST_STEPS: usize = 40;
/// The most lanes that are shown.
const MOST_LANES: usize = 6;
/// From how many frames in the same direction on the middle ones are left out.
const RUN: usize = 7;
/// From how many pieces of one frame on they are told of as one.
const PIECES: usize = 4;

pub(super) fn fold(diagram: &mut Diagram) {
    drop_foreign_notices(diagram);
    drop_health(diagram);
    drop_farewells(diagram);
    join_pieces(&mut diagram.steps);
    drop_lanes(diagram);
    shorten_runs(&mut diagram.steps);
    shorten(&mut diagram.steps, MOST_STEPS);
}

/// Notices of joins and leaves that name none of this case's users.
fn drop_foreign_notices(diagram: &mut Diagram) {
    let own: HashSet<String> = diagram.lanes.iter().filter_map(|lane| lane.name.clone()).collect();
    let before = diagram.steps.len();
    diagram
        .steps
        .retain(|step| !matches!(&step.what, What::Frame(frame) if is_foreign_notice(frame, &own)));
    let dropped = before - diagram.steps.len();
    if dropped > 0 {
        let plural = if dropped == 1 { "notice" } else { "notices" };
        diagram.left_out.push(format!("{dropped} {plural} about users of other cases"));
    }
}

fn is_foreign_notice(frame: &Frame, own: &HashSet<String>) -> bool {
    if frame.from_suite {
        return false;
    }
    let Ok(Value::Object(object)) = serde_json::from_str(&frame.text) else { return false };
    !object.is_empty()
        && object.iter().all(|(key, value)| {
            let Some(names) = value.as_array() else { return false };
            (key == "USERS_JOINED" || key == "USERS_LEFT")
                && names.iter().all(|name| name.as_str().is_some_and(|name| !own.contains(name)))
        })
}

/// The probe behind a case is one sentence when it was answered.
fn drop_health(diagram: &mut Diagram) {
    let Some(health) = diagram.lane(HEALTH) else { return };
    let answered = diagram.steps.iter().any(|step| {
        step.lane == Some(health) && matches!(&step.what, What::Frame(frame) if !frame.from_suite)
    });
    if answered {
        remove_lanes(diagram, &HashSet::from([health]));
        diagram.left_out.push("afterwards a newcomer was answered: the server lives".to_owned());
    }
}

/// The suite hangs up at the end of each case, and the subject answers that.
fn drop_farewells(diagram: &mut Diagram) {
    let mut closed = HashSet::new();
    diagram.steps.retain(|step| match (&step.what, step.lane) {
        (What::Closes { .. }, Some(lane)) => closed.insert(lane),
        (What::Opens(_), Some(lane)) => {
            closed.remove(&lane);
            true
        }
        _ => true,
    });
    let counts = |step: &Step| !matches!(step.what, What::Closes { .. } | What::Note(_));
    let end = diagram.steps.iter().rposition(counts).map_or(0, |at| at + 1);
    let mut at = 0;
    diagram.steps.retain(|step| {
        at += 1;
        at <= end || !matches!(step.what, What::Closes { by_suite: true, .. })
    });
}

/// A frame that was written byte by byte is one arrow.
fn join_pieces(steps: &mut Vec<Step>) {
    let mut joined: Vec<Step> = Vec::with_capacity(steps.len());
    let mut rest = std::mem::take(steps).into_iter().peekable();
    while let Some(step) = rest.next() {
        let Some(key) = piece(&step) else {
            joined.push(step);
            continue;
        };
        let mut run = vec![step];
        while let Some(next) = rest.next_if(|next| piece(next) == Some(key)) {
            run.push(next);
        }
        if run.len() < PIECES {
            joined.append(&mut run);
        } else {
            joined.extend(as_one(&run));
        }
    }
    *steps = joined;
}

fn piece(step: &Step) -> Option<(Option<usize>, usize)> {
    let What::Frame(frame) = &step.what else { return None };
    Some((step.lane, frame.part_of?))
}

fn as_one(run: &[Step]) -> Option<Step> {
    let frames = || {
        run.iter().filter_map(|step| match &step.what {
            What::Frame(frame) => Some(frame),
            _ => None,
        })
    };
    // The bytes of the length are in brackets.
    let texts = frames().map(|frame| frame.text.as_str());
    let text: String = texts.skip_while(|text| text.starts_with('[') && text.len() > 1).collect();
    let bytes: usize = frames().map(|frame| frame.bytes).sum();
    let first = run.first()?;
    let What::Frame(frame) = &first.what else { return None };
    let remark = format!("{bytes} bytes in {} writes, one after the other", run.len());
    let what = What::Frame(Frame { text, remark, bytes, part_of: None, ..frame.clone() });
    Some(Step { what, ..first.clone() })
}

/// Twenty users are too many to look at.
fn drop_lanes(diagram: &mut Diagram) {
    let surplus = diagram.lanes.len().saturating_sub(MOST_LANES);
    if surplus == 0 {
        return;
    }
    let needed: HashSet<usize> =
        diagram.steps.iter().filter(|step| is_needed(step)).filter_map(|step| step.lane).collect();
    let spare = (0..diagram.lanes.len()).rev().filter(|lane| !needed.contains(lane));
    let mut dropped: HashSet<usize> = spare.take(surplus).collect();
    // Even what is missing may be on more lanes than can be looked at.
    let more = surplus - dropped.len();
    dropped.extend((0..diagram.lanes.len()).rev().filter(|lane| needed.contains(lane)).take(more));
    remove_lanes(diagram, &dropped);
    diagram.left_out.push(format!("{surplus} more connections"));
}

fn remove_lanes(diagram: &mut Diagram, dropped: &HashSet<usize>) {
    diagram.steps.retain(|step| step.lane.is_none_or(|lane| !dropped.contains(&lane)));
    for step in &mut diagram.steps {
        step.lane = step.lane.map(|lane| lane - dropped.iter().filter(|d| **d < lane).count());
    }
    let mut at = 0;
    diagram.lanes.retain(|_| {
        at += 1;
        !dropped.contains(&(at - 1))
    });
}

/// Many frames one after the other in the same direction: the first and the last ones tell the story.
fn shorten_runs(steps: &mut Vec<Step>) {
    let mut short: Vec<Step> = Vec::with_capacity(steps.len());
    let mut run: Vec<Step> = Vec::new();
    for step in std::mem::take(steps) {
        if run.first().is_some_and(|first| direction(first) != direction(&step)) {
            short.append(&mut shortened(std::mem::take(&mut run)));
        }
        if direction(&step).is_some() { run.push(step) } else { short.push(step) }
    }
    short.append(&mut shortened(run));
    *steps = short;
}

fn direction(step: &Step) -> Option<(Option<usize>, bool)> {
    let What::Frame(frame) = &step.what else { return None };
    Some((step.lane, frame.from_suite))
}

fn shortened(mut run: Vec<Step>) -> Vec<Step> {
    if run.len() >= RUN {
        cut(&mut run, 2, 2, 0);
    }
    run
}

/// Keeps so many steps at most: the beginning, the end, and what never came.
pub(super) fn shorten(steps: &mut Vec<Step>, most: usize) {
    if steps.len() > most {
        let head = most / 3;
        let end = most.saturating_sub(head + 1);
        let middle = steps.get(head..steps.len() - end).unwrap_or_default();
        let keep = middle.iter().filter(|step| is_needed(step)).count().min(end / 2);
        cut(steps, head, end - keep, keep);
    }
}

/// Whether a step is what the diagram is about.
fn is_needed(step: &Step) -> bool {
    matches!(step.what, What::Missing(_) | What::Expected(_))
}

/// Replaces the middle by how many steps it had, and by `keep` of it that are needed.
fn cut(steps: &mut Vec<Step>, head: usize, tail: usize, keep: usize) {
    let from = head.min(steps.len());
    let to = steps.len().saturating_sub(tail).max(from);
    let middle: Vec<Step> = steps.drain(from..to).collect();
    let Some(first) = middle.first().cloned() else { return };
    let needed = middle.iter().filter(|step| is_needed(step));
    let kept: Vec<Step> = needed.take(keep).cloned().collect();
    let count = middle.iter().map(weight).sum::<usize>() - kept.len();
    let frames = middle
        .iter()
        .all(|step| matches!(step.what, What::Frame(_) | What::Fold { frames: true, .. }));
    let same = middle.iter().all(|step| step.lane == first.lane);
    let lane = first.lane.filter(|_| same);
    let fold = Step { at: first.at, lane, what: What::Fold { count, frames } };
    steps.splice(from..from, std::iter::once(fold).chain(kept));
}

/// How many steps a step stands for.
const fn weight(step: &Step) -> usize {
    match step.what {
        What::Fold { count, .. } => count,
        _ => 1,
    }
}
