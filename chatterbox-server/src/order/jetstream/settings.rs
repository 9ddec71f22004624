//! Where the engine is, who we are there, and what is expected of it.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::ServerAddr;
use chatterbox_hub::Group;

use crate::order::jetstream::names::ClusterName;
use crate::order::total_order::Place;

/// The servers that keep each record, if nothing is said of it.
pub const USUAL_REPLICAS: usize = 3;

/// How long a server may take to let us in.
pub const HANDSHAKE: Duration = Duration::from_secs(3);

/// The servers that may be named.
const MOST_SERVERS: usize = 32;

/// How a node reaches the engine.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The servers, in any order.
    pub servers: Vec<ServerUrl>,
    /// The file that says who we are.
    pub credentials: Option<PathBuf>,
    /// Who vouches for the servers; otherwise whom the system trusts.
    pub authority: Option<PathBuf>,
    /// The name of the cluster.
    pub cluster: ClusterName,
    /// The name of the node, for those who look after the engine.
    pub node: String,
    /// How many servers have to keep each record.
    pub replicas: usize,
    /// The place before the first one of a log that is made now.
    pub begins_behind: Place,
}

/// Where a server of the engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl(ServerAddr);

impl EngineSettings {
    /// Everything as usual.
    pub fn new(servers: Vec<ServerUrl>, node: String) -> Self {
        Self {
            servers,
            credentials: None,
            authority: None,
            cluster: ClusterName::default(),
            node,
            replicas: USUAL_REPLICAS,
            begins_behind: 0,
        }
    }

    /// The place before the first one of a log whose numbers are to be above this one.
    pub const fn place_above(number: u64) -> Place {
        number / Group::PROPOSALS as u64
    }
}

impl ServerUrl {
    /// Reads `nats://HOST[:PORT]` or `tls://HOST[:PORT]`.
    ///
    /// # Errors
    /// Says what is wrong, without repeating what may be a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, _) = text.split_once("://").ok_or("begins with neither nats:// nor tls://")?;
        if !matches!(scheme, "nats" | "tls") {
            return Err("begins with neither nats:// nor tls://".to_owned());
        }
        if text.contains('@') {
            return Err("has a name or password in it, which everybody sees in the list of processes: put them into a file \
                        (--cluster-credentials)"
                .to_owned());
        }
        let address: ServerAddr =
            text.parse().map_err(|_| "is no address of a server".to_owned())?;
        let url = address.clone().into_inner();
        if address.host().is_empty()
            || !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(
                "is to be nats://HOST:PORT or tls://HOST:PORT, and nothing behind it".to_owned()
            );
        }
        Ok(Self(address))
    }

    /// Reads a list with commas.
    ///
    /// # Errors
    /// Says what is wrong, as [`ServerUrl::parse`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let all: Vec<_> =
            text.split(',').map(|one| Self::parse(one.trim())).collect::<Result<_, _>>()?;
        if all.len() > MOST_SERVERS {
            return Err(format!("names more than {MOST_SERVERS} servers"));
        }
        Ok(all)
    }

    /// The same for the client.
    pub(super) fn address(&self) -> ServerAddr {
        self.0.clone()
    }

    /// Whether what is sent there stays on this machine.
    pub(super) fn is_of_this_machine(&self) -> bool {
        let host = self.0.host();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }

    /// Whether nobody on the way may read.
    pub fn is_encrypted(&self) -> bool {
        self.0.tls_required()
    }
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.scheme();
        let host = self.0.host();
        let port = self.0.port();
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}")
        } else {
            write!(f, "{scheme}://{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed() {
        for (text, printed) in [
            ("nats://one", "nats://one:4222"),
            ("nats://one:4223", "nats://one:4223"),
            ("tls://nats.example:4222/", "tls://nats.example:4222"),
            ("nats://127.0.0.1:1", "nats://127.0.0.1:1"),
            ("nats://[::1]:4222", "nats://[::1]:4222"),
        ] {
            assert_eq!(ServerUrl::parse(text).unwrap().to_string(), printed, "{text}");
        }
        assert!(ServerUrl::parse("tls://a").unwrap().is_encrypted());
        assert_eq!(ServerUrl::parse_list("nats://a, nats://b,tls://c").unwrap().len(), 3);
        for bad in [
            "",
            "one:4222",
            "http://one",
            "ws://one",
            "nats://",
            "nats://a/b",
            "nats://a:x",
            "nats://a?b=c",
            "nats://a,",
        ] {
            assert!(ServerUrl::parse_list(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        for text in
            ["nats://me:hunter2@one:4222", "tls://hunter2@one", "nats://a,nats://me:hunter2@one"]
        {
            let refusal = ServerUrl::parse_list(text).unwrap_err();
            assert!(refusal.contains("--cluster-credentials"), "{refusal}");
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }

    #[test]
    fn a_log_begins_above_the_numbers_there_are() {
        assert_eq!(EngineSettings::place_above(0), 0);
        for number in [1, 1023, 1024, 5_000_000] {
            let first = EngineSettings::place_above(number) + 1;
            assert!(first * Group::PROPOSALS as u64 > number, "{number}");
        }
    }
}
