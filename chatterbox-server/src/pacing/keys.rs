//! The rate at which members ask the directory of keys, and claim keys of others (EE-2).

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use chatterbox_hub::guard::pace::{ByPerson, KEYS, KEYS_FROM_ADDRESS, KEYS_OF_DEVICE};
use chatterbox_hub::guard::{Buckets, site};
use chatterbox_hub::{Identity, MemberId};
use chatterbox_proto::capability::e2ee::CLAIMS;
use chatterbox_proto::capability::meta::DeviceId;

use super::{ENTRIES, Paced, Person};

/// Accounts whose claims are remembered; while there are so many, nobody else claims any.
const CLAIMANTS: usize = 16 * 1024;

/// Within this time one account claims so many keys.
const MINUTE: Duration = Duration::from_secs(60);

/// Requests of each account and address, keys claimed by each account, and one-time keys of each device claimed from each address:
/// whoever claims all one-time keys of somebody leaves only the fallback key to the others.
#[derive(Debug)]
pub struct KeyPacing {
    requests: Paced<ByPerson<Person>>,
    claims: Paced<Claims>,
    of_devices: Paced<Buckets<(IpAddr, i64, DeviceId)>>,
}

impl Default for KeyPacing {
    fn default() -> Self {
        let requests = Paced::new(ByPerson::new(KEYS, KEYS_FROM_ADDRESS));
        let of_devices = Paced::new(Buckets::new(KEYS_OF_DEVICE, ENTRIES));
        Self { requests, claims: Paced::new(Claims::default()), of_devices }
    }
}

impl KeyPacing {
    /// Counts a request, if it may be made now.
    ///
    /// # Errors
    /// How long to wait.
    pub fn try_ask(&self, id: MemberId, who: &Identity) -> Result<(), Duration> {
        let person = Person::of(id, who);
        self.requests.with(|limits, now| limits.try_take(now, &person, who.address))
    }

    /// Counts so many keys that an account claims, if it may claim all of them now.
    ///
    /// # Errors
    /// How long to wait.
    pub fn try_claim(&self, account: i64, keys: usize) -> Result<(), Duration> {
        self.claims.with(|claims, now| claims.try_take(now, account, keys))
    }

    /// Counts a key of a device of an account that is claimed from an address, and says whether it may be a one-time key. Clients
    /// choose the names of devices, so several accounts have some of the same name.
    pub fn may_take(&self, from: Option<IpAddr>, owner: i64, device: &DeviceId) -> bool {
        let Some(from) = from else { return true };
        let place = (site(from), owner, device.clone());
        self.of_devices.with(|limits, now| limits.try_take(now, &place)).is_ok()
    }
}

/// What accounts have claimed in the last minute, and when. An account has at most as many entries as keys that it may claim.
#[derive(Debug, Default)]
struct Claims(HashMap<i64, VecDeque<(Duration, usize)>>);

impl Claims {
    fn try_take(&mut self, now: Duration, account: i64, keys: usize) -> Result<(), Duration> {
        let is_past = |at: Duration| now.saturating_sub(at) >= MINUTE;
        if self.0.len() >= CLAIMANTS && !self.0.contains_key(&account) {
            self.0.retain(|_, claims| claims.back().is_some_and(|(at, _)| !is_past(*at)));
            if self.0.len() >= CLAIMANTS {
                return Err(MINUTE);
            }
        }
        let claims = self.0.entry(account).or_default();
        while claims.front().is_some_and(|(at, _)| is_past(*at)) {
            claims.pop_front();
        }
        let taken: usize = claims.iter().map(|(_, keys)| keys).sum();
        let mut free = CLAIMS.saturating_sub(taken);
        if keys <= free {
            claims.push_back((now, keys));
            return Ok(());
        }
        for (at, keys_then) in &*claims {
            free += keys_then;
            if keys <= free {
                return Err((*at + MINUTE).saturating_sub(now));
            }
        }
        Err(MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn in_no_minute_more_keys_are_claimed_than_may_be() {
        let mut claims = Claims::default();
        assert_eq!(claims.try_take(at(0), 1, 15), Ok(()));
        assert_eq!(claims.try_take(at(30), 1, 6), Err(at(30)), "all or none");
        assert_eq!(claims.try_take(at(30), 1, 5), Ok(()));
        assert_eq!(claims.try_take(at(30), 2, CLAIMS), Ok(()), "each for themselves");
        assert_eq!(claims.try_take(at(59), 1, 1), Err(at(1)));
        assert_eq!(claims.try_take(at(60), 1, 15), Ok(()));
        assert_eq!(claims.try_take(at(60), 1, 6), Err(at(60)), "with those of half a minute ago");
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_takes_a_part_of_the_one_time_keys_of_a_device() {
        let pacing = KeyPacing::default();
        let device = |name| DeviceId::parse(name).unwrap();
        let taken_of = |owner, from: &str, name| {
            let from = Some(from.parse().unwrap());
            (0..1_000).filter(|_| pacing.may_take(from, owner, &device(name))).count()
        };
        let taken = |from: &str, name| taken_of(1, from, name);
        assert_eq!((taken("192.0.2.1", "d1"), taken("192.0.2.1", "d1")), (40, 0));
        assert_eq!((taken("192.0.2.1", "d2"), taken("192.0.2.2", "d1")), (40, 40));
        assert_eq!(taken_of(2, "192.0.2.1", "d1"), 40, "another one's device of the same name");
        assert_eq!((taken("2001:db8::1", "d1"), taken("2001:db8:0:7::1", "d1")), (40, 0), "a site");
        tokio::time::advance(KEYS_OF_DEVICE.every).await;
        assert_eq!(taken("192.0.2.1", "d1"), 1);
        assert!(pacing.may_take(None, 1, &device("d1")), "from nowhere that is known");
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let mut claims = Claims::default();
        for account in 0..CLAIMANTS as i64 {
            assert_eq!(claims.try_take(at(0), account, 1), Ok(()));
        }
        assert_eq!(claims.try_take(at(1), -1, 1), Err(MINUTE));
        assert_eq!(claims.try_take(at(60), -1, 1), Ok(()));
        assert_eq!(claims.0.len(), 1);
    }
}
