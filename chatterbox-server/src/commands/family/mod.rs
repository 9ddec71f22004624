//! The commands, one file for each family.

pub(super) mod account;
pub(super) mod admin;
pub(super) mod block;
pub(super) mod diagnostics;
pub(super) mod encryption;
pub(super) mod help;
pub(super) mod identity;
pub(super) mod message;
pub(super) mod moderation;
pub(super) mod presence;
pub(super) mod rooms;
pub(super) mod subject;
pub(super) mod users;
