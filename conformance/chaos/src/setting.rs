//! What a run is made of: users, nodes, faults, times.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use conformance_kit::{clock::Clock, net::dial::Transport};

use crate::evidence::{Before, Fault, Micros};

/// What a run is made of.
#[derive(Clone)]
pub struct Setting {
    /// Everything random follows from it.
    pub seed: u64,
    /// How long users talk while faults are put in, at most.
    pub lasting: Duration,
    /// After so many rounds, in each of which every fault is put in once, it is enough, however much time is left; never where it is
    /// nothing.
    pub rounds: Option<usize>,
    /// How many users talk.
    pub users: u16,
    /// One in so many of them speaks the base protocol alone; none where it is 0.
    pub base: u16,
    /// How many users compete for each contested name.
    pub claimants: u16,
    /// How many names are contested.
    pub contested: u16,
    /// How many messages all users send in a second, about.
    pub rate: f64,
    /// A user goes on over another connection without need about once in so many looks after itself, twenty of which are in a second.
    pub wandering: u32,
    /// The rooms that every other user joins; they have to be there.
    pub rooms: Vec<String>,
    /// The faults, in turns.
    pub faults: Vec<Fault>,
    /// How long faults last, in turns.
    pub fault_lasts: Vec<Duration>,
    /// How long nothing is broken between two faults.
    pub pause: Duration,
    /// How long users whose node is gone keep their places, as the cluster promises.
    pub hold: Duration,
    /// How long after a fault its consequences may show.
    pub grace: Duration,
    /// How long everything has to come to rest at the end.
    pub patience: Duration,
    /// Pages are read from behind this id.
    pub from: u64,
    /// What has to be on the pages of all beside what is said in the run: what was there before, behind `from`.
    pub before: Before,
    /// The layers between TCP and the frames.
    pub transport: Transport,
    /// The first of the addresses of this machine from which users connect, each from one of its own: servers keep less of what many say
    /// from one. All connect from the same where it is nothing.
    pub homes: Option<Ipv4Addr>,
}

impl Setting {
    /// A short run with nothing broken.
    #[must_use]
    pub fn quiet(transport: Transport) -> Self {
        Self {
            seed: 1,
            lasting: Duration::from_secs(60),
            rounds: None,
            users: 24,
            base: 6,
            claimants: 3,
            contested: 2,
            rate: 60.0,
            wandering: 900,
            rooms: Vec::new(),
            faults: Vec::new(),
            fault_lasts: vec![Duration::from_secs(5)],
            pause: Duration::from_secs(10),
            hold: Duration::from_secs(8),
            grace: Duration::from_secs(30),
            patience: Duration::from_secs(90),
            from: 0,
            before: Before::default(),
            transport,
            homes: None,
        }
    }

    /// Whether a user speaks the base protocol alone. The first one never does, and who does is in no room.
    #[must_use]
    pub const fn is_base(&self, user: u16) -> bool {
        self.base > 1 && user % self.base == self.base - 1
    }

    /// The word that begins every text of the run.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("chaos-{:08x}", self.seed & 0xffff_ffff)
    }
}

/// What all users of a run share.
pub(crate) struct Shared {
    pub(crate) setting: Setting,
    pub(crate) clock: Clock,
    /// The names of the run; those that are contested at the end.
    pub(crate) names: Vec<String>,
    /// Where the users of each node connect.
    pub(crate) nodes: Vec<SocketAddr>,
}

impl Shared {
    /// Microseconds since the run began.
    pub(crate) fn now(&self) -> Micros {
        micros(self.clock.elapsed())
    }

    /// Where the user of a name connects from.
    pub(crate) fn home(&self, name: u16) -> Option<IpAddr> {
        let first = self.setting.homes?;
        Some(IpAddr::V4((u32::from(first) + u32::from(name)).into()))
    }

    /// The place of a name in the table.
    pub(crate) fn name(&self, name: &str) -> Option<u16> {
        let at = self.names.iter().position(|known| known == name)?;
        u16::try_from(at).ok()
    }

    /// The place of a room in the list.
    pub(crate) fn room(&self, name: &str) -> Option<u16> {
        let at = self.setting.rooms.iter().position(|known| known == name)?;
        u16::try_from(at).ok()
    }
}

/// A time as microseconds.
pub(crate) fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX)
}
