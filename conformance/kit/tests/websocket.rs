//! The client of WebSockets against servers that follow a script.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

#[allow(dead_code, reason = "not every test uses everything")]
mod scripted;

use std::{io, time::Duration};

use conformance_kit::{
    net::{remarks::Remarks, websocket::WebSocket},
    wire::prefix::Prefix,
};
use scripted::{body, frame, unmasked, within};
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex},
    time::timeout,
};

/// So long nothing must come.
const SILENCE: Duration = Duration::from_millis(20);

/// A WebSocket after its handshake, and the server's end of the connection.
fn pair() -> (WebSocket<DuplexStream>, DuplexStream, Remarks) {
    let (ours, theirs) = duplex(1 << 20);
    let remarks = Remarks::default();
    (WebSocket::new(ours, Vec::new(), remarks.clone()), theirs, remarks)
}

#[tokio::test]
async fn messages_become_frames_and_frames_messages() {
    let (mut socket, mut server, _) = pair();
    for length in [0, 1, 125, 126, 65_535, 65_536, 70_000] {
        let sent = "x".repeat(length).into_bytes();
        server.write_all(&frame(0x81, &sent)).await.unwrap();
        assert_eq!(within(body(&mut socket)).await.unwrap(), sent);
        socket.write_all(&Prefix::NETWORK.frame(&sent)).await.unwrap();
        socket.flush().await.unwrap();
        assert_eq!(within(unmasked(&mut server)).await.unwrap(), (0x81, sent));
    }
}

#[tokio::test]
async fn half_a_length_and_half_a_body_go_out_as_such() {
    let (mut socket, mut server, _) = pair();
    // The first byte of a length: a message begins, and more is not known.
    socket.write_all(&[0, 0]).await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), 0x81);
    let early = timeout(SILENCE, server.read_u8()).await;
    assert!(early.is_err(), "nothing more is known of the header: {early:?}");
    socket.write_all(&[0, 5, b'{']).await.unwrap();
    let mut head = [0; 6];
    within(server.read_exact(&mut head[1..])).await.unwrap();
    assert_eq!(head[1], 0x85);
    assert_eq!(within(server.read_u8()).await.unwrap() ^ head[2], b'{');
}

#[tokio::test]
async fn a_length_of_four_gib_is_announced_without_its_body() {
    let (mut socket, mut server, _) = pair();
    socket.write_all(b"\xFF\xFF\xFF\xFF{\"MESS").await.unwrap();
    let mut head = [0; 14];
    within(server.read_exact(&mut head)).await.unwrap();
    assert_eq!(head[..10], [0x81, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    // In the middle of it there is no room for a close frame: the connection ends behind what was written.
    socket.shutdown().await.unwrap();
    let mut rest = Vec::new();
    within(server.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest.len(), 6);
}

#[tokio::test]
async fn masks_differ() {
    let (mut socket, mut server, _) = pair();
    let mut masks = Vec::new();
    for _ in 0..8 {
        socket.write_all(&Prefix::NETWORK.frame(b"{}")).await.unwrap();
        let mut bytes = [0; 8];
        within(server.read_exact(&mut bytes)).await.unwrap();
        masks.push(bytes[2..6].to_vec());
    }
    masks.sort();
    masks.dedup();
    assert!(masks.len() > 6, "{masks:?}");
}

#[tokio::test]
async fn fragments_and_what_stands_between_them_are_one_frame() {
    let (mut socket, mut server, _) = pair();
    let script = [
        frame(0x01, b"{\"A\": "),
        frame(0x89, b"are you there?"),
        frame(0x00, b""),
        frame(0x8A, b""),
        frame(0x80, b"1}"),
    ];
    // Byte by byte, so that no header comes in one piece.
    let sending = async {
        for byte in script.concat() {
            server.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let (frame, ()) = tokio::join!(within(body(&mut socket)), sending);
    assert_eq!(frame.unwrap(), b"{\"A\": 1}");
    // The pong went out while the message was read.
    assert_eq!(within(unmasked(&mut server)).await.unwrap(), (0x8A, b"are you there?".to_vec()));
}

#[tokio::test]
async fn a_pong_waits_for_the_end_of_the_message_that_is_being_written() {
    let (mut socket, mut server, _) = pair();
    let bytes = Prefix::NETWORK.frame(b"{\"USERNAME\": \"ann\"}");
    socket.write_all(&bytes[..9]).await.unwrap();
    server.write_all(&frame(0x89, b"1")).await.unwrap();
    server.write_all(&frame(0x89, b"2")).await.unwrap();
    server.write_all(&frame(0x81, b"{}")).await.unwrap();
    assert_eq!(within(body(&mut socket)).await.unwrap(), b"{}");
    socket.write_all(&bytes[9..]).await.unwrap();
    assert_eq!(within(unmasked(&mut server)).await.unwrap(), (0x81, bytes[4..].to_vec()));
    // Of two pings the last is answered.
    assert_eq!(within(unmasked(&mut server)).await.unwrap(), (0x8A, b"2".to_vec()));
}

#[tokio::test]
async fn a_close_frame_is_the_end_and_is_answered() {
    let (mut socket, mut server, remarks) = pair();
    let mut script = frame(0x81, b"{}");
    script.extend(frame(0x88, b"\x03\xF0no more"));
    script.extend(frame(0x81, b"too late"));
    server.write_all(&script).await.unwrap();
    let mut all = Vec::new();
    within(socket.read_to_end(&mut all)).await.unwrap();
    assert_eq!(all, Prefix::NETWORK.frame(b"{}"));
    assert_eq!(remarks.ending().unwrap(), "close frame 1008, \"no more\"");
    assert_eq!(within(unmasked(&mut server)).await.unwrap(), (0x88, b"\x03\xF0".to_vec()));
    let error = socket.write_all(b"\0\0\0\x02{}").await.unwrap_err();
    assert!(error.to_string().contains("1008"), "{error}");
}

#[tokio::test]
async fn shutting_down_says_so_and_leaves_the_end_to_the_server() {
    let (mut socket, mut server, remarks) = pair();
    socket.shutdown().await.unwrap();
    let normal = 1000_u16.to_be_bytes().to_vec();
    assert_eq!(within(unmasked(&mut server)).await.unwrap(), (0x88, normal));
    let early = timeout(SILENCE, server.read_u8()).await;
    assert!(early.is_err(), "the connection is not closed yet: {early:?}");
    // What was on its way still comes.
    server.write_all(&frame(0x81, b"{}")).await.unwrap();
    assert_eq!(within(body(&mut socket)).await.unwrap(), b"{}");
    server.shutdown().await.unwrap();
    assert_eq!(within(socket.read(&mut [0; 8])).await.unwrap(), 0);
    assert_eq!(remarks.ending().unwrap(), "without a close frame");
}

#[tokio::test]
async fn a_connection_that_ends_inside_a_message_says_so() {
    let (mut socket, mut server, remarks) = pair();
    server.write_all(&frame(0x81, b"{}")[..3]).await.unwrap();
    drop(server);
    let mut all = Vec::new();
    within(socket.read_to_end(&mut all)).await.unwrap();
    assert_eq!(all, b"\0\0\0\x02{");
    assert!(remarks.ending().unwrap().contains("inside a message"));
}

#[tokio::test]
async fn what_no_server_may_send_is_an_error_behind_what_came_before_it() {
    let mut masked = vec![0x81, 0x82, 0, 0, 0, 0];
    masked.extend(b"{}");
    let of_eight_bytes = |first: u8, length: u64| {
        let mut bytes = vec![first, 127];
        bytes.extend(length.to_be_bytes());
        bytes
    };
    for (script, word) in [
        (frame(0x82, b"{}"), "binary"),
        (masked, "masked"),
        (frame(0xC1, b"{}"), "reserved"),
        (frame(0x91, b"{}"), "reserved"),
        (frame(0x83, b"{}"), "opcode 3"),
        (frame(0x8B, b""), "opcode 11"),
        (frame(0x80, b"{}"), "continuation"),
        ([frame(0x01, b"{"), frame(0x81, b"{}")].concat(), "inside another"),
        (frame(0x09, b""), "in parts"),
        (vec![0x89, 126, 0, 126], "126 bytes"),
        (vec![0x81, 126, 0, 5], "more bytes than it needs"),
        (of_eight_bytes(0x81, 1 << 32), "4294967296"),
        (of_eight_bytes(0x01, 1 << 30), "in parts"),
        (of_eight_bytes(0x81, u64::MAX), "18446744073709551615"),
        (frame(0x81, b"\xFF"), "UTF-8"),
        (frame(0x81, b"\xC3"), "inside a character"),
        ([frame(0x01, b"\xC3"), frame(0x80, b"(")].concat(), "UTF-8"),
        (frame(0x88, b"\x03"), "half a code"),
        (frame(0x88, b"\x03\xEE"), "code 1006"),
        (frame(0x88, b"\x03\xE8\xFF"), "no UTF-8"),
    ] {
        let (mut socket, mut server, _) = pair();
        server.write_all(&frame(0x81, b"[1]")).await.unwrap();
        server.write_all(&script).await.unwrap();
        assert_eq!(within(body(&mut socket)).await.unwrap(), b"[1]", "{word}");
        let mut rest = Vec::new();
        let error = within(socket.read_to_end(&mut rest)).await.unwrap_err();
        assert!(error.to_string().contains(word), "{word}: {error}");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        // The server is told, too.
        let (first, payload) = within(unmasked(&mut server)).await.unwrap();
        assert_eq!((first, payload), (0x88, 1002_u16.to_be_bytes().to_vec()), "{word}");
    }
}

#[tokio::test]
async fn a_message_in_endless_parts_is_given_up() {
    let (mut socket, mut server, _) = pair();
    let flood = tokio::spawn(async move {
        let part = frame(0x00, &vec![b'x'; 60_000]);
        server.write_all(&frame(0x01, b"")).await?;
        for _ in 0..2_000 {
            server.write_all(&part).await?;
        }
        io::Result::Ok(())
    });
    let error = within(socket.read_u8()).await.unwrap_err();
    assert!(error.to_string().contains("in parts"), "{error}");
    drop(socket);
    assert!(within(flood).await.unwrap().is_err(), "nobody reads the rest");
}

#[tokio::test]
async fn a_ping_is_answered_by_whoever_can_write() {
    // A connection that takes hardly anything: the writing half waits in it for most of its time.
    let (ours, mut server) = duplex(16);
    let socket = WebSocket::new(ours, Vec::new(), Remarks::default());
    let (mut reading, mut writing) = tokio::io::split(socket);
    let long = "x".repeat(5_000).into_bytes();
    let bytes = Prefix::NETWORK.frame(&long);
    let writer = tokio::spawn(async move {
        for _ in 0..3 {
            write(&mut writing, &bytes).await;
        }
        writing
    });
    let reader = tokio::spawn(async move { body(&mut reading).await });
    server.write_all(&frame(0x89, b"x")).await.unwrap();
    let mut came = Vec::new();
    while came.len() < 4 {
        came.push(within(unmasked(&mut server)).await.unwrap());
    }
    came.sort();
    let message = (0x81, long);
    assert_eq!(came, [message.clone(), message.clone(), message, (0x8A, b"x".to_vec())]);
    server.write_all(&frame(0x81, b"{}")).await.unwrap();
    assert_eq!(within(reader).await.unwrap().unwrap(), b"{}");
    within(writer).await.unwrap();
}

/// Both halves at once, as the suite uses them, with a server that answers what it reads.
#[tokio::test(flavor = "multi_thread")]
async fn both_halves_work_at_the_same_time() {
    let (ours, theirs) = duplex(64);
    let (mut reading, mut writing) =
        tokio::io::split(WebSocket::new(ours, Vec::new(), Remarks::default()));
    let (mut from, mut to) = tokio::io::split(theirs);
    let echo = tokio::spawn(async move {
        let mut pongs = 0;
        loop {
            match unmasked(&mut from).await.unwrap() {
                (0x81, payload) => {
                    write(&mut to, &frame(0x89, b"ping")).await;
                    write(&mut to, &frame(0x81, &payload)).await;
                }
                (0x8A, _) => pongs += 1,
                (0x88, _) => return pongs,
                other => unreachable!("{other:?}"),
            }
        }
    });
    for round in 0..200_usize {
        let sent = "y".repeat(round * 7).into_bytes();
        let bytes = Prefix::NETWORK.frame(&sent);
        let (came, ()) = tokio::join!(within(body(&mut reading)), write(&mut writing, &bytes));
        assert_eq!(came.unwrap(), sent);
    }
    within(writing.shutdown()).await.unwrap();
    // Each, unless the next ping came before the answer to the one before it was on its way.
    assert!((1..=200).contains(&within(echo).await.unwrap()));
}

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    within(async {
        to.write_all(bytes).await.unwrap();
        to.flush().await.unwrap();
    })
    .await;
}
