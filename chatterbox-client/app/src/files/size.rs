//! Sizes in words.

/// `3 bytes`, `471 KiB`, `1.5 MiB`.
pub(crate) fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
    }
    // In tenths of the unit, rounded.
    let mut tenths = (u128::from(bytes) * 10 + 512) / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    while tenths >= 10_240
        && let Some(next) = units.next()
    {
        (tenths, unit) = ((tenths + 512) / 1024, next);
    }
    if tenths < 100 && unit != "KiB" {
        return format!("{}.{} {unit}", tenths / 10, tenths % 10);
    }
    format!("{} {unit}", (tenths + 5) / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_a_unit_that_fits() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (482_113, "471 KiB"),
            (1_572_864, "1.5 MiB"),
            (10 * 1024 * 1024, "10 MiB"),
            (100 * 1024 * 1024, "100 MiB"),
            (3 << 30, "3.0 GiB"),
            (u64::MAX, "16777216 TiB"),
        ] {
            assert_eq!(in_words(bytes), words);
        }
    }
}
