//! What a server of the engine says of itself on its monitoring port: whether it waits for its disk can be seen nowhere else.

#![allow(clippy::disallowed_methods, reason = "the edge: asks the engine")]

use std::fmt;
use std::time::Duration;

use chatterbox_address::HostPort;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::said::said;
use crate::order::jetstream::store_room::StoreRoom;

/// The monitoring port of the engine if none is given.
const USUAL_PORT: u16 = 8222;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bytes of its answer.
const LONGEST: u64 = 1024 * 1024;

/// The headers of its answer.
const HEADERS: usize = 64;

/// The ports that may be named.
const MOST_MONITORS: usize = 32;

/// A server that asks less often notices late that a node is gone, and keeps its place.
const SLOWEST_PING: Duration = Duration::from_secs(10);

/// A monitoring port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorUrl(HostPort);

impl fmt::Display for MonitorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl MonitorUrl {
    /// Reads `http://HOST[:PORT]`.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://").ok_or("begins with something else than http://")?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let address: HostPort =
            rest.parse().map_err(|_| "is to be http://HOST:PORT, and nothing behind it")?;
        Ok(Self(HostPort { port: Some(address.port.unwrap_or(USUAL_PORT)), ..address }))
    }

    /// Reads a list with commas.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        let all: Vec<_> =
            text.split(',').map(|one| Self::parse(one.trim())).collect::<Result<_, _>>()?;
        if all.len() > MOST_MONITORS {
            return Err(format!("names more than {MOST_MONITORS} servers"));
        }
        Ok(all)
    }
}

/// What a server says of itself.
#[derive(Debug, Deserialize)]
pub struct Vitals {
    server_name: String,
    /// In nanoseconds.
    #[serde(default)]
    ping_interval: u64,
    #[serde(default)]
    jetstream: Streams,
}

#[derive(Debug, Default, Deserialize)]
struct Streams {
    config: Option<StreamsConfig>,
    #[serde(default)]
    stats: StreamsStats,
}

/// In bytes.
#[derive(Debug, Default, Deserialize)]
struct StreamsStats {
    #[serde(default)]
    storage: u64,
    #[serde(default)]
    reserved_storage: u64,
}

#[derive(Debug, Deserialize)]
struct StreamsConfig {
    /// In nanoseconds.
    #[serde(default)]
    sync_interval: u64,
    #[serde(default)]
    sync_always: bool,
    /// In bytes.
    #[serde(default)]
    max_storage: Option<u64>,
}

impl Vitals {
    /// The server.
    pub fn server(&self) -> String {
        said(&self.server_name)
    }

    /// How much it may store, where it says so.
    pub fn room(&self) -> Option<StoreRoom> {
        let most = self.jetstream.config.as_ref()?.max_storage?;
        let StreamsStats { storage: used, reserved_storage: reserved } = self.jetstream.stats;
        Some(StoreRoom { most, reserved, used })
    }

    /// What must not be so.
    pub fn fault(&self) -> Option<String> {
        let server = self.server();
        match &self.jetstream.config {
            None => Some(format!(
                "server {server} of the engine has no streams: its configuration needs jetstream {{ store_dir: ..., sync_interval: always }}"
            )),
            Some(config) if !config.sync_always => Some(format!(
                "server {server} of the engine writes to its disk every {} seconds only, so a power cut loses what was confirmed: jetstream {{ sync_interval: always }}",
                Duration::from_nanos(config.sync_interval).as_secs()
            )),
            Some(_) => None,
        }
    }

    /// What would better be different.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        let ping = Duration::from_nanos(self.ping_interval);
        if ping > SLOWEST_PING {
            advice.push(format!("it asks only every {} seconds whether a node is still there: ping_interval: \"2s\"", ping.as_secs()));
        }
        advice
    }
}

/// Asks a server.
///
/// # Errors
/// Says what came in place of an answer.
pub async fn ask(monitor: &MonitorUrl) -> Result<Vitals, String> {
    let asked = timeout(PATIENCE, fetch(monitor)).await;
    let answer = asked.map_err(|_| "it does not answer".to_owned())??;
    read(&answer)
}

/// Asks in the way of HTTP 1.0, in which an answer ends with its connection.
async fn fetch(monitor: &MonitorUrl) -> Result<Vec<u8>, String> {
    let MonitorUrl(address) = monitor;
    let port = address.port.unwrap_or(USUAL_PORT);
    let mut stream = TcpStream::connect((address.host.as_str(), port)).await.map_err(said)?;
    let request = format!("GET /varz HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(said)?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await.map_err(said)?;
    Ok(answer)
}

fn read(answer: &[u8]) -> Result<Vitals, String> {
    let nothing = || "what answers there is no monitoring port of nats-server".to_owned();
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(answer) else { return Err(nothing()) };
    match head.code {
        Some(200) => {
            let body = answer.get(length..).unwrap_or_default();
            serde_json::from_slice(body).map_err(|_| nothing())
        }
        code => Err(format!("it answers {}", code.unwrap_or_default())),
    }
}

/// Looks at all servers. One that does not answer is nobody's fault; but one has to.
///
/// # Errors
/// [`EngineError::Refused`] when one must not be used as it is, [`EngineError::Unreachable`] when none answers.
pub async fn check(monitors: &[MonitorUrl]) -> Result<(), EngineError> {
    let mut faults = Vec::new();
    let mut silent = Vec::new();
    for monitor in monitors {
        match ask(monitor).await {
            Ok(vitals) => {
                faults.extend(vitals.fault());
                for advice in vitals.advice() {
                    tracing::warn!(server = %vitals.server(), "the engine: {advice}");
                }
            }
            Err(why) => {
                tracing::warn!(%monitor, %why, "the engine can't be asked how it keeps what it confirms");
                silent.push(format!("{monitor}: {why}"));
            }
        }
    }
    if !faults.is_empty() {
        return Err(EngineError::refused(&faults));
    }
    if !monitors.is_empty() && silent.len() == monitors.len() {
        return Err(EngineError::Unreachable(silent.join("; ")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals(json: &str) -> Vitals {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_server_that_does_not_wait_for_its_disk_is_refused() {
        let good = vitals(
            r#"{"server_name":"n0","ping_interval":2000000000,"jetstream":{"config":{"sync_interval":120000000000,"sync_always":true}}}"#,
        );
        assert_eq!((good.fault(), good.advice()), (None, vec![]));
        let usual = vitals(
            r#"{"server_name":"n1","ping_interval":120000000000,"jetstream":{"config":{"sync_interval":120000000000}}}"#,
        );
        assert!(
            usual
                .fault()
                .unwrap()
                .contains("n1 of the engine writes to its disk every 120 seconds only")
        );
        assert_eq!(usual.advice().len(), 1);
        let none = vitals(r#"{"server_name":"n2","jetstream":{}}"#);
        assert!(none.fault().unwrap().contains("n2 of the engine has no streams"));
    }

    #[test]
    fn what_is_no_monitoring_port_is_told() {
        assert_eq!(
            read(b"HTTP/1.0 200 OK\r\n\r\n{\"server_name\":\"n0\"}").unwrap().server(),
            "n0"
        );
        assert_eq!(read(b"HTTP/1.1 404 Not Found\r\n\r\n").unwrap_err(), "it answers 404");
        for other in
            [&b""[..], b"INFO {}\r\n", b"HTTP/1.0 200 OK\r\n\r\n<html>", b"HTTP/1.0 200 OK\r\nA: b"]
        {
            assert!(read(other).unwrap_err().contains("no monitoring port"), "{other:?}");
        }
    }

    #[test]
    fn addresses_are_read_and_printed() {
        for (text, printed) in [
            ("http://one", "http://one:8222"),
            ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(MonitorUrl::parse(text).unwrap().to_string(), printed);
        }
        for bad in
            ["", "one:8222", "https://one", "http://", "http://a/varz", "http://me@a", "http://a,"]
        {
            assert!(MonitorUrl::parse_list(bad).is_err(), "{bad:?}");
        }
    }
}
