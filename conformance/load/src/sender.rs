//! A member that sends: builds its frames, and knows when the next message is due.

use super::{
    content::{Facts, Purpose, Texts},
    plan::{Pace, Plan},
};
use conformance_kit::wire::prefix::Prefix;

/// How much is put together for one write.
const BATCH: usize = 32 * 1024;

/// When senders may send, in microseconds since the run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    pub start: u64,
    pub stop: u64,
}

#[derive(Debug)]
pub struct Sender {
    /// Its place among the senders.
    pub slot: usize,
    user: u32,
    purpose: Purpose,
    pace: Pace,
    /// How many messages it sends at most.
    most: u32,
    per_frame: u32,
    sent: u32,
    /// Everything of a message in front of its text.
    head: Vec<u8>,
    /// What ends a message of another dialect; `None` where messages are put into frames.
    tail: Option<&'static [u8]>,
}

const OPEN: &[u8] = br#"{"MESSAGES": ["#;
const CLOSE: &[u8] = b"]}";

impl Sender {
    /// One who says to `dest` what `purpose` is.
    #[must_use]
    pub fn new(slot: usize, user: u32, purpose: Purpose, pace: Pace, names: [&str; 2]) -> Self {
        let [name, dest] = names;
        let seconds = conformance_kit::clock::unix_seconds();
        let head = format!(r#"["{name}", "{dest}", {seconds}, ""#).into_bytes();
        let (most, per_frame, sent, tail) = (u32::MAX, 1, 0, None);
        Self { slot, user, purpose, pace, most, per_frame, sent, head, tail }
    }

    /// Writes each text between these bytes, and into no frame.
    #[must_use]
    pub fn between(mut self, (head, tail): (Vec<u8>, &'static [u8])) -> Self {
        self.head = head;
        self.tail = Some(tail);
        self
    }

    /// Sends so many messages in all, many of them in each frame.
    #[must_use]
    pub fn in_bulk(mut self, most: u32, payload: usize) -> Self {
        let fit = (256 * 1024 / (payload + 64)).clamp(1, 256);
        self.most = most;
        self.per_frame = u32::try_from(fit).unwrap_or(1);
        self
    }

    /// How many it has sent.
    #[must_use]
    pub const fn sent(&self) -> u32 {
        self.sent
    }

    /// When the next message is to be sent, if that is now.
    fn due(&self, plan: &Plan, hours: Hours, now: u64, confirmed: u32) -> Option<u64> {
        if self.sent >= self.most {
            return None;
        }
        match self.pace {
            Pace::Window(window) => {
                let open = now >= hours.start && now < hours.stop;
                (open && self.sent.saturating_sub(confirmed) < window).then_some(now)
            }
            Pace::Rate(rate) => {
                let due = hours.start.checked_add(plan.due(self.slot, self.sent, rate))?;
                (due <= now && due < hours.stop).then_some(due)
            }
        }
    }

    /// Appends the messages that are due, as many as make a good write; whether there were any.
    pub fn speak(
        &mut self,
        (plan, texts): (&Plan, &Texts),
        hours: Hours,
        now: u64,
        confirmed: u32,
        out: &mut Vec<u8>,
    ) -> bool {
        let before = out.len();
        while out.len() - before < BATCH {
            if let Some(tail) = self.tail {
                let Some(micros) = self.due(plan, hours, now, confirmed) else { break };
                self.write(texts, micros, out);
                out.extend_from_slice(tail);
                continue;
            }
            let start = out.len();
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(OPEN);
            let mut count = 0;
            while count < self.per_frame
                && let Some(micros) = self.due(plan, hours, now, confirmed)
            {
                if count > 0 {
                    out.extend_from_slice(b", ");
                }
                self.write(texts, micros, out);
                out.extend_from_slice(b"\"]");
                count += 1;
            }
            if count == 0 {
                out.truncate(start);
                break;
            }
            out.extend_from_slice(CLOSE);
            finish(out, start);
        }
        out.len() > before
    }

    /// Appends one message up to the end of its text.
    fn write(&mut self, texts: &Texts, micros: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        let (purpose, sender, sequence) = (self.purpose, self.user, self.sent);
        texts.write(Facts { purpose, sender, sequence, micros }, out);
        self.sent += 1;
    }
}

/// Writes the length in front of the frame that begins at `start`.
fn finish(out: &mut Vec<u8>, start: usize) {
    loop {
        let length = Prefix::NETWORK.announce(out.len() - start - 4);
        if length.contains(&b'{') {
            // Some servers search for the brace that begins the body (FR-7).
            out.push(b' ');
            continue;
        }
        if let Some(place) = out.get_mut(start..start + 4) {
            place.copy_from_slice(&length);
        }
        return;
    }
}

/// The frame that asks for a name.
#[must_use]
pub fn asking(name: &str) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(format!(r#"{{"USERNAME": "{name}"}}"#).as_bytes());
    finish(&mut out, 0);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fast_scan, frame_summary::Reading, plan::tests::plan, user_names::UserNames};

    const OPEN_HOURS: Hours = Hours { start: 100, stop: 10_000 };

    fn spoken(sending: &mut Sender, now: u64, confirmed: u32) -> u32 {
        let names = UserNames::new("ab3de");
        let reading = Reading { texts: Texts::new(&names, 64), names };
        let mut out = Vec::new();
        sending.speak((&plan(), &reading.texts), OPEN_HOURS, now, confirmed, &mut out);
        let (mut rest, mut messages) = (&out[..], 0);
        while let Some((prefix, body)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_be_bytes(*prefix)).unwrap();
            assert!(!prefix.contains(&b'{'));
            let summary = fast_scan::read(&reading, &body[..length]);
            assert_eq!((summary.altered, summary.strangers, &summary.nonsense), (0, 0, &None));
            messages += summary.messages;
            rest = &body[length..];
        }
        messages
    }

    fn sending(pace: Pace) -> Sender {
        Sender::new(1, 1, Purpose::Public, pace, ["uab3de0000001", "ALL"])
    }

    #[test]
    fn a_window_is_filled_and_refilled() {
        let mut sending = sending(Pace::Window(5));
        assert_eq!(spoken(&mut sending, 99, 0), 0);
        assert_eq!(spoken(&mut sending, 100, 0), 5);
        assert_eq!(spoken(&mut sending, 101, 0), 0);
        assert_eq!(spoken(&mut sending, 102, 3), 3);
        assert_eq!(spoken(&mut sending, 10_000, 8), 0);
    }

    #[test]
    fn a_rate_is_kept_whatever_is_confirmed() {
        // 1,000 a second over three senders: the second one at 1, 4, 7 ms after the start.
        let mut sending = sending(Pace::Rate(1_000.0));
        assert_eq!(spoken(&mut sending, 1_099, 0), 0);
        assert_eq!(spoken(&mut sending, 1_100, 0), 1);
        assert_eq!(spoken(&mut sending, 9_000, 0), 2);
        // What was due before the end is sent, even late.
        assert_eq!(spoken(&mut sending, 50_000, 0), 0);
        assert_eq!(sending.sent(), 3);
    }

    #[test]
    fn another_dialect_gets_texts_between_its_own_bytes() {
        let names = UserNames::new("ab3de");
        let texts = Texts::new(&names, 64);
        let mut sending = sending(Pace::Window(3)).between((b"SAY :".to_vec(), b"\r\n"));
        let mut out = Vec::new();
        assert!(sending.speak((&plan(), &texts), OPEN_HOURS, 100, 0, &mut out));
        let lines: Vec<_> = out.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 4);
        for (sequence, line) in (0..3).zip(&lines) {
            let text = line.strip_prefix(b"SAY :").unwrap().strip_suffix(b"\r").unwrap();
            assert_eq!(texts.read(text).unwrap().sequence, sequence);
        }
        assert_eq!((lines[3], sending.sent()), (&b""[..], 3));
    }

    #[test]
    fn bulk_ends_at_its_number() {
        let mut sending = sending(Pace::Window(u32::MAX)).in_bulk(1_000, 64);
        assert_eq!(spoken(&mut sending, 200, 0), 512);
        assert_eq!(spoken(&mut sending, 200, 0), 488);
    }

    #[test]
    fn no_length_has_a_brace_in_it() {
        for length in 0..700 {
            let frame = asking(&"x".repeat(length));
            assert!(!frame[..4].contains(&b'{'), "{length}");
        }
    }
}
