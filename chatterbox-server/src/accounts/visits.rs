//! Who was here, until it is written: notes are taken where people come and go, and kept in batches.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatterbox_hub::Identity;
use chatterbox_hub::guard::pace::{ByAddress, SEEN_GUESTS};

use crate::accounts::seen_directory::Seen;

/// So many notes wait to be written; what is more is not noted.
const WAITING: usize = 20_000;

/// Notes that wait to be written.
#[derive(Debug)]
pub struct Visits(Mutex<Waiting>);

#[derive(Debug)]
struct Waiting {
    accounts: HashMap<i64, Seen>,
    /// By folded name.
    guests: HashMap<String, Seen>,
    /// New guests from one address are remembered at a rate: nobody takes the places of all others by coming under ten
    /// thousand names.
    pace: ByAddress,
}

impl Default for Visits {
    fn default() -> Self {
        let pace = ByAddress::new(SEEN_GUESTS);
        Self(Mutex::new(Waiting { accounts: HashMap::new(), guests: HashMap::new(), pace }))
    }
}

impl Visits {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody comes or goes at `at`, in seconds since 1970 UTC; `now` is any clock that does not go back.
    pub fn note(&self, who: &Identity, comes: bool, at: i64, now: Duration) {
        let mut waiting = self.waiting();
        if waiting.accounts.len() + waiting.guests.len() >= WAITING {
            return;
        }
        let Some(login) = &who.login else {
            let address = who.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            let is_new = comes && waiting.pace.queue(now, address, Duration::ZERO).is_ok();
            let seen = Seen { name: who.name.clone(), account: None, at, is_new };
            let known = waiting.guests.entry(who.name.key().to_owned()).or_insert(seen);
            (known.at, known.is_new) = (known.at.max(at), known.is_new || is_new);
            return;
        };
        let id = login.account_key.id;
        let seen = Seen { name: login.account.clone(), account: Some(id), at, is_new: true };
        waiting.accounts.insert(id, seen);
    }

    /// Takes out what is to be written.
    pub fn take(&self) -> Vec<Seen> {
        let mut waiting = self.waiting();
        let accounts = std::mem::take(&mut waiting.accounts).into_values();
        accounts.chain(std::mem::take(&mut waiting.guests).into_values()).collect()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::Username;

    use super::*;

    fn guest(number: usize) -> Identity {
        let address = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let name = Username::parse(&format!("g{number}")).unwrap();
        Identity { address, ..Identity::guest(name) }
    }

    #[test]
    fn one_address_is_remembered_under_so_many_names_and_notes_are_bounded() {
        let visits = Visits::default();
        for number in 0..2 * WAITING {
            visits.note(&guest(number), true, 7, Duration::ZERO);
            visits.note(&guest(number), false, 9, Duration::ZERO);
        }
        let seen = visits.take();
        let new = seen.iter().filter(|seen| seen.is_new).count();
        assert_eq!((seen.len(), new), (WAITING, SEEN_GUESTS.burst as usize));
        assert!(seen.iter().filter(|seen| seen.is_new).all(|seen| seen.at == 9));
        assert_eq!(visits.take(), []);
    }
}
