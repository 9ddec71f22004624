//! Every case for clients: one file a group, one plain list a file.

use crate::case::Case;

pub mod failures;
pub mod invariants;
pub mod join;
pub mod net;
pub mod quit;
pub mod receive;
pub mod send;
pub mod tls;
pub mod waiting;

/// The groups in the order in which reports show them, each with a title.
pub const GROUPS: &[(&str, &str, &[Case])] = &[
    ("c.inv", "Invariants: every frame the client sends", invariants::CASES),
    ("c.tls", "Transport", tls::CASES),
    ("c.net", "Addresses", net::CASES),
    ("c.join", "Joining", join::CASES),
    ("c.send", "Sending", send::CASES),
    ("c.recv", "Receiving", receive::CASES),
    ("c.async", "While waiting for the user", waiting::CASES),
    ("c.quit", "Quitting", quit::CASES),
    ("c.err", "Failures", failures::CASES),
];
