//! What this program can't read of the order.

/// A command that this program does not know: that of a newer version, or of nobody of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a command in the order can't be read: another version of this program has written it")]
pub(super) struct NotUnderstood;
