//! The limits of a session of lines.

use std::time::Duration;

/// The most bytes of a typed line; what is longer is passed over to its end.
pub(crate) const LINE: usize = 8 * 1024;

/// So many lines may come at once, and so many in a second after that.
const AT_ONCE: u32 = 20;
const PER_SECOND: u32 = 2;

/// Who types faster is not read for so long.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Who is told to slow down is not told again for so long.
const TOLD: Duration = Duration::from_secs(10);

/// What keys cost is counted in the bytes of the line that they are in: each moves through it, or copies it. A key costs so many at
/// least.
const KEY: usize = 64;

/// So much may be spent at once, and in a second: a person holds an arrow down in a line of full length, and pastes such lines.
const EFFORT: usize = 1024 * 1024;
const EFFORT_PER_SECOND: usize = 256 * 1024;

/// Whoever has spent it is not read for so long.
pub(crate) const RESPITE: Duration = Duration::from_millis(250);

/// The answer to a command is waited for so long before the next line is taken.
pub(crate) const ANSWER: Duration = Duration::from_secs(3);

/// Who leaves waits so long for the confirmation of what was said.
pub(crate) const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What the session keeps of the chat.
pub(crate) const MODEL: chatterbox_app::model::Limits = chatterbox_app::model::Limits {
    items: 100,
    all_items: 500,
    bytes: 128 * 1024,
    users: 20,
    rooms: 100,
};

/// The time, as far as a session needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// Seconds since 1970.
    pub(crate) unix: i64,
    /// The time of a monotonic clock.
    pub(crate) elapsed: Duration,
}

/// How fast lines come.
#[derive(Debug)]
pub(crate) struct Pace {
    /// How many lines may come now, and when that was so.
    left: u32,
    since: Duration,
    told: Option<Duration>,
}

/// What a line has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paced {
    /// It is taken.
    Taken,
    /// It waits; whether the user is to be told so.
    Waits(bool),
}

impl Pace {
    pub(crate) fn new(now: Duration) -> Self {
        Self { left: AT_ONCE, since: now, told: None }
    }

    /// The next line has come.
    pub(crate) fn line(&mut self, now: Duration) -> Paced {
        let step = Duration::from_secs(1) / PER_SECOND;
        while self.left < AT_ONCE && now.saturating_sub(self.since) >= step {
            self.left += 1;
            self.since += step;
        }
        if self.left == AT_ONCE {
            self.since = now;
        }
        if let Some(left) = self.left.checked_sub(1) {
            self.left = left;
            return Paced::Taken;
        }
        let tell = self.told.is_none_or(|told| now.saturating_sub(told) >= TOLD);
        if tell {
            self.told = Some(now);
        }
        Paced::Waits(tell)
    }
}

/// How much work the keys make. Whatever a terminal sends, all others share the processor with it.
#[derive(Debug)]
pub(crate) struct Effort {
    /// How much may be spent now, and when that was so.
    left: usize,
    since: Duration,
}

impl Effort {
    pub(crate) fn new(now: Duration) -> Self {
        Self { left: EFFORT, since: now }
    }

    /// A key was worked off in a line of so many bytes. Says whether there may be another one now.
    pub(crate) fn spend(&mut self, line: usize, now: Duration) -> bool {
        let passed = now.saturating_sub(self.since).as_millis();
        let more =
            usize::try_from(passed).unwrap_or(usize::MAX).saturating_mul(EFFORT_PER_SECOND / 1000);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(EFFORT);
            self.since = now;
        }
        self.left = self.left.saturating_sub(KEY + line);
        self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_a_long_line_cost_more() {
        let second = Duration::from_secs(1);
        for (line, at_once, a_second) in [(0, 16384, 4094), (80, 7282, 1820), (8000, 131, 33)] {
            let mut effort = Effort::new(second);
            assert_eq!((1..).find(|_| !effort.spend(line, second)), Some(at_once), "{line}");
            // A long time is worth no more than the beginning.
            assert_eq!((1..).find(|_| !effort.spend(line, second * 9999)), Some(at_once), "{line}");
            let later = second * 10_000;
            assert_eq!((1..).find(|_| !effort.spend(line, later)), Some(a_second), "{line}");
        }
    }

    #[test]
    fn twenty_lines_at_once_and_two_a_second() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(second);
        for _ in 0..AT_ONCE {
            assert_eq!(pace.line(second), Paced::Taken);
        }
        assert_eq!(pace.line(second), Paced::Waits(true));
        let mut taken = 0;
        for step in 1..=100 {
            while pace.line(second + PAUSE * step) == Paced::Taken {
                taken += 1;
            }
        }
        assert_eq!(taken, 200);
        // Who was silent for long has no more than at the beginning.
        let later = second * 10_000;
        let taken = (0..100).filter(|_| pace.line(later) == Paced::Taken).count();
        assert_eq!(taken, AT_ONCE as usize);
        assert_eq!(pace.line(later), Paced::Waits(false));
    }
}
