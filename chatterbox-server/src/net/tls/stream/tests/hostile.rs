//! Peers that break the rules, or keep to them with ill will.

use std::io::ErrorKind;
use std::pin::Pin;

use tokio::io::{
    AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex,
};

use super::kit::{Server, once, server_config, soon, take};
use super::raw_client::{ALERT, DATA, FRAME, HANDSHAKE, RawClient};
use crate::net::tls::records::MOST_OVERHEAD;
use crate::net::tls::stream::{MOST_READ, TlsStream};

/// Reads what has come, which brings no data.
fn read_nothing(server: &mut Server) {
    let mut buffer = [0; 10];
    let mut buffer = ReadBuf::new(&mut buffer);
    assert!(once(|context| Pin::new(server).poll_read(context, &mut buffer)).is_pending());
    assert!(buffer.filled().is_empty());
}

/// Whether the server takes this for a mistake of its client, and goes on to do so.
async fn is_refused(server: &mut Server) -> String {
    let refused = server.read(&mut [0; 10]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    for again in [
        server.read(&mut [0; 10]).await.unwrap_err(),
        server.write(b"x").await.unwrap_err(),
        server.flush().await.unwrap_err(),
    ] {
        assert_eq!(again.to_string(), refused.to_string());
    }
    assert_eq!(server.kept.capacity(), 0);
    refused.to_string()
}

#[tokio::test]
async fn a_record_that_was_changed_on_the_way_is_answered_by_an_alert() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(4096).await;
        let good = client.record(DATA, b"good", 0);
        let mut bad = client.record(DATA, b"bad", 0);
        *bad.last_mut().unwrap() ^= 1;
        client.send(&[good, bad].concat()).await;
        // What came before it holds, and is not held back.
        let mut buffer = [0; 10];
        assert_eq!(server.read(&mut buffer).await.unwrap(), 4);
        assert!(buffer.starts_with(b"good"));
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("decrypt"), "{refused}");
        // Fatal, and that its checksum is wrong.
        assert_eq!(client.next().await, (ALERT, vec![2, 20]));
        server.shutdown().await.unwrap();
        assert_eq!(client.pipe.read(&mut [0; 10]).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_alert_that_finds_no_room_is_sent_with_the_end() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(4096).await;
        assert_eq!(server.write(&[1; 5000]).await.unwrap(), 5000);
        let mut bad = client.record(DATA, b"bad", 0);
        *bad.last_mut().unwrap() ^= 1;
        client.send(&bad).await;
        is_refused(&mut server).await;
        let (closed, ()) = tokio::join!(server.shutdown(), async {
            assert_eq!(client.next().await, (DATA, vec![1; 5000]));
            assert_eq!(client.next().await, (ALERT, vec![2, 20]));
        });
        closed.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_alert_of_the_client_is_an_error() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(4096).await;
        let alert = client.record(ALERT, &[2, 80], 0);
        client.send(&alert).await;
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("InternalError"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn records_without_data_in_a_row_are_few() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(64 * 1024).await;
        for _ in 0..3 {
            let mut records: Vec<u8> = (0..32).flat_map(|_| client.record(DATA, b"", 7)).collect();
            records.extend(client.record(DATA, b"data", 0));
            client.send(&records).await;
            assert_eq!(take(&mut server, 4).await, b"data");
        }
        let records: Vec<u8> = (0..33).flat_map(|_| client.record(DATA, b"", 0)).collect();
        client.send(&records).await;
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("TooManyEmptyFragments"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn new_keys_in_a_row_are_few_and_little_of_them_is_done_at_a_time() {
    const ROUNDS: usize = 200;
    soon(async {
        let (mut client, mut server) = RawClient::connect(1024 * 1024).await;
        let mut records = Vec::new();
        for round in 0..ROUNDS {
            for update in 0..32 {
                records.extend(client.key_update(update % 2 == 0));
            }
            records.extend(client.record(DATA, &[u8::try_from(round).unwrap()], 0));
        }
        client.send(&records).await;
        let (mut heard, mut buffer) = (Vec::new(), vec![0; MOST_READ]);
        while heard.len() < ROUNDS {
            let count = server.read(&mut buffer).await.unwrap();
            // What is read at once may begin within a round, and end within one.
            assert!(count > 0 && count <= MOST_OVERHEAD / (32 * (5 + FRAME)) + 2, "{count} rounds");
            heard.extend_from_slice(&buffer[..count]);
        }
        assert!(heard.iter().enumerate().all(|(round, byte)| round == usize::from(*byte)));
        let records: Vec<u8> = (0..33).flat_map(|_| client.key_update(false)).collect();
        client.send(&records).await;
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("TooManyKeyUpdateRequests"), "{refused}");
    })
    .await;
}

/// The parts of a message with new keys. rustls takes empty ones, and does not give them back before the message is whole.
const PARTS: [&[&[u8]]; 5] = [
    &[&[24, 0], &[0, 1, 0]],
    &[&[24, 0, 0, 1], &[0]],
    &[&[24], &[0, 0, 1], &[0]],
    &[&[], &[24, 0, 0, 1, 0]],
    &[&[24, 0], &[], &[0, 1, 0]],
];

#[tokio::test]
async fn a_message_in_several_records_does_not_disturb_the_writer() {
    for parts in PARTS {
        soon(async {
            let (mut client, mut server) = RawClient::connect(4096).await;
            for part in parts {
                read_nothing(&mut server);
                // rustls would look for the beginning of the message where there is none.
                server.write_all(b"between").await.unwrap();
                assert_eq!(client.next().await, (DATA, b"between".to_vec()));
                let record = client.record(HANDSHAKE, part, 0);
                let (first, rest) = record.split_at(7);
                client.send(first).await;
                read_nothing(&mut server);
                server.write_all(b"within").await.unwrap();
                assert_eq!(client.next().await, (DATA, b"within".to_vec()));
                client.send(rest).await;
            }
            client.update_sending();
            let data = client.record(DATA, b"new", 0);
            client.send(&data).await;
            assert_eq!(take(&mut server, 3).await, b"new");
            assert_eq!(server.kept.capacity(), 0);
        })
        .await;
    }
}

#[tokio::test]
async fn a_connection_ends_in_order_within_a_message() {
    for parts in PARTS {
        soon(async {
            let (mut client, mut server) = RawClient::connect(4096).await;
            let record = client.record(HANDSHAKE, parts[0], 0);
            client.send(&record).await;
            read_nothing(&mut server);
            server.shutdown().await.unwrap();
            assert_eq!(client.next().await, (ALERT, vec![1, 0]));
        })
        .await;
    }
}

#[tokio::test]
async fn records_behind_an_empty_part_do_not_disturb_the_writer() {
    const RECORDS: usize = 200;
    // Opening stops for want of room, and since it was much.
    for room in [10, MOST_READ] {
        for is_closed in [false, true] {
            soon(async {
                let (mut client, mut server) = RawClient::connect(64 * 1024).await;
                let mut records = client.record(HANDSHAKE, b"", 0);
                records.extend((0..RECORDS).flat_map(|_| client.record(DATA, b"x", 0)));
                client.send(&records).await;
                let count = server.read(&mut vec![0; room]).await.unwrap();
                assert!(count > 0 && count < RECORDS && server.keeps_records, "{count}");
                if is_closed {
                    server.shutdown().await.unwrap();
                    assert_eq!(client.next().await, (ALERT, vec![1, 0]));
                } else {
                    server.write_all(b"between").await.unwrap();
                    assert_eq!(client.next().await, (DATA, b"between".to_vec()));
                }
                let rest = take(&mut server, RECORDS - count).await;
                assert!(rest.iter().all(|byte| *byte == b'x'));
                // rustls gives it back with the next message.
                let records = [client.key_update(false), client.record(DATA, b"new", 0)];
                client.send(&records.concat()).await;
                assert_eq!(take(&mut server, 3).await, b"new");
                assert_eq!(server.kept.capacity(), 0);
            })
            .await;
        }
    }
}

#[tokio::test]
async fn an_empty_part_right_behind_the_handshake_does_not_disturb_the_writer() {
    for is_closed in [false, true] {
        soon(async {
            let (mut client, mut server) = RawClient::connect_with(|client| {
                [client.record(HANDSHAKE, b"", 0), client.record(DATA, b"early", 0)].concat()
            })
            .await;
            assert_eq!(server.unread.rest(), b"early");
            if is_closed {
                server.shutdown().await.unwrap();
                assert_eq!(client.next().await, (ALERT, vec![1, 0]));
            } else {
                server.write_all(b"answer").await.unwrap();
                assert_eq!(client.next().await, (DATA, b"answer".to_vec()));
            }
            assert_eq!(take(&mut server, 5).await, b"early");
        })
        .await;
    }
}

#[tokio::test]
async fn empty_parts_are_bounded_in_number_and_size() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(256 * 1024).await;
        let records: Vec<u8> = (0..33).flat_map(|_| client.record(HANDSHAKE, b"", 0)).collect();
        client.send(&records).await;
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("TooManyEmptyFragments"), "{refused}");
        let (mut client, mut server) = RawClient::connect(256 * 1024).await;
        for _ in 0..5 {
            let records =
                [client.record(HANDSHAKE, b"", 16_000), client.record(DATA, b"between", 0)];
            client.send(&records.concat()).await;
        }
        while let Ok(count) = server.read(&mut [0; 100]).await {
            assert!(count > 0);
        }
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("HandshakePayloadTooLarge"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn data_within_a_message_is_an_error() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(4096).await;
        let records = [client.record(HANDSHAKE, &[24, 0], 0), client.record(DATA, b"data", 0)];
        client.send(&records.concat()).await;
        let refused = is_refused(&mut server).await;
        assert!(refused.contains("Interleaved"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn another_handshake_is_refused() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(4096).await;
        let record = client.record(HANDSHAKE, &[1, 0, 0, 1, 0], 0);
        client.send(&record).await;
        is_refused(&mut server).await;
        assert_eq!(client.next().await.0, ALERT);
    })
    .await;
}

/// What becomes of a handshake with these bytes.
async fn handshake_with(bytes: &[u8]) -> String {
    let (mut client, far): (DuplexStream, _) = duplex(16 * 1024);
    let (accepted, _) = tokio::join!(TlsStream::accept(far, server_config()), async {
        // The server may close before it has read everything.
        let _ = client.write_all(bytes).await;
    });
    let refused = accepted.err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    refused.to_string()
}

#[tokio::test]
async fn messages_of_the_handshake_have_a_bounded_size() {
    // One that announces 16 MiB.
    let refused = soon(handshake_with(&[22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF])).await;
    assert!(refused.contains("HandshakePayloadTooLarge"), "{refused}");
    // One that is short enough, in records of one byte, which take six.
    let mut bytes = vec![22, 3, 1, 0, 4, 1, 0, 0xFF, 0xFF];
    bytes.extend([22, 3, 1, 0, 1, 0].repeat(20_000));
    let refused = soon(handshake_with(&bytes)).await;
    assert!(refused.contains("HandshakePayloadTooLarge"), "{refused}");
}
