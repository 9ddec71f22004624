//! How much a server of the engine may store: too little, and the streams of a cluster can't be made.

use crate::order::jetstream::finding::Verdict;

/// The file store of a server, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreRoom {
    /// What it may have: `max_file_store`, or what the engine has taken of the disk.
    pub most: u64,
    /// What streams may come to.
    pub reserved: u64,
    /// What they have now.
    pub used: u64,
}

impl StoreRoom {
    /// Whether it is enough, where streams of so many bytes are still to be made.
    pub fn judged(self, missing: u64) -> (Verdict, String) {
        let Self { most, reserved, used } = self;
        let so = format!(
            "may store {}; {} of it are reserved for streams, and {} used",
            amount(most),
            amount(reserved),
            amount(used)
        );
        let needed = reserved.saturating_add(missing);
        if missing > 0 && needed > most {
            let told = format!(
                "{so}: too little for the streams of this cluster, which take {} each server: max_file_store above {}",
                amount(missing),
                amount(needed)
            );
            (Verdict::Fault, told)
        } else if used >= most / 10 * 9 {
            (Verdict::Advice, format!("{so}: it is nearly full: raise max_file_store"))
        } else {
            (Verdict::Good, so)
        }
    }
}

/// Bytes for people.
fn amount(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    let (unit, name) = if bytes < 1024 * MIB { (MIB, "MiB") } else { (1024 * MIB, "GiB") };
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn there_has_to_be_room_for_what_is_to_be_made() {
        let room = |most, reserved, used| StoreRoom { most, reserved, used };
        let (verdict, told) = room(5 * GIB - 1, 0, 0).judged(5 * GIB);
        assert_eq!(verdict, Verdict::Fault);
        assert!(told.contains("max_file_store above 5.0 GiB"), "{told}");
        assert_eq!(room(5 * GIB, 0, 0).judged(5 * GIB).0, Verdict::Good);
        // Somebody else has streams there.
        assert_eq!(room(6 * GIB, 2 * GIB, 0).judged(5 * GIB).0, Verdict::Fault);
        // Ours are made, and nothing has to be left beside them.
        assert_eq!(room(5 * GIB, 5 * GIB, GIB).judged(0).0, Verdict::Good);
        let (verdict, told) = room(10 * GIB, 0, 9 * GIB + GIB / 2).judged(0);
        assert_eq!(verdict, Verdict::Advice);
        assert!(told.contains("9.5 GiB used") && told.contains("nearly full"), "{told}");
        assert_eq!(room(u64::MAX, u64::MAX, 0).judged(u64::MAX).0, Verdict::Good);
    }

    #[test]
    fn amounts_are_for_people() {
        assert_eq!((amount(0), amount(1_600_000)), ("0.0 MiB".into(), "1.5 MiB".into()));
        assert_eq!(amount(u64::MAX), "17179869183.9 GiB");
    }
}
