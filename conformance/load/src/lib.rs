//! Puts a server under load, and judges every delivery while it measures.
//!
//! A [`plan`] says who takes part. Threads that share nothing own the members; each member reads into
//! a buffer that all members of its thread use (`connection`, `tls`), frames are read in one pass
//! without building values (`frame_summary`), and once for everybody who gets the same bytes
//! (`frame_cache`). What came is held against what was sent in `delivery_check`, who is there in a
//! `roster`; neither grows with the number of messages. [`run()`] leads through the phases, and
//! [`report`] renders what was found. [`ceiling`] is what the machine can do at most. Servers of
//! other protocols are measured alike: `peer` turns their bytes into the same summaries.

pub mod ceiling;
mod connection;
mod content;
mod delivery_check;
mod descriptors;
pub mod dialect;
mod fast_scan;
mod frame_cache;
mod frame_reader;
mod frame_summary;
mod incoming;
mod latency;
mod member;
mod options;
mod pacer;
mod peer;
mod phases;
mod pinning;
pub mod plan;
mod receive;
pub mod report;
mod roster;
mod run;
mod sender;
mod shard;
mod shared;
mod subject;
mod tls;
mod user_names;
mod worker;
mod workload;

pub use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
pub use descriptors::TooFew;
pub use options::{LoadError, LoadOptions};
pub use phases::{Moment, Watch};
pub use pinning::Pinning;
pub use run::run;
pub use shared::Totals;
pub use subject::SubjectError;
