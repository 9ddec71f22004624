//! Connection limits: how many at a time, in all and from one address.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chatterbox_hub::guard::{network, site};
use chatterbox_proto::Code;

use crate::net::connection_kind::ConnectionKind;

/// The most connections at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// In all.
    pub total: usize,
    /// From one address.
    pub address: usize,
}

/// An IPv6 site has many /64 networks; together they may have so many times what one address may have.
const SITE: usize = 2;

/// This part of all places is kept for addresses that somebody has joined from.
const KEPT: usize = 20;

/// So many of these addresses are remembered.
const REMEMBERED: usize = 4096;

/// Counts open connections, in all and by address.
///
/// An address is one IPv4 address or one IPv6 /64 network, which is what one household or machine commonly gets. The /48
/// network around it, which one customer may get, is counted as well.
#[derive(Debug, Default)]
pub struct ConnectionLimits {
    counts: Mutex<Counts>,
    /// Whether the last places are kept for addresses that somebody has joined from.
    keeps_places: bool,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    by_site: HashMap<IpAddr, usize>,
    /// Addresses that somebody has joined from, and the same in that order.
    joined: HashSet<IpAddr>,
    order: VecDeque<IpAddr>,
    by_kind: [KindCount; ConnectionKind::EVERY.len()],
}

/// How many connections of one kind there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KindCount {
    /// Those that are open.
    pub open: usize,
    /// Those that ever were.
    pub opened: u64,
}

impl Counts {
    fn of_kind(&mut self, kind: ConnectionKind, change: impl FnOnce(&mut KindCount)) {
        if let Some(count) = self.by_kind.get_mut(kind as usize) {
            change(count);
        }
    }
}

/// The limit that refuses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    #[error("too many connections")]
    Total,
    #[error("too many connections from this address")]
    Address,
}

impl From<LimitReached> for Code {
    fn from(limit: LimitReached) -> Self {
        match limit {
            LimitReached::Total => Self::ServerFull,
            LimitReached::Address => Self::TooManyConnections,
        }
    }
}

/// The permission to have one connection open; dropping it gives it back.
#[derive(Debug)]
pub struct Permit {
    limits: Arc<ConnectionLimits>,
    peer: IpAddr,
    /// Where it is counted by kind.
    kind: Option<ConnectionKind>,
    /// One of another limit, which is given back with it, and may have another one itself.
    other: Option<Box<Permit>>,
}

impl Permit {
    /// Gives another one back with this one.
    pub fn with(mut self, other: Self) -> Self {
        let all = match self.other.take() {
            Some(before) => before.with(other),
            None => other,
        };
        self.other = Some(Box::new(all));
        self
    }
}

impl ConnectionLimits {
    /// Limits that keep the last places for addresses that somebody has joined from.
    pub fn with_kept_places() -> Self {
        Self { keeps_places: true, ..Self::default() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more connection from this address.
    ///
    /// # Errors
    /// [`LimitReached`]; nothing is counted then.
    pub fn acquire(self: &Arc<Self>, peer: IpAddr, most: Most) -> Result<Permit, LimitReached> {
        let mut counts = self.counts();
        let address = network(peer);
        let is_kept_from = self.keeps_places && !counts.joined.contains(&address);
        let kept = if is_kept_from { most.total / KEPT } else { 0 };
        if counts.total >= most.total - kept {
            return Err(LimitReached::Total);
        }
        let of = |by: &HashMap<IpAddr, usize>, key| by.get(&key).copied().unwrap_or_default();
        if of(&counts.by_address, address) >= most.address
            || of(&counts.by_site, site(peer)) >= most.address.saturating_mul(SITE)
        {
            return Err(LimitReached::Address);
        }
        counts.total += 1;
        *counts.by_address.entry(address).or_default() += 1;
        *counts.by_site.entry(site(peer)).or_default() += 1;
        Ok(Permit { limits: Arc::clone(self), peer, kind: None, other: None })
    }

    /// The same for a connection that is counted by its kind as well.
    ///
    /// # Errors
    /// [`LimitReached`]; nothing is counted then.
    pub fn acquire_as(
        self: &Arc<Self>,
        kind: ConnectionKind,
        peer: IpAddr,
        most: Most,
    ) -> Result<Permit, LimitReached> {
        let mut permit = self.acquire(peer, most)?;
        permit.kind = Some(kind);
        self.counts().of_kind(kind, |count| {
            count.open += 1;
            count.opened += 1;
        });
        Ok(permit)
    }

    /// The kinds, with how many connections of each there are.
    pub fn by_kind(&self) -> [(ConnectionKind, KindCount); ConnectionKind::EVERY.len()] {
        let counts = self.counts();
        ConnectionKind::EVERY
            .map(|kind| (kind, counts.by_kind.get(kind as usize).copied().unwrap_or_default()))
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.counts().total
    }

    /// Whether more than half of all places are taken.
    pub fn is_crowded(&self, most: usize) -> bool {
        self.counts().total > most / 2
    }

    /// Whether somebody has joined from this address, as far as that is remembered.
    pub fn has_joined(&self, peer: IpAddr) -> bool {
        self.counts().joined.contains(&network(peer))
    }

    /// Notes that somebody has joined from this address.
    pub fn note_joined(&self, peer: IpAddr) {
        let mut counts = self.counts();
        let address = network(peer);
        if !counts.joined.insert(address) {
            return;
        }
        counts.order.push_back(address);
        if counts.order.len() > REMEMBERED
            && let Some(oldest) = counts.order.pop_front()
        {
            counts.joined.remove(&oldest);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limits.counts();
        counts.total -= 1;
        give_back(&mut counts.by_address, network(self.peer));
        give_back(&mut counts.by_site, site(self.peer));
        if let Some(kind) = self.kind {
            counts.of_kind(kind, |count| count.open -= 1);
        }
    }
}

fn give_back(by: &mut HashMap<IpAddr, usize>, key: IpAddr) {
    if let Some(count) = by.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            by.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn permits_are_counted_by_network_and_given_back() {
        let limits = Arc::new(ConnectionLimits::default());
        let acquire = |peer| limits.acquire(peer, Most { total: 3, address: 2 });
        let first = acquire(ip("2001:db8::1")).unwrap();
        let _second = acquire(ip("2001:db8::2:1")).unwrap();
        assert_eq!(acquire(ip("2001:db8::3")).unwrap_err(), LimitReached::Address);
        let _other = acquire(ip("2001:db8:0:1::1")).unwrap();
        assert_eq!(acquire(ip("192.0.2.1")).unwrap_err(), LimitReached::Total);
        drop(first);
        let again = acquire(ip("2001:db8::3")).unwrap();
        let elsewhere = Arc::new(ConnectionLimits::default());
        let further = || elsewhere.acquire(ip("192.0.2.1"), Most { total: 2, address: 2 });
        let all = again.with(further().unwrap()).with(further().unwrap());
        assert_eq!(further().unwrap_err(), LimitReached::Total);
        drop(all);
        let _both = [further().unwrap(), further().unwrap()];
        let _last = acquire(ip("2001:db8::3")).unwrap();
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn kinds_are_counted_while_they_are_open_and_ever() {
        use ConnectionKind::{Protocol, Telnet, Web};
        let limits = Arc::new(ConnectionLimits::default());
        let acquire =
            |kind| limits.acquire_as(kind, ip("192.0.2.1"), Most { total: 3, address: 3 });
        let web = acquire(Web).unwrap();
        let _others = [acquire(Protocol).unwrap(), acquire(Protocol).unwrap()];
        assert_eq!(acquire(Web).unwrap_err(), LimitReached::Total);
        drop(web);
        let count = |open, opened| KindCount { open, opened };
        assert_eq!(
            limits.by_kind(),
            [(Protocol, count(2, 2)), (Web, count(0, 1)), (Telnet, count(0, 0))]
        );
    }

    #[test]
    fn the_networks_of_one_site_share_a_limit() {
        let limits = Arc::new(ConnectionLimits::default());
        let acquire = |peer: &str| limits.acquire(ip(peer), Most { total: 100, address: 2 });
        let taken: Vec<_> =
            (0..4).map(|n| acquire(&format!("2001:db8:0:{n}::1")).unwrap()).collect();
        assert_eq!(acquire("2001:db8:0:9::1").unwrap_err(), LimitReached::Address);
        let _other = acquire("2001:db8:1:9::1").unwrap();
        // IPv4 addresses have no site.
        let _all: Vec<_> = (0..50).map(|n| acquire(&format!("192.0.2.{n}")).unwrap()).collect();
        drop(taken);
        assert!(acquire("2001:db8:0:9::1").is_ok());
    }

    #[test]
    fn the_last_places_are_for_those_who_have_been_here() {
        let most = Most { total: 40, address: 100 };
        // Where nobody joins, no place is kept for those who have.
        let limits = Arc::new(ConnectionLimits::default());
        let _taken: Vec<_> =
            (0..40).map(|_| limits.acquire(ip("192.0.2.9"), most).unwrap()).collect();
        assert_eq!(limits.acquire(ip("192.0.2.9"), most).unwrap_err(), LimitReached::Total);
        let limits = Arc::new(ConnectionLimits::with_kept_places());
        assert!(!limits.is_crowded(40));
        limits.note_joined(ip("192.0.2.1"));
        let _taken: Vec<_> =
            (0..38).map(|_| limits.acquire(ip("192.0.2.9"), most).unwrap()).collect();
        assert!(limits.is_crowded(40));
        assert_eq!(limits.acquire(ip("192.0.2.9"), most).unwrap_err(), LimitReached::Total);
        let _friends: Vec<_> =
            (0..2).map(|_| limits.acquire(ip("192.0.2.1"), most).unwrap()).collect();
        assert_eq!(limits.acquire(ip("192.0.2.1"), most).unwrap_err(), LimitReached::Total);
        for n in 0..REMEMBERED {
            limits.note_joined(IpAddr::from(u32::try_from(n).unwrap().to_be_bytes()));
        }
        let counts = limits.counts();
        assert!(counts.joined.len() == REMEMBERED && counts.order.len() == REMEMBERED);
        assert!(!counts.joined.contains(&ip("192.0.2.1")));
    }
}
