//! What a node does while nothing of its own comes round in the order. It can't tell whether the engine stands still or only its own
//! way to it is cut: elections of the engine take 4 to 9 s, and whoever waits for longer is better off at another node.

use std::time::Duration;

/// How long a node has waited, as far as its members are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Silence {
    /// Not long enough for anybody to be told.
    No,
    /// Those who are here are told that nothing is stored at the moment. What they post waits, and so does who joins.
    Told,
    /// Nobody should be sent here, and who joins is refused.
    NotReady,
    /// The connections are closed: their users may be better off elsewhere.
    Closed,
}

impl Silence {
    /// How long it takes until each.
    const ALL: [(Duration, Self); 4] = [
        (Duration::ZERO, Self::No),
        (Duration::from_secs(3), Self::Told),
        (Duration::from_secs(10), Self::NotReady),
        (Duration::from_secs(20), Self::Closed),
    ];

    /// How it is after this time.
    pub(crate) fn after(time: Duration) -> Self {
        let reached = Self::ALL.iter().rev().find(|(from, _)| time >= *from);
        reached.map_or(Self::No, |(_, silence)| *silence)
    }

    /// After which time it is another one, if it goes on.
    pub(crate) fn ends(self) -> Option<Duration> {
        let next = Self::ALL.iter().find(|(_, silence)| *silence > self);
        next.map(|(from, _)| *from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_comes_at_its_time_and_the_last_one_stays() {
        let at = |millis| Silence::after(Duration::from_millis(millis));
        for (millis, silence) in [
            (0, Silence::No),
            (2_999, Silence::No),
            (3_000, Silence::Told),
            (9_999, Silence::Told),
            (10_000, Silence::NotReady),
            (19_999, Silence::NotReady),
            (20_000, Silence::Closed),
            (u64::MAX, Silence::Closed),
        ] {
            assert_eq!(at(millis), silence, "{millis} ms");
        }
        let mut silence = Silence::No;
        let mut steps = Vec::new();
        while let Some(end) = silence.ends() {
            silence = Silence::after(end);
            steps.push((end.as_secs(), silence));
        }
        let expected = [(3, Silence::Told), (10, Silence::NotReady), (20, Silence::Closed)];
        assert_eq!(steps, expected);
    }
}
