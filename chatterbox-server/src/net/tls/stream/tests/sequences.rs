//! Whatever records come and wherever they are cut, the server may read and write between any two bytes.

use std::pin::Pin;

use proptest::prelude::*;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};

use super::kit::{noise, once, soon, take};
use super::raw_client::{ALERT, DATA, HANDSHAKE, RawClient};

/// What a client sends, in records with so many zeros behind their content.
#[derive(Clone, Debug)]
enum Sent {
    /// So much data.
    Data(usize),
    /// So many records of the handshake without content.
    EmptyParts(usize),
    /// News of keys, in parts that end before these bytes of it. Parts may be empty.
    Keys(Vec<usize>),
}

/// News of keys that want no answer.
const KEYS: [u8; 5] = [24, 0, 0, 1, 0];

fn any_sent() -> impl Strategy<Value = (Sent, usize)> {
    let sent = prop_oneof![
        prop_oneof![0..3_usize, 0..3_000_usize].prop_map(Sent::Data),
        (1..3_usize).prop_map(Sent::EmptyParts),
        prop::collection::vec(0..KEYS.len(), 0..4).prop_map(|mut ends| {
            ends.sort_unstable();
            Sent::Keys(ends)
        }),
    ];
    (sent, prop_oneof![Just(0_usize), 0..3_000_usize])
}

/// Makes the records, and puts their data behind `data`.
fn records(
    client: &mut RawClient,
    (sent, padding): &(Sent, usize),
    data: &mut Vec<u8>,
) -> Vec<Vec<u8>> {
    match sent {
        Sent::Data(count) => {
            let content = noise(data.len(), *count);
            data.extend_from_slice(&content);
            vec![client.record(DATA, &content, *padding)]
        }
        Sent::EmptyParts(count) => {
            (0..*count).map(|_| client.record(HANDSHAKE, b"", *padding)).collect()
        }
        Sent::Keys(ends) => {
            let mut start = 0;
            let mut records = Vec::new();
            for end in ends.iter().copied().chain([KEYS.len()]) {
                records.push(client.record(HANDSHAKE, &KEYS[start..end], *padding));
                start = end;
            }
            client.update_sending();
            records
        }
    }
}

/// The client sends this in pieces of these sizes, again and again. Behind each piece the server reads with so much room, and writes.
async fn talk(sent: &[(Sent, usize)], pieces: &[usize], room: usize) {
    let (mut client, mut server) = RawClient::connect(1024 * 1024).await;
    let mut data = Vec::new();
    let bytes: Vec<Vec<u8>> =
        sent.iter().flat_map(|sent| records(&mut client, sent, &mut data)).collect();
    let bytes = bytes.concat();
    let (mut rest, mut sizes) = (&bytes[..], pieces.iter().cycle());
    let (mut heard, mut buffer) = (Vec::new(), vec![0; room]);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        rest = behind;
        client.send(piece).await;
        let mut reading = ReadBuf::new(&mut buffer);
        if once(|context| Pin::new(&mut server).poll_read(context, &mut reading)).is_ready() {
            assert!(!reading.filled().is_empty());
        }
        heard.extend_from_slice(reading.filled());
        server.write_all(b"between").await.unwrap();
        // The pipe below takes nothing for a moment when this task has done much.
        server.flush().await.unwrap();
        assert_eq!(client.next().await, (DATA, b"between".to_vec()));
    }
    // It says its end with what is kept by now, and hears the rest.
    server.shutdown().await.unwrap();
    assert_eq!(client.next().await, (ALERT, vec![1, 0]));
    let rest = take(&mut server, data.len() - heard.len()).await;
    heard.extend(rest);
    assert!(heard == data);
    let end = client.record(ALERT, &[1, 0], 0);
    client.send(&end).await;
    assert_eq!(server.read(&mut buffer).await.unwrap(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_records_in_any_pieces_leave_readers_and_writers_in_peace(
        sent in prop::collection::vec(any_sent(), 1..8),
        pieces in prop::collection::vec(prop_oneof![1..60_usize, 1..9_000_usize], 1..6),
        room in prop_oneof![1..20_usize, 1..40_000_usize],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(soon(talk(&sent, &pieces, room)));
    }
}
