//! Another implementation of WebSockets is the judge: what tungstenite sends and takes, in all pieces and with all pauses.
#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "tests are an edge"
)]

use std::collections::VecDeque;
use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use chatterbox_proto::frame::{self, Decoder};
use chatterbox_proto::limits::PREFIX;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tungstenite::Message;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::protocol::{Role, WebSocket};

use super::*;
use crate::net::long_frame::LongFrames;

/// Longer than what has a length of its own in one byte, and in two.
const LONG: usize = 70_000;

/// The wire of tungstenite.
#[derive(Default)]
struct Wire {
    from_server: Cursor<Vec<u8>>,
    to_server: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut self.from_server, buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(&mut self.to_server, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn client(from_server: Vec<u8>) -> WebSocket<Wire> {
    let wire = Wire { from_server: Cursor::new(from_server), to_server: Vec::new() };
    WebSocket::from_raw_socket(wire, Role::Client, None)
}

/// A stream that gives its input in pieces and takes so many bytes at a time, each after it had nothing to give, or no room, once.
struct Script {
    input: VecDeque<Vec<u8>>,
    steps: VecDeque<usize>,
    is_ready: bool,
    output: Arc<std::sync::Mutex<Vec<u8>>>,
}

impl Script {
    fn new(input: Vec<Vec<u8>>, steps: Vec<usize>) -> (Self, Arc<std::sync::Mutex<Vec<u8>>>) {
        let output = Arc::<std::sync::Mutex<Vec<u8>>>::default();
        let (input, steps) = (input.into(), steps.into());
        (Self { input, steps, is_ready: false, output: Arc::clone(&output) }, output)
    }

    /// Whether it is ready now; it is the next time if it is not.
    fn is_ready(&mut self, context: &mut Context<'_>) -> bool {
        self.is_ready = !self.is_ready;
        if !self.is_ready {
            context.waker().wake_by_ref();
        }
        self.is_ready
    }
}

impl Duplex for Script {}
impl Duplex for tokio::io::BufStream<tokio::io::DuplexStream> {}
impl Duplex for tokio::io::Empty {}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_ready(context) {
            return Poll::Pending;
        }
        let Some(piece) = self.input.front_mut() else { return Poll::Ready(Ok(())) };
        let most = piece.len().min(buffer.remaining());
        buffer.put_slice(&piece[..most]);
        piece.drain(..most);
        if piece.is_empty() {
            self.input.pop_front();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.is_ready(context) {
            return Poll::Pending;
        }
        let all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
        let step = self.steps.pop_front().unwrap_or(usize::MAX).clamp(1, all.len().max(1));
        self.output.lock().unwrap().extend_from_slice(&all[..step.min(all.len())]);
        Poll::Ready(Ok(step.min(all.len())))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn socket(stream: impl Duplex + 'static, early: &[u8]) -> Socket {
    let peer = [127, 0, 0, 1].into();
    let within = Duration::from_secs(60);
    let held = LongFrame::new(Arc::<LongFrames>::default(), peer, within);
    let closing = CancellationToken::new();
    Socket::new(Box::new(stream), early.to_vec(), 2 * LONG, held, within, closing)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(3600), future).await.expect("it goes on")
    })
}

/// Cuts bytes at these places.
fn pieces(bytes: &[u8], cuts: &[Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    let pieces = places.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec());
    pieces.filter(|piece| !piece.is_empty()).collect()
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let long = (LONG - 3..LONG + 3).prop_map(|length| "é".repeat(length / 2));
    let text = prop_oneof![8 => "\\PC{0,40}", 4 => "[a-z]{120,130}", 1 => long];
    proptest::collection::vec(text, 1..6)
}

/// Reads all with buffers of these sizes.
async fn read_all(socket: &mut Socket, sizes: &[usize]) -> Vec<u8> {
    let (mut all, mut sizes) = (Vec::new(), sizes.iter().cycle());
    loop {
        let mut buffer = vec![0; *sizes.next().unwrap()];
        match socket.read(&mut buffer).await.unwrap() {
            0 => return all,
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

fn bodies(stream: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new(2 * LONG);
    decoder.push(stream);
    let mut bodies = Vec::new();
    while let Some(body) = decoder.next_body().unwrap() {
        bodies.push(String::from_utf8(body.to_vec()).unwrap());
    }
    assert_eq!(decoder.pending(), 0, "nothing is left");
    bodies
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn messages_are_frames_whatever_the_pieces(
        texts in texts(),
        fragments in proptest::collection::vec(proptest::collection::vec(any::<Index>(), 0..3), 6),
        cuts in proptest::collection::vec(any::<Index>(), 0..60),
        early in any::<Index>(),
        sizes in proptest::collection::vec(prop_oneof![1..100usize, 5_000..40_000usize], 1..4),
    ) {
        let mut client = client(Vec::new());
        for (text, cuts) in texts.iter().zip(&fragments) {
            client.send(Message::Ping("ping".into())).unwrap();
            let parts = pieces(text.as_bytes(), cuts);
            let count = parts.len();
            for (place, part) in parts.into_iter().enumerate() {
                let code = if place == 0 { Data::Text } else { Data::Continue };
                let part = Frame::message(part, OpCode::Data(code), place + 1 == count);
                client.send(Message::Frame(part)).unwrap();
                client.send(Message::Pong("pong".into())).unwrap();
            }
            if count == 0 {
                client.send(Message::text("")).unwrap();
            }
        }
        let sent = std::mem::take(&mut client.get_mut().to_server);
        let (early, rest) = sent.split_at(early.index(sent.len()));
        let (script, output) = Script::new(pieces(rest, &cuts), Vec::new());
        let stream = now(async {
            let mut socket = socket(script, early);
            let all = read_all(&mut socket, &sizes).await;
            assert!(socket.early.is_empty() && socket.incoming.held() == 0);
            socket.flush().await.unwrap();
            all
        });
        prop_assert_eq!(bodies(&stream), texts);
        let output = output.lock().unwrap();
        prop_assert!(output.starts_with(b"\x8a\x04ping"), "{:?}", output);
    }

    #[test]
    fn frames_are_messages_whatever_the_writes(
        texts in texts(),
        cuts in proptest::collection::vec(any::<Index>(), 0..60),
        together in 1..40usize,
        steps in proptest::collection::vec(1..200usize, 0..60),
    ) {
        let frames: Vec<u8> =
            texts.iter().flat_map(|text| frame::encode(text.as_bytes()).unwrap()).collect();
        let (script, output) = Script::new(Vec::new(), steps);
        now(async {
            let mut socket = socket(script, &[]);
            for pieces in pieces(&frames, &cuts).chunks(together) {
                let mut done = 0;
                let all = pieces.iter().map(Vec::len).sum();
                while done < all {
                    let mut slices: Vec<_> = pieces.iter().map(|one| IoSlice::new(one)).collect();
                    let mut slices = &mut slices[..];
                    IoSlice::advance_slices(&mut slices, done);
                    let written = socket.write_vectored(slices).await.unwrap();
                    assert!(written > 0);
                    done += written;
                }
            }
            socket.flush().await.unwrap();
            assert!(socket.outgoing.is_at_border());
            socket.shutdown().await.unwrap();
        });
        let output = std::mem::take(&mut *output.lock().unwrap());
        let mut client = client(output);
        for text in &texts {
            let message = client.read().unwrap();
            let read = message.to_text().unwrap();
            // Some frames have spaces behind their bodies, for the sake of their lengths.
            prop_assert!(read.starts_with(text) && read[text.len()..].bytes().all(|b| b == b' '));
        }
        let Message::Close(Some(CloseFrame { code, .. })) = client.read().unwrap() else { panic!() };
        prop_assert_eq!(u16::from(code), code::NORMAL);
    }

    #[test]
    fn whatever_comes_is_read_to_its_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in proptest::collection::vec(any::<Index>(), 0..20),
        sizes in proptest::collection::vec(1..200usize, 1..4),
    ) {
        let (script, _) = Script::new(pieces(&bytes, &cuts), Vec::new());
        now(async {
            let mut socket = socket(script, &[]);
            let all = read_all(&mut socket, &sizes).await;
            // Of what it announces, or says more shortly, nothing is made up.
            assert!(all.len() <= bytes.len() + PREFIX);
            socket.shutdown().await.unwrap();
            assert_eq!(read_all(&mut socket, &sizes).await, [0; 0]);
        });
    }
}

/// What is decoded of this, and what the socket closes with.
fn given(sent: &[u8]) -> (Vec<u8>, Option<u16>) {
    let (script, output) = Script::new(vec![sent.to_vec()], Vec::new());
    let read = now(async {
        let mut socket = socket(script, &[]);
        let read = read_all(&mut socket, &[40_000]).await;
        socket.shutdown().await.unwrap();
        read
    });
    let output = output.lock().unwrap();
    match &output[..] {
        [.., 0x88, 2, high, low] => (read, Some(u16::from_be_bytes([*high, *low]))),
        [.., 0x88, 0] => (read, None),
        other => panic!("{other:x?}"),
    }
}

/// A frame of a client whose mask changes nothing.
fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
}

#[test]
fn a_broken_rule_has_its_code() {
    let hello = frame::encode(b"hello").unwrap();
    let whole = sent(0x81, b"hello");
    for (name, behind, expected) in [
        ("binary", sent(0x82, b"x"), 1003),
        ("unmasked", vec![0x81, 1, b'x', 0, 0, 0], 1002),
        ("reserved bit, as of compression", sent(0xc1, b"x"), 1002),
        ("reserved opcode", sent(0x83, b"x"), 1002),
        ("nothing to continue", sent(0x80, b"x"), 1002),
        ("a second message", [sent(0x01, b"x"), sent(0x81, b"y")].concat(), 1002),
        ("a second message, binary", [sent(0x01, b"x"), sent(0x82, b"y")].concat(), 1002),
        ("half a code", sent(0x88, &[3]), 1002),
        ("a code that is never sent", sent(0x88, &[3, 0xed]), 1002),
        ("a reason that is no text", sent(0x88, &[3, 0xe8, 0xff]), 1002),
        ("not UTF-8", sent(0x81, b"\xff"), 1007),
        ("half a character", sent(0x81, "é".as_bytes().split_last().unwrap().1), 1007),
        ("half a character over fragments", [sent(0x01, b"\xc3"), sent(0x80, b"")].concat(), 1007),
        ("many pings", sent(0x89, b"").repeat(200), 1008),
        ("many pongs", sent(0x8a, b"").repeat(200), 1008),
        ("many empty fragments", [sent(0x01, b""), sent(0x00, b"").repeat(200)].concat(), 1008),
    ] {
        // A flood is seen once it was read, with what came in the same piece.
        let end: &[u8] = if expected == code::POLICY { b"" } else { &whole };
        let (read, closed) = given(&[&whole[..], &behind, end].concat());
        assert!(read.starts_with(&hello), "{name}: what came before is read");
        assert!(!read[hello.len()..].ends_with(&hello), "{name}: what came behind is not");
        assert_eq!(closed, Some(expected), "{name}");
    }
    assert_eq!(given(&sent(0x88, &[3, 0xe9])), (vec![], Some(1001)), "it is answered");
    assert_eq!(given(&sent(0x88, &[])), (vec![], None));
    assert_eq!(given(b""), (vec![], Some(1000)));
}

#[test]
fn of_what_is_too_long_only_the_length_is_passed_on() {
    let most = 2 * LONG as u64;
    let text = |first: u8, length: u64| {
        [&[first, 0xff][..], &length.to_be_bytes(), &[0; 4], b"beginning"].concat()
    };
    for (length, announced) in [(most + 1, most as u32 + 1), (1 << 40, u32::MAX)] {
        for first in [0x81, 0x01] {
            let (read, closed) = given(&text(first, length));
            assert_eq!((read, closed), (announced.to_be_bytes().to_vec(), Some(1009)));
        }
        let behind = [sent(0x01, b"x"), text(0x80, length)].concat();
        let (read, closed) = given(&behind);
        assert_eq!((read.len(), closed), (PREFIX, Some(1009)));
    }
    let (read, closed) = given(&text(0x81, most));
    assert_eq!(read, [&(most as u32).to_be_bytes()[..], b"beginning"].concat());
    assert_eq!(closed, Some(1000));
    // Many fragments, none of which is long.
    let many = [sent(0x01, &[b'x'; 125]), sent(0x00, &[b'x'; 125]).repeat(1200)].concat();
    let (read, closed) = given(&many);
    assert_eq!((read.len(), closed), (PREFIX, Some(1009)));
}

#[test]
fn a_pong_is_flushed_where_nothing_else_is_written() {
    now(async {
        // As TLS may do it, this keeps what is written until it is flushed.
        let (near, mut far) = tokio::io::duplex(1000);
        let mut socket = socket(tokio::io::BufStream::new(near), &[]);
        far.write_all(&sent(0x89, b"hi")).await.unwrap();
        let mut pong = [0; 4];
        tokio::select! {
            read = socket.read_u8() => panic!("{read:?}"),
            read = far.read_exact(&mut pong) => read.map(drop).unwrap(),
        }
        assert_eq!(pong, *b"\x8a\x02hi");
    });
}

#[test]
fn short_messages_in_fragments_are_not_moved_for_each_other() {
    now(async {
        let one = [sent(0x01, b"be"), sent(0x80, b"gun")].concat();
        let mut socket = socket(tokio::io::empty(), &one.repeat(1000));
        let place = socket.early.as_ptr();
        let mut read = [0; 9];
        for number in 1..1000 {
            socket.read_exact(&mut read).await.unwrap();
            assert_eq!(read, *b"\0\0\0\x05begun");
            assert_eq!((socket.early.as_ptr(), socket.early_done), (place, number * one.len()));
        }
        socket.read_exact(&mut read).await.unwrap();
        assert_eq!((socket.early.capacity(), socket.early_done), (0, 0));
    });
}

#[test]
fn a_message_in_fragments_has_a_deadline() {
    now(async {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut socket = socket(near, &[]);
        let begun = Instant::now();
        far.write_all(&sent(0x01, b"begun")).await.unwrap();
        assert_eq!(socket.read_u8().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(begun.elapsed().as_secs(), 60);
        assert_eq!(socket.code(), Some(1008));
        assert_eq!(socket.incoming.held(), 0);
    });
    // One that is complete has none any more.
    now(async {
        let (near, mut far) = tokio::io::duplex(1000);
        let mut socket = socket(near, &[]);
        far.write_all(&[sent(0x01, b"be"), sent(0x80, b"gun")].concat()).await.unwrap();
        let mut read = [0; 9];
        socket.read_exact(&mut read).await.unwrap();
        assert_eq!(read, *b"\0\0\0\x05begun");
        let waiting = tokio::time::timeout(Duration::from_secs(600), socket.read_u8());
        assert!(waiting.await.is_err(), "it waits for the next one");
    });
}

#[test]
fn fragments_take_from_the_memory_of_long_frames() {
    let budget = Arc::<LongFrames>::default();
    let most = 100 * 1024 * 1024;
    let socket = |input| {
        let held =
            LongFrame::new(Arc::clone(&budget), [127, 0, 0, 1].into(), Duration::from_secs(60));
        let stream = Box::new(Script::new(vec![input], Vec::new()).0);
        Socket::new(
            stream,
            Vec::new(),
            most,
            held,
            Duration::from_secs(60),
            CancellationToken::new(),
        )
    };
    // Each holds back the end of a message of 12 MiB.
    let length: u64 = 12 * 1024 * 1024;
    let mut first = [&[0x01, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
    first.resize(first.len() + 12 * 1024 * 1024, b'x');
    now(async {
        let mut one = socket(first.clone());
        assert_eq!(read_all(&mut one, &[40_000]).await, [0; 0]);
        assert_eq!((one.code(), one.incoming.held() > 12 * 1024 * 1024), (Some(1000), true));
        let mut other = socket(first.clone());
        assert_eq!(read_all(&mut other, &[40_000]).await, [0; 0]);
        assert_eq!((other.code(), other.incoming.held()), (Some(code::TRY_AGAIN), 0));
        drop(one);
        let mut third = socket(first);
        assert_eq!(read_all(&mut third, &[40_000]).await, [0; 0]);
        assert_eq!(third.code(), Some(1000));
    });
}

#[test]
fn behind_half_a_message_nothing_is_said() {
    let (script, output) = Script::new(vec![sent(0x89, b"ping")], Vec::new());
    now(async {
        let mut socket = socket(script, &[]);
        socket.write_all(b"\0\0\0\x05he").await.unwrap();
        assert_eq!(read_all(&mut socket, &[100]).await, [0; 0]);
        socket.flush().await.unwrap();
        assert_eq!(*output.lock().unwrap(), b"\x81\x05he", "the answer to the ping waits");
        socket.write_all(b"llo").await.unwrap();
        socket.flush().await.unwrap();
        assert_eq!(*output.lock().unwrap(), b"\x81\x05hello\x8a\x04ping");
        socket.write_all(b"\0\0\0\x05he").await.unwrap();
        socket.shutdown().await.unwrap();
        assert_eq!(*output.lock().unwrap(), b"\x81\x05hello\x8a\x04ping\x81\x05he");
    });
}

#[test]
fn a_socket_is_small() {
    // Beside the stream itself this is all that an idle one takes.
    let size = size_of::<Socket>();
    assert!(size <= 512, "{size} bytes");
}
