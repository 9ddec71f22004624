//! `rooms`: rooms beside the lobby, with everything that the cases judge.

pub(super) mod commands;
mod entering;
mod inviting;
mod leaving;
mod listing;
mod names;
mod pages;
mod ranks;
pub(crate) mod room;
mod roster;
mod saying;
mod seats;
mod settings;
mod table;
