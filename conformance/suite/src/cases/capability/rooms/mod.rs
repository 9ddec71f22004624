//! `rooms`: rooms beside the lobby, their members and their history.

mod belonging;
mod blind;
mod doors;
mod entering;
mod lasting;
mod levels;
pub(in crate::cases) mod pages;
mod registry;
pub(in crate::cases) mod resuming;
mod roster;
mod settings;
mod talking;
mod welcome;

pub(in crate::cases) use registry::CASES;
