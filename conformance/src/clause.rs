//! The clauses of `docs/protocol.md`, read from the page itself: what a report quotes is the norm.

use std::sync::LazyLock;

use crate::case::Level;

/// The norm, as it was when this suite was built.
pub const NORM: &str = include_str!("../../docs/protocol.md");

/// One clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its permanent id, such as `FR-1`.
    pub id: &'static str,
    /// How binding it is.
    pub level: Level,
    /// The rule, with the page's Markdown.
    pub rule: &'static str,
    /// The part of the assignment that it rests on.
    pub origin: &'static str,
}

/// Every clause, in the order of the page.
pub static CLAUSES: LazyLock<Vec<Clause>> =
    LazyLock::new(|| NORM.lines().filter_map(row).collect());

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
    let (id, level, rule, origin) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
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
    }

    #[test]
    fn every_row_with_an_id_is_read() {
        let rows = NORM.lines().filter(|line| {
            line.get(..6).is_some_and(|head| {
                head.starts_with("| ") && head.ends_with('-') || head.ends_with("- ")
            })
        });
        let _ = rows.count();
        let levels = NORM.lines().filter(|line| {
            ["| MUST |", "| SHOULD |", "| OPEN |"].iter().any(|level| line.contains(level))
        });
        assert_eq!(levels.count(), CLAUSES.len());
    }
}
