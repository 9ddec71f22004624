//! Buffers of each thread, in which its connections read, encrypt and put data together.
//!
//! A connection needs them for the time of one call only, so thousands of idle ones need no memory.

use std::cell::Cell;
use std::thread::LocalKey;

thread_local! {
    static INCOMING: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static SEALED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static GATHERED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Works with the buffer for what is read, of at least this length.
pub(super) fn incoming<T>(length: usize, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    lend(&INCOMING, length, work)
}

/// Works with the buffer for encrypted records, of at least this length.
pub(super) fn sealed<T>(length: usize, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    lend(&SEALED, length, work)
}

/// Works with the buffer in which slices are put together, which is empty.
pub(super) fn gathered<T>(work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    lend(&GATHERED, 0, |buffer| {
        buffer.clear();
        work(buffer)
    })
}

/// Takes the buffer out for the work: a stream within a stream gets another one, and nothing is borrowed twice.
fn lend<T>(
    place: &'static LocalKey<Cell<Vec<u8>>>,
    length: usize,
    work: impl FnOnce(&mut Vec<u8>) -> T,
) -> T {
    let mut buffer = place.take();
    if buffer.len() < length {
        buffer = vec![0; length];
    }
    let done = work(&mut buffer);
    place.set(buffer);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_within_work_has_a_buffer_of_its_own() {
        sealed(10, |outer| {
            outer[0] = 1;
            sealed(10, |inner| assert_eq!(inner[0], 0));
            assert_eq!(outer[0], 1);
        });
        gathered(|buffer| buffer.push(1));
        gathered(|buffer| assert!(buffer.is_empty()));
        incoming(10, |buffer| assert!(buffer.len() >= 10));
        incoming(20, |buffer| assert!(buffer.len() >= 20));
    }
}
