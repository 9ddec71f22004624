//! The roster: names that are in use, and names that are reserved for users who left (TK-1, NM-2).
//!
//! Which account a name is registered to is the authenticator's to know.

use std::collections::{HashMap, VecDeque};
// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use chatterbox_proto::{NameKey, Refusal, Username};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Digester};
use crate::guard::Shares;
use crate::ids::MemberId;
use crate::replica::look_counts::LookCounts;

/// Reserved names; the oldest reservations go first.
const HELD: usize = 20_000;

/// What a user who asks for a name can show for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claimant {
    /// Whether the name was proven to be theirs.
    pub owns: bool,
    /// The address or network that they come from.
    pub address: Option<IpAddr>,
    /// Whether they resume the session that had the name.
    pub resumes: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Held {
    until: u64,
    address: Option<IpAddr>,
}

/// One that was made; the name may have been taken since.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reservation {
    until: u64,
    name: Username,
    address: Option<IpAddr>,
}

/// The names in use and the reservations.
#[derive(Debug, Clone)]
pub struct Roster {
    here: HashMap<Username, MemberId>,
    /// How many of the names in use have this look-alike key.
    looks: LookCounts,
    held: HashMap<Username, Held>,
    /// The reservations in order; some have been taken since.
    held_order: VecDeque<Reservation>,
    /// The same by whom they are for: nobody makes the reservations of others worthless.
    shares: Shares<Reservation>,
}

impl Default for Roster {
    fn default() -> Self {
        Self {
            here: HashMap::new(),
            looks: LookCounts::default(),
            held: HashMap::new(),
            held_order: VecDeque::new(),
            shares: Shares::new(HELD),
        }
    }
}

impl Roster {
    /// The member that is here under this name.
    pub fn who(&self, name: &impl NameKey) -> Option<MemberId> {
        self.here.get(name.name_key()).copied()
    }

    /// Checks whether a user can have this name.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn check(&self, name: &Username, claimant: Claimant, now: u64) -> Result<(), Refusal> {
        if self.here.contains_key(name) {
            return Err(Refusal::Taken);
        }
        let looks_used = || self.looks.has_any(name.looks());
        if !name.is_ascii() && looks_used() {
            return Err(Refusal::LooksTaken);
        }
        let held = self.held.get(name).filter(|held| now < held.until);
        let mine = |held: &Held| held.address.is_some() && held.address == claimant.address;
        if held.is_some_and(|held| !claimant.resumes && !claimant.owns && !mine(held)) {
            return Err(Refusal::Held);
        }
        Ok(())
    }

    /// Replaces a name by another one.
    ///
    /// # Errors
    /// [`Refusal`]; the old name stays in use then.
    pub fn change(
        &mut self,
        old: &Username,
        new: &Username,
        claimant: Claimant,
        now: u64,
    ) -> Result<(), Refusal> {
        let Some(member) = self.who(old) else { return Err(Refusal::Taken) };
        // The old name is no reason against one that looks like it, such as another spelling.
        self.free(old);
        let checked = self.check(new, claimant, now);
        self.take(if checked.is_ok() { new } else { old }, member);
        checked
    }

    /// Puts a name into use.
    pub fn take(&mut self, name: &Username, member: MemberId) {
        self.held.remove(name);
        if self.here.insert(name.clone(), member).is_none() {
            self.looks.add(name.looks());
        }
    }

    /// Takes a name out of use.
    pub fn free(&mut self, name: &Username) {
        // In the spelling in which it was taken.
        if let Some((taken, _)) = self.here.remove_entry(name) {
            self.looks.remove(taken.looks());
        }
    }

    /// Reserves a name for users from this address until a moment, in the hub's milliseconds.
    pub fn hold(&mut self, name: &Username, address: Option<IpAddr>, until: u64, now: u64) {
        let this = Reservation { until, name: name.clone(), address };
        self.held.insert(name.clone(), Held { until, address });
        let is_held = |one: &Reservation| Self::is_held(&self.held, one);
        for gone in self.shares.add(address, &this, is_held, |_| false) {
            self.held.remove(&gone.name);
        }
        self.held_order.push_back(this);
        if self.held_order.len() > 2 * HELD {
            // Those that were taken meanwhile push out no others.
            self.held_order.retain(|one| Self::is_held(&self.held, one));
            self.shares.forget(|one| Self::is_held(&self.held, one));
        }
        while let Some(first) = self.held_order.front() {
            let is_held = Self::is_held(&self.held, first);
            if is_held && now < first.until && self.held.len() <= HELD {
                return;
            }
            if is_held {
                self.held.remove(&first.name);
            }
            self.shares.trim(first.address, |one| Self::is_held(&self.held, one));
            self.held_order.pop_front();
        }
    }

    /// Whether a reservation holds still.
    fn is_held(held: &HashMap<Username, Held>, this: &Reservation) -> bool {
        held.get(&this.name).is_some_and(|held| held.until == this.until)
    }
}

/// A roster is written without the names that are in use, which follow from who is here.
impl Serialize for Roster {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { here: _, looks: _, held, held_order, shares } = self;
        let mut held: Vec<_> = held.iter().collect();
        held.sort_unstable_by_key(|(name, _)| name.key());
        (held, held_order, shares).serialize(to)
    }
}

/// The names that are in use are taken by whoever reads who is here.
impl<'de> Deserialize<'de> for Roster {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (held, held_order, shares) = <(Vec<_>, _, _)>::deserialize(from)?;
        let held = held.into_iter().collect();
        Ok(Self { held, held_order, shares, ..Self::default() })
    }
}

impl Digest for Held {
    fn digest(&self, to: &mut Digester) {
        let Self { until, address } = self;
        to.add(until).add(address);
    }
}

impl Digest for Reservation {
    fn digest(&self, to: &mut Digester) {
        let Self { until, name, address } = self;
        to.add(until).add(name).add(address);
    }
}

impl Digest for Roster {
    fn digest(&self, to: &mut Digester) {
        let Self { here, looks, held, held_order, shares } = self;
        to.add(here).add(looks).add(held).add(held_order).add(shares);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn from(address: &str) -> Claimant {
        Claimant { address: Some(address.parse().unwrap()), ..Claimant::default() }
    }

    #[test]
    fn a_name_can_be_spelt_otherwise() {
        let mut names = Roster::default();
        let guest = Claimant::default();
        names.take(&name("jörg"), MemberId::default());
        names.take(&name("bob"), MemberId::default());
        assert_eq!(names.change(&name("jörg"), &name("JÖRG"), guest, 0), Ok(()));
        assert_eq!(names.change(&name("jörg"), &name("bob"), guest, 0), Err(Refusal::Taken));
        assert!(names.who(&name("jörg")).is_some(), "a refused change changes nothing");
        assert_eq!(names.change(&name("jörg"), &name("ann"), guest, 0), Ok(()));
        assert_eq!(names.check(&name("JÖRG"), guest, 0), Ok(()));
    }

    #[test]
    fn a_held_name_is_for_whoever_left() {
        let mut names = Roster::default();
        let (home, away) = (from("192.0.2.1"), from("192.0.2.2"));
        names.hold(&name("ann"), home.address, 100, 0);
        assert_eq!(names.check(&name("Ann"), away, 99), Err(Refusal::Held));
        assert_eq!(names.check(&name("Ann"), Claimant::default(), 99), Err(Refusal::Held));
        for claimant in [home, Claimant { resumes: true, ..away }, Claimant { owns: true, ..away }]
        {
            assert_eq!(names.check(&name("Ann"), claimant, 99), Ok(()));
        }
        assert_eq!(names.check(&name("Ann"), away, 100), Ok(()));
        names.take(&name("ann"), MemberId::default());
        names.free(&name("ann"));
        assert_eq!(names.check(&name("Ann"), away, 99), Ok(()), "taken and given up");
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut names = Roster::default();
        for number in 0..HELD + 10 {
            names.hold(&name(&format!("u{number}")), None, 100, 0);
            names.hold(&name("same"), None, 100 + number as u64, 0);
        }
        assert!(names.held.len() <= HELD && names.held_order.len() <= 2 * HELD);
        assert!(names.held.contains_key(&name("same")));
        names.hold(&name("last"), None, 1_000_000, 999_999);
        assert_eq!((names.held.len(), names.held_order.len()), (1, 1));
    }

    #[test]
    fn nobody_makes_the_reservations_of_others_worthless() {
        let mut names = Roster::default();
        let (ann, eve) = (from("192.0.2.1"), from("192.0.2.2"));
        names.hold(&name("ann"), ann.address, 100, 0);
        for number in 0..2 * HELD {
            names.hold(&name(&format!("eve{number}")), eve.address, 100, 0);
            // Whether it was taken again or not.
            let same = name("mallory");
            names.hold(&same, eve.address, 100, 0);
            names.take(&same, MemberId::default());
            names.free(&same);
        }
        assert_eq!(names.check(&name("ann"), eve, 0), Err(Refusal::Held));
        assert!(names.held.len() <= 1 + HELD / 20 && names.held_order.len() <= 2 * HELD);
        names.hold(&name("ann"), ann.address, 200, 100);
        assert_eq!((names.held.len(), names.held_order.len(), names.shares.len()), (1, 1, 1));
    }
}
