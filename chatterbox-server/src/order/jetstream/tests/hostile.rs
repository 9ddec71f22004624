//! Whoever answers in place of the engine, or of its monitoring port: nonsense, nothing, or without end.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{join, join_all};

use crate::order::jetstream::{EngineSettings, JetStream, MonitorUrl, ServerUrl, Verdict, check};

/// What a peer says.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// This, again and again.
    Endlessly(&'static [u8]),
    /// This once, and this again and again.
    First(&'static [u8], &'static [u8]),
    /// This, and then it keeps the connection open.
    Once(&'static [u8]),
}

/// A peer for every connection; gives its port, and counts the bytes that it has got rid of.
fn peer(says: Says) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), count) = (stream, Arc::clone(&count)) else { return };
            std::thread::spawn(move || say(stream, says, &count));
        }
    });
    (port, taken)
}

fn say(mut stream: TcpStream, says: Says, count: &AtomicU64) {
    let (first, again) = match says {
        Says::Endlessly(again) => (&b""[..], again),
        Says::First(first, again) => (first, again),
        Says::Once(first) => (first, &b""[..]),
    };
    let _ = stream.write_all(first);
    if again.is_empty() {
        // Until the other one goes.
        let _ = stream.read_to_end(&mut Vec::new());
        return;
    }
    let chunk = again.repeat(64 * 1024 / again.len() + 1);
    while stream.write_all(&chunk).is_ok() {
        count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
    }
}

const HEAD: &[u8] = b"HTTP/1.0 200 OK\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_monitoring_port_is_read_no_further_than_it_may_say() {
    let all = [
        Says::Endlessly(b"x"),
        Says::Endlessly(b"\r\n"),
        Says::First(HEAD, b" "),
        Says::First(HEAD, b"["),
        Says::First(b"HTTP/1.0 200 OK\r\n", b"A: b\r\n"),
        Says::First(HEAD, br#"{"server_name":"x","#),
        Says::Once(b""),
        Says::Once(b"HTTP/1.0 200 OK\r\n"),
    ];
    let asked = all.map(|says| async move {
        let (port, taken) = peer(says);
        let monitors = MonitorUrl::parse_list(&format!("http://127.0.0.1:{port}")).unwrap();
        let nobody = ServerUrl::parse("nats://127.0.0.1:1").unwrap();
        let settings = EngineSettings::new(vec![nobody], "a".to_owned());
        let findings = check(&settings, &monitors).await;
        let verdicts: Vec<_> = findings.iter().map(|finding| finding.verdict).collect();
        assert_eq!(verdicts, [Verdict::Unreachable; 2], "{says:?}: {findings:?}");
        assert!(findings.iter().all(|finding| finding.told.len() < 1000), "{findings:?}");
        // What the system holds for the two comes on top of what was read.
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < 64 * 1024 * 1024, "{says:?}: {taken}");
    });
    join_all(asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_engine_is_given_up() {
    let all = [
        Says::Endlessly(b"x"),
        Says::Endlessly(b"\r\n"),
        Says::Endlessly(b"INFO {}\r\n"),
        Says::First(b"INFO ", b"["),
        Says::Once(b"INFO {\"version\":\"2.10.27\"}\r\n"),
        Says::Once(b"INFO nonsense\r\n"),
        Says::Once(b"HTTP/1.0 200 OK\r\n\r\n"),
        Says::Once(b""),
    ];
    let asked = all.map(|says| async move {
        let (port, taken) = peer(says);
        let server = ServerUrl::parse(&format!("nats://127.0.0.1:{port}")).unwrap();
        let settings = EngineSettings::new(vec![server], "a".to_owned());
        let (looked, findings) = join(JetStream::look(&settings), check(&settings, &[])).await;
        assert!(looked.is_err(), "{says:?}: {looked:?}");
        assert!(findings.iter().all(|finding| finding.told.len() < 1000), "{findings:?}");
        assert!(findings[0].verdict >= Verdict::Unreachable, "{says:?}: {findings:?}");
        // Without an end of its first line it is heard out no further than that may go, beside what the system holds.
        let taken = taken.load(Ordering::Relaxed);
        let is_endless = matches!(says, Says::Endlessly(b"x") | Says::First(..));
        assert!(!is_endless || taken < 64 * 1024 * 1024, "{says:?}: {taken}");
    });
    join_all(asked).await;
}
