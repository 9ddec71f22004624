//! The plan of a run: it maps the numbers of users to roles, and senders to places.

use std::time::Duration;

use super::{content, dialect::Dialect};

/// How fast senders send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many messages of each sender are on their way at the same time.
    Window(u32),
    /// So many messages a second in all, on a fixed schedule.
    Rate(f64),
}

/// The workload of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// A few talk to everybody.
    FanOut,
    /// Everybody comes at once.
    JoinStorm,
    /// Some come and go while others talk.
    Churn,
    /// Pairs talk privately.
    Private,
    /// Everybody is there and says nothing.
    Idle,
}

impl Workload {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FanOut => "fan-out",
            Self::JoinStorm => "join-storm",
            Self::Churn => "churn",
            Self::Private => "private",
            Self::Idle => "idle",
        }
    }
}

/// The numbers of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its effect.
    pub workload: Workload,
    /// What the server speaks.
    pub dialect: Dialect,
    /// How many members there are who are measured.
    pub members: u32,
    /// How many of them send.
    pub senders: u32,
    /// How many bytes a text has.
    pub payload: usize,
    /// How fast the senders send.
    pub pace: Pace,
    /// How many others flood the room, and how many messages of each are on their way.
    pub flooders: u32,
    /// The window of those.
    pub flood_window: u32,
    /// How many others read slowly or not at all.
    pub slow: u32,
    /// How many bytes a second they read; 0 is not at all.
    pub slow_speed: u32,
    /// How many messages are in the history before a join storm.
    pub history: u32,
    /// How many users come, and go, a second.
    pub churn: f64,
    /// How long each of them stays.
    pub stay: Duration,
    /// How many connections are opened at the same time.
    pub at_once: usize,
    /// How long one step of a connection may take: connecting, the handshake, the answer to a name.
    pub patience: Duration,
    /// How long nothing at all may come before what is missing counts as lost.
    pub drain: Duration,
}

/// The role of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// One who is measured.
    Member,
    /// One who floods the room.
    Flooder,
    /// One who does not keep up with reading.
    Slow,
    /// One who fills the history.
    Filler,
    /// One who sees that the history is filled.
    Observer,
    /// One who comes and goes.
    Passer,
}

impl Plan {
    /// The users who are present while it is measured, those who are not judged included.
    #[must_use]
    pub const fn residents(&self) -> u32 {
        self.members + self.flooders + self.slow
    }

    /// The users who stay and whose deliveries are judged.
    #[must_use]
    pub const fn receivers(&self) -> u32 {
        self.members + self.flooders
    }

    /// The number of the one who fills the history.
    #[must_use]
    pub const fn filler(&self) -> u32 {
        self.residents()
    }

    /// The number of the first who comes and goes.
    #[must_use]
    pub const fn first_passer(&self) -> u32 {
        self.residents() + 2
    }

    /// The role of a user.
    #[must_use]
    pub const fn role(&self, user: u32) -> Role {
        if user < self.members {
            Role::Member
        } else if user < self.receivers() {
            Role::Flooder
        } else if user < self.residents() {
            Role::Slow
        } else if user == self.filler() {
            Role::Filler
        } else if user == self.filler() + 1 {
            Role::Observer
        } else {
            Role::Passer
        }
    }

    /// How many places of senders there are.
    #[must_use]
    pub const fn slots(&self) -> usize {
        (self.senders + self.flooders + if self.history > 0 { 1 } else { 0 }) as usize
    }

    /// The place of a sender; `None` for users who do not send.
    #[must_use]
    pub const fn slot(&self, user: u32) -> Option<usize> {
        match self.role(user) {
            Role::Member if user < self.senders => Some(user as usize),
            Role::Flooder => Some((self.senders + user - self.members) as usize),
            Role::Filler if self.history > 0 => Some((self.senders + self.flooders) as usize),
            _ => None,
        }
    }

    /// The sender at a place.
    #[must_use]
    pub const fn sender_at(&self, slot: usize) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "places are fewer than users")]
        let slot = slot as u32;
        if slot < self.senders {
            slot
        } else if slot < self.senders + self.flooders {
            self.members + slot - self.senders
        } else {
            self.filler()
        }
    }

    /// The member of the same thread that confirms deliveries for a sender without echo.
    #[must_use]
    pub const fn buddy(&self, user: u32) -> u32 {
        match self.role(user) {
            // The last one without a partner is looked after by the first.
            Role::Member if user ^ 1 >= self.members => 0,
            Role::Flooder => 0,
            Role::Filler => user + 1,
            _ => user ^ 1,
        }
    }

    /// The thread that owns a user.
    #[must_use]
    pub const fn thread(&self, user: u32, threads: usize) -> usize {
        match self.role(user) {
            Role::Member if user ^ 1 >= self.members => 0,
            Role::Flooder | Role::Filler | Role::Observer => 0,
            _ => (user as usize / 2) % threads,
        }
    }

    /// Whether a user stands for its thread: what has come to it has come to that thread.
    #[must_use]
    pub const fn is_witness(&self, user: u32, thread: usize) -> bool {
        user as usize == 2 * thread
    }

    /// How many messages of the senders are on their way at most; on a schedule there is no bound.
    #[must_use]
    pub const fn on_their_way(&self) -> usize {
        match self.pace {
            Pace::Window(window) => (self.senders as usize).saturating_mul(window as usize),
            Pace::Rate(_) => usize::MAX,
        }
    }

    /// When the message `sequence` of a member is to be sent, in microseconds after the start.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a run has far fewer than 2^52 messages and microseconds"
    )]
    pub fn due(&self, slot: usize, sequence: u32, rate: f64) -> u64 {
        let number = u64::from(sequence) * u64::from(self.senders.max(1)) + slot as u64;
        (number as f64 * 1e6 / rate) as u64
    }

    /// The contradiction in the plan.
    ///
    /// # Errors
    /// Says why.
    pub fn check(&self) -> Result<(), String> {
        let talks = !matches!(self.workload, Workload::JoinStorm);
        let is_foreign = self.dialect != Dialect::Chatterbox;
        let is_plain =
            matches!(self.workload, Workload::FanOut | Workload::JoinStorm | Workload::Idle)
                && self.history == 0
                && self.flooders + self.slow == 0;
        if let Some(longest) = self.dialect.longest_text().filter(|most| self.payload > *most) {
            return Err(format!("a message of {} holds {longest} bytes of text", self.dialect));
        }
        let problem = if self.members < 2 {
            "at least two connections are needed"
        } else if talks && self.senders == 0 {
            "somebody has to send: --senders"
        } else if self.senders > self.members {
            "there are more senders than connections"
        } else if self.workload == Workload::Private && !self.members.is_multiple_of(2) {
            "pairs need an even number of connections"
        } else if !(content::SMALLEST..=content::LARGEST).contains(&self.payload) {
            "the payload is from 31 bytes (what a receiver needs to judge a message) to 1048576"
        } else if is_foreign && !is_plain {
            "other dialects: fan-out, idle, join-storm without history; no floods, no slow readers"
        } else if u64::from(self.receivers()) * self.slots() as u64 > 200_000_000 {
            "connections times senders is above 200 million: no memory to judge that"
        } else if self.residents() > 500_000 {
            "at most 500000 connections"
        } else {
            return Ok(());
        };
        Err(problem.to_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plan() -> Plan {
        Plan {
            workload: Workload::FanOut,
            dialect: Dialect::Chatterbox,
            members: 9,
            senders: 3,
            payload: 64,
            pace: Pace::Window(4),
            flooders: 2,
            flood_window: 64,
            slow: 1,
            slow_speed: 0,
            history: 5,
            churn: 0.0,
            stay: Duration::from_secs(1),
            at_once: 8,
            patience: Duration::from_secs(5),
            drain: Duration::from_secs(5),
        }
    }

    #[test]
    fn places_and_senders_belong_together() {
        let plan = plan();
        assert_eq!(plan.slots(), 6);
        for slot in 0..plan.slots() {
            assert_eq!(plan.slot(plan.sender_at(slot)), Some(slot));
        }
        assert_eq!((plan.slot(3), plan.slot(11), plan.slot(13)), (None, None, None));
        assert_eq!(plan.role(plan.first_passer()), Role::Passer);
    }

    #[test]
    fn whoever_confirms_lives_on_the_same_thread() {
        for members in [2, 3, 8, 9] {
            let plan = Plan { members, ..plan() };
            for threads in 1..4 {
                for user in (0..plan.receivers()).chain([plan.filler()]) {
                    let buddy = plan.buddy(user);
                    assert_ne!(user, buddy);
                    let (own, other) = (plan.thread(user, threads), plan.thread(buddy, threads));
                    assert_eq!(own, other, "{user} {buddy} of {members} on {threads}");
                }
            }
        }
    }

    #[test]
    fn every_thread_has_one_witness_of_its_own() {
        let plan = Plan { members: 8, ..plan() };
        for threads in 1..=4 {
            for thread in 0..threads {
                let mut witnesses =
                    (0..plan.residents()).filter(|user| plan.is_witness(*user, thread));
                let witness = witnesses.next().unwrap();
                assert_eq!((plan.thread(witness, threads), witnesses.next()), (thread, None));
                assert_eq!(plan.role(witness), Role::Member);
            }
        }
    }

    #[test]
    fn the_schedule_is_even_and_knows_no_drift() {
        let plan = plan();
        let mut due: Vec<_> = (0..100)
            .flat_map(|sequence| (0..3).map(move |slot| (slot, sequence)))
            .map(|(slot, sequence)| plan.due(slot, sequence, 1_000.0))
            .collect();
        due.sort_unstable();
        assert_eq!(due, (0..300).map(|n| n * 1_000).collect::<Vec<u64>>());
        assert_eq!(plan.due(0, 1_000_000, 3.0), 1_000_000_000_000);
    }

    #[test]
    fn what_can_not_be_done_is_said() {
        assert_eq!(plan().check(), Ok(()));
        let calm = Plan { flooders: 0, slow: 0, history: 0, ..plan() };
        for dialect in Dialect::ALL {
            assert_eq!(Plan { dialect, ..calm.clone() }.check(), Ok(()));
        }
        for (plan, word) in [
            (Plan { members: 1, ..plan() }, "two"),
            (Plan { senders: 0, ..plan() }, "send"),
            (Plan { senders: 10, ..plan() }, "more senders"),
            (Plan { workload: Workload::Private, ..plan() }, "even"),
            (Plan { payload: 10, ..plan() }, "31"),
            (Plan { dialect: Dialect::Irc, payload: 401, ..plan() }, "irc holds 400"),
            (Plan { dialect: Dialect::Irc, ..plan() }, "other dialects"),
            (Plan { dialect: Dialect::Mqtt, ..plan() }, "other dialects"),
            (Plan { members: 400_000, senders: 400_000, ..plan() }, "million"),
        ] {
            assert!(plan.check().unwrap_err().contains(word), "{word}");
        }
    }
}
