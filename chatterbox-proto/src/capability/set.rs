//! A set of capabilities: what one end offers, or what a connection has negotiated.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::table::Capability;
use crate::code::Code;
use crate::limits;

/// A set of capabilities: what one end speaks, or what both agreed to.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u32);

impl Capabilities {
    /// The empty set, which is the base protocol.
    pub const NONE: Self = Self(0);

    /// Whether the set contains a capability.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 & capability.bit() != 0
    }

    /// Whether the set is the base protocol.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with one capability added.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// The set with one capability removed.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    /// The intersection: what two ends can agree to.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set without those that need one that is not in it (CP-8).
    #[must_use]
    pub fn complete(self) -> Self {
        let has_needs =
            |capability: &Capability| capability.needs().iter().all(|needed| self.has(*needed));
        // What is needed needs nothing beyond what its own needs are, so once over the table is enough.
        self.iter().filter(has_needs).collect()
    }

    /// The capabilities of the set, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::EVERY.iter().copied().filter(move |capability| self.has(*capability))
    }

    /// Reads what is offered (CP-1). Every version of a capability that we know is one that we speak, since there is only
    /// the first so far; what we don't know is left out.
    ///
    /// # Errors
    /// [`Code::BadOffer`] when a word is none, a name stands twice, or it is too long (CP-3).
    pub fn parse_offer(text: &str) -> Result<Self, Code> {
        if text.len() > limits::OFFER {
            return Err(Code::BadOffer);
        }
        let mut offered = Self::NONE;
        let mut names: Vec<&str> = Vec::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let name = word_of(word).ok_or(Code::BadOffer)?;
            if names.contains(&name) {
                return Err(Code::BadOffer);
            }
            names.push(name);
            if let Some(known) = Capability::EVERY.iter().find(|known| known.word() == name) {
                offered = offered.with(*known);
            }
        }
        Ok(offered)
    }
}

/// The union.
impl std::ops::BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        all.into_iter().fold(Self::NONE, Self::with)
    }
}

/// As it stands in `CAPABILITIES`: `ids/1 ping/1`.
impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, capability) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}/{}", capability.word(), capability.version())?;
        }
        Ok(())
    }
}

/// As nodes of a cluster write it: a bit for each row of the table.
impl Serialize for Capabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A bit that has no row is a capability of a newer version: whoever has agreed to it is not understood here.
impl<'de> Deserialize<'de> for Capabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Self(u32::deserialize(deserializer)?);
        let known: Self = read.iter().collect();
        if read == known { Ok(read) } else { Err(D::Error::custom("an unknown capability")) }
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capabilities({self})")
    }
}

/// The name of a word `name/version`, if it is one.
fn word_of(word: &str) -> Option<&str> {
    let (name, version) = word.split_once('/')?;
    let named = (1..=32).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let versioned = (1..=3).contains(&version.len())
        && version.bytes().all(|b| b.is_ascii_digit())
        && !version.starts_with('0');
    (named && versioned).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offer(text: &str) -> Result<String, Code> {
        Capabilities::parse_offer(text).map(|offered| offered.to_string())
    }

    #[test]
    fn what_is_known_is_taken_and_the_rest_left_out() {
        assert_eq!(offer("ping/1 ids/7  fancy/999 "), Ok("ids/1 ping/1".into()));
        assert_eq!(offer(""), Ok(String::new()));
        assert_eq!(offer("  "), Ok(String::new()));
        assert_eq!(offer("x-9/1"), Ok(String::new()));
    }

    #[test]
    fn what_is_no_offer_is_refused() {
        for text in [
            "ids",
            "ids/",
            "/1",
            "ids/0",
            "ids/01",
            "ids/1000",
            "ids/+1",
            "ids/1.0",
            "Ids/1",
            "ids/1/1",
            "ids/1\tping/1",
            "ids/1 ids/1",
            "x/1 x/2",
            "i ds/1",
            "\u{e9}/1",
            "ids/-1",
        ] {
            assert_eq!(offer(text), Err(Code::BadOffer), "{text:?}");
        }
        let long = "a".repeat(32);
        assert!(offer(&format!("{long}/1")).is_ok() && offer(&format!("{long}a/1")).is_err());
        let spaces = " ".repeat(limits::OFFER);
        assert!(offer(&spaces).is_ok() && offer(&format!("{spaces} ")).is_err());
    }

    #[test]
    fn what_needs_others_is_left_out_without_them() {
        let complete = |text: &str| Capabilities::parse_offer(text).unwrap().complete().to_string();
        assert_eq!(
            complete("rooms/1 ids/1 rename/1 commands/1"),
            "commands/1 ids/1 rename/1 rooms/1"
        );
        for missing in ["ids/1", "rename/1", "commands/1"] {
            let offer = "rooms/1 ids/1 rename/1 commands/1".replace(missing, "ping/1");
            assert!(!complete(&offer).contains("rooms"), "{offer}");
        }
        for capability in Capability::EVERY {
            let all = capability.needs();
            let of_needed = all.iter().flat_map(|needed| needed.needs());
            assert!(of_needed.clone().all(|needed| all.contains(needed)), "once is enough");
        }
    }

    #[test]
    fn every_capability_has_a_bit_and_a_row_in_the_norm() {
        let norm = include_str!("../../../docs/capabilities.md");
        let mut seen = Capabilities::NONE;
        for capability in Capability::EVERY {
            assert!(!seen.has(*capability), "two rows of one bit");
            seen = seen.with(*capability);
            let row = format!("\n| `{}` | {} | ", capability.word(), capability.version());
            assert_eq!(norm.matches(&row).count(), 1, "{row}");
        }
        assert_eq!(seen.iter().count(), Capability::EVERY.len());
        assert_eq!(
            seen.without(Capability::Ids).and(Capabilities::NONE.with(Capability::Ids)),
            Capabilities::NONE
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bits in any::<u32>()) {
            let set: Capabilities =
                Capability::EVERY.iter().copied().filter(|c| bits & c.bit() != 0).collect();
            prop_assert_eq!(Capabilities::parse_offer(&set.to_string()), Ok(set));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Capabilities::parse_offer(&text);
        }
    }
}
