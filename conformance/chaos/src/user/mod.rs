//! The users of a run: each talks, goes on at another node when its own fails, and keeps all that it sees.

mod base;
mod claimant;
mod frame;
mod habits;
mod life;
mod line;
mod pages;
mod phase;
mod talker;

pub(crate) use base::Base;
pub(crate) use claimant::Claimant;
pub(crate) use life::live;
pub(crate) use phase::{Phase, Report, UserFault};
pub(crate) use talker::Talker;
