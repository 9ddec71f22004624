//! Grades any implementation of the Chatterbox protocol.
//!
//! [`run()`] takes a [`Subject`] and [`Options`] and gives a [`Report`]; the binary `conformance` is
//! a command line around it. The parts, from the outside in:
//!
//! * [`run`](mod@run) schedules the cases of the [`catalogue`] and probes the subject's health,
//! * a [`case`] asks one question through the [`context`]: users who join, speak and listen,
//! * [`net`] opens connections, [`wire`] turns bytes into frames, [`dialect`] finds out how the
//!   subject speaks, [`census`] watches every frame for the invariants,
//! * [`report`] renders what was found,
//! * [`mutants`] is the faulty server that proves that every case can fail.
//!
//! The norm is `docs/protocol.md`; [`clause`] reads it. No wire code is shared with the
//! implementation that lives next door.

pub mod arena;
pub mod case;
pub mod catalogue;
pub mod census;
pub mod clause;
pub mod client;
mod clock;
pub mod context;
pub mod dialect;
pub mod escape;
pub mod fuzz;
pub mod host;
pub mod load;
pub mod matrix;
#[path = "../mutants/mod.rs"]
pub mod mutants;
pub mod net;
pub mod nonce;
pub mod report;
pub mod run;
pub mod select;
pub mod tape;
pub mod timing;
pub mod verdict;
pub mod wire;

pub use dialect::TlsMode;
pub use net::{target::Target, tls::Trust};
pub use report::{CaseResult, Report};
pub use run::{Options, RunError, Subject, run};
