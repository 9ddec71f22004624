//! `files`: files that the server keeps for users and rooms.

mod bounds;
mod fetching;
mod reach;
mod registry;
mod sharing;
mod transfer;
mod uploading;

pub(in crate::cases) use registry::CASES;
