//! Every case there is: one file a group, one plain list a file.

use crate::case::Case;

pub mod broadcast;
pub mod client;
pub mod concurrency;
pub mod errors;
pub mod ext;
pub mod framing;
pub mod history;
pub mod invariants;
pub mod join;
pub mod leave;
pub mod limits;
pub mod net;
pub mod private;
pub mod robust;
pub mod source;
pub mod tls;
pub mod users;

/// The groups in the order in which reports show them, each with a title.
pub const SERVER_GROUPS: &[(&str, &str, &[Case])] = &[
    ("inv", "Invariants: every frame the server sends", invariants::CASES),
    ("tls", "Transport", tls::CASES),
    ("net", "Addresses", net::CASES),
    ("framing", "Framing", framing::CASES),
    ("join", "Joining", join::CASES),
    ("users", "Who is here", users::CASES),
    ("history", "History", history::CASES),
    ("bcast", "Public messages", broadcast::CASES),
    ("private", "Private messages", private::CASES),
    ("src", "Sender check", source::CASES),
    ("leave", "Leaving", leave::CASES),
    ("errors", "Invalid messages", errors::CASES),
    ("robust", "Robustness", robust::CASES),
    ("limits", "Limits", limits::CASES),
    ("conc", "Many at once", concurrency::CASES),
    ("ext", "Extensions", ext::CASES),
];

/// Every case for servers, in the order of the groups.
pub fn server_cases() -> impl Iterator<Item = &'static Case> {
    SERVER_GROUPS.iter().flat_map(|(_, _, cases)| cases.iter())
}

/// Every case for clients, in the order of the groups.
pub fn client_cases() -> impl Iterator<Item = &'static Case> {
    client::GROUPS.iter().flat_map(|(_, _, cases)| cases.iter())
}

/// Every group: those for servers, then those for clients.
pub fn groups() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static [Case])> {
    SERVER_GROUPS.iter().chain(client::GROUPS)
}

/// Finds a case by its id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    server_cases().chain(client_cases()).find(|case| case.id == id)
}

/// The title of a group.
#[must_use]
pub fn group_title(group: &str) -> &'static str {
    groups().find(|(id, _, _)| *id == group).map_or("", |(_, title, _)| title)
}
