//! Moderation: who is removed, kept out or kept from writing, what is written down about it, and reports.

mod acts;
mod announcing;
mod bans;
mod commands;
mod keeping;
mod listing;
mod records;
mod removing;
mod reports;
pub(crate) mod sanctions;
mod standing;
mod words;

pub(super) use commands::{Step, catalogue};
pub(crate) use records::Moderation;
pub use standing::STAFF;
