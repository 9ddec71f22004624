//! What the run tells its users, and what they tell the run.

use crate::{
    evidence::{Fault, Print},
    setting::Setting,
};

/// What users are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Talk.
    Talk,
    /// Talk, and some do something else besides.
    Disturb(UserFault),
    /// Send nothing new, and wait until everything is answered.
    Settle,
    /// The first user says the last word.
    Mark,
    /// Wait until the message of this id, and this fingerprint, has come.
    End(u64, Print),
    /// Read the pages.
    Read,
}

impl Phase {
    /// Whether users talk.
    pub(super) const fn is_talk(self) -> bool {
        matches!(self, Self::Talk | Self::Disturb(_))
    }

    /// What this user does besides.
    pub(super) fn part(self, me: usize, setting: &Setting) -> Part {
        match self {
            Self::Disturb(disturbance) => disturbance.part(me, setting),
            _ => Part::None,
        }
    }
}

/// A fault that users put in themselves. No two of a run are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserFault {
    fault: Fault,
    /// Says which users.
    choice: u64,
    /// Its place in the run.
    number: usize,
}

/// One in so many users takes part where several do.
const ONE_IN: u64 = 4;

/// What one user does besides talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing.
    None,
    /// It cuts its connection in the middle of a frame, once.
    Cut,
    /// It leaves once, and comes back.
    Leave,
    /// It writes as much as it can.
    Flood,
    /// It reads nothing.
    Dawdle,
}

impl UserFault {
    /// Nothing where it is no fault that users put in.
    pub(crate) fn of(fault: Fault, choice: u64, number: usize) -> Option<Self> {
        fault.is_of_users().then_some(Self { fault, choice, number })
    }

    fn part(self, me: usize, setting: &Setting) -> Part {
        let Ok(user) = u16::try_from(me) else { return Part::None };
        // Base clients have none but their ordinary ways to come and go.
        if setting.is_base(user) || user >= setting.users {
            return Part::None;
        }
        let is_one_of_several = u64::from(user) % ONE_IN == self.choice % ONE_IN;
        let floods = self.flooder(setting) == Some(user);
        match self.fault {
            Fault::Flood | Fault::SlowReaders if floods => Part::Flood,
            Fault::SlowReaders if is_one_of_several => Part::Dawdle,
            Fault::FramesCut if is_one_of_several => Part::Cut,
            Fault::UsersLeave if is_one_of_several => Part::Leave,
            _ => Part::None,
        }
    }

    /// Never the first user, who says the last word: whoever floods may be muted for it. Nor one of those who read nothing, where
    /// there are others.
    fn flooder(self, setting: &Setting) -> Option<u16> {
        let others = (1..setting.users).filter(|user| !setting.is_base(*user));
        let reads = |user: &u16| u64::from(*user) % ONE_IN != self.choice % ONE_IN;
        let (reading, rest): (Vec<u16>, Vec<u16>) = others.partition(reads);
        let able = if reading.is_empty() { rest } else { reading };
        let count = u64::try_from(able.len()).ok().filter(|count| *count > 0)?;
        able.get(usize::try_from(self.choice / ONE_IN % count).ok()?).copied()
    }
}

/// What a user tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// Everything is answered.
    Flushed(usize),
    /// The last word is stored under this id.
    Marked(u64, Print),
    /// The last word has come.
    Settled(usize),
}

#[cfg(test)]
mod tests {
    use conformance_kit::net::dial::Transport;

    use super::*;

    fn parts(fault: Fault, choice: u64) -> Vec<Part> {
        let setting = Setting { users: 12, base: 6, ..Setting::quiet(Transport::PLAIN) };
        let phase = UserFault::of(fault, choice, 0).map_or(Phase::Talk, Phase::Disturb);
        (0..12).map(|me| phase.part(me, &setting)).collect()
    }

    #[test]
    fn whatever_is_chosen_somebody_takes_part_and_the_last_word_can_be_said() {
        for choice in 0..50 {
            let count = |fault: Fault, part: Part| {
                parts(fault, choice).into_iter().filter(|of| *of == part).count()
            };
            assert_eq!(count(Fault::Flood, Part::Flood), 1);
            assert_eq!(count(Fault::SlowReaders, Part::Flood), 1);
            assert!(count(Fault::SlowReaders, Part::Dawdle) > 1);
            assert!(count(Fault::FramesCut, Part::Cut) > 1);
            assert!(count(Fault::UsersLeave, Part::Leave) > 1);
            for fault in Fault::ALL {
                let parts = parts(fault, choice);
                assert_ne!(parts[0], Part::Flood);
                // These speak the base protocol alone.
                assert_eq!([parts[5], parts[11]], [Part::None; 2]);
            }
        }
        assert_eq!(UserFault::of(Fault::NodeKilled, 0, 0), None);
    }
}
