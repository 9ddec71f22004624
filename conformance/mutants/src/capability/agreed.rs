//! Reads the offer of a client, and keeps the capabilities that are in force.

use std::collections::BTreeSet;

use conformance_suite::fault::Fault;
use serde_json::Value;

use crate::faults::Faults;

/// The capabilities of this server, all in version 1.
const KNOWN: [&str; 16] = [
    "accounts", "commands", "devices", "e2ee", "files", "ids", "marks", "meta", "notices", "ping",
    "presence", "recent", "rename", "rooms", "utf8", "zstd",
];

/// The capabilities without which there is no `rooms` (CP-8).
const NEEDED: [&str; 3] = ["commands", "ids", "rename"];

/// The capabilities in force on one connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agreed {
    offered: bool,
    answered: BTreeSet<&'static str>,
    in_force: BTreeSet<&'static str>,
}

impl Agreed {
    pub(crate) fn read(offer: &Value, f: &Faults) -> Result<Self, &'static str> {
        let Some(text) = offer.as_str() else {
            let ignored = f.acts(Fault::OfferOfWrongTypeIgnored);
            return if ignored { Ok(Self::default()) } else { Err("CAPABILITIES is a string") };
        };
        if text.len() > 1_024 && !f.acts(Fault::OfferLengthUnchecked) {
            return Err("that is a long offer");
        }
        if text.contains("  ") && f.acts(Fault::SpacesInOfferRefused) {
            return Err("one space, please");
        }
        let (mut seen, mut answered) = (BTreeSet::new(), BTreeSet::new());
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let narrow = !word.starts_with(|c: char| c.is_ascii_lowercase());
            if narrow && f.acts(Fault::OfferWordsNarrow) {
                return Err("a name begins with a letter");
            }
            let Some((name, version)) = read_word(word) else {
                if f.acts(Fault::OfferWordsUnchecked) {
                    continue;
                }
                return Err("an offer is made of words like ids/1");
            };
            if !seen.insert(name) && !f.acts(Fault::OfferTwiceTaken) {
                return Err("a capability is offered once");
            }
            match KNOWN.into_iter().find(|known| *known == name) {
                Some(_) if version > 1 && f.acts(Fault::HigherOfferIgnored) => {}
                Some(known) => _ = answered.insert(known),
                None if f.acts(Fault::UnknownOfferRefused) => return Err("what is that?"),
                None => {}
            }
        }
        let lacking = NEEDED.into_iter().any(|needed| !answered.contains(needed));
        if answered.contains("rooms") && lacking && !f.acts(Fault::RoomsWithoutNeeds) {
            answered.remove("rooms");
        }
        let unproven = ["accounts", "ids"].into_iter().any(|needed| !answered.contains(needed));
        if unproven {
            answered.remove("devices");
            answered.remove("marks");
        }
        let bare = answered.contains("meta") && !answered.contains("ids");
        if bare && !f.acts(Fault::MetaWithoutNeeds) {
            answered.remove("meta");
        }
        if unproven || !answered.contains("meta") {
            answered.remove("e2ee");
            answered.remove("files");
        }
        if f.acts(Fault::NothingAgreed) {
            answered.clear();
        }
        if f.acts(Fault::AgreesToUnoffered) {
            answered.extend(KNOWN);
        }
        let mut in_force = answered.clone();
        if !in_force.is_empty() && f.acts(Fault::AllOrNothing) {
            in_force.extend(KNOWN);
        }
        Ok(Self { offered: true, answered, in_force })
    }

    /// Whether there was an offer.
    pub(crate) const fn offered(&self) -> bool {
        self.offered
    }

    /// Whether a capability is in force.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.in_force.contains(name)
    }

    pub(super) fn words(&self, f: &Faults) -> String {
        let version = if f.acts(Fault::AgreesAboveOffer) { 2 } else { 1 };
        let words: Vec<_> = self.answered.iter().map(|name| format!("{name}/{version}")).collect();
        words.join(" ")
    }
}

fn read_word(word: &str) -> Option<(&str, u16)> {
    let (name, version) = word.split_once('/')?;
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let digits = version.bytes().all(|c| c.is_ascii_digit());
    let version = version.parse().ok().filter(|version| digits && (1..=999).contains(version))?;
    ((1..=32).contains(&name.len()) && name.bytes().all(good)).then_some((name, version))
}
