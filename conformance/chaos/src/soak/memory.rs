//! Whether the memory of a server grows for as long as it runs: a line through what it has at least, minute by minute, once it is warm.

use std::time::Duration;

use serde::Serialize;

/// How memory is looked at, and how much it may grow.
#[derive(Debug, Clone, Copy)]
pub struct MemoryRules {
    /// Between two looks.
    pub every: Duration,
    /// Of all looks within so long the least counts: what is used for a moment is no growth.
    pub stretch: Duration,
    /// Such a part of each life of the server comes before what is judged.
    pub warm_up: f64,
    /// A life with fewer stretches behind that is too short to be judged.
    pub least: usize,
    /// So many bytes an hour it may grow.
    pub most: f64,
}

impl Default for MemoryRules {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5),
            stretch: Duration::from_secs(60),
            warm_up: 0.25,
            least: 10,
            most: 4.0 * 1024.0 * 1024.0,
        }
    }
}

/// One life of the server: when it was looked at, since the soak began, and its memory in bytes, resident and swapped out.
#[derive(Debug, Clone, Default)]
pub struct Life {
    /// The looks, in their order.
    pub looks: Vec<(Duration, u64)>,
}

impl Life {
    /// From the first look to the last.
    #[must_use]
    pub fn length(&self) -> Duration {
        let (first, last) = (self.looks.first(), self.looks.last());
        let (first, last) = (first.map(|look| look.0), last.map(|look| look.0));
        last.unwrap_or_default().saturating_sub(first.unwrap_or_default())
    }
}

/// How memory grew in one life, once the server was warm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// Seconds since the soak began, and the least bytes of memory in the stretch that begins there.
    pub stretches: Vec<(f64, u64)>,
    /// Bytes an hour: the median of the slopes between any two stretches.
    pub an_hour: f64,
    /// The growth lies between this and `at_most` with a probability of 95 %, as far as stretches have nothing to do with each other.
    pub at_least: f64,
    /// See `at_least`.
    pub at_most: f64,
    /// Bytes an hour in the later half alone: what fills up grows no more by then.
    pub later: f64,
}

impl Growth {
    /// Whether it is more than it may be for certain, and goes on.
    fn is_leak(&self, rules: &MemoryRules) -> bool {
        self.at_least > rules.most && self.later > rules.most / 2.0
    }
}

/// What memory says of the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum MemoryVerdict {
    /// Nobody could look at it.
    Unknown,
    /// No life was long enough.
    TooShort,
    /// It does not grow, or not more than it may: in the longest life.
    Holds(Growth),
    /// It grows by more than it may, and that is certain; and it has not come to an end.
    Grows(Growth),
}

impl MemoryVerdict {
    /// Judges all lives.
    #[must_use]
    pub fn of(lives: &[Life], rules: &MemoryRules) -> Self {
        if lives.iter().all(|life| life.looks.is_empty()) {
            return Self::Unknown;
        }
        let mut growths: Vec<Growth> =
            lives.iter().filter_map(|life| growth(life, rules)).collect();
        if let Some(at) = growths.iter().position(|growth| growth.is_leak(rules)) {
            return Self::Grows(growths.swap_remove(at));
        }
        let longest = growths.into_iter().max_by_key(|growth| growth.stretches.len());
        longest.map_or(Self::TooShort, Self::Holds)
    }
}

/// The growth in one life; nothing where it is too short.
fn growth(life: &Life, rules: &MemoryRules) -> Option<Growth> {
    let begin = life.looks.first()?.0 + life.length().mul_f64(rules.warm_up);
    let warm: Vec<(Duration, u64)> =
        life.looks.iter().copied().filter(|(at, _)| *at >= begin).collect();
    let stretches = stretches(&warm, rules.stretch);
    if stretches.len() < rules.least.max(3) {
        return None;
    }
    let (an_hour, at_least, at_most) = slope(&stretches);
    let (later, ..) = slope(stretches.get(stretches.len() / 2..).unwrap_or_default());
    Some(Growth { stretches, an_hour, at_least, at_most, later })
}

/// So many stretches are looked at at most: each is compared with each.
const MOST: u32 = 500;

/// The least of each stretch, with the second at which it begins; the last one, which may be short, is left out.
fn stretches(looks: &[(Duration, u64)], stretch: Duration) -> Vec<(f64, u64)> {
    let Some((begin, end)) = looks.first().zip(looks.last()).map(|(a, b)| (a.0, b.0)) else {
        return Vec::new();
    };
    let stretch = stretch.max(end.saturating_sub(begin) / MOST).max(Duration::from_millis(1));
    let number = |at: Duration| at.saturating_sub(begin).as_millis() / stretch.as_millis().max(1);
    let mut found: Vec<(u128, f64, u64)> = Vec::new();
    for (at, bytes) in looks {
        match found.last_mut() {
            Some((of, _, least)) if *of == number(*at) => *least = (*least).min(*bytes),
            _ => found.push((number(*at), at.as_secs_f64(), *bytes)),
        }
    }
    found.pop();
    found.into_iter().map(|(_, at, least)| (at, least)).collect()
}

/// The median slope in bytes an hour (Theil and Sen), and the interval around it that Kendall's statistic gives.
#[allow(clippy::cast_precision_loss, reason = "memory and counts have less than 52 bits")]
fn slope(stretches: &[(f64, u64)]) -> (f64, f64, f64) {
    const HOUR: f64 = 3_600.0;
    /// 95 % of a normal distribution lie within so many standard deviations.
    const NORMAL: f64 = 1.96;
    let mut slopes = Vec::new();
    for (n, (at, bytes)) in stretches.iter().enumerate() {
        for (later, more) in stretches.iter().skip(n + 1) {
            slopes.push((*more as f64 - *bytes as f64) / (later - at).max(1e-3) * HOUR);
        }
    }
    slopes.sort_by(f64::total_cmp);
    let count = stretches.len() as f64;
    let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let aside = NORMAL * deviation / slopes.len().max(1) as f64 / 2.0;
    (quantile(&slopes, 0.5), quantile(&slopes, 0.5 - aside), quantile(&slopes, 0.5 + aside))
}

/// What so much of a sorted list lies below.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a place in a list"
)]
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    let at = (part.clamp(0.0, 1.0) * last as f64).round() as usize;
    sorted.get(at.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1024.0 * 1024.0;

    /// A life of so many minutes, looked at every five seconds.
    fn life(minutes: u64, bytes: impl Fn(f64) -> f64) -> Life {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made up")]
        let look = |n: u64| {
            let at = Duration::from_secs(n * 5);
            (at, bytes(at.as_secs_f64() / 60.0).max(0.0) as u64)
        };
        Life { looks: (0..=minutes * 12).map(look).collect() }
    }

    fn verdict(lives: &[Life]) -> MemoryVerdict {
        MemoryVerdict::of(lives, &MemoryRules::default())
    }

    /// Something that is neither smooth nor the same each time, from -1 to 1.
    fn noise(minute: f64) -> f64 {
        ((minute * 12.9898).sin() * 43_758.545).fract()
    }

    fn an_hour(verdict: &MemoryVerdict) -> f64 {
        match verdict {
            MemoryVerdict::Holds(growth) | MemoryVerdict::Grows(growth) => growth.an_hour / MIB,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_leak_is_found_under_noise_and_told_as_what_it_is() {
        let leaks = life(120, |minute| (40.0 + minute * 0.2 + noise(minute)) * MIB);
        let found = verdict(&[leaks]);
        assert!(matches!(found, MemoryVerdict::Grows(_)), "{found:?}");
        assert!((an_hour(&found) - 12.0).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn what_fills_up_while_it_gets_warm_is_no_leak() {
        let fills = life(120, |minute| (20.0 + minute.min(25.0) + noise(minute)) * MIB);
        let found = verdict(&[fills]);
        assert!(matches!(found, MemoryVerdict::Holds(_)), "{found:?}");
        assert!(an_hour(&found).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn what_fills_up_later_and_is_full_then_is_no_leak_but_what_goes_on_is() {
        // As a history does whose bound is reached half way.
        let fills = |minute: f64| 40.0 + minute.min(20.0) + noise(minute) * 0.1;
        let found = verdict(&[life(40, |minute| fills(minute) * MIB)]);
        let MemoryVerdict::Holds(growth) = found else { panic!("{found:?}") };
        assert!(growth.an_hour > 4.0 * MIB && growth.later.abs() < MIB, "{growth:?}");
        // What is certain of the whole is not enough to accuse, where it has come to an end.
        let grown = Growth { at_least: 5.0 * MIB, ..growth };
        let rules = MemoryRules::default();
        assert!(!grown.is_leak(&rules));
        assert!(Growth { later: 5.0 * MIB, ..grown }.is_leak(&rules));
        // It leaks as well.
        let found = verdict(&[life(40, |minute| (fills(minute) + minute * 0.2) * MIB)]);
        assert!(matches!(found, MemoryVerdict::Grows(_)), "{found:?}");
    }

    #[test]
    fn what_is_used_for_a_moment_is_no_leak_and_hides_none() {
        // Ever higher, but back within the minute.
        let peaks = |minute: f64| if minute.fract() < 0.2 { minute } else { 0.0 };
        let found = verdict(&[life(120, |minute| (30.0 + peaks(minute)) * MIB)]);
        assert!(matches!(found, MemoryVerdict::Holds(_)), "{found:?}");
        let hidden = |minute: f64| 30.0 + peaks(120.0 - minute) + minute * 0.2;
        let found = verdict(&[life(120, |minute| hidden(minute) * MIB)]);
        assert!(matches!(found, MemoryVerdict::Grows(_)), "{found:?}");
    }

    #[test]
    fn what_may_be_chance_is_told_and_not_held_against_the_server() {
        // Half an hour of noise as large as ten hours of growth.
        let found =
            verdict(&[life(30, |minute| (40.0 + minute * 0.02 + noise(minute) * 9.0) * MIB)]);
        assert!(matches!(found, MemoryVerdict::Holds(_)), "{found:?}");
    }

    #[test]
    fn one_life_that_leaks_is_enough_and_short_ones_are_not_judged() {
        let (steady, short) = (life(120, |_| 40.0 * MIB), life(12, |minute| minute * 10.0 * MIB));
        let leaks = life(60, |minute| (40.0 + minute) * MIB);
        let lives = [steady.clone(), short.clone(), leaks];
        assert!(matches!(verdict(&lives), MemoryVerdict::Grows(_)));
        assert_eq!(an_hour(&verdict(&[short.clone(), steady])), 0.0);
        assert_eq!(verdict(&[short]), MemoryVerdict::TooShort);
        assert_eq!(verdict(&[]), MemoryVerdict::Unknown);
        assert_eq!(verdict(&[Life::default()]), MemoryVerdict::Unknown);
    }

    #[test]
    fn days_are_looked_at_in_longer_stretches() {
        let found = verdict(&[life(60 * 24 * 3, |minute| (40.0 + minute * 0.2) * MIB)]);
        let MemoryVerdict::Grows(growth) = found else { panic!("{found:?}") };
        assert!(growth.stretches.len() <= 501, "{}", growth.stretches.len());
        assert!((growth.an_hour / MIB - 12.0).abs() < 0.1, "{}", growth.an_hour);
    }
}
