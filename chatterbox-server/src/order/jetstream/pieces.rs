//! A snapshot in pieces, each of which fits into a record of the engine.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::order::jetstream::names::Piece;
use crate::order::total_order::{Place, Snapshot};

/// The bytes of a piece. The engine sends them as base64 within JSON, and takes 1 MiB.
pub const PIECE: usize = 512 * 1024;

/// The most pieces of a snapshot: 1 GiB.
pub const MOST_PIECES: usize = 2048;

/// The bytes of the checksum of the log before the state.
const READ: usize = 8;

/// Cuts a snapshot; `None` when it is too large.
pub fn cut(snapshot: &Snapshot) -> Option<Vec<(Piece, Bytes)>> {
    let Snapshot { place, read, state } = snapshot;
    let mut whole = BytesMut::with_capacity(READ + state.len());
    whole.put_u64_le(*read);
    whole.put_slice(state);
    let whole = whole.freeze();
    let count = whole.len().div_ceil(PIECE);
    if count > MOST_PIECES {
        return None;
    }
    let hash = hash(*place, &whole);
    let cut = |index: usize| {
        let end = whole.len().min((index + 1) * PIECE);
        let piece = Piece { place: *place, hash: hash.clone(), index, count };
        (piece, whole.slice(index * PIECE..end))
    };
    Some((0..count).map(cut).collect())
}

/// Puts the pieces of a place together again, which have a hash; `None` when they are something else.
pub fn join(place: Place, wanted: &str, pieces: Vec<Bytes>) -> Option<Snapshot> {
    let mut whole = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        whole.put_slice(&piece);
    }
    let mut whole = whole.freeze();
    if hash(place, &whole) != wanted {
        return None;
    }
    let read = u64::from_le_bytes(*whole.first_chunk::<READ>()?);
    let state = whole.split_off(READ);
    Some(Snapshot { place, read, state })
}

/// The hash of all pieces of which all are there, by the subjects that there are.
pub fn whole(pieces: &[Piece]) -> Vec<(Place, String, usize)> {
    let mut sorted: Vec<_> = pieces.iter().filter(|piece| piece.count <= MOST_PIECES).collect();
    sorted.sort_by_key(|piece| (piece.place, &piece.hash, piece.count, piece.index));
    sorted.dedup();
    let same = |one: &&Piece, other: &&Piece| {
        (one.place, &one.hash, one.count) == (other.place, &other.hash, other.count)
    };
    let groups = sorted.chunk_by(same);
    let whole = groups.filter_map(|group| group.first().filter(|first| first.count == group.len()));
    whole.map(|first| (first.place, first.hash.clone(), first.count)).collect()
}

/// The first half of the SHA-256 of a snapshot, as text.
fn hash(place: Place, whole: &[u8]) -> String {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(&place.to_le_bytes());
    hash.update(whole);
    let hash = hash.finish();
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn snapshot(bytes: usize) -> Snapshot {
        let state: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        Snapshot { place: 10_000, read: 0x0123_4567_89ab_cdef, state: state.into() }
    }

    #[test]
    fn a_snapshot_of_any_size_is_the_same_again() {
        for bytes in [0, 1, PIECE - READ - 1, PIECE - READ, PIECE - READ + 1, 3 * PIECE] {
            let snapshot = snapshot(bytes);
            let cut = cut(&snapshot).unwrap();
            assert!(cut.iter().all(|(_, bytes)| bytes.len() <= PIECE));
            let (pieces, bytes): (Vec<_>, Vec<_>) = cut.into_iter().unzip();
            let there = whole(&pieces);
            assert_eq!(there, [(10_000, pieces[0].hash.clone(), pieces.len())]);
            assert_eq!(join(10_000, &there[0].1, bytes).unwrap(), snapshot);
        }
    }

    #[test]
    fn what_is_not_whole_does_not_count() {
        let (mut pieces, mut bytes): (Vec<_>, Vec<_>) =
            cut(&snapshot(2 * PIECE)).unwrap().into_iter().unzip();
        let hash = pieces[0].hash.clone();
        assert!(join(10_001, &hash, bytes.clone()).is_none(), "another place");
        bytes.swap(0, 1);
        assert!(join(10_000, &hash, bytes.clone()).is_none(), "another order");
        bytes.pop();
        assert!(join(10_000, &hash, bytes).is_none(), "a piece less");
        assert!(join(10_000, &hash, vec![]).is_none());
        pieces.remove(1);
        assert_eq!(whole(&pieces), []);
        // What another writer has written does not fill the hole.
        pieces.push(Piece { hash: "0".repeat(32), index: 1, ..pieces[0].clone() });
        pieces.push(pieces[0].clone());
        assert_eq!(whole(&pieces), []);
    }

    proptest! {
        #[test]
        fn one_bit_is_noticed(bytes in 0_usize..2000, at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let cut = cut(&snapshot(bytes)).unwrap();
            let (piece, bytes) = &cut[0];
            let mut wrong = bytes.to_vec();
            let at = at.index(wrong.len());
            wrong[at] ^= 1 << bit;
            prop_assert!(join(10_000, &piece.hash, vec![wrong.into()]).is_none());
        }
    }
}
