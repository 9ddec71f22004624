//! The contract test of every store of moderation.

use super::*;

/// Runs the contract against fresh stores.
pub fn holds<S: ModerationStore>(fresh: impl Fn() -> S) {
    let mut first = fresh();
    first.note(&AuditEntry::new(7, "ann", Act::Kick)).unwrap();
    assert_eq!(fresh().audit(&AuditFilter::default()).unwrap(), [], "stores share nothing");
}
