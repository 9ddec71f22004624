//! Whatever the borders of reads, writes and fragments are, the same frames and messages come out.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

#[allow(dead_code, reason = "not every test uses everything")]
mod scripted;

use conformance_kit::{
    net::websocket::{Close, Control, Decoder, Encoder},
    wire::prefix::Prefix,
};
use proptest::prelude::*;
use scripted::frame;

/// Cuts bytes into pieces of these sizes, over and over.
fn pieces<'a>(bytes: &'a [u8], sizes: &[usize], mut take: impl FnMut(&'a [u8])) {
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    while !rest.is_empty() {
        let (piece, more) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        take(piece);
        rest = more;
    }
}

/// The messages of a stream that is written in pieces.
fn encoded(stream: &[u8], sizes: &[usize]) -> Vec<u8> {
    let (mut encoder, mut out, mut number) = (Encoder::default(), Vec::new(), 0_u32);
    pieces(stream, sizes, |piece| {
        encoder.take(piece, &mut out, || {
            number += 1;
            number.wrapping_mul(0x9E37_79B9).to_be_bytes()
        });
    });
    assert!(!encoder.is_inside());
    out
}

/// The stream of messages that are read in pieces, and what stood between them.
fn decoded(bytes: &[u8], sizes: &[usize]) -> (Vec<u8>, Vec<Control>) {
    let (mut decoder, mut stream, mut controls) = (Decoder::default(), Vec::new(), Vec::new());
    pieces(bytes, sizes, |piece| {
        decoder.take(piece, &mut stream, |control| controls.push(control)).unwrap();
    });
    assert!(!decoder.is_inside());
    (stream, controls)
}

/// A message in fragments, with a ping behind each but the last.
fn fragments(body: &[u8], cuts: &mut impl Iterator<Item = usize>) -> (Vec<u8>, usize) {
    let (mut bytes, mut rest, mut opcode, mut pings) = (Vec::new(), body, 1, 0);
    loop {
        // The cut 0 ends the message here.
        let cut = cuts.next().unwrap();
        let (part, more) = rest.split_at(if cut == 0 { rest.len() } else { cut.min(rest.len()) });
        if more.is_empty() {
            bytes.extend(frame(0x80 | opcode, part));
            return (bytes, pings);
        }
        bytes.extend(frame(opcode, part));
        bytes.extend(frame(0x89, b"still there?"));
        pings += 1;
        (rest, opcode) = (more, 0);
    }
}

proptest! {
    #[test]
    fn any_split_of_writes_gives_the_same_messages(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        sizes in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| Prefix::NETWORK.frame(body)).collect();
        prop_assert_eq!(encoded(&stream, &sizes), encoded(&stream, &[usize::MAX]));
    }

    #[test]
    fn any_fragments_in_any_reads_give_the_same_frames(
        bodies in prop::collection::vec(any::<String>(), 1..6),
        cuts in prop::collection::vec(0_usize..30, 1..20),
        sizes in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let (mut bytes, mut between) = (Vec::new(), Vec::new());
        let mut cuts = cuts.into_iter().cycle();
        for body in &bodies {
            let (message, pings) = fragments(body.as_bytes(), &mut cuts);
            bytes.extend(message);
            between.extend((0..pings).map(|_| Control::Ping(b"still there?".to_vec())));
        }
        bytes.extend(frame(0x88, &[]));
        between.push(Control::Close(Close::default()));
        let stream: Vec<u8> =
            bodies.iter().flat_map(|body| Prefix::NETWORK.frame(body.as_bytes())).collect();
        prop_assert_eq!(decoded(&bytes, &sizes), (stream, between));
    }

    #[test]
    fn no_bytes_are_too_strange(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        size in 1_usize..40,
    ) {
        let (mut decoder, mut stream) = (Decoder::default(), Vec::new());
        for piece in bytes.chunks(size) {
            if decoder.take(piece, &mut stream, |_| {}).is_err() {
                break;
            }
        }
        // An empty message of two bytes becomes four: never more than twice what came.
        prop_assert!(stream.len() <= bytes.len() * 2);
    }
}
