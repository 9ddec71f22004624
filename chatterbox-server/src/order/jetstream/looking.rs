//! What the engine says of the streams of a cluster, to whoever looks and is no node: nothing is changed, and no stream is made.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{ClusterInfo, Info};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::order::jetstream::connecting::Connection;
use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::jet_stream::{JetStream, reach_of};
use crate::order::jetstream::said::said;
use crate::order::jetstream::settings::EngineSettings;
use crate::order::total_order::Place;

/// How long the engine may take for one answer. An election takes up to ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// The servers of a stream that are told of. It has five at most, and one that is being moved has some more.
const SERVERS: usize = 32;

/// The engine, as far as it is of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineSeen {
    /// The stream of the log.
    pub log: StreamSeen,
    /// The stream of snapshots; none when the first node has not made it yet.
    pub state: Option<StreamSeen>,
    /// What time it is for the engine, in milliseconds since 1970 UTC, where it says so.
    pub now: Option<u64>,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamSeen {
    /// Its name.
    pub name: String,
    /// The first place of it.
    pub first: Place,
    /// The last place of it.
    pub last: Place,
    /// The bytes that it has.
    pub bytes: u64,
    /// The bytes that it may have; none where nobody has set a limit.
    pub max_bytes: Option<u64>,
    /// For how many seconds it keeps what is in it; none where it is for ever.
    pub max_age: Option<u64>,
    /// How many servers have to keep it.
    pub replicas: usize,
    /// Those that do.
    pub servers: Vec<ServerSeen>,
}

/// A server that keeps a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerSeen {
    /// Its name.
    pub name: String,
    /// How it is with it.
    pub standing: ServerStanding,
    /// How many records it is behind whoever leads, where that is told.
    pub lag: Option<u64>,
}

/// How it is with a server of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerStanding {
    /// It takes what is written.
    Leads,
    /// It has all of it.
    Current,
    /// It has not all of it yet.
    Behind,
    /// The others do not reach it.
    Offline,
}

/// What the engine says of a stream.
#[derive(Debug, Deserialize)]
struct Described {
    #[serde(flatten)]
    info: Info,
    /// When it has said so.
    #[serde(default)]
    ts: Option<String>,
}

impl JetStream {
    /// Connects to look at a cluster; `None` when the engine has none of this name.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn look(
        settings: &EngineSettings,
    ) -> Result<Option<(Self, EngineSeen)>, EngineError> {
        let connection = Connection::open(settings).await?;
        connection.check_account().await?;
        let name = settings.cluster.clone();
        let Some(log) = describe(&connection, &name.log_stream()).await? else { return Ok(None) };
        let state = describe(&connection, &name.state_stream()).await?;
        let server = said(connection.client.server_info().server_name);
        let seen = EngineSeen {
            now: log.ts.as_deref().and_then(milliseconds),
            log: seen(&log.info, &server),
            state: state.map(|state| seen(&state.info, &server)),
        };
        Ok(Some((Self::new(connection, name), seen)))
    }
}

/// What the engine says of a stream; `None` when it is not there.
async fn describe(connection: &Connection, name: &str) -> Result<Option<Described>, EngineError> {
    let asking = connection.context.request(format!("STREAM.INFO.{name}"), &());
    let silent =
        |_| EngineError::Unreachable(format!("it says nothing of stream {name}: no quorum?"));
    let answer = timeout(PATIENCE, asking).await.map_err(silent)?;
    match answer.map_err(|error| EngineError::Unreachable(said(error)))? {
        Response::Ok(described) => Ok(Some(described)),
        Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
        Response::Err { error } => Err(EngineError::Unreachable(said(error))),
    }
}

/// A stream; `server` is the one that has answered.
fn seen(info: &Info, server: &str) -> StreamSeen {
    let reach = reach_of(info);
    let age = info.config.max_age.as_secs();
    StreamSeen {
        name: said(&info.config.name),
        first: reach.first,
        last: reach.last,
        bytes: info.state.bytes,
        max_bytes: u64::try_from(info.config.max_bytes).ok().filter(|bytes| *bytes > 0),
        max_age: (age > 0).then_some(age),
        replicas: info.config.num_replicas,
        servers: match &info.cluster {
            Some(cluster) => servers(cluster),
            // One that is alone does not say that it leads.
            None => vec![ServerSeen {
                name: server.to_owned(),
                standing: ServerStanding::Leads,
                lag: None,
            }],
        },
    }
}

fn servers(cluster: &ClusterInfo) -> Vec<ServerSeen> {
    let leader = cluster.leader.as_ref().filter(|leader| !leader.is_empty());
    let leads =
        |name: &String| ServerSeen { name: said(name), standing: ServerStanding::Leads, lag: None };
    let others = cluster.replicas.iter().map(|replica| ServerSeen {
        name: said(&replica.name),
        standing: match (replica.offline, replica.current) {
            (true, _) => ServerStanding::Offline,
            (false, true) => ServerStanding::Current,
            (false, false) => ServerStanding::Behind,
        },
        lag: replica.lag,
    });
    let mut servers: Vec<_> = leader.map(leads).into_iter().chain(others).take(SERVERS).collect();
    servers.sort_by(|one, other| one.name.cmp(&other.name));
    servers
}

/// A time as the engine writes it, in milliseconds since 1970 UTC.
fn milliseconds(text: &str) -> Option<u64> {
    let at: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use async_nats::jetstream::stream::PeerInfo;

    use super::*;

    #[test]
    fn each_server_is_told_of_once_and_how_it_is_with_it() {
        let peer = |name: &str, current, offline, lag| PeerInfo {
            name: name.to_owned(),
            current,
            offline,
            lag,
            ..PeerInfo::default()
        };
        let replicas = vec![
            peer("n\u{1b}[2J2", true, false, None),
            peer("n0", false, false, Some(7)),
            peer("n3", true, true, Some(9)),
        ];
        let leader = Some("n1".to_owned());
        let cluster = ClusterInfo { leader, replicas, ..ClusterInfo::default() };
        let told: Vec<_> = servers(&cluster)
            .into_iter()
            .map(|server| (server.name, server.standing, server.lag))
            .collect();
        use ServerStanding::{Behind, Current, Leads, Offline};
        let expected = [
            ("n [2J2", Current, None),
            ("n0", Behind, Some(7)),
            ("n1", Leads, None),
            ("n3", Offline, Some(9)),
        ];
        let expected = expected.map(|(name, standing, lag)| (name.to_owned(), standing, lag));
        assert_eq!(told, expected);
        let leader = Some(String::new());
        assert_eq!(servers(&ClusterInfo { leader, ..ClusterInfo::default() }), []);
    }

    #[test]
    fn times_of_the_engine_are_read() {
        assert_eq!(milliseconds("2026-11-30T09:12:03.5Z"), Some(1_796_029_923_500));
        assert_eq!(milliseconds("1970-01-01T01:00:01.25+01:00"), Some(1250));
        for bad in ["", "now", "0001-01-01T00:00:00Z"] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }
}
