//! Reading: data that finds no room, and much in small pieces.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};

use super::kit::{Flag, noise, pair, soon, take};
use super::raw_client::{DATA, FRAME, RawClient};
use crate::net::tls::records::MOST_OVERHEAD;
use crate::net::tls::stream::{MOST_READ, RECORD};

#[tokio::test]
async fn a_reader_with_little_room_gets_everything() {
    soon(async {
        let (mut client, mut server) = pair(64 * 1024).await;
        let much = noise(1, 3 * RECORD + 5);
        let saying = async {
            client.write_all(&much).await.unwrap();
            client.shutdown().await.unwrap();
        };
        let hearing = async {
            let (mut heard, mut buffer) = (Vec::new(), [0; 7]);
            loop {
                match server.read(&mut buffer).await.unwrap() {
                    0 => return heard,
                    count => heard.extend_from_slice(&buffer[..count]),
                }
                // The rest of one record, and what has come of others.
                assert!(server.unread.rest().len() <= RECORD);
                assert!(server.kept.len() <= MOST_READ);
            }
        };
        let ((), heard) = tokio::join!(saying, hearing);
        assert!(heard == much);
        assert_eq!(server.kept.capacity(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_read_without_room_takes_nothing() {
    soon(async {
        let (mut client, mut server) = pair(4096).await;
        client.write_all(b"data").await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(server.read(&mut []).await.unwrap(), 0);
        assert_eq!(take(&mut server, 4).await, b"data");
    })
    .await;
}

#[tokio::test]
async fn records_that_wait_for_room_stand_in_no_writers_way() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(64 * 1024).await;
        let records: Vec<u8> = (0..100).flat_map(|byte| client.record(DATA, &[byte], 0)).collect();
        client.send(&records).await;
        for byte in 0..50 {
            assert_eq!(server.read_u8().await.unwrap(), byte);
            assert!(server.keeps_records);
            server.write_all(&[byte]).await.unwrap();
            assert_eq!(client.next().await, (DATA, vec![byte]));
        }
        let rest = take(&mut server, 50).await;
        assert!(rest.into_iter().eq(50..100));
        assert_eq!(server.kept.capacity(), 0);
    })
    .await;
}

#[tokio::test]
async fn thousands_of_tiny_records_are_opened_some_at_a_time() {
    const RECORDS: usize = 20_000;
    soon(async {
        let (mut client, mut server) = RawClient::connect(1024 * 1024).await;
        let data = noise(2, RECORDS);
        let records: Vec<u8> =
            data.iter().flat_map(|byte| client.record(DATA, &[*byte], 0)).collect();
        client.send(&records).await;
        let (mut heard, mut buffer) = (Vec::new(), vec![0; MOST_READ]);
        let count = server.read(&mut buffer).await.unwrap();
        heard.extend_from_slice(&buffer[..count]);
        // Others have their turn, and then it goes on by itself.
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let mut reading = ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut server).poll_read(&mut Context::from_waker(&waker), &mut reading);
        assert!(read.is_pending() && flag.is_raised());
        while heard.len() < RECORDS {
            let count = server.read(&mut buffer).await.unwrap();
            assert!(count > 0 && count <= MOST_OVERHEAD / FRAME + 1, "{count} at once");
            heard.extend_from_slice(&buffer[..count]);
        }
        assert!(heard == data);
    })
    .await;
}

#[tokio::test]
async fn zeros_behind_the_data_are_left_out() {
    soon(async {
        let (mut client, mut server) = RawClient::connect(64 * 1024).await;
        let record = client.record(DATA, b"padded", 10_000);
        client.send(&record).await;
        assert_eq!(take(&mut server, 6).await, b"padded");
        let record = client.record(DATA, &noise(3, RECORD), 0);
        client.send(&record).await;
        assert!(take(&mut server, RECORD).await == noise(3, RECORD));
    })
    .await;
}
