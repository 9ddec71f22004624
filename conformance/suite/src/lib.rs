//! Grades any implementation of the Chatterbox protocol.
//!
//! [`run()`] takes a [`Subject`] and [`Options`] and gives a [`Report`]; the binary `conformance` is
//! a command line around it. The parts, from the outside in:
//!
//! * [`run`](mod@run) schedules the [`cases`] and probes the subject's health,
//! * a [`case`] asks one question through the hands of its side, [`server`] or [`client`],
//! * [`invariants`] watches every frame,
//! * [`report`] renders what was found.
//!
//! The norm is `docs/protocol.md`; [`clause`] reads it. No wire code is shared with the
//! implementation that lives next door.

pub mod case;
pub mod cases;
pub mod claims;
pub mod clause;
pub mod client;
pub mod connection;
pub mod fault;
pub mod fuzz;
pub mod invariants;
pub mod matrix;
pub mod report;
pub mod run;
pub mod select;
pub mod server;
pub mod verdict;

pub use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
pub use report::{CaseResult, Report};
pub use run::{
    Options,
    server::{RunError, Subject, run},
};
pub use server::quirks::TlsMode;
