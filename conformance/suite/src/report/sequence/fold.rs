//! Leaves out what a reader need not see: other cases' users, the probe behind a case, long runs, the
//! suite's tidying up; and keeps every diagram within bounds.

use std::collections::HashSet;

use serde_json::Value;

use super::model::{Diagram, Frame, Step, What};

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
    let needed: HashSet<usize> = diagram
        .steps
        .iter()
        .filter(|step| need(&diagram.steps, step).is_some_and(|need| need < 2))
        .filter_map(|step| step.lane)
        .collect();
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
        shorten(&mut run, 5);
    }
    run
}

/// Keeps so many steps at most, those that stand for others included: what the diagram is about, the beginning
/// and the end.
pub(super) fn shorten(steps: &mut Vec<Step>, most: usize) {
    let count = steps.len();
    if count <= most {
        return;
    }
    let mut needed: Vec<(u8, usize)> =
        steps.iter().enumerate().filter_map(|(n, step)| Some((need(steps, step)?, n))).collect();
    needed.sort_unstable();
    let needed = needed.into_iter().map(|(_, n)| n).take(most / 2);
    let order = needed.chain(0..most / 3).chain((0..count).rev());
    let mut kept = vec![false; count];
    for n in order {
        let before = kept.get(n).copied().unwrap_or(true);
        set(&mut kept, n, true);
        if lines(&kept) > most {
            set(&mut kept, n, before);
        }
    }
    let mut short = Vec::with_capacity(most);
    let mut gap: Vec<Step> = Vec::new();
    for (step, kept) in std::mem::take(steps).into_iter().zip(kept) {
        if kept {
            short.extend(folded(&std::mem::take(&mut gap)));
            short.push(step);
        } else {
            gap.push(step);
        }
    }
    short.extend(folded(&gap));
    *steps = short;
}

fn set(kept: &mut [bool], n: usize, value: bool) {
    if let Some(kept) = kept.get_mut(n) {
        *kept = value;
    }
}

/// How many lines it takes to show these and to say that others are left out.
fn lines(kept: &[bool]) -> usize {
    let gaps = kept.split(|kept| *kept).filter(|gap| !gap.is_empty()).count();
    kept.iter().filter(|kept| **kept).count() + gaps
}

/// How much a step is needed, least first; `None` when it is not.
fn need(steps: &[Step], step: &Step) -> Option<u8> {
    match &step.what {
        What::Missing(_) | What::Expected(_) => Some(0),
        What::Frame(frame) if frame.telling => {
            // What the lane got that the reason speaks of, and what the suite sent to bring it about.
            let there = |other: &Step| is_awaited(other) && other.lane == step.lane;
            Some(if frame.from_suite || steps.iter().any(there) { 1 } else { 2 })
        }
        _ => None,
    }
}

/// One step that stands for others.
fn folded(gap: &[Step]) -> Option<Step> {
    let first = gap.first()?;
    let count = gap.iter().map(weight).sum();
    let is_frames =
        |step: &Step| matches!(step.what, What::Frame(_) | What::Fold { frames: true, .. });
    let same = gap.iter().all(|step| step.lane == first.lane);
    let what = What::Fold { count, frames: gap.iter().all(is_frames) };
    Some(Step { at: first.at, lane: first.lane.filter(|_| same), what })
}

/// Whether a frame only tells of joins and leaves.
pub(super) fn is_notice(frame: &Frame) -> bool {
    let object = serde_json::from_str::<Value>(&frame.text).ok();
    let object = object.as_ref().and_then(Value::as_object);
    object.is_some_and(|object| {
        !object.is_empty() && object.keys().all(|key| key == "USERS_JOINED" || key == "USERS_LEFT")
    })
}

/// Whether it is what should have come.
const fn is_awaited(step: &Step) -> bool {
    matches!(step.what, What::Missing(_) | What::Expected(_))
}

/// How many steps a step stands for.
const fn weight(step: &Step) -> usize {
    match step.what {
        What::Fold { count, .. } => count,
        _ => 1,
    }
}
