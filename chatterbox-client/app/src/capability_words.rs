//! What each capability means to a person.

use chatterbox_proto::{Capabilities, Capability};

/// What a server with these capabilities can do beyond the base protocol, in words.
pub(crate) fn in_words(agreed: Capabilities) -> Vec<&'static str> {
    agreed.iter().filter_map(word).collect()
}

fn word(capability: Capability) -> Option<&'static str> {
    Some(match capability {
        Capability::Accounts => "registered names",
        Capability::Commands => "commands",
        Capability::Devices => "several devices under one name",
        Capability::E2ee => "encrypted private messages (experimental)",
        Capability::Files => "files",
        Capability::Ids => "confirmed messages and pages of history",
        Capability::Marks => "how far you have read",
        Capability::Meta => "replies and mentions",
        Capability::Notices => "notices",
        Capability::Ping => "a heartbeat",
        Capability::Presence => "who is away",
        Capability::Recent => "short welcomes",
        Capability::Rename => "other names while you are here",
        Capability::Rooms => "rooms",
        // Nobody notices them.
        Capability::Utf8 | Capability::Zstd => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_that_somebody_notices_has_words() {
        let every: Capabilities = Capability::EVERY.iter().copied().collect();
        let words = in_words(every);
        assert_eq!(words.len(), Capability::EVERY.len() - 2);
        assert!(in_words(Capabilities::NONE).is_empty());
        assert!(words.contains(&"rooms"));
    }
}
