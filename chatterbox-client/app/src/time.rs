//! Times as a person reads them: local, with the date when it is not today.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Formats times in one time zone. The zone is given from outside, since reading the machine's is I/O.
#[derive(Debug, Clone)]
pub struct TimeFormatter {
    zone: TimeZone,
}

impl TimeFormatter {
    /// A formatter for this zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// The time `seconds` since 1970, as read at `now`. A number outside of the calendar, which servers may send, is
    /// shown as `??:??`.
    pub fn format(&self, seconds: i64, now: i64) -> String {
        let Some(time) = self.local(seconds) else {
            return "??:??".to_owned();
        };
        let today = self.local(now).is_some_and(|now| now.date() == time.date());
        let format = if today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        time.strftime(format).to_string()
    }

    fn local(&self, seconds: i64) -> Option<jiff::Zoned> {
        Some(Timestamp::from_second(seconds).ok()?.to_zoned(self.zone.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_there_when_it_is_another_day_here() {
        let time = TimeFormatter::new(TimeZone::fixed(jiff::tz::offset(2)));
        let now = 1_700_000_000; // 2023-11-15 00:13 at +2.
        let table = [
            (now, "00:13"),
            (now - 13 * 60, "00:00"),
            (now - 14 * 60, "2023-11-14 23:59"),
            (now + 86_400, "2023-11-16 00:13"),
            (0, "1970-01-01 02:00"),
            (-1, "1970-01-01 01:59"),
            (i64::MAX, "??:??"),
            (i64::MIN, "??:??"),
        ];
        for (seconds, expected) in table {
            assert_eq!(time.format(seconds, now), expected, "{seconds}");
        }
        assert_eq!(time.format(0, i64::MAX), "1970-01-01 02:00");
    }
}
