//! The users of a run: each talks, goes on at another node when its own fails, and keeps all that it sees.

mod claimant;
mod frame;
mod line;
mod pages;
mod talker;

pub(crate) use claimant::Claimant;
pub(crate) use talker::{Phase, Report, Talker};
