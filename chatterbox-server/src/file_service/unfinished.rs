//! What the uploads of an address have reserved that are not there yet.
//!
//! Accounts cost little, and each has a quota of its own. So one address could reserve all the space that there is, and send a byte of
//! each upload now and then. This node counts by address what was begun over it, in memory. What an account has begun before the
//! node was restarted, or at another node, counts for the address from which it asks first here; addresses are not stored.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chatterbox_hub::guard::network;

use crate::config::Config;
use crate::file_service::refusal::FileRefusal;
use crate::files::StoredFile;

/// So many bytes one address may have reserved, and not more than this part of all.
const OF_ADDRESS: u64 = 256 * 1024 * 1024;
const PART: u64 = 4;

/// So many of the largest files always fit, whatever the settings say.
const LARGEST: u64 = 2;

/// The bytes that one address may have reserved.
fn most(config: &Config) -> u64 {
    let largest = config.file_size.saturating_mul(LARGEST);
    OF_ADDRESS.min(config.file_total / PART).max(largest)
}

/// Uploads that are not there yet, by token: who has begun each, and its size.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<HashMap<String, (IpAddr, u64)>>);

impl Unfinished {
    fn all(&self) -> MutexGuard<'_, HashMap<String, (IpAddr, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an upload for its address until it is there, beside what is `known` of its account: tokens and sizes of uploads that are
    /// not there yet.
    ///
    /// # Errors
    /// [`FileRefusal`] when that has too much already.
    pub fn count(
        &self,
        file: &StoredFile,
        known: Vec<(String, u64)>,
        peer: IpAddr,
        config: &Config,
    ) -> Result<(), FileRefusal> {
        let address = network(peer);
        self.add(known, address);
        if file.is_there || self.try_add(&file.token, address, file.size, most(config)) {
            return Ok(());
        }
        let info = "too much of your address waits to be uploaded already, finish that first";
        // Not `busy`: clients would ask again and again for what may take an hour.
        Err(FileRefusal::new("too-many", info))
    }

    /// Counts uploads for an address that are counted for none.
    fn add(&self, uploads: Vec<(String, u64)>, address: IpAddr) {
        let mut all = self.all();
        for (token, size) in uploads {
            all.entry(token).or_insert((address, size));
        }
    }

    /// Counts an upload, which may be one that is counted. Says whether its address may have so much; nothing is changed otherwise.
    fn try_add(&self, token: &str, address: IpAddr, size: u64, most: u64) -> bool {
        let mut all = self.all();
        let others = all.iter().filter(|(of, (by, _))| *of != token && *by == address);
        let taken = others.fold(0_u64, |sum, (_, (_, size))| sum.saturating_add(*size));
        let fits = taken.saturating_add(size) <= most;
        if fits {
            all.insert(token.to_owned(), (address, size));
        }
        fits
    }

    /// Counts one no longer that is there, or gone.
    pub fn remove(&self, token: &str) {
        self.all().remove(token);
    }

    /// Those that are counted.
    pub fn tokens(&self) -> Vec<String> {
        self.all().keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_reserve_all_space() {
        let config = |file_size, file_total| Config { file_size, file_total, ..Config::default() };
        assert_eq!(most(&config(10, 4_000)), 1_000);
        assert_eq!(most(&config(10, u64::MAX)), OF_ADDRESS);
        assert_eq!(most(&config(1_000, 4_000)), 2_000);
        let unfinished = Unfinished::default();
        let address = |peer: &str| network(peer.parse().unwrap());
        let add =
            |token: &str, peer: &str, size| unfinished.try_add(token, address(peer), size, 100);
        assert!(add("a", "2001:db8::1", 60) && !add("b", "2001:db8::2", 41));
        assert!(add("b", "2001:db8:0:1::2", 41), "it is another address");
        assert!(add("a", "2001:db8::1", 60), "it is gone on with");
        assert!(add("c", "2001:db8::2", 40) && !add("d", "2001:db8::2", 1));
        unfinished.remove("a");
        assert!(add("d", "2001:db8::2", 60));
        let mut tokens = unfinished.tokens();
        tokens.sort();
        assert_eq!(tokens, ["b", "c", "d"]);
        // What was begun before a restart is of who asks first, and what is counted stays where it is.
        let before = [("e", 70), ("b", 1)].map(|(token, size)| (token.to_owned(), size));
        unfinished.add(before.into(), address("192.0.2.1"));
        assert!(!add("f", "192.0.2.1", 31) && add("f", "192.0.2.1", 30));
        assert!(!add("g", "2001:db8:0:1::9", 60), "b is of it still");
    }
}
