//! Durations, as people type them: `30s`, `10m`, `2h`, `7d`, `forever` (CM-1).

use std::fmt;

/// For how long something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// For so many seconds.
    Seconds(u32),
    /// Until somebody ends it.
    Forever,
}

/// A longer one is for ever, as far as anybody can tell: ten years.
const LONGEST: u32 = 10 * 365 * DAY;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// The letter of each unit, its seconds, and how it is shown.
const UNITS: [(char, u32, &str); 4] =
    [('d', DAY, "d"), ('h', HOUR, "h"), ('m', MINUTE, "min"), ('s', 1, "s")];

impl Span {
    /// Reads one; `None` when it is none, or longer than ten years.
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("forever") {
            return Some(Self::Forever);
        }
        let unit = text.chars().last()?.to_ascii_lowercase();
        let (letter, seconds, _) = UNITS.into_iter().find(|(letter, ..)| *letter == unit)?;
        let digits = text.get(..text.len() - letter.len_utf8())?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = digits.parse::<u32>().ok().filter(|_| is_number)?.checked_mul(seconds)?;
        (1..=LONGEST).contains(&seconds).then_some(Self::Seconds(seconds))
    }

    /// When it ends if it begins now, in seconds since 1970 UTC.
    pub fn until(self, now: i64) -> Option<i64> {
        match self {
            Self::Seconds(seconds) => Some(now.saturating_add(seconds.into())),
            Self::Forever => None,
        }
    }
}

/// In the largest unit that fits: `for 2 h`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Seconds(seconds) = *self else { return f.write_str("for good") };
        let unit = UNITS.into_iter().find(|(_, unit, _)| seconds.is_multiple_of(*unit));
        let (_, unit, name) = unit.unwrap_or(('s', 1, "s"));
        write!(f, "for {} {name}", seconds / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read() {
        for (text, seconds) in
            [("1s", 1), ("10m", 600), ("2h", 7_200), ("7D", 604_800), ("3650d", LONGEST)]
        {
            assert_eq!(Span::parse(text), Some(Span::Seconds(seconds)), "{text}");
        }
        assert_eq!(Span::parse("Forever"), Some(Span::Forever));
        let none = [
            "",
            "0s",
            "s",
            "10",
            "-1s",
            "+1s",
            "1.5h",
            "1w",
            "10 m",
            "3651d",
            "99999999999d",
            "10ß",
            "é",
        ];
        for text in none {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_ends_when_it_says() {
        assert_eq!(Span::Seconds(600).until(1_000), Some(1_600));
        assert_eq!(Span::Forever.until(1_000), None);
        let shown = |text| Span::parse(text).unwrap().to_string();
        assert_eq!(shown("90s"), "for 90 s");
        assert_eq!(shown("120s"), "for 2 min");
        assert_eq!(shown("48h"), "for 2 d");
        assert_eq!(shown("forever"), "for good");
    }
}
