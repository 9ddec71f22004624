//! Encoding and decoding at the size of ordinary chat: `cargo bench -p chatterbox-proto`.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use chatterbox_proto::frame::Decoder;
use chatterbox_proto::{ClientFrame, Entry, ServerFrame, client_frame};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const BATCHES: [usize; 3] = [1, 16, 256];

fn entries(count: usize, content: &'static str) -> Vec<Entry<'static>> {
    let entry = Entry {
        source: "user1".into(),
        destination: "ALL".into(),
        timestamp: 1_700_000_000,
        content: content.into(),
    };
    vec![entry; count]
}

const ASCII: &str = "sixty-four bytes of ordinary chat text, as people write it here.";
const UMLAUTS: &str = "sechzig Zeichen mit Umläuten: äöüÄÖÜß, wie man sie hier tippt ...";

#[divan::bench(args = BATCHES)]
fn encode_ascii(bencher: Bencher<'_, '_>, count: usize) {
    encode(bencher, count, ASCII);
}

#[divan::bench(args = BATCHES)]
fn encode_umlauts(bencher: Bencher<'_, '_>, count: usize) {
    encode(bencher, count, UMLAUTS);
}

fn encode(bencher: Bencher<'_, '_>, count: usize, content: &'static str) {
    let entries = entries(count, content);
    bencher.counter(ItemsCount::new(count)).bench(|| client_frame::say(black_box(&entries)));
}

#[divan::bench(args = BATCHES)]
fn deframe(bencher: Bencher<'_, '_>, count: usize) {
    let frame = client_frame::say(&entries(count, ASCII)).unwrap();
    bencher.counter(BytesCount::new(frame.len())).bench(|| {
        let mut decoder = Decoder::new(1 << 20);
        decoder.push(black_box(&frame));
        decoder.next_body()
    });
}

#[divan::bench(args = BATCHES)]
fn parse_as_server(bencher: Bencher<'_, '_>, count: usize) {
    let frame = client_frame::say(&entries(count, ASCII)).unwrap();
    let body = frame.slice(4..);
    bencher.counter(ItemsCount::new(count)).bench(|| ClientFrame::parse(black_box(&body)).is_ok());
}

#[divan::bench(args = BATCHES)]
fn parse_as_client(bencher: Bencher<'_, '_>, count: usize) {
    let frame = client_frame::say(&entries(count, ASCII)).unwrap();
    let body = frame.slice(4..);
    bencher.counter(ItemsCount::new(count)).bench(|| ServerFrame::parse(black_box(&body)).is_ok());
}
