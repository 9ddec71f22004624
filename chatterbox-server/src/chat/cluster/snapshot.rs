//! A state as it is kept for others: that of the hub, and what all nodes store alike.

use bytes::{BufMut as _, Bytes, BytesMut};

/// The first byte.
const FIRST: u8 = 1;

/// Both in one.
pub(super) fn pack(hub: &[u8], stores: &[u8]) -> Bytes {
    let mut packed = BytesMut::with_capacity(1 + size_of::<u64>() + hub.len() + stores.len());
    packed.put_u8(FIRST);
    packed.put_u64(hub.len() as u64);
    packed.put_slice(hub);
    packed.put_slice(stores);
    packed.freeze()
}

/// Both again; nothing where it is something else.
pub(super) fn unpack(packed: &Bytes) -> Option<(Bytes, Bytes)> {
    let (first, rest) = packed.split_first()?;
    let (length, both) = rest.split_first_chunk::<{ size_of::<u64>() }>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    let (hub, stores) = both.split_at_checked(length)?;
    (*first == FIRST).then(|| (packed.slice_ref(hub), packed.slice_ref(stores)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_come_out_as_they_went_in_and_anything_else_is_refused() {
        for (hub, stores) in [(&b"hub"[..], &b"stores"[..]), (b"", b"x"), (b"x", b""), (b"", b"")] {
            let packed = pack(hub, stores);
            let both = unpack(&packed).unwrap();
            assert_eq!((&*both.0, &*both.1), (hub, stores));
            let mut other = packed.to_vec();
            other[0] = 2;
            assert_eq!(unpack(&other.into()), None);
        }
        let packed = pack(b"hub", b"");
        for end in 0..packed.len() {
            assert_eq!(unpack(&packed.slice(..end)), None, "{end}");
        }
        let mut endless = packed.to_vec();
        endless[1..9].fill(0xff);
        assert_eq!(unpack(&endless.into()), None);
    }
}
