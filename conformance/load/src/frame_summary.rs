//! The summary of one frame: senders, sequence numbers and times, without texts or JSON values.
//!
//! The fast reader makes a summary from the usual spelling without building anything;
//! [`Reading::slowly`] is for everything else, and goes through the suite's ordinary reader.

use std::time::Duration;

use conformance_kit::{
    escape,
    wire::{decoder::Body, frame::Frame},
};

use super::{
    content::{Facts, Purpose, Strange, Texts},
    user_names::UserNames,
};

/// DEST of a message to everybody.
pub const ALL: u32 = u32::MAX;

/// Messages of one sender that follow each other without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub purpose: Purpose,
    pub sender: u32,
    /// To whom, or [`ALL`].
    pub dest: u32,
    /// The sequence number of the first.
    pub first: u32,
    pub count: u32,
}

/// Messages that were to be sent in the same microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub sender: u32,
    /// When, since the run began.
    pub micros: u64,
    pub count: u32,
}

/// The summary of one frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameSummary {
    /// The answer to `USERNAME`.
    pub accepted: Option<bool>,
    /// Our users in `USER_LIST`.
    pub listed: Option<Vec<u32>>,
    /// Our users in `USERS_JOINED`.
    pub joined: Vec<u32>,
    /// Our users in `USERS_LEFT`.
    pub left: Vec<u32>,
    /// Our messages, in their order.
    pub runs: Vec<Run>,
    /// When they were to be sent.
    pub stamps: Vec<Stamp>,
    /// How many messages are ours and as they were sent.
    pub messages: u32,
    /// How many messages of our users are not as they were sent.
    pub altered: u32,
    /// How many messages others have sent.
    pub strangers: u32,
    /// The text of an error.
    pub error: Option<String>,
    /// The text of `INFO`.
    pub info: Option<String>,
    /// Something that is no frame of the protocol.
    pub nonsense: Option<String>,
}

/// Reads frames of one run.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The names of the run.
    pub names: UserNames,
    /// The texts of the run.
    pub texts: Texts,
}

impl Reading {
    /// Reads a frame in any spelling.
    #[must_use]
    pub fn slowly(&self, body: &[u8]) -> FrameSummary {
        let whole = Body { bytes: body.to_vec(), complaint: None };
        let frame = Frame::read(Duration::ZERO, whole);
        let mut summary = FrameSummary::default();
        if frame.value.is_none() {
            summary.nonsense = Some(escape::bytes(body, 80));
            return summary;
        }
        let ours = |names: Option<Vec<String>>| -> Option<Vec<u32>> {
            Some(names?.iter().filter_map(|name| self.names.user(name.as_bytes())).collect())
        };
        summary.accepted = frame.accepted();
        summary.listed = ours(frame.user_list());
        summary.joined = ours(frame.joined()).unwrap_or_default();
        summary.left = ours(frame.left()).unwrap_or_default();
        for message in frame.messages() {
            let [src, dest, text] = [&message.src, &message.dest, &message.content];
            self.message(&mut summary, src.as_bytes(), dest.as_bytes(), text.as_bytes());
        }
        let shown = |text: &str| escape::shorten(&escape::visible(text), 200);
        summary.error = frame.error().map(|text| shown(&text));
        summary.info = frame.key("INFO").and_then(|info| info.as_str()).map(shown);
        summary
    }

    /// Adds one message to a summary.
    pub(super) fn message(&self, summary: &mut FrameSummary, src: &[u8], dest: &[u8], text: &[u8]) {
        let Some(sender) = self.names.user(src) else {
            summary.strangers += 1;
            return;
        };
        let facts = match self.texts.read(text) {
            Ok(facts) if facts.sender == sender => facts,
            Ok(_) | Err(Strange::Altered | Strange::NotOurs) => {
                summary.altered += 1;
                return;
            }
        };
        let dest = if dest == b"ALL" { Some(ALL) } else { self.names.user(dest) };
        let Some(dest) = dest.filter(|dest| (*dest == ALL) != (facts.purpose == Purpose::Private))
        else {
            summary.altered += 1;
            return;
        };
        summary.messages += 1;
        summary.add(facts, dest);
    }

    /// Adds one message to the room of another dialect: its text tells the sender, and `src` has to
    /// be the same where the dialect names one.
    pub(super) fn said(&self, summary: &mut FrameSummary, src: Option<&[u8]>, text: &[u8]) {
        let named = src.map(|src| self.names.user(src));
        if named == Some(None) {
            summary.strangers += 1;
            return;
        }
        match self.texts.read(text) {
            Ok(facts)
                if facts.purpose == Purpose::Public
                    && named.is_none_or(|user| user == Some(facts.sender)) =>
            {
                summary.messages += 1;
                summary.add(facts, ALL);
            }
            Err(Strange::NotOurs) if src.is_none() => summary.strangers += 1,
            Ok(_) | Err(Strange::Altered | Strange::NotOurs) => summary.altered += 1,
        }
    }
}

impl FrameSummary {
    fn add(&mut self, facts: Facts, dest: u32) {
        let Facts { purpose, sender, sequence, micros } = facts;
        match self.runs.last_mut() {
            Some(run)
                if (run.purpose, run.sender, run.dest) == (purpose, sender, dest)
                    && run.first.checked_add(run.count) == Some(sequence) =>
            {
                run.count += 1;
            }
            _ => self.runs.push(Run { purpose, sender, dest, first: sequence, count: 1 }),
        }
        match self.stamps.last_mut() {
            Some(stamp) if (stamp.sender, stamp.micros) == (sender, micros) => stamp.count += 1,
            _ => self.stamps.push(Stamp { sender, micros, count: 1 }),
        }
    }
}
