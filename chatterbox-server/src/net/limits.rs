//! Connection limits: how many at a time, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chatterbox_hub::guard::network;

use crate::config::Config;

/// Counts open connections, in all and by address.
///
/// An address is one IPv4 address or one IPv6 /64 network, which is what one household or machine commonly gets.
#[derive(Debug, Default)]
pub struct ConnectionLimits {
    by_address: Mutex<HashMap<IpAddr, usize>>,
    total: AtomicUsize,
}

/// The limit that refuses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitReached {
    #[error("too many connections")]
    Total,
    #[error("too many connections from this address")]
    Address,
}

/// The permission to have one connection open; dropping it gives it back.
#[derive(Debug)]
pub struct Permit {
    limits: Arc<ConnectionLimits>,
    address: IpAddr,
}

impl ConnectionLimits {
    /// Counts one more connection from this address.
    ///
    /// # Errors
    /// [`LimitReached`]; nothing is counted then.
    pub fn acquire(
        self: &Arc<Self>,
        peer: IpAddr,
        config: &Config,
    ) -> Result<Permit, LimitReached> {
        let address = network(peer);
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if self.total.load(Ordering::Relaxed) >= config.max_connections {
            return Err(LimitReached::Total);
        }
        let count = by_address.entry(address).or_default();
        if *count >= config.max_per_address {
            return Err(LimitReached::Address);
        }
        *count += 1;
        self.total.fetch_add(1, Ordering::Relaxed);
        Ok(Permit { limits: Arc::clone(self), address })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut by_address = self.limits.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
        self.limits.total.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_counted_by_network_and_given_back() {
        let limits = Arc::new(ConnectionLimits::default());
        let config = Config { max_connections: 3, max_per_address: 2, ..Config::default() };
        let acquire = |peer| limits.acquire(peer, &config);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = acquire(ip("2001:db8::1")).unwrap();
        let _second = acquire(ip("2001:db8::2:1")).unwrap();
        assert_eq!(acquire(ip("2001:db8::3")).unwrap_err(), LimitReached::Address);
        let _other = acquire(ip("2001:db8:0:1::1")).unwrap();
        assert_eq!(acquire(ip("192.0.2.1")).unwrap_err(), LimitReached::Total);
        drop(first);
        let _again = acquire(ip("2001:db8::3")).unwrap();
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }
}
