//! What a server tells of itself in HTTP.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::process::{Running, connect};

/// The address that the server has printed behind these words.
pub fn address_behind(server: &Running, words: &str) -> SocketAddr {
    let line = server.printed().lines().find_map(|line| line.split_once(words)).unwrap().1;
    let address = line.trim_start_matches("http://").trim_end_matches('/');
    address.replace("localhost", "127.0.0.1").parse().unwrap()
}

/// Where it is told whether a server is ready, and what is measured of it.
pub fn health(server: &Running) -> SocketAddr {
    address_behind(server, "whether it is ready is told at ")
}

/// What a request is answered with: its head and its body.
pub fn ask(address: SocketAddr, method: &str, path: &str) -> (String, String) {
    let mut stream = connect(address);
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The metrics.
pub fn scrape(address: SocketAddr) -> String {
    let (head, body) = ask(address, "GET", "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    body
}

/// The value of a sample, with its labels.
pub fn value(text: &str, sample: &str) -> Option<f64> {
    let found = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    found.map(|value| value.parse().unwrap())
}

/// Scrapes until this sample has this value.
pub fn scrape_until(address: SocketAddr, sample: &str, wanted: f64) -> String {
    let begin = Instant::now();
    loop {
        let text = scrape(address);
        if value(&text, sample) == Some(wanted) {
            return text;
        }
        assert!(begin.elapsed() < PATIENCE, "{sample} is not {wanted}:\n{text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
