//! Puts a server under load, and judges every delivery while it measures.
//!
//! A [`plan`] says who takes part. Threads that share nothing own the members; each member reads into
//! a buffer that all members of its thread use ([`link`], [`secure`]), frames are read in one pass
//! without building values ([`digest`]), and once for everybody who gets the same bytes
//! ([`memory`]). What came is held against what was sent in a [`ledger`], who is there in a
//! [`roster`]; neither grows with the number of messages. [`run()`] leads through the phases, and
//! [`report`] renders what was found. [`limit_server`] is what the machine can do at most.

pub mod content;
pub mod descriptors;
pub mod digest;
mod director;
pub mod inlet;
pub mod latency;
pub mod ledger;
pub mod limit;
pub mod limit_server;
pub mod link;
mod member;
pub mod memory;
pub mod names;
mod pacer;
pub mod plan;
pub mod process;
mod receive;
pub mod report;
pub mod roster;
mod run;
mod scan;
pub mod secure;
mod shard;
mod shared;
pub mod speaker;
pub mod subject;
mod worker;

pub use director::{Moment, Watch};
pub use run::{LoadError, LoadOptions, run};
pub use shared::Totals;
