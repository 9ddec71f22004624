//! How often joins, changes of name and searches in the history may come from one place, and how many bytes.
//!
//! Everybody pays for these: each is told to everybody, or reads what everybody said. A place is an address (IPv6: its /64
//! network, and four times as much for its /48), because connections cost nothing. Many people may share one, so what an
//! address may do is measured by a class that begins its lesson.

use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::guard::bucket::{Buckets, Rate};
use crate::guard::network::{network, wider};
use crate::guard::throttle::ENTRIES;

/// Joins from one address: a class and more at once, and these again within half a minute. Where more may be connected from one
/// address than by default, more may join in the same proportion.
pub fn joins(connections: usize) -> Rate {
    let burst = u32::try_from(connections / 20 * 3).unwrap_or(u32::MAX).max(FEWEST_JOINS);
    Rate { burst, every: JOINS_AGAIN / burst }
}

/// Within this time as many join again as may at once.
const JOINS_AGAIN: Duration = Duration::from_secs(30);

/// So many may join, however few may be connected: whoever tries names, or whose network is bad, comes again and again.
const FEWEST_JOINS: u32 = 300;

/// The longest that somebody is made to wait for a place among those who join; who would have to wait longer is refused. All who
/// may be connected from one address come in within a few tries: it is a school whose line was interrupted.
pub const LONGEST_JOIN_QUEUE: Duration = Duration::from_secs(60);

/// The longest that somebody is made to wait for all pages of one search in the history, or for the next frame; who would have
/// to wait longer finds nothing.
pub const LONGEST_QUEUE: Duration = Duration::from_secs(10);

/// Accounts registered from one address: a school registers in its first lesson.
pub const REGISTRATIONS: Rate = Rate { burst: 300, every: Duration::from_secs(180) };

/// Commands of one account, or of one member that has none.
pub const COMMANDS: Rate = Rate { burst: 20, every: Duration::from_millis(500) };

/// Pages of history of one address in which everything is hidden. They are looked at for the answer to a later page.
pub const HIDDEN_PAGES: Rate = Rate { burst: 256, every: Duration::from_millis(15) };

/// Bytes of members' frames from one address, in pieces of [`INPUT_PIECE`]: 32 MiB at once, and then 4 MiB a second. Each byte
/// has to be parsed, also those of messages that are refused then.
pub const INPUT: Rate = Rate { burst: 2_048, every: Duration::from_micros(3_906) };

/// The frames of a connection are counted in pieces of so many bytes.
pub const INPUT_PIECE: usize = 16 * 1024;

/// Changes of name of one account, or of one member that has none.
pub const RENAMES: Rate = Rate { burst: 5, every: Duration::from_secs(10) };

/// Changes of name from one address.
pub const RENAMES_FROM_ADDRESS: Rate = Rate { burst: 80, every: Duration::from_millis(500) };

/// Rooms entered, left, made and invited to by one account, or by one member that has none: each is told to a whole room.
pub const ROOM_CHANGES: Rate = Rate { burst: 20, every: Duration::from_secs(3) };

/// All changes of rooms by one account, or by one member that has none: settings, topics, levels, invitations, and the above.
pub const ROOM_WISHES: Rate = Rate { burst: 120, every: Duration::from_secs(1) };

/// The same from one address: a class of 200 begins its lesson in ten rooms.
pub const ROOM_CHANGES_FROM_ADDRESS: Rate = Rate { burst: 2_000, every: Duration::from_millis(50) };

/// Users who are not here to whom one account writes, after others than before: whoever asks learns which names are registered.
pub const MAIL: Rate = Rate { burst: 20, every: Duration::from_secs(3) };

/// The same from one address.
pub const MAIL_FROM_ADDRESS: Rate = Rate { burst: 2_000, every: Duration::from_millis(50) };

/// Requests of one account to the directory of keys: whoever asks learns which names are registered.
pub const KEYS: Rate = Rate { burst: 60, every: Duration::from_secs(1) };

/// The same from one address.
pub const KEYS_FROM_ADDRESS: Rate = Rate { burst: 2_000, every: Duration::from_millis(50) };

/// One-time keys of one device that are claimed from one address (IPv6: its /48 network), whatever the accounts: 100 are kept, and most
/// of them stay for others.
pub const KEYS_OF_DEVICE: Rate = Rate { burst: 40, every: Duration::from_secs(60) };

/// Guests from one address of whom it is remembered that they were here, each under another name.
pub const SEEN_GUESTS: Rate = Rate { burst: 1_000, every: Duration::from_secs(30) };

/// Reports by one account, or by one member that has none (MO-11).
pub const REPORTS: Rate = Rate { burst: 10, every: Duration::from_secs(360) };

/// The same from one address: a class that is annoyed by one.
pub const REPORTS_FROM_ADDRESS: Rate = Rate { burst: 200, every: Duration::from_secs(36) };

/// Lines of the log about joins and leaves from one address: 50 MB a day at most.
pub const LOGGED: Rate = Rate { burst: 5_000, every: Duration::from_millis(200) };

/// How much more a /48 network may do than one of its /64 networks.
const SITE: u32 = 4;

fn of_site(rate: Rate) -> Rate {
    Rate { burst: rate.burst.saturating_mul(SITE), every: rate.every / SITE }
}

/// A rate for each address.
#[derive(Debug)]
pub struct ByAddress {
    networks: Buckets<IpAddr>,
    sites: Buckets<IpAddr>,
}

impl ByAddress {
    /// Nothing was done yet.
    pub fn new(rate: Rate) -> Self {
        Self { networks: Buckets::new(rate, ENTRIES), sites: Buckets::new(of_site(rate), ENTRIES) }
    }

    /// Changes the rate; what was done still counts.
    pub fn set_rate(&mut self, rate: Rate) {
        self.networks.set_rate(rate);
        self.sites.set_rate(of_site(rate));
    }

    /// How long somebody has to wait. `now` is any clock that does not go back.
    pub fn wait(&self, now: Duration, address: IpAddr) -> Duration {
        let of_site = wider(address).map(|site| self.sites.wait(now, &site));
        self.networks.wait(now, &network(address)).max(of_site.unwrap_or_default())
    }

    /// Counts it, whether it had to wait or not.
    pub fn take(&mut self, now: Duration, address: IpAddr) {
        self.networks.take(now, &network(address));
        if let Some(site) = wider(address) {
            self.sites.take(now, &site);
        }
    }

    /// Counts it if it has to wait no longer than `longest`, and says how long.
    ///
    /// # Errors
    /// The same when it is longer; nothing is counted then.
    pub fn queue(
        &mut self,
        now: Duration,
        address: IpAddr,
        longest: Duration,
    ) -> Result<Duration, Duration> {
        let wait = self.wait(now, address);
        if wait > longest {
            return Err(wait);
        }
        self.take(now, address);
        Ok(wait)
    }

    /// Counts it if it does not have to wait.
    ///
    /// # Errors
    /// How long it has to.
    pub fn try_take(&mut self, now: Duration, address: IpAddr) -> Result<(), Duration> {
        self.queue(now, address, Duration::ZERO).map(drop)
    }
}

/// Two rates: for whoever does something, and for where they come from.
#[derive(Debug)]
pub struct ByPerson<K> {
    each: Buckets<K>,
    addresses: ByAddress,
}

impl<K: Hash + Eq + Clone> ByPerson<K> {
    /// Nothing was done yet.
    pub fn new(each: Rate, from_address: Rate) -> Self {
        Self { each: Buckets::new(each, ENTRIES), addresses: ByAddress::new(from_address) }
    }

    /// Counts what somebody does, if it may be done now. `now` is any clock that does not go back.
    ///
    /// # Errors
    /// How long to wait for it; nothing is counted then.
    pub fn try_take(
        &mut self,
        now: Duration,
        who: &K,
        address: Option<IpAddr>,
    ) -> Result<(), Duration> {
        let from = address.map_or(Duration::ZERO, |address| self.addresses.wait(now, address));
        let wait = self.each.wait(now, who).max(from);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.each.take(now, who);
        if let Some(address) = address {
            self.addresses.take(now, address);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// How many of `count` joins, one each `every` milliseconds, need not wait.
    fn joined(addresses: impl Fn(u64) -> IpAddr, count: u64, every: f64) -> usize {
        let mut joins = ByAddress::new(joins(2_000));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let when = |number: u64| at((number as f64 * every) as u64);
        (0..count)
            .filter(|number| joins.try_take(when(*number), addresses(*number)).is_ok())
            .count()
    }

    #[test]
    fn a_class_behind_one_address_gets_in_and_a_flood_does_not() {
        let one = |_| ip("192.0.2.1");
        assert_eq!(joined(one, 300, 0.0), 300, "all of them at the same moment");
        assert_eq!(joined(one, 600, 51.0), 600, "twice within half a minute");
        let flood = joined(one, 20_000, 0.35);
        assert!(flood <= 300 + 7 * 10, "{flood} in 7 s");
    }

    #[test]
    fn networks_of_one_site_are_counted_together() {
        let spread = |number: u64| ip(&format!("2001:db8:0:{:x}::1", number % 0x1_0000));
        assert_eq!(joined(spread, 20_000, 0.0), 1_200);
        assert_eq!(joined(|_| ip("2001:db8::1"), 20_000, 0.0), 300);
        let sites = |number: u64| ip(&format!("2001:db8:{:x}::1", number % 100));
        assert_eq!(joined(sites, 20_000, 0.0), 20_000);
    }

    #[test]
    fn whoever_would_wait_too_long_is_refused_and_owes_nothing() {
        let (mut joins, here) = (ByAddress::new(joins(2_000)), ip("192.0.2.1"));
        let mut longest = Duration::ZERO;
        let queue = |joins: &mut ByAddress, now| joins.queue(now, here, LONGEST_JOIN_QUEUE);
        let queued = (0..100_000).filter(|_| {
            let wait = queue(&mut joins, at(0));
            longest = longest.max(wait.unwrap_or_default());
            wait.is_ok()
        });
        assert_eq!((queued.count(), longest), (900, LONGEST_JOIN_QUEUE));
        // However many were refused, the next one joins when those who wait have joined.
        assert_eq!(queue(&mut joins, at(60_100)), Ok(Duration::from_millis(0)));
    }

    #[test]
    fn the_rate_follows_the_setting() {
        assert_eq!(joins(2_000), Rate { burst: 300, every: at(100) });
        assert_eq!(joins(10).burst, 300);
        assert_eq!(joins(usize::MAX).burst, u32::MAX);
        let (mut joined, here) = (ByAddress::new(joins(200)), ip("192.0.2.1"));
        assert_eq!((0..400).filter(|_| joined.try_take(at(0), here).is_ok()).count(), 300);
        joined.set_rate(joins(20_000));
        assert_eq!(joined.try_take(at(0), here), Err(at(10)), "and no longer 100");
    }

    #[test]
    fn names_are_changed_now_and_then() {
        let mut renames = ByPerson::new(RENAMES, RENAMES_FROM_ADDRESS);
        let here = Some(ip("192.0.2.1"));
        let changed = |renames: &mut ByPerson<u32>, now, who| renames.try_take(now, &who, here);
        for _ in 0..RENAMES.burst {
            assert_eq!(changed(&mut renames, at(0), 1), Ok(()));
        }
        assert_eq!(changed(&mut renames, at(0), 1), Err(RENAMES.every));
        assert_eq!(changed(&mut renames, at(10_000), 1), Ok(()));
        // Others behind the same address may; all together not for ever.
        let others = (2..1_000).filter(|who| changed(&mut renames, at(10_000), *who).is_ok());
        assert_eq!(others.count(), 79, "one of 80 was that of the first");
        assert_eq!(renames.try_take(at(10_000), &5_000, None), Ok(()));
        assert_eq!(changed(&mut renames, at(10_000), 5_001), Err(at(500)));
    }
}
