//! Places for connections that speak HTTP, and how long one may keep its place.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::net::limits::{ConnectionLimits, LimitReached, Most, Permit};

/// All places. A browser opens six connections, and a class of two hundred may be behind one address.
const ALL: Most = Most { total: 4096, address: 2048 };

/// What one address may have while more than half of all places are taken: a few addresses must not keep everybody else out.
const CROWDED: usize = 256;

/// This part of all places is kept for addresses that somebody has joined the chat from.
const KEPT: usize = 20;

/// How long a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// The handshake has to be done in this time, and the head of a request be here.
    pub(super) head: Duration,
    /// A connection on which a request was answered is closed when no further one comes for so long: a browser has what it wanted, and others want
    /// its place.
    pub(super) idle: Duration,
    /// After this time no further request is answered on a connection.
    pub(super) old: Duration,
    /// After this time a connection ends, whatever is still to be written: who reads slowly takes the place of others.
    pub(super) end: Duration,
}

const USUAL: Times = Times {
    head: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    old: Duration::from_secs(60),
    end: Duration::from_secs(120),
};

/// While more than half of all places are taken.
const SHORT: Times = Times {
    head: Duration::from_secs(3),
    idle: Duration::from_secs(1),
    old: Duration::from_secs(10),
    end: Duration::from_secs(20),
};

/// Counts the connections that speak HTTP, and have not become a WebSocket.
#[derive(Debug, Default)]
pub(super) struct Requesting(Arc<ConnectionLimits>);

impl Requesting {
    fn total(config: &Config) -> usize {
        if config.no_limits { config.max_connections } else { ALL.total }
    }

    fn is_crowded(&self, config: &Config) -> bool {
        self.0.is_crowded(Self::total(config))
    }

    /// A place for a connection from this address; whether somebody has joined the chat from there.
    pub(super) fn admit(
        &self,
        peer: IpAddr,
        is_known: bool,
        config: &Config,
    ) -> Result<Permit, LimitReached> {
        let is_proxy = config.trust_proxy.as_ref().is_some_and(|all| all.contains(peer));
        let all = Self::total(config);
        let address = match (config.no_limits || is_proxy, self.is_crowded(config)) {
            (true, _) => usize::MAX,
            (false, true) => CROWDED,
            (false, false) => ALL.address,
        };
        let total = if is_known { all } else { all - all / KEPT };
        self.0.acquire(peer, Most { total, address })
    }

    /// How long a connection may take now.
    pub(super) fn times(&self, config: &Config) -> Times {
        if self.is_crowded(config) { SHORT } else { USUAL }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn few_addresses_do_not_keep_everybody_else_out() {
        let (requesting, config) = (Requesting::default(), Config::default());
        let from = |address| requesting.admit(ip(address), false, &config);
        let mut places: Vec<_> = (0..2048).map(|_| from(1).unwrap()).collect();
        assert_eq!(from(1).unwrap_err(), LimitReached::Address);
        assert_eq!(requesting.times(&config), USUAL);
        // From here on an address has less, and less time.
        for address in 2..9 {
            places.extend((0..256).map(|_| from(address).unwrap()));
            assert_eq!(from(address).unwrap_err(), LimitReached::Address);
            assert_eq!(requesting.times(&config), SHORT);
        }
        places.extend((0..52).map(|_| from(9).unwrap()));
        assert_eq!(from(9).unwrap_err(), LimitReached::Total);
        // The last ones are for those who have been here.
        let known = || requesting.admit(ip(10), true, &config);
        places.extend((0..204).map(|_| known().unwrap()));
        assert_eq!((known().unwrap_err(), places.len()), (LimitReached::Total, 4096));
    }

    #[test]
    fn a_proxy_has_the_places_of_all_whom_it_speaks_for() {
        let trust_proxy = Some("192.0.2.9".parse().unwrap());
        let (requesting, config) =
            (Requesting::default(), Config { trust_proxy, ..Config::default() });
        let proxy = || requesting.admit(ip(9), false, &config);
        let _places: Vec<_> = (0..3892).map(|_| proxy().unwrap()).collect();
        assert_eq!(proxy().unwrap_err(), LimitReached::Total);
    }
}
