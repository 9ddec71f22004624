//! The groups of cases for clients.

use super::{failures, invariants, join, net, quit, receive, send, tls, waiting};
use crate::{cases::group::Group, client::ClientSide};

/// The groups in the order in which reports show them, each with a title.
pub const CLIENT_GROUPS: &[Group<ClientSide>] = &[
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
