//! Makes the diagram of a result from its timeline.

use conformance_kit::{
    escape::visible,
    trace::{Event, Kind, unhex},
};

use super::{
    derive, fold,
    model::{Diagram, Frame, Lane, Step, What},
    stream::{Piece, Stream},
};
use crate::report::CaseResult;

/// The most events that are looked at; a trace holds fewer.
const MOST_EVENTS: usize = 2_000;

/// The word for the subject of a case.
#[must_use]
pub fn subject(case: &str) -> &'static str {
    if case.starts_with("c.") { "client" } else { "server" }
}

/// Makes the diagram of a result; `None` when nothing happened.
#[must_use]
pub fn diagram(case: &CaseResult) -> Option<Diagram> {
    if case.timeline.is_empty() {
        return None;
    }
    let mut builder = Builder::new(subject(&case.id));
    for event in case.timeline.iter().take(MOST_EVENTS) {
        builder.take(event);
    }
    let mut diagram = builder.finish();
    derive::tell(&mut diagram, case);
    derive::expectation(&mut diagram, case);
    fold::fold(&mut diagram);
    Some(diagram)
}

/// Both directions of a lane.
#[derive(Default)]
struct Wire {
    sent: Stream,
    received: Stream,
    /// Pieces that came of a frame that is not complete, and when the first did.
    reads: usize,
}

struct Builder {
    diagram: Diagram,
    wires: Vec<Wire>,
    first: Option<u64>,
}

impl Builder {
    fn new(subject: &'static str) -> Self {
        let diagram = Diagram { subject, ..Diagram::default() };
        Self { diagram, wires: Vec::new(), first: None }
    }

    fn take(&mut self, event: &Event) {
        let at = event.at.saturating_sub(*self.first.get_or_insert(event.at));
        let text = visible(&event.text);
        // What the subject does by itself (starts, prints, ends) is told under its own name.
        let lane = (event.connection != self.diagram.subject).then(|| self.lane(&event.connection));
        let what = match (event.kind, lane) {
            (Kind::Sent, Some(lane)) => return self.sent(at, lane, event),
            (Kind::Received, Some(lane)) => return self.received(at, lane, event),
            (Kind::Opened, Some(_)) => What::Opens(text),
            (Kind::Opened, None) => What::Note(format!("starts: {text}")),
            (Kind::Closed, Some(lane)) => {
                let by_suite = text.starts_with("the suite");
                if !by_suite {
                    self.unfinished(at, lane);
                }
                What::Closes { by_suite, text }
            }
            (Kind::Missing, _) => What::Missing(text),
            _ => What::Note(text),
        };
        self.diagram.steps.push(Step { at, lane, what });
    }

    fn lane(&mut self, connection: &str) -> usize {
        let role = visible(connection);
        self.diagram.lane(&role).unwrap_or_else(|| {
            self.diagram.lanes.push(Lane { role, name: None });
            self.wires.push(Wire::default());
            self.diagram.lanes.len() - 1
        })
    }

    fn sent(&mut self, at: u64, lane: usize, event: &Event) {
        let Some(wire) = self.wires.get_mut(lane) else { return };
        let pieces = wire.sent.feed(&unhex(&event.hex), event.length);
        let count = pieces.len();
        for (n, piece) in pieces.into_iter().enumerate() {
            let mut remarks = Vec::new();
            if count > 1 {
                remarks.push(format!("{} of {count} in one write", n + 1));
            }
            remarks.push(size(&piece));
            let partial = !(piece.begins && piece.whole.is_some());
            let text = match &piece.whole {
                Some(whole) if piece.begins => whole.clone(),
                _ => piece.text.clone(),
            };
            let part_of = partial.then_some(piece.frame);
            let remark = remarks.join(", ");
            let frame = Frame {
                from_suite: true,
                text,
                remark,
                telling: false,
                part_of,
                bytes: piece.bytes,
            };
            self.frame(at, lane, frame);
        }
    }

    /// A subject may write a frame in as many pieces as it likes: it is shown when it is complete.
    fn received(&mut self, at: u64, lane: usize, event: &Event) {
        let Some(wire) = self.wires.get_mut(lane) else { return };
        let pieces = wire.received.feed(&unhex(&event.hex), event.length);
        let count = pieces.iter().filter(|p| p.whole.is_some() || p.trouble.is_some()).count();
        let mut shown = 0;
        for piece in pieces {
            let Some(wire) = self.wires.get_mut(lane) else { return };
            wire.reads = if piece.begins { 1 } else { wire.reads + 1 };
            let reads = wire.reads;
            let text = match (&piece.whole, &piece.trouble) {
                (Some(whole), _) => whole.clone(),
                (None, Some(_)) => piece.text.clone(),
                (None, None) => continue,
            };
            shown += 1;
            let mut remarks = Vec::new();
            if count > 1 {
                remarks.push(format!("{shown} of {count} in one read"));
            } else if reads > 1 {
                remarks.push(format!("in {reads} reads"));
            }
            remarks.push(match (&piece.trouble, piece.of) {
                (None, Some(of)) => bytes(of),
                _ => size(&piece),
            });
            let remark = remarks.join(", ");
            let frame = Frame {
                from_suite: false,
                text,
                remark,
                telling: false,
                part_of: None,
                bytes: piece.bytes,
            };
            self.frame(at, lane, frame);
        }
    }

    fn frame(&mut self, at: u64, lane: usize, mut frame: Frame) {
        if frame.part_of.is_none() {
            self.learn_name(lane, &frame);
        }
        if frame.text.is_empty() {
            "(an empty body)".clone_into(&mut frame.text);
        }
        self.diagram.steps.push(Step { at, lane: Some(lane), what: What::Frame(frame) });
    }

    fn learn_name(&mut self, lane: usize, frame: &Frame) {
        // Who asks for a name has one: users of the suite; a client that is judged is no lane.
        let asks = frame.from_suite && frame.text.contains("USERNAME");
        if !asks || self.diagram.subject_is_first() {
            return;
        }
        let asked = serde_json::from_str::<serde_json::Value>(&frame.text).ok();
        let name = asked.as_ref().and_then(|frame| frame.get("USERNAME")?.as_str());
        if let (Some(name), Some(lane)) = (name, self.diagram.lanes.get_mut(lane)) {
            lane.name = Some(visible(name));
        }
    }

    /// A frame that had begun and will not be completed.
    fn unfinished(&mut self, at: u64, lane: usize) {
        let Some(wire) = self.wires.get_mut(lane) else { return };
        let Some((have, of)) = wire.received.partial() else { return };
        let text = wire.received.partial_text();
        wire.received = Stream::default();
        let of = of.map_or_else(|| "the 4 of its length".to_owned(), |of| of.to_string());
        let remark = format!("{have} of {of} bytes; the rest never came");
        let frame =
            Frame { from_suite: false, text, remark, telling: false, part_of: None, bytes: have };
        self.frame(at, lane, frame);
    }

    fn finish(mut self) -> Diagram {
        let at = self.diagram.steps.last().map_or(0, |step| step.at);
        for lane in 0..self.wires.len() {
            self.unfinished(at, lane);
        }
        self.diagram
    }
}

/// The size of a piece, and which part of its frame it is.
fn size(piece: &Piece) -> String {
    if let Some(trouble) = &piece.trouble {
        return format!("{}, {trouble}", bytes(piece.bytes));
    }
    match (piece.begins, piece.whole.is_some(), piece.of) {
        (true, true, _) => bytes(piece.bytes),
        (true, false, None) => format!("{}, a part of the length", bytes(piece.bytes)),
        (true, false, Some(of)) => format!("the first {} of a frame of {of}", bytes(piece.bytes)),
        (false, true, _) => format!("the last {} of the frame", bytes(piece.bytes)),
        (false, false, _) => format!("{} more of the frame", bytes(piece.bytes)),
    }
}

fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
