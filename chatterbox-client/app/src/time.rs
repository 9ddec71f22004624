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

    /// The local day of a time, for people; `????-??-??` outside of the calendar.
    pub fn day(&self, seconds: i64) -> String {
        self.written(seconds, "%a %Y-%m-%d", "????-??-??")
    }

    /// The time of day, to the minute.
    pub fn hour_minute(&self, seconds: i64) -> String {
        self.written(seconds, "%H:%M", "??:??")
    }

    /// The time of day, to the second.
    pub fn hour_minute_second(&self, seconds: i64) -> String {
        self.written(seconds, "%H:%M:%S", "??:??:??")
    }

    /// Whether two times are on one day here. All times outside of the calendar are.
    pub fn is_same_day(&self, one: i64, other: i64) -> bool {
        let day = |seconds| self.local(seconds).map(|time| time.date());
        one == other || day(one) == day(other)
    }

    fn written(&self, seconds: i64, format: &str, unknown: &str) -> String {
        self.local(seconds).map_or(unknown.to_owned(), |time| time.strftime(format).to_string())
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

    #[test]
    fn days_and_times_are_local_and_short_however_absurd_they_are() {
        let time = TimeFormatter::new(TimeZone::fixed(jiff::tz::offset(2)));
        for (seconds, day, hour, second) in [
            (1_700_000_000, "Wed 2023-11-15", "00:13", "00:13:20"),
            (-1, "Thu 1970-01-01", "01:59", "01:59:59"),
            (i64::MAX, "????-??-??", "??:??", "??:??:??"),
            (i64::MIN, "????-??-??", "??:??", "??:??:??"),
        ] {
            assert_eq!(time.day(seconds), day);
            assert_eq!(time.hour_minute(seconds), hour);
            assert_eq!(time.hour_minute_second(seconds), second);
        }
        for seconds in [-377_705_000_000, 253_402_200_000, -62_200_000_000] {
            assert!(time.day(seconds).chars().count() <= 20, "{}", time.day(seconds));
        }
        assert!(time.is_same_day(1_700_000_000, 1_700_000_000 + 3_600));
        assert!(!time.is_same_day(1_700_000_000, 1_700_000_000 - 3_600));
        assert!(time.is_same_day(i64::MIN, i64::MAX) && !time.is_same_day(0, i64::MAX));
    }
}
