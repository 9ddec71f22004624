//! Rooms beside the lobby: finding, entering, making, changing and leaving them (RM-1 to RM-16, RL-1 to RL-3).
//!
//! A command finds its room with `place`, checks the caller's level in it, asks what has to be asked, and wishes for a change.
//! The hub judges the wish again, in the order of everything else, and has the last word; its word is made a sentence of in
//! `refusal`.

pub(in crate::commands) mod inviting;
pub(in crate::commands) mod joining;
pub(super) mod levels;
pub(in crate::commands) mod listing;
pub(in crate::commands) mod making;
pub(in crate::commands) mod people;
pub(super) mod place;
pub(super) mod refusal;
pub(in crate::commands) mod settings;
pub(in crate::commands) mod talking;
