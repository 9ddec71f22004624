//! Framing holds for every way in which bytes can arrive (FR-3, FR-4), and memory follows the bytes that came.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]

use chatterbox_proto::frame::{self, Decoder};
use proptest::prelude::*;

fn drain(decoder: &mut Decoder) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| decoder.next_body().unwrap()).map(|body| body.to_vec()).collect()
}

fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..6)
}

/// What the decoder gives is the body with its padding (FR-7).
fn padded(body: &[u8]) -> Vec<u8> {
    frame::encode(body).unwrap()[4..].to_vec()
}

proptest! {
    #[test]
    fn b8_split_at_every_byte_equals_whole(bodies in bodies()) {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| frame::encode(body).unwrap()).collect();
        let expected: Vec<_> = bodies.iter().map(|body| padded(body)).collect();

        let mut whole = Decoder::new(1 << 16);
        whole.push(&stream);
        prop_assert_eq!(&drain(&mut whole), &expected);

        for split in 0..=stream.len() {
            let mut decoder = Decoder::new(1 << 16);
            decoder.push(&stream[..split]);
            let mut read = drain(&mut decoder);
            decoder.push(&stream[split..]);
            read.extend(drain(&mut decoder));
            prop_assert_eq!(&read, &expected);
            prop_assert_eq!(decoder.pending(), 0);
        }

        let mut bytewise = Decoder::new(1 << 16);
        let mut read = Vec::new();
        for byte in &stream {
            bytewise.push(&[*byte]);
            read.extend(drain(&mut bytewise));
        }
        prop_assert_eq!(&read, &expected);
    }

    #[test]
    fn arbitrary_bytes_never_allocate_beyond_what_came(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..20),
        limit in 0_usize..100_000,
    ) {
        let mut decoder = Decoder::new(limit);
        let mut received = 0;
        for piece in pieces {
            decoder.push(&piece);
            received += piece.len();
            while let Ok(Some(body)) = decoder.next_body() {
                prop_assert!(body.len() <= limit);
            }
            prop_assert!(decoder.pending() <= received);
            prop_assert!(decoder.allocated() <= 2 * received + 64, "{} of {received}", decoder.allocated());
        }
    }

    #[test]
    fn a_length_above_the_limit_is_refused_for_good(limit in 0_u32..1000, beyond in 1_u32..1000) {
        let mut decoder = Decoder::new(limit as usize);
        decoder.push(&(limit + beyond).to_be_bytes());
        prop_assert!(decoder.next_body().is_err());
        decoder.push(&[b' '; 3000]);
        prop_assert!(decoder.next_body().is_err());
    }
}
