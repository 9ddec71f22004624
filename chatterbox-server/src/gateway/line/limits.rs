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

#[cfg(test)]
mod tests {
    use super::*;

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
