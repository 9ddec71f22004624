//! A compressed body is refused, or gives exactly as many bytes as its header says, within the limit; what is compressed comes
//! back.
#![no_main]

use chatterbox_proto::capability::zstd;
use chatterbox_zstd::{Codec, Stream};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 20;

fn read(codec: &Codec, body: &[u8]) {
    let size = zstd::inflated_size(body, LIMIT);
    match codec.inflated(body, LIMIT) {
        Ok(inflated) => assert_eq!(size, Ok(inflated.len())),
        // What is refused before is refused for the same reason.
        Err(bad) => assert!(size.is_ok() || size == Err(bad)),
    }
    if let Ok(size) = size {
        assert!(size <= LIMIT && size <= 43_691 * body.len(), "a block of three bytes has 128 KiB at most");
    }
}

fuzz_target!(|data: &[u8]| {
    let codec = Codec::new();
    read(&codec, data);
    read(&codec, &[&zstd::MAGIC[..], data].concat());
    // Long enough to be compressed, whatever it is.
    let plain: Vec<u8> = data.iter().copied().cycle().take(data.len().min(1) * 3_000).collect();
    if let Some(frame) = codec.compressed(&plain) {
        let body = &frame[4..];
        assert_eq!(codec.inflated(body, LIMIT).as_deref(), Ok(&plain[..]));
        // One byte of it is another one.
        if let [at, to, ..] = data {
            let mut damaged = body.to_vec();
            let at = usize::from(*at) % damaged.len();
            damaged[at] = *to;
            read(&codec, &damaged);
        }
    }
    if let Some(mut stream) = Stream::begin(plain.len()) {
        for piece in plain.chunks(700) {
            stream.push(piece).expect("as many bytes as there were to be");
        }
        if let Some(frame) = stream.finish() {
            assert_eq!(codec.inflated(&frame.concat()[4..], LIMIT).as_deref(), Ok(&plain[..]));
        }
    }
});
