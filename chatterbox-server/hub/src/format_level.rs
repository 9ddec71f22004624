//! The levels of the formats in which nodes write what they have in common: groups ([`format`](crate::format)) and the states that nodes
//! begin with. What each has that the one before has not.

/// The first.
pub const FIRST: u8 = 1;

/// What goes with messages (MT-1).
pub const META: u8 = 2;

/// Second devices of users, and how far users have read (DV-1, MK-1).
pub const DEVICES: u8 = 3;

/// What stores do about files (FI-1).
pub const FILES: u8 = 4;

/// Commands about public keys (EE-1).
pub const KEYS: u8 = 5;

/// The newest that this version reads. It is written once all nodes read it.
pub const LEVEL: u16 = KEYS as u16;
