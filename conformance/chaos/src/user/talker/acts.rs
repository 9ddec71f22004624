//! What a user does besides talking when the run says so: it cuts its connection, leaves, floods, reads nothing.

use rand::RngExt as _;
use serde_json::{Value, json};

use super::{IN_ONE_FRAME, Talker};
use crate::{
    evidence::{Closing, Micros, Place, What},
    user::{
        line::{Line, Object},
        phase::{Part, Phase},
    },
};

/// A flood has so many messages at most.
const FLOOD: usize = 500;
/// A message of a flood is about so many characters long.
const LONG: usize = 1_000;
/// What is asked with PING after a time without reading: its answer stands behind all that has waited.
pub(super) const AFTER_A_REST: u64 = 2;
/// What was taken so many seconds before or after it came was taken by another clock than its reader's.
const OFF: u64 = 20 * 60;

impl Talker {
    /// Talks, and does its part besides.
    pub(super) async fn act(&mut self, phase: Phase) {
        let is_first = self.done.replace(phase) != Some(phase);
        match phase.part(self.me, &self.shared.setting) {
            Part::Cut if is_first => self.cut().await,
            Part::Leave if is_first => self.go_away().await,
            part => self.talk(part).await,
        }
    }

    /// Writes the beginning of a frame, or all of it, and cuts the connection.
    async fn cut(&mut self) {
        let place = self.choose();
        let (n, message) = self.post(place, 0);
        self.note(What::Sent(n));
        let frame = json!({"MESSAGES": [message], "TAGS": [n.to_string()]});
        // The whole frame, and no answer: then it is stored, and its sender does not know.
        let is_whole = self.random.random_bool(0.3);
        let thousandths = if is_whole { 1_000 } else { self.random.random_range(1..1_000) };
        if let Some(line) = &mut self.line {
            // Whether all of it got away does not matter to who cuts it.
            let _ = line.send_part(&frame, thousandths).await;
        }
        drop(self.let_go(Closing::Mine));
    }

    /// Closes the connection as one does; comes back with its session, or begins another one.
    async fn go_away(&mut self) {
        if let Some(line) = self.let_go(Closing::Mine) {
            line.close().await;
        }
        self.begins_anew = self.random.random_bool(0.5);
    }

    /// Writes as much as is allowed to be under way, until it is enough.
    pub(super) async fn flood(&mut self, room: usize) {
        let count = room.min(FLOOD.saturating_sub(self.flooded));
        self.flooded += count;
        let posts: Vec<(u32, Value)> = (0..count).map(|_| self.post(Place::Lobby, LONG)).collect();
        for posts in posts.chunks(IN_ONE_FRAME) {
            self.write_posts(posts).await;
        }
    }

    /// It has not read for a while, so what waits for it is not late.
    pub(super) fn waits_anew(&mut self, now: Micros) {
        self.heard = now;
        self.asked = self.asked.map(|_| now);
        self.pinged = self.pinged.map(|_| now);
    }

    /// Reads again. Whether the other end is there shows only behind what waits.
    pub(super) async fn look_up(&mut self) {
        let now = self.shared.now();
        self.waits_anew(now);
        self.pinged = Some(now);
        self.behind = true;
        self.write(&json!({"PING": AFTER_A_REST})).await;
    }

    /// Gives the connection up, for this reason.
    pub(super) fn let_go(&mut self, why: Closing) -> Option<Line> {
        let line = self.line.take();
        if line.is_some() {
            // Whoever was too far behind may be gone for the others by the time it goes on elsewhere.
            let is_own = self.behind && matches!(why, Closing::Lost | Closing::Moved);
            self.testimony.settled = false;
            self.note(What::Closed(if is_own { Closing::Dawdled } else { why }));
        }
        (self.asked, self.pinged, self.behind) = (None, None, false);
        line
    }

    /// Looks whether the server took the newest message by another clock than the user's.
    pub(super) fn look_at_times(&mut self, object: &Object) {
        let times = object.get("TIMES").and_then(Value::as_array);
        let Some(taken) = times.and_then(|times| times.last()?.as_i64()) else { return };
        let is_off = taken.abs_diff(conformance_kit::clock::unix_seconds()) > OFF;
        if is_off && !self.off_clock {
            self.note(What::OffClock);
        }
        self.off_clock = is_off;
    }
}
