//! A node of a cluster: its life among the others.

#![allow(dead_code, reason = "the loop of a node is not there yet")]

mod checksums;
mod guardian;
mod life;
pub(crate) mod report;
mod silence;
