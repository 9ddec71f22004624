//! `moderation`: who is removed, kept out and kept from writing, by whom, and who hears of it.
//!
//! What a case does to somebody it does to users of its own, who come from the address of all others of the suite: none bans
//! that address, but where it has to be refused or asked for, and then for a minute and with an answer that cancels.
//! A ban of a guest is one of the guests at the address, unless many are there: a crowd is (`scene`).

mod addresses;
mod announcing;
mod audit;
mod bans;
mod kicks;
mod levels;
mod matrix;
mod muted_rooms;
mod mutes;
mod names;
mod race;
mod registry;
mod removals;
mod reports;
mod room_bans;
mod scene;

pub(in crate::cases) use registry::{BANS, KICKS, MODERATION, MUTES, REPORTS};
