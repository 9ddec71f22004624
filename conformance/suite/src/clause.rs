//! The clauses of `docs/protocol.md` and `docs/capabilities.md`, read from the pages themselves: what a report quotes is
//! the norm.

use std::{fmt, sync::LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How binding a clause is, and so what a violation costs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The norm leaves it open: observed, never failed.
    Open,
    /// A robust peer needs it: fails only under `--strict`.
    Should,
    /// The assignment says it: a violation fails.
    Must,
}

impl Level {
    /// Reads the word that the norm uses.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_uppercase().as_str() {
            "MUST" => Some(Self::Must),
            "SHOULD" => Some(Self::Should),
            "OPEN" => Some(Self::Open),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Open => "OPEN",
        })
    }
}

/// The norm, as it was when this suite was built.
pub const NORM: &str = include_str!("../../../docs/protocol.md");

/// What a server may offer beyond it, as it was when this suite was built.
pub const CAPABILITIES: &str = include_str!("../../../docs/capabilities.md");

/// One clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its permanent id, such as `FR-1`.
    pub id: &'static str,
    /// How binding it is.
    pub level: Level,
    /// The rule, with the page's Markdown.
    pub rule: &'static str,
    /// The part of the assignment that it rests on; `Capabilities` for what goes beyond it.
    pub origin: &'static str,
}

/// Every clause, in the order of the pages.
pub static CLAUSES: LazyLock<Vec<Clause>> =
    LazyLock::new(|| NORM.lines().chain(CAPABILITIES.lines()).filter_map(row).collect());

/// Finds a clause.
#[must_use]
pub fn find(id: &str) -> Option<&'static Clause> {
    CLAUSES.iter().find(|clause| clause.id == id)
}

/// A short fingerprint of the norm, so that a report says by which edition it judged.
#[must_use]
pub fn edition() -> String {
    let hash = CLAUSES
        .iter()
        .flat_map(|c| c.id.bytes().chain(c.rule.bytes()))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{}-{:08x}", CLAUSES.len(), hash >> 32)
}

fn row(line: &'static str) -> Option<Clause> {
    let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split(" | ").map(str::trim);
    let (id, level, rule) = (cells.next()?, cells.next()?, cells.next()?);
    let origin = cells.next().unwrap_or("Capabilities");
    let (area, number) = id.split_once('-')?;
    if area.len() != 2 || number.parse::<u16>().is_err() {
        return None;
    }
    Some(Clause { id, level: Level::parse(level)?, rule, origin })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_read() {
        assert!(CLAUSES.len() > 80, "{}", CLAUSES.len());
        let first = find("FR-1").unwrap();
        assert_eq!((first.level, first.origin), (Level::Must, "Protocol"));
        assert!(first.rule.starts_with("A frame is a 4-byte"));
        let offer = find("CP-1").unwrap();
        assert_eq!((offer.level, offer.origin), (Level::Must, "Capabilities"));
        assert!(offer.rule.ends_with("on a string."), "{}", offer.rule);
    }

    #[test]
    fn every_row_with_an_id_is_read() {
        let lines = NORM.lines().chain(CAPABILITIES.lines());
        let levels = lines.filter(|line| {
            ["| MUST |", "| SHOULD |", "| OPEN |"].iter().any(|level| line.contains(level))
        });
        assert_eq!(levels.count(), CLAUSES.len());
    }
}
