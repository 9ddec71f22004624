//! Shares: of what is kept for everybody, one address has only a part.
//!
//! What the oldest of a common ring make room for, one address could fill alone, by coming and going; then what was kept
//! for the others is worth nothing. So each address loses the oldest of its own first.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Digester};
use crate::guard::network::wider;
use crate::sorted;

/// What is kept, by where it comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Shares<T> {
    /// How much all places may have together.
    all: usize,
    #[serde(with = "sorted")]
    of: HashMap<Place, VecDeque<T>>,
}

/// Where something comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Place {
    /// An IPv4 address, or a /64 network.
    Network(IpAddr),
    /// A /48 network.
    Site(IpAddr),
}

impl Place {
    fn all_of(network: Option<IpAddr>) -> impl Iterator<Item = Self> {
        let site = network.and_then(wider).map(Self::Site);
        network.map(Self::Network).into_iter().chain(site)
    }

    /// What part of all it may have is one through this.
    fn part(self) -> usize {
        match self {
            Self::Network(_) => 20,
            Self::Site(_) => 10,
        }
    }
}

impl<T: Clone> Shares<T> {
    /// Shares of a ring with so many places.
    pub(crate) fn new(all: usize) -> Self {
        Self { all, of: HashMap::new() }
    }

    /// Adds one of this network, and gives what has to go for it when that is more than the network's share. What is not
    /// current any more does not count.
    ///
    /// Of what is cheap to make, the newest goes: many people may be behind one address, and a flood from it takes nothing
    /// from them that was there before. Where nothing is cheap, half of all goes, the oldest first.
    pub(crate) fn add(
        &mut self,
        network: Option<IpAddr>,
        one: &T,
        is_current: impl Fn(&T) -> bool,
        is_cheap: impl Fn(&T) -> bool,
    ) -> Vec<T> {
        let mut gone = Vec::new();
        for place in Place::all_of(network) {
            let kept = self.of.entry(place).or_default();
            kept.push_back(one.clone());
            let share = self.all / place.part();
            if kept.len() > share {
                kept.retain(&is_current);
                if kept.len() <= share {
                    continue;
                }
                if let Some(newest) = kept.iter().rposition(&is_cheap) {
                    gone.extend(kept.remove(newest));
                } else {
                    // Half of it, so that it is not gone through each time.
                    let surplus = kept.len() - share / 2;
                    gone.extend(kept.drain(..surplus));
                }
            }
        }
        gone
    }

    /// Forgets the oldest of this network as far as they are not current any more.
    pub(crate) fn trim(&mut self, network: Option<IpAddr>, is_current: impl Fn(&T) -> bool) {
        for place in Place::all_of(network) {
            let Some(kept) = self.of.get_mut(&place) else { continue };
            while kept.front().is_some_and(|one| !is_current(one)) {
                kept.pop_front();
            }
            if kept.is_empty() {
                self.of.remove(&place);
            }
        }
    }

    /// Forgets all that are not current any more.
    pub(crate) fn forget(&mut self, is_current: impl Fn(&T) -> bool) {
        self.of.retain(|_, kept| {
            kept.retain(&is_current);
            !kept.is_empty()
        });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.of.values().map(VecDeque::len).sum()
    }
}

impl Digest for Place {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::Network(address) => to.add(&false).add(address),
            Self::Site(address) => to.add(&true).add(address),
        };
    }
}

impl<T: Digest> Digest for Shares<T> {
    fn digest(&self, to: &mut Digester) {
        let Self { all, of } = self;
        to.add(all).add(of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn nobody_has_more_than_a_share() {
        let mut shares = Shares::new(2_000);
        let mut kept = Vec::new();
        for number in 0..10_000 {
            kept.push(number);
            let gone = shares.add(ip("192.0.2.1"), &number, |one| kept.contains(one), |_| false);
            kept.retain(|one| !gone.contains(one));
            assert!(kept.len() <= 100, "a twentieth");
        }
        assert!(kept.len() > 50 && kept.is_sorted() && kept.contains(&9_999));
        assert_eq!(shares.add(ip("192.0.2.2"), &1, |_| true, |_| false), Vec::<i32>::new());
        assert_eq!(shares.add(None, &1, |_| true, |_| false), Vec::<i32>::new(), "ours");
    }

    #[test]
    fn of_what_is_cheap_the_newest_goes() {
        let mut shares = Shares::new(200);
        let mut add = |one: u32| shares.add(ip("192.0.2.1"), &one, |_| true, |one| *one >= 100);
        for one in [1, 2, 100].into_iter().chain(101..108) {
            assert!(add(one).is_empty());
        }
        for one in 108..10_000 {
            assert_eq!(add(one), [one], "a flood pushes out nothing but itself");
        }
        assert_eq!(add(3), [107]);
        for one in 4..11 {
            assert_eq!(add(one), [110 - one]);
        }
        assert_eq!(add(11), [1, 2, 3, 4, 5, 6], "nothing is cheap any more");
    }

    #[test]
    fn all_networks_of_a_site_have_a_tenth() {
        let mut shares = Shares::new(2_000);
        let mut kept = 0;
        for number in 0..10_000 {
            let network = ip(&format!("2001:db8:0:{number:x}::"));
            kept = kept + 1 - shares.add(network, &number, |_| true, |_| false).len();
            assert!(kept <= 200);
        }
    }

    #[test]
    fn what_is_not_current_does_not_count_and_is_forgotten() {
        let mut shares = Shares::new(200);
        for number in 0..1_000 {
            assert_eq!(
                shares.add(ip("2001:db8::"), &number, |one| *one == 3, |_| false),
                Vec::<i32>::new()
            );
        }
        assert!(shares.len() <= 30);
        shares.trim(ip("2001:db8::"), |one| *one == 3);
        assert!(shares.len() > 2, "what is behind a current one stays");
        shares.forget(|one| *one == 999);
        assert_eq!(shares.len(), 2, "in its network, and in its site");
        shares.trim(ip("2001:db8::"), |_| false);
        assert!(shares.of.is_empty());
    }
}
