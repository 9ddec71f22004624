//! Any split of a stream gives the same bodies, and nothing is kept that was not sent.
#![no_main]

use chatterbox_proto::frame::Decoder;
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 16;

fn bodies<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = Decoder::new(LIMIT);
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_body() {
                Ok(Some(body)) => found.push(body.to_vec()),
                Ok(None) => break,
                Err(_) => return (found, true),
            }
        }
    }
    (found, false)
}

fuzz_target!(|data: &[u8]| {
    let Some((step, stream)) = data.split_first() else { return };
    let whole = bodies(std::iter::once(stream));
    let split = bodies(stream.chunks(usize::from(*step).max(1)));
    assert_eq!(whole, split);
    let taken: usize = whole.0.iter().map(|body| body.len() + 4).sum();
    assert!(taken <= stream.len());
});
