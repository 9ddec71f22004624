//! Formats: how groups are written into the order that several nodes share.
//!
//! A group is one byte, the *level* of its format, and the fields of its types in the order in which they are declared
//! (postcard: integers as variable lengths of seven bits, texts and lists with their length, one number for each variant).
//! Nothing is named and nothing may be left out, so any change of a type that stands in a [`Proposal`] is
//! another format: a further variant at the end of an enum is a new level, and everything else takes a reader for the old one
//! beside the new. A test holds the bytes of each proposal against those that are written down.
//!
//! | level | what is new |
//! |---|---|
//! | 1 | |
//! | 2 ([`META`]) | what goes with messages: behind the group a list of pairs, the index of a message and what goes with it ([`RecordMeta`]) |
//! | 3 ([`DEVICES`]) | that users have read something ([`Proposal::Read`]); the list of level 2 stands behind it, too, also if it is empty |
//! | 4 ([`FILES`]) | what stores do about files: the bytes are those of level 3, but of a message that announces a file the stores take note |
//! | 5 ([`KEYS`]) | commands about public keys, which stand in a [`Proposal::Store`] as bytes; no group is written otherwise for them |
//!
//! A group is written in the lowest level that has all that is in it, so most are of level 1 still. States that nodes begin with
//! are of levels as well (`freezing`), with the same number wherever both have something new: a cluster goes over to both at once.
//! The commands for stores ([`Proposal::Store`]) are not read here. Those about files are proposed from level 4 on only, those about
//! keys from level 5; and a store that does not know one stops its node.
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

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::format_level::FIRST;
pub use crate::format_level::{DEVICES, FILES, KEYS, LEVEL, META};
use crate::record::Record;
use crate::record_meta::RecordMeta;
use crate::replica::proposal::{Group, Proposal};

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
    let metas = metas_of(group);
    let level = level_of(group, &metas);
    let mut written = postcard::to_extend(group, vec![level]);
    if level >= META {
        written = written.and_then(|written| postcard::to_extend(&metas, written));
    }
    written.map(Bytes::from).map_err(|_| FormatError::NotUnderstood)
}

/// The lowest level that has all that is in a group.
fn level_of(group: &Group, metas: &[(u64, &RecordMeta)]) -> u8 {
    // A message from the time before was announced then: nobody takes note of it again.
    let announces = |proposal: &Proposal| match proposal {
        Proposal::Say(say) => say.record.file().is_some(),
        _ => false,
    };
    if group.proposals.iter().any(announces) {
        FILES
    } else if group.proposals.iter().any(|proposal| matches!(proposal, Proposal::Read(_))) {
        DEVICES
    } else if metas.is_empty() {
        FIRST
    } else {
        META
    }
}

/// What goes with the messages of a group, with their indices.
fn metas_of(group: &Group) -> Vec<(u64, &RecordMeta)> {
    let each = (0..).zip(&group.proposals);
    each.filter_map(|(index, proposal)| Some((index, record_of(proposal)?.meta.as_deref()?)))
        .collect()
}

/// The message that a proposal is about, if it is one.
fn record_of(proposal: &Proposal) -> Option<&Record> {
    match proposal {
        Proposal::Say(say) => Some(&say.record),
        Proposal::Old(old) => Some(&old.record),
        _ => None,
    }
}

fn record_of_mut(proposal: &mut Proposal) -> Option<&mut Record> {
    match proposal {
        Proposal::Say(say) => Some(&mut say.record),
        Proposal::Old(old) => Some(&mut old.record),
        _ => None,
    }
}

/// Puts what goes with messages beside them; `None` where it is not in the order of the messages, or with something else.
fn put_metas(group: &mut Group, metas: Vec<(u64, RecordMeta)>) -> Option<()> {
    let mut before = None;
    for (index, meta) in metas {
        if before.is_some_and(|before| before >= index) || meta.size() == 0 {
            return None;
        }
        before = Some(index);
        let proposal = group.proposals.get_mut(usize::try_from(index).ok()?)?;
        record_of_mut(proposal)?.meta = Some(Arc::new(meta));
    }
    Some(())
}

/// The bytes that a message takes in a group with what goes with it, about.
pub fn size_of_record(record: &Record) -> usize {
    size(record) + record.meta.as_deref().map_or(0, size)
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
    if !matches!(*level, FIRST | META | DEVICES | FILES) {
        return Err(FormatError::Level { level: *level });
    }
    let not_understood = |_| FormatError::NotUnderstood;
    let (mut group, mut left) = postcard::take_from_bytes(rest).map_err(not_understood)?;
    if *level >= META {
        let (metas, rest) = postcard::take_from_bytes(left).map_err(not_understood)?;
        put_metas(&mut group, metas).ok_or(FormatError::NotUnderstood)?;
        left = rest;
    }
    if left.is_empty() { Ok(group) } else { Err(FormatError::LeftOver { bytes: left.len() }) }
}

#[cfg(test)]
mod tests;
