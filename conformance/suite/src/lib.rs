//! Grades any implementation of the Chatterbox protocol.
//!
//! [`run()`] takes a [`Subject`] and [`Options`] and gives a [`Report`]; the binary `conformance` is
//! a command line around it. The parts, from the outside in:
//!
//! * [`run`](mod@run) judges: one scheduler asks the [`cases`], whichever side is judged,
//! * a [`case`] is a row of data and a question, which it asks with the hands of its side
//!   ([`server`], [`client`]) over a `connection`,
//! * the `invariants` watch every frame, and the [`verdict`] is what a case concludes,
//! * [`report`] renders what was found, [`learn`] shows the next step, [`matrix`] and [`fuzz`] ask in
//!   other ways,
//! * [`fault`] names what the mutants of `conformance-mutants` do wrong.
//!
//! The norm is `docs/protocol.md`; [`clause`] reads it. No wire code is shared with the
//! implementation that lives next door.

pub mod case;
pub mod cases;
mod claims;
pub mod clause;
pub mod client;
mod connection;
pub mod fault;
pub mod fuzz;
mod invariants;
pub mod learn;
pub mod matrix;
pub mod report;
pub mod run;
mod select;
pub mod server;
pub mod verdict;

pub use claims::ClaimError;
pub use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
pub use report::{CaseResult, Report};
pub use run::{
    Options,
    server::{RunError, Subject, run},
};
pub use select::{Pattern, SelectError};
pub use server::TlsMode;
