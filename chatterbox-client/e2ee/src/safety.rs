//! Safety numbers: what two people compare to know that no one stands between them (EE-8).

use chatterbox_proto::capability::e2ee::PublicKey;
use sha2::{Digest as _, Sha512};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side<'a> {
    /// The folded name of the account.
    pub account: &'a str,
    /// The number of the account.
    pub number: u64,
    /// The identity key.
    pub identity: &'a PublicKey,
}

/// Twelve groups of five digits, with spaces between them; the same whichever of the two asks.
pub fn number(one: Side<'_>, other: Side<'_>) -> String {
    let mut sides = [one, other];
    sides.sort();
    let mut lines = "chatterbox safety 1\n".to_owned();
    for Side { account, number, identity } in sides {
        lines.push_str(&format!("{account}\n{number}\n{}\n", identity.as_str()));
    }
    let hash = Sha512::digest(lines.as_bytes());
    let groups = hash.chunks_exact(5).take(12).map(|group| {
        let number = group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    });
    groups.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: &str) -> PublicKey {
        PublicKey::parse(&fill.repeat(43)).unwrap()
    }

    /// Reckoned by another program (Python's hashlib), so that no change of this one passes unseen.
    #[test]
    fn three_fixed_vectors() {
        for (one, other, expected) in [
            (
                ("ann", 40, "A"),
                ("bob", 41, "E"),
                "15668 16940 51887 27184 40008 46268 32529 38498 40085 27736 83923 91413",
            ),
            (
                ("ann", 40, "A"),
                ("bob", 41, "I"),
                "17186 19443 43666 78605 15418 32886 20257 27877 38985 10892 24881 26980",
            ),
            (
                ("j\u{f6}rg", 1, "Q"),
                ("strasse", 9_007_199_254_740_991, "w"),
                "19922 45274 96819 34978 06325 50454 69154 90458 80987 57162 34115 61264",
            ),
        ] {
            let (one_key, other_key) = (key(one.2), key(other.2));
            let one = Side { account: one.0, number: one.1, identity: &one_key };
            let other = Side { account: other.0, number: other.1, identity: &other_key };
            assert_eq!(number(one, other), expected);
            assert_eq!(number(other, one), expected);
        }
    }
}
