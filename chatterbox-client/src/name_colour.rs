//! The colour of a name: one of six places, the same in every mode and wherever the name is shown.

/// How many colours names have. Each mode and theme has a row of them, without red and magenta, which mean something else.
pub(crate) const COLOURS: u8 = 6;

/// The place of a name's colour, whatever its case. The whole name counts, so that nobody gets another's colour by beginning with
/// their name.
pub(crate) fn colour_of(name: &str) -> u8 {
    let mut sum: u32 = 0x811c_9dc5;
    for byte in name.chars().flat_map(char::to_lowercase).flat_map(|c| u32::from(c).to_le_bytes()) {
        sum = (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    sum = (sum ^ (sum >> 15)).wrapping_mul(0x2c1b_3c6d);
    let place = (sum ^ (sum >> 16)) % u32::from(COLOURS);
    u8::try_from(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seed 001 gave everybody whose name began with that of another user the other's colour.
    #[test]
    fn b_starts_with_a_colour_depends_on_the_whole_name_and_not_on_its_case() {
        assert_eq!(colour_of("Ann"), colour_of("aNN"));
        let names = ["a", "an", "ann", "anna", "annab", "annabel", "annabell", "bob"];
        let different: std::collections::BTreeSet<_> = names.map(colour_of).into();
        assert!(different.len() >= 4, "{different:?}");
        assert!(different.iter().all(|place| *place < COLOURS));
    }
}
