//! Writing: records, what the stream below does not take, and what a connection holds.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rustls::server::UnbufferedServerConnection;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use super::kit::{Flag, noise, once, pair, soon, take};
use super::raw_client::{DATA, FRAME, RawClient};
use crate::net::ahead::Places;
use crate::net::stream::Duplex as _;
use crate::net::tls::stream::{MOST_AHEAD, MOST_FRAMES, MOST_WRITTEN, RECORD, TlsStream};

#[tokio::test]
async fn what_is_written_at_once_is_one_record_and_one_write_below() {
    let (mut client, mut server) = RawClient::connect(256 * 1024).await;
    let before = server.socket.written.len();
    let written = once(|context| Pin::new(&mut server).poll_write(context, b"hello"));
    assert!(matches!(written, Poll::Ready(Ok(5))));
    let several = [&b"ab"[..], b"", b"c", b"defg"].map(IoSlice::new);
    let written = once(|context| Pin::new(&mut server).poll_write_vectored(context, &several));
    assert!(matches!(written, Poll::Ready(Ok(7))));
    let alone = [&b""[..], b"alone"].map(IoSlice::new);
    let written = once(|context| Pin::new(&mut server).poll_write_vectored(context, &alone));
    assert!(matches!(written, Poll::Ready(Ok(5))));
    let nothing = once(|context| Pin::new(&mut server).poll_write(context, b""));
    assert!(matches!(nothing, Poll::Ready(Ok(0))));
    let nothing = once(|context| Pin::new(&mut server).poll_write_vectored(context, &[]));
    assert!(matches!(nothing, Poll::Ready(Ok(0))));
    let flushed = once(|context| Pin::new(&mut server).poll_flush(context));
    assert!(matches!(flushed, Poll::Ready(Ok(()))));
    assert_eq!(server.socket.written[before..], [5 + FRAME, 7 + FRAME, 5 + FRAME]);
    for expected in ["hello", "abcdefg", "alone"] {
        assert_eq!(soon(client.next()).await, (DATA, expected.as_bytes().to_vec()));
    }
}

#[tokio::test]
async fn much_is_written_in_full_records_a_bounded_part_at_a_time() {
    let (mut client, mut server) = RawClient::connect(256 * 1024).await;
    let much = noise(1, 100 * 1024);
    let before = server.socket.written.len();
    let written = once(|context| Pin::new(&mut server).poll_write(context, &much));
    assert!(matches!(written, Poll::Ready(Ok(MOST_WRITTEN))));
    // A long slice goes alone, so that it is not copied; a short one takes the beginning of a long one with it.
    let slices = [&much[..RECORD], &much[..5]].map(IoSlice::new);
    let written = once(|context| Pin::new(&mut server).poll_write_vectored(context, &slices));
    assert!(matches!(written, Poll::Ready(Ok(RECORD))));
    let slices = [&much[..5], &much[..]].map(IoSlice::new);
    let written = once(|context| Pin::new(&mut server).poll_write_vectored(context, &slices));
    assert!(matches!(written, Poll::Ready(Ok(MOST_WRITTEN))));
    let (one, two) = (RECORD + FRAME, MOST_WRITTEN + 2 * FRAME);
    assert_eq!(server.socket.written[before..], [two, one, two]);
    let third = [&much[..5], &much[..MOST_WRITTEN - 5]].concat();
    let all = [&much[..MOST_WRITTEN], &much[..RECORD], &third].concat();
    for expected in all.chunks(RECORD) {
        assert!(soon(client.next()).await == (DATA, expected.to_vec()));
    }
}

#[tokio::test]
async fn more_is_written_at_a_time_while_the_stream_below_is_ahead() {
    let (mut client, mut server) = RawClient::connect(256 * 1024).await;
    let much = noise(3, MOST_AHEAD + 1);
    server.run_ahead(Places::default().for_welcome(MOST_AHEAD * 16).unwrap());
    let before = server.socket.written.len();
    let written = once(|context| Pin::new(&mut server).poll_write(context, &much));
    assert!(matches!(written, Poll::Ready(Ok(MOST_AHEAD))));
    assert_eq!(server.socket.written[before..], [MOST_AHEAD + 4 * FRAME]);
    server.socket.is_ahead = false;
    let written = once(|context| Pin::new(&mut server).poll_write(context, &much));
    assert!(matches!(written, Poll::Ready(Ok(MOST_WRITTEN))));
    let all = [&much[..MOST_AHEAD], &much[..MOST_WRITTEN]].concat();
    for expected in all.chunks(RECORD) {
        assert!(soon(client.next()).await == (DATA, expected.to_vec()));
    }
}

#[tokio::test]
async fn what_is_not_taken_waits_and_nothing_is_accepted_meanwhile() {
    soon(async {
        let (mut client, mut server) = pair(1000).await;
        let much = noise(2, MOST_WRITTEN);
        let written = server.write(&much).await.unwrap();
        assert_eq!(written, MOST_WRITTEN);
        let unsent = server.unsent.rest().len();
        assert!(unsent > MOST_WRITTEN - 1000 && unsent < MOST_WRITTEN + MOST_FRAMES, "{unsent}");
        // A write that is given up was not begun.
        let slices = [&b"ne"[..], b"ver"].map(IoSlice::new);
        for _ in 0..3 {
            assert!(
                once(|context| Pin::new(&mut server).poll_write(context, b"never")).is_pending()
            );
            let several =
                once(|context| Pin::new(&mut server).poll_write_vectored(context, &slices));
            assert!(several.is_pending());
            assert!(once(|context| Pin::new(&mut server).poll_flush(context)).is_pending());
        }
        assert_eq!(server.unsent.rest().len(), unsent);
        let (read, flushed) = tokio::join!(take(&mut client, MOST_WRITTEN), server.flush());
        flushed.unwrap();
        assert!(read == much);
        assert!(server.unsent.is_empty());
        server.write_all(b"then").await.unwrap();
        server.shutdown().await.unwrap();
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"then");
    })
    .await;
}

#[tokio::test]
async fn the_end_is_said_behind_what_waits() {
    soon(async {
        let (mut client, mut server) = pair(1000).await;
        let much = noise(3, MOST_WRITTEN);
        assert_eq!(server.write(&much).await.unwrap(), MOST_WRITTEN);
        assert!(once(|context| Pin::new(&mut server).poll_shutdown(context)).is_pending());
        let mut read = Vec::new();
        let (closed, end) = tokio::join!(server.shutdown(), client.read_to_end(&mut read));
        closed.unwrap();
        end.unwrap();
        assert!(read == much);
    })
    .await;
}

#[tokio::test]
async fn who_does_not_read_any_more_is_an_error() {
    soon(async {
        let (client, mut server) = pair(1000).await;
        drop(client);
        assert!(server.write(b"x").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_reader_does_not_take_the_place_of_the_writer_that_waits() {
    let (mut client, mut server) = pair(1000).await;
    let (writing, reading) = (Arc::new(Flag::default()), Arc::new(Flag::default()));
    let (writer, reader) = (Waker::from(Arc::clone(&writing)), Waker::from(Arc::clone(&reading)));
    assert_eq!(soon(server.write(&noise(4, 20_000))).await.unwrap(), 20_000);
    let mut context = Context::from_waker(&writer);
    assert!(Pin::new(&mut server).poll_write(&mut context, b"x").is_pending());
    let mut buffer = [0; 10];
    let mut buffer = ReadBuf::new(&mut buffer);
    let mut context = Context::from_waker(&reader);
    assert!(Pin::new(&mut server).poll_read(&mut context, &mut buffer).is_pending());
    // A part of a record is read by the client, which waits for the rest.
    let mut buffer = [0; 10];
    let mut buffer = ReadBuf::new(&mut buffer);
    assert!(once(|context| Pin::new(&mut client).poll_read(context, &mut buffer)).is_pending());
    assert!(writing.is_raised(), "the writer was forgotten");
    assert!(!reading.is_raised());
}

#[tokio::test]
async fn much_goes_both_ways_at_once_past_a_slow_reader() {
    const MUCH: usize = 1024 * 1024;
    let (client, server) = pair(8 * 1024).await;
    let (up, down) = (noise(5, MUCH), noise(6, MUCH));
    let (mut client_reader, mut client_writer) = tokio::io::split(client);
    let (mut reader, mut writer) = tokio::io::split(server);
    let saying = async {
        client_writer.write_all(&up).await.unwrap();
        client_writer.shutdown().await.unwrap();
    };
    let answering = async {
        writer.write_all(&down).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let hearing = async {
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let reading_slowly = async {
        let (mut read, mut buffer) = (Vec::new(), [0; 1000]);
        loop {
            match client_reader.read(&mut buffer).await.unwrap() {
                0 => return read,
                count => read.extend_from_slice(&buffer[..count]),
            }
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        }
    };
    let all = async { tokio::join!(saying, answering, hearing, reading_slowly) };
    let ((), (), heard, read) = soon(all).await;
    assert!(heard == up && read == down);
}

#[tokio::test]
async fn a_connection_that_waits_holds_no_buffer() {
    soon(async {
        let (mut client, mut server) = pair(1000).await;
        let much = noise(7, 100_000);
        let ((), ()) = tokio::join!(
            async {
                client.write_all(&much).await.unwrap();
                client.flush().await.unwrap();
                assert!(take(&mut client, much.len()).await == much);
            },
            async {
                assert!(take(&mut server, much.len()).await == much);
                server.write_all(&much).await.unwrap();
                server.flush().await.unwrap();
            }
        );
        assert_eq!(server.kept.capacity(), 0);
        assert!(server.unread.is_empty() && server.unsent.is_empty());
    })
    .await;
}

#[test]
fn a_stream_is_little_more_than_the_state_of_rustls() {
    let below = size_of::<UnbufferedServerConnection>() + size_of::<TcpStream>();
    let size = size_of::<TlsStream<TcpStream>>();
    assert!(size <= below + 64, "{size} bytes, of which {below} are not ours");
}
