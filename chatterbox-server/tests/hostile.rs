//! Hostile peers: stalled, silent, flooding or malformed ones harm nobody but themselves (AS-1 to AS-4, IV-3, RT-6).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::time::Duration;

use chatterbox_hub::TimelineLimits;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::{ServerFrame, limits};
use chatterbox_server::Config;
use harness::{PATIENCE, Server, unlimited};
use proptest::test_runner::{Config as Proptest, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Two other users can still chat.
async fn others_are_served(server: &Server, mark: &str) {
    let (mut ann, _) = server.join(&format!("ann{mark}")).await;
    let (mut bob, _) = server.join(&format!("bob{mark}")).await;
    ann.say("ALL", mark).await;
    bob.until(mark).await;
}

#[tokio::test]
async fn b7_whoever_is_silent_or_stuck_delays_nobody() {
    let server = Server::start(Config::default()).await;
    let mut stuck = Vec::new();
    for _ in 0..50 {
        // Says nothing, not even a handshake.
        stuck.push(TcpStream::connect(server.address).await.unwrap());
        // Stops in the middle of its handshake.
        let mut halfway = TcpStream::connect(server.address).await.unwrap();
        halfway.write_all(&[22, 3, 1, 2, 0, 1, 0]).await.unwrap();
        stuck.push(halfway);
    }
    let mut peers = Vec::new();
    for number in 0..20 {
        // One sends no name, one half of it, one joins and stops in the middle of a frame.
        peers.push(server.connect().await);
        let mut half = server.connect().await;
        half.send(b"\0\0\0\x40{\"USERNAME\"").await;
        peers.push(half);
        let (mut joined, _) = server.join(&format!("stuck{number}")).await;
        joined.send(b"\0\0").await;
        peers.push(joined);
    }
    others_are_served(&server, "x").await;
    drop((stuck, peers));
    server.stop().await;
}

#[tokio::test]
async fn whoever_takes_too_long_to_join_is_told_and_closed() {
    let server =
        Server::start(Config { join_timeout: Duration::from_millis(300), ..Config::default() })
            .await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut nameless = server.connect().await;
    assert!(nameless.error().await.contains("AS-4"));
    assert!(nameless.try_next().await.is_none());
    let ended = tokio::time::timeout(PATIENCE, silent.read(&mut [0; 16])).await.unwrap();
    assert!(matches!(ended, Ok(0) | Err(_)), "a silent connection is closed as well");
    // A member may be silent for ever.
    let (mut joined, _) = server.join("ann").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    joined.say("ALL", "here").await;
    joined.until("here").await;
}

/// All bytes received, which have to be whole frames.
fn frames(stream: &[u8]) -> Vec<ServerFrame> {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    decoder.push(stream);
    let frames = std::iter::from_fn(|| decoder.next_body().unwrap())
        .map(|body| ServerFrame::parse(&body).unwrap().0)
        .collect();
    assert_eq!(decoder.pending(), 0, "the stream ends at the border of a frame");
    frames
}

/// Joins without TLS through a small window, and reads no more than 8 bytes from then on.
async fn join_and_stop_reading(server: &Server, name: &str) -> (TcpStream, [u8; 8]) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(&chatterbox_proto::client_frame::join(name).unwrap()).await.unwrap();
    let mut start = [0; 8];
    stream.read_exact(&mut start).await.unwrap();
    (stream, start)
}

#[tokio::test]
async fn b3_a_reader_that_stops_reading_is_told_and_removed_alone() {
    let timeline = TimelineLimits { events: 256, bytes: 1 << 20 };
    let server = Server::plaintext(Config { timeline, ..unlimited() }).await;
    let (mut fast, _) = server.join("fast").await;
    let (mut slow, start) = join_and_stop_reading(&server, "slow").await;
    let (mut ann, _) = server.join("ann").await;
    let text = "x".repeat(20_000);
    let removed = tokio::spawn(async move {
        fast.sees_leave("slow").await;
        fast
    });
    // Everybody else keeps reading.
    let mut said = 0;
    while !removed.is_finished() {
        ann.say("ALL", &text).await;
        ann.until(&text).await;
        said += 1;
        assert!(said < 10_000, "slow is removed at last");
    }
    let mut fast = removed.await.unwrap();
    // The reason is the last frame in its stream.
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.unwrap();
    let frames = frames(&[&start[..], &rest].concat());
    let error = frames.last().unwrap().error.as_ref().unwrap().as_wire();
    assert!(error.contains("AS-3"), "{error}");
    ann.say("fast", "done").await;
    fast.until("done").await;
    // Its name is free again.
    server.join("slow").await;
}

#[tokio::test]
async fn a_stalled_reader_in_a_quiet_room_is_removed_too() {
    let config = Config { stall_timeout: Duration::from_millis(300), ..unlimited() };
    let server = Server::plaintext(config).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut watcher, _) = server.join("watcher").await;
    let watching = tokio::spawn(async move { watcher.sees_leave("slow").await });
    let _slow = join_and_stop_reading(&server, "slow").await;
    // More than the socket buffers of both sides take, and far less than the timeline.
    let text = "x".repeat(1 << 20);
    for _ in 0..12 {
        ann.say("ALL", &text).await;
        ann.until(&text).await;
    }
    watching.await.unwrap();
}

#[tokio::test]
async fn a_flood_of_private_messages_is_refused_and_its_victim_stays() {
    let server = Server::plaintext(unlimited()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut slow, _) = join_and_stop_reading(&server, "slow").await;
    assert_eq!(ann.next().await.joined.len(), 1);
    let text = "x".repeat(100_000);
    let mut said = 0;
    let error = loop {
        ann.say("slow", &text).await;
        ann.say("ann", "sent").await;
        said += 1;
        assert!(said < 1000);
        let frame = ann.next().await;
        if let Some(error) = frame.error {
            break error;
        }
    };
    assert!(error.as_wire().contains("too much unread"), "{error:?}");
    // When slow reads again, it gets every accepted message.
    let mut read = 0;
    let mut buffer = vec![0; 1 << 16];
    while read < (said - 1) * 100_000 {
        let more = tokio::time::timeout(PATIENCE, slow.read(&mut buffer)).await.unwrap().unwrap();
        assert!(more > 0);
        read += more;
    }
}

#[tokio::test]
async fn whoever_does_not_read_the_answers_to_its_mistakes_is_not_listened_to() {
    let server = Server::plaintext(Config::default()).await;
    let (mut rude, _) = join_and_stop_reading(&server, "rude").await;
    // Each of these is answered with an ERROR that nobody reads, so back-pressure stops the sender at some point.
    let garbage = b"\0\0\0\x01x".repeat(10_000);
    let mut sent = 0;
    while sent < 100 << 20 {
        match tokio::time::timeout(Duration::from_millis(500), rude.write(&garbage)).await {
            Ok(Ok(written)) => sent += written,
            Ok(Err(_)) | Err(_) => break,
        }
    }
    assert!(sent < 100 << 20, "the server went on listening");
    others_are_served(&server, "x").await;
}

#[tokio::test]
async fn every_way_of_ending_a_connection_is_noticed() {
    let server = Server::start(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;

    // TLS close and FIN, FIN alone, reset.
    let tls_peer = server.join("bob").await.0;
    drop(tls_peer);
    ann.sees_leave("bob").await;

    let plain = Server::plaintext(Config::default()).await;
    let (mut ann, _) = plain.join("ann").await;
    let (fin, _) = join_and_stop_reading(&plain, "fin").await;
    drop(fin);
    ann.sees_leave("fin").await;
    let (reset, _) = join_and_stop_reading(&plain, "reset").await;
    socket2::SockRef::from(&reset).set_linger(Some(Duration::ZERO)).unwrap();
    drop(reset);
    ann.sees_leave("reset").await;
    // A half-closed connection has left, but still gets the frames that were queued.
    let (mut half, start) = join_and_stop_reading(&plain, "half").await;
    half.write_all(
        &chatterbox_proto::frame::encode(br#"{"MESSAGES": [["half", "ALL", 1, "last words"]]}"#)
            .unwrap(),
    )
    .await
    .unwrap();
    half.shutdown().await.unwrap();
    ann.sees_leave("half").await;
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, half.read_to_end(&mut rest)).await.unwrap().unwrap();
    let frames = frames(&[&start[..], &rest].concat());
    assert!(
        frames.iter().any(|frame| frame
            .messages
            .iter()
            .flatten()
            .any(|m| m.content == "last words"))
    );
}

#[tokio::test]
async fn arbitrary_bytes_harm_nobody() {
    let server = Server::plaintext(Config::default()).await;
    let mut runner = TestRunner::new(Proptest { cases: 60, ..Proptest::default() });
    let strategy = proptest::collection::vec(proptest::prelude::any::<u8>(), 0..3000);
    let inputs = std::sync::Mutex::new(Vec::new());
    runner
        .run(&strategy, |bytes| {
            inputs.lock().unwrap().push(bytes);
            Ok(())
        })
        .unwrap();
    for (number, bytes) in inputs.into_inner().unwrap().into_iter().enumerate() {
        let mut raw = TcpStream::connect(server.address).await.unwrap();
        let _ = raw.write_all(&bytes).await;
        // As a body it reaches the JSON reader, and is answered.
        let (mut joined, _) = server.join(&format!("g{number}")).await;
        joined.send(&chatterbox_proto::frame::encode(&bytes).unwrap()).await;
        joined.error().await;
        joined.send(&bytes).await;
    }
    others_are_served(&server, "x").await;
}

#[tokio::test]
async fn the_door_is_bounded_tells_why_and_opens_again() {
    let server = Server::start(Config { max_per_address: 3, ..Config::default() }).await;
    let (first, _) = server.join("a").await;
    let (mut second, _) = server.join("b").await;
    let (_third, _) = server.join("c").await;
    // The reason comes inside TLS, before anything was asked.
    let mut fourth = server.connect().await;
    let error = fourth.error().await;
    assert!(error.contains("too many connections from your address"), "{error}");
    assert!(fourth.try_next().await.is_none(), "and the connection is closed");
    // Whoever does not listen to the reason keeps nobody out, and is soon let go of.
    let silent: Vec<_> =
        futures_util::future::join_all((0..40).map(|_| TcpStream::connect(server.address))).await;
    for (n, stream) in silent.into_iter().enumerate() {
        let ended =
            tokio::time::timeout(PATIENCE, stream.unwrap().read(&mut [0; 16])).await.unwrap();
        assert!(matches!(ended, Ok(0) | Err(_)), "{n}: {ended:?}");
    }
    drop(first);
    second.sees_leave("a").await;
    // The permit is given back a moment after the leave.
    let joined = async {
        loop {
            let mut peer = server.connect().await;
            let name = chatterbox_proto::client_frame::join("d").unwrap();
            peer.send(&name).await;
            if peer.try_next().await.is_some_and(|answer| answer.accepted == Some(true)) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, joined).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let server = Server::plaintext(Config { max_connections: 1, ..Config::default() }).await;
    let (_first, _) = server.join("a").await;
    let error = server.connect().await.error().await;
    assert!(error.contains("no place for another connection"), "{error}");
}

#[tokio::test]
async fn room_for_messages_that_are_never_delivered_is_given_back() {
    let server = Server::plaintext(Config::default()).await;
    let (mut bob, _) = server.join("bob").await;
    for n in 0..3 {
        let name = format!("mal{n}");
        let (mut mal, _) = server.join(&name).await;
        let message = format!(r#"["{name}","bob",1,"x"]"#);
        // More than bob's queue holds, and mal is gone before they are all worked off.
        let body = vec![message; 4000].join(",");
        mal.send_body(&format!(r#"{{"MESSAGES": [{body}]}}"#)).await;
        drop(mal);
        bob.sees_leave(&name).await;
    }
    let (mut ann, _) = server.join("ann").await;
    ann.say("bob", "hello").await;
    assert!(bob.until("hello").await.iter().all(|text| text == "x" || text == "hello"));
    // Nor is he kept from having his own mistakes answered.
    bob.send(b"\0\0\0\x01x").await;
    assert!(bob.error().await.contains("JS-1"));
}

#[tokio::test]
async fn whoever_hangs_up_with_answers_unread_is_gone() {
    let server = Server::plaintext(Config::default()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut rude, _) = join_and_stop_reading(&server, "rude").await;
    assert_eq!(ann.next().await.joined.len(), 1);
    let garbage = b"\0\0\0\x01x".repeat(10_000);
    // Until the server waits for its ERRORs to be read.
    while let Ok(Ok(_)) =
        tokio::time::timeout(Duration::from_millis(500), rude.write(&garbage)).await
    {}
    drop(rude);
    ann.sees_leave("rude").await;
    let (_, welcome) = server.join("rude").await;
    assert_eq!(welcome.accepted, Some(true));
}

#[tokio::test]
async fn long_frames_that_are_not_finished_keep_nobody_from_sending_one() {
    let server = Server::plaintext(unlimited()).await;
    let (mut ann, _) = server.join("ann").await;
    let mut stuck = Vec::new();
    let part = (4 << 20) - 1_u32;
    for n in 0..5_u32 {
        let (mut peer, _) = server.join(&format!("stuck{n}")).await;
        peer.send(&(part + 1).to_be_bytes()).await;
        peer.send(&vec![b' '; part as usize]).await;
        stuck.push(peer);
    }
    // One of them is told that there is no room, and goes on: the rest of its frame is read away.
    let told =
        futures_util::future::select_all(stuck.iter_mut().map(|peer| Box::pin(peer.error())));
    let (error, index, _) = tokio::time::timeout(PATIENCE, told).await.unwrap();
    assert!(error.contains("too many long frames"), "{error}");
    let mut told = stuck.swap_remove(index);
    told.send(b" ").await;
    told.say("ALL", "I am still here").await;
    ann.until("I am still here").await;
    drop(stuck);
    // Others have room as soon as those are gone.
    let long = "x".repeat(200_000);
    loop {
        ann.say("ALL", &long).await;
        ann.say("ann", "the end").await;
        let answers = ann.until("the end").await;
        if answers.contains(&long) {
            break;
        }
    }
}

#[tokio::test]
async fn what_was_sent_before_a_close_is_delivered() {
    let server = Server::plaintext(unlimited()).await;
    let (mut ann, _) = server.join("ann").await;
    let (mut hasty, _) = join_and_stop_reading(&server, "hasty").await;
    let mut frames = Vec::new();
    // No more than the receive buffer of the server holds: bytes still in the client's send buffer are lost in a reset.
    for number in 0..700 {
        let body = format!(r#"{{"MESSAGES": [["hasty", "ALL", 1, "{number}"]]}}"#);
        frames.extend(chatterbox_proto::frame::encode(body.as_bytes()).unwrap());
    }
    hasty.write_all(&frames).await.unwrap();
    // Its echoes are unread, so this ends in a reset.
    drop(hasty);
    assert_eq!(ann.until("699").await.len(), 700);
}

#[tokio::test]
async fn whoever_is_removed_speaks_no_more_and_frames_stay_whole() {
    let config = Config { stall_timeout: Duration::from_millis(300), ..unlimited() };
    let server = Server::plaintext(config).await;
    let (mut ann, _) = server.join("ann").await;
    // In the middle of the welcome, which is one long frame in many pieces.
    let text = "x".repeat(1 << 20);
    for _ in 0..12 {
        ann.say("ALL", &text).await;
        ann.until(&text).await;
    }
    let (mut slow, start) = join_and_stop_reading(&server, "slow").await;
    ann.sees_leave("slow").await;
    // The name is free at once, and its former connection receives nothing more.
    let (mut heir, _) = server.join("slow").await;
    let _ = slow
        .write_all(
            &chatterbox_proto::frame::encode(br#"{"MESSAGES": [["slow", "ALL", 1, "forged"]]}"#)
                .unwrap(),
        )
        .await;
    heir.say("ALL", "mine").await;
    assert_eq!(ann.until("mine").await, ["mine"]);
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.unwrap();
    let frames = frames(&[&start[..], &rest].concat());
    assert_eq!(frames.first().unwrap().accepted, Some(true));
    assert!(frames.last().unwrap().error.as_ref().unwrap().as_wire().contains("AS-3"));
}

#[tokio::test]
async fn one_frame_of_private_messages_fills_no_more_than_the_queue() {
    let server = Server::plaintext(unlimited()).await;
    let (mut ann, _) = server.join("ann").await;
    let (_slow, _) = join_and_stop_reading(&server, "slow").await;
    let body = vec![r#"["ann","slow",1,""]"#; 100_000].join(",");
    ann.send_body(&format!(r#"{{"MESSAGES": [{body}]}}"#)).await;
    let error = ann.error().await;
    assert!(error.contains("too much unread"), "{error}");
    let (_, welcome) = server.join("SLOW2").await;
    assert_eq!(welcome.accepted, Some(true));
}
