//! As much HTTP as it takes to ask a server of the engine who leads, and a node whether it is ready.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// An answer takes no longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// A longer answer is none.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The status and the body of what is at a path.
pub(super) async fn get(address: SocketAddr, path: &str) -> Option<(u16, Vec<u8>)> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await.ok()?;
        split(&answer)
    };
    timeout(PATIENCE, asking).await.ok()?
}

fn split(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(answer.get(..end)?).ok()?;
    let status = head.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some((status, answer.get(end + 4..)?.to_vec()))
}

/// Who leads a stream, by the name of the server.
pub(super) async fn leader(monitor: SocketAddr, stream: &str) -> Option<String> {
    let (_, body) = get(monitor, "/jsz?accounts=true&streams=true").await?;
    leader_in(&serde_json::from_slice(&body).ok()?, stream)
}

fn leader_in(told: &Value, stream: &str) -> Option<String> {
    let accounts = told.get("account_details")?.as_array()?;
    let streams = accounts.iter().filter_map(|account| account.get("stream_detail")?.as_array());
    let found = streams
        .flatten()
        .find(|detail| detail.get("name").and_then(Value::as_str) == Some(stream))?;
    let leader = found.get("cluster")?.get("leader")?.as_str()?;
    (!leader.is_empty()).then(|| leader.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = b"HTTP/1.0 503 Service Unavailable\r\nX: y\r\n\r\nwaiting";
        assert_eq!(split(answer), Some((503, b"waiting".to_vec())));
        assert_eq!(split(b"HTTP/1.0 200"), None);
    }

    #[test]
    fn the_leader_of_a_stream_is_found_by_its_name() {
        let stream =
            |name: &str, leader: &str| json!({"name": name, "cluster": {"leader": leader}});
        let told = json!({"account_details": [
            {"stream_detail": [stream("OTHER", "e3")]},
            {"stream_detail": [stream("CHAT", "e2"), stream("NONE", "")]},
        ]});
        assert_eq!(leader_in(&told, "CHAT").as_deref(), Some("e2"));
        assert_eq!(leader_in(&told, "NONE"), None);
        assert_eq!(leader_in(&json!({}), "CHAT"), None);
    }
}
