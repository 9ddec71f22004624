//! What a soak is made of, and what of it is in each lap.

use std::{net::Ipv4Addr, time::Duration};

use conformance_kit::net::dial::Transport;

use super::{memory::MemoryRules, rows};
use crate::{evidence::Fault, setting::Setting};

/// So many addresses follow the first one, and more than any lap has users behind these.
const MOST_HOMES: u32 = 8 << 20;

/// What a soak is made of.
#[derive(Clone)]
pub struct Soak {
    /// The users, and how they and the faults follow each other. Each lap has another seed, from this one on, and its faults are
    /// some of these.
    pub setting: Setting,
    /// How long all of it takes, without coming to rest at the end.
    pub lasting: Duration,
    /// How long users talk in one lap.
    pub lap: Duration,
    /// After so many laps it is enough, however much time is left.
    pub laps: Option<usize>,
    /// How memory is judged.
    pub memory: MemoryRules,
    /// What can't be done here, as sentences for the report.
    pub skipped: Vec<String>,
}

/// What is left of the time is no lap of its own where it is shorter.
const SHORTEST: Duration = Duration::from_secs(5);

/// The first of the addresses from which users connect, where a system has more than one of its own. What servers keep of one address
/// says nothing of what they keep of all, and what they drop of it need not be what is oldest.
const HOMES: Option<Ipv4Addr> =
    if cfg!(target_os = "linux") { Some(Ipv4Addr::new(127, 1, 0, 0)) } else { None };

impl Soak {
    /// Ten minutes with a few dozen users, and all disturbances.
    #[must_use]
    pub fn usual(transport: Transport) -> Self {
        let setting = Setting {
            faults: rows::DISTURBANCES.iter().map(|one| one.fault).collect(),
            // Once in a quarter of a minute.
            wandering: 300,
            fault_lasts: [2, 8].map(Duration::from_secs).to_vec(),
            // Nobody's place is held at a server that is alone, and what follows a fault follows soon.
            hold: Duration::from_secs(1),
            grace: Duration::from_secs(5),
            homes: HOMES,
            ..Setting::quiet(transport)
        };
        Self {
            setting,
            lasting: Duration::from_secs(600),
            lap: Duration::from_secs(180),
            laps: None,
            memory: MemoryRules::default(),
            skipped: Vec::new(),
        }
    }

    /// Leaves a disturbance out, for a reason that the report has.
    pub fn skip(&mut self, fault: Fault, why: &str) {
        self.setting.faults.retain(|other| *other != fault);
        self.skipped.push(format!("{}: {why}", rows::word(fault)));
    }

    /// How long users talk in a lap that begins after so long. Behind it, the time for about one more is left, or none: in the last one,
    /// which may be nearly two laps long, there is time for each disturbance, and the server is killed once more.
    fn length(&self, elapsed: Duration) -> Duration {
        let left = self.lasting.saturating_sub(elapsed);
        if left < self.lap * 2 { left } else { self.lap }
    }

    /// Whether the server is ended and started again in that lap. It is so in the first quarter and in the last lap: between them it has
    /// one long life, in which its memory shows what it does.
    fn restarts(&self, elapsed: Duration) -> bool {
        elapsed < self.lasting / 4 || self.lasting.saturating_sub(elapsed) == self.length(elapsed)
    }

    /// Whether there is no time for another lap.
    pub(super) fn is_over(&self, elapsed: Duration) -> bool {
        self.lasting.saturating_sub(elapsed) < SHORTEST
    }

    /// The setting of a lap, counted from 0, that begins after so long.
    pub(super) fn setting_of(&self, number: usize, elapsed: Duration) -> Setting {
        let mut setting = self.setting.clone();
        setting.seed = setting.seed.wrapping_add(u64::try_from(number).unwrap_or_default());
        setting.lasting = self.length(elapsed);
        // The users of each lap are others.
        let names = u32::from(setting.users) + u32::from(setting.contested);
        let before = u32::try_from(number).unwrap_or_default().wrapping_mul(names);
        setting.homes = setting.homes.map(|first| (u32::from(first) + before % MOST_HOMES).into());
        let is_end = |fault: &Fault| matches!(fault, Fault::NodeKilled | Fault::NodeStopped);
        let restarts = self.restarts(elapsed);
        setting.faults.retain(|fault| restarts || !is_end(fault));
        setting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(hours: u64) -> Soak {
        let lasting = Duration::from_secs(hours * 3_600);
        Soak { lasting, ..Soak::usual(Transport::PLAIN) }
    }

    /// Whether the lap that begins after so many minutes has restarts.
    fn restarts(soak: &Soak, minutes: u64) -> bool {
        let setting = soak.setting_of(7, Duration::from_secs(minutes * 60));
        assert!(setting.faults.contains(&Fault::Flood));
        setting.faults.contains(&Fault::NodeKilled)
    }

    #[test]
    fn users_of_two_laps_have_no_address_in_common() {
        let soak = hours(4);
        if soak.setting.homes.is_none() {
            return;
        }
        let first = |lap| u32::from(soak.setting_of(lap, Duration::ZERO).homes.unwrap());
        let names = u32::from(soak.setting.users) + u32::from(soak.setting.contested);
        assert!(first(1) >= first(0) + names && first(80) >= first(79) + names);
    }

    #[test]
    fn between_restarts_there_is_one_long_life() {
        let soak = hours(4);
        let with: Vec<u64> = (0..240).filter(|minutes| restarts(&soak, *minutes)).collect();
        let expected: Vec<u64> = (0..60).chain(235..240).collect();
        assert_eq!(with, expected);
        // A short one has all disturbances in its only lap.
        let short = Soak { lasting: Duration::from_secs(30), ..hours(4) };
        assert!(restarts(&short, 0));
    }

    #[test]
    fn each_lap_has_other_users_and_ends_in_time() {
        let soak = hours(1);
        let late = Duration::from_secs(3_540);
        let (one, other) = (soak.setting_of(1, late), soak.setting_of(2, late));
        assert_ne!(one.mark(), other.mark());
        assert_eq!(one.lasting, Duration::from_secs(60));
        // Two laps are left at least, or it is the last one.
        let length = |minutes: u64| soak.length(Duration::from_secs(minutes * 60)).as_secs();
        assert_eq!((length(54), length(55)), (180, 300));
    }

    #[test]
    fn what_can_not_be_done_is_told_and_not_tried() {
        let mut soak = hours(1);
        soak.skip(Fault::ClockStepped, "no library");
        assert_eq!(soak.skipped, ["clock-stepped: no library"]);
        assert!(!soak.setting.faults.contains(&Fault::ClockStepped));
    }
}
