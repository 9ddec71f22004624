//! Formats: how groups are written into the order that several nodes share.
//!
//! A group is one byte, the *level* of its format, and the fields of its types in the order in which they are declared
//! (postcard: integers as variable lengths of seven bits, texts and lists with their length, one number for each variant).
//! Nothing is named and nothing may be left out, so any change of a type that stands in a [`Proposal`](crate::Proposal) is
//! another format: a further variant at the end of an enum is a new level, and everything else takes a reader for the old one
//! beside the new. A test holds the bytes of each proposal against those that are written down.
//!
//! # What is not written
//! - Numbers of messages and of records about rooms: they follow from the place
//!   ([`Group::number_by_place`](crate::Group::number_by_place)).
//! - The look-up of block lists: it is made of the lists.
//! - What a name looks like where nobody asks (messages, lists, references), and for names of ASCII. Elsewhere it stands
//!   beside the name with what it is looked up by, since tables of Unicode differ between versions.
//!
//! # What is not trusted
//! The engine has what nodes of this chat wrote, but they may have been of another version. What is read takes memory in
//! proportion to the bytes that are there, never by a length that stands in them; what can't be read is an error, and a node
//! that meets one has to stop: if it skipped what it does not understand, it would not have the state of the others.

use bytes::Bytes;
use serde::Serialize;

pub use crate::replica::proposal::LEVEL;
use crate::replica::proposal::{Group, Proposal};

/// The first byte of a group of level 1.
const FIRST: u8 = 1;

/// The first byte of a group of level 2, in which somebody has read something ([`Proposal::Read`]).
const SECOND: u8 = 2;

/// Why a group can't be written or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// Another version wrote it.
    #[error("its format is of level {level}, and this version reads levels up to {LEVEL}")]
    Level {
        /// The level that stands there.
        level: u8,
    },
    /// It is no group of this level: a proposal that this version does not know, or broken bytes.
    #[error("it is not understood")]
    NotUnderstood,
    /// More stands behind it.
    #[error("{bytes} bytes are left over")]
    LeftOver {
        /// How many.
        bytes: usize,
    },
    /// A state whose digest is not the one that stands beside it: the version that wrote it knows more, or less.
    #[error("the state is not what was written, as its digest says")]
    AnotherState,
    /// It has more proposals than there are numbers for.
    #[error("a group has at most {} proposals", Group::PROPOSALS)]
    TooMany,
}

/// A group as it is written.
///
/// # Errors
/// [`FormatError::TooMany`].
pub fn encode(group: &Group) -> Result<Bytes, FormatError> {
    if group.proposals.len() > Group::PROPOSALS {
        return Err(FormatError::TooMany);
    }
    let written = postcard::to_extend(group, vec![level_of(group)]);
    written.map(Bytes::from).map_err(|_| FormatError::NotUnderstood)
}

/// The lowest level that has all that is in a group.
fn level_of(group: &Group) -> u8 {
    let is_newer = |proposal: &Proposal| matches!(proposal, Proposal::Read(_));
    if group.proposals.iter().any(is_newer) { SECOND } else { FIRST }
}

/// The bytes that something takes as a part of a group, without writing it.
pub fn size(it: &(impl Serialize + ?Sized)) -> usize {
    let counted = postcard::serialize_with_flavor(it, postcard::ser_flavors::Size::default());
    // What can't be written is found out where it is.
    counted.unwrap_or(0)
}

/// Reads a group. What is numbered has no number yet.
///
/// # Errors
/// [`FormatError`] when it is not exactly one group that this version understands.
pub fn decode(bytes: &[u8]) -> Result<Group, FormatError> {
    let (level, rest) = bytes.split_first().ok_or(FormatError::Empty)?;
    if !matches!(*level, FIRST | SECOND) {
        return Err(FormatError::Level { level: *level });
    }
    match postcard::take_from_bytes(rest) {
        Ok((group, [])) => Ok(group),
        Ok((_, left)) => Err(FormatError::LeftOver { bytes: left.len() }),
        Err(_) => Err(FormatError::NotUnderstood),
    }
}

#[cfg(test)]
mod tests;
