//! The groups of cases, and every way to look a case up.

use super::{
    broadcast, capability, client::CLIENT_GROUPS, concurrency, errors, ext, framing, group::Group,
    history, invariants, join, leave, limits, net, private, robust, source, tls, users,
};
use crate::{
    case::{Case, Defect as _, Judged, Row},
    client::ClientSide,
    server::ServerSide,
};

/// The groups in the order in which reports show them, each with a title.
pub const SERVER_GROUPS: &[Group<ServerSide>] = &[
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
    ("cap", "Capabilities: negotiation", capability::negotiation::CASES),
    ("ids", "Capability ids: numbers", capability::ids::CASES),
    ("tags", "Capability ids: tags", capability::tags::CASES),
    ("paging", "Capability ids: pages of the history", capability::paging::CASES),
    ("resume", "Capability ids: resuming", capability::resume::CASES),
    ("meta", "Capability meta", capability::meta::CASES),
    ("ping", "Capability ping", capability::ping::CASES),
    ("utf8", "Capability utf8", capability::utf8::CASES),
    ("rename", "Capability rename", capability::rename::CASES),
    ("accounts", "Capability accounts", capability::accounts::CASES),
    ("commands", "Capability commands", capability::commands::CASES),
    ("recent", "Capability recent", capability::recent::CASES),
    ("notices", "Capability notices", capability::notices::CASES),
    ("rooms", "Capability rooms: members and messages", capability::rooms::CASES),
    ("roompages", "Capability rooms: their history", capability::rooms::pages::CASES),
    ("roomresume", "Capability rooms: resuming", capability::rooms::resuming::CASES),
    ("kick", "Moderation: kicks", capability::moderation::KICKS),
    ("mute", "Moderation: mutes", capability::moderation::MUTES),
    ("ban", "Moderation: bans", capability::moderation::BANS),
    (
        "mod",
        "Moderation: who may, who hears of it, what is kept",
        capability::moderation::MODERATION,
    ),
    ("report", "Moderation: reports", capability::moderation::REPORTS),
    ("files", "Capability files", capability::files::CASES),
    ("presence", "Capability presence", capability::presence::CASES),
    ("zstd", "Capability zstd", capability::zstd::CASES),
    ("devices", "Capability devices", capability::devices::CASES),
    ("marks", "Capability marks", capability::marks::CASES),
    ("e2ee", "Capability e2ee", capability::e2ee::CASES),
    ("flood", "Flood control", capability::flood::CASES),
];

/// Every case for servers, in the order of the groups.
pub fn server_cases() -> impl Iterator<Item = &'static Case<ServerSide>> {
    cases(SERVER_GROUPS)
}

/// Every case for clients, in the order of the groups.
pub fn client_cases() -> impl Iterator<Item = &'static Case<ClientSide>> {
    cases(CLIENT_GROUPS)
}

fn cases<J: Judged>(groups: &'static [Group<J>]) -> impl Iterator<Item = &'static Case<J>> {
    groups.iter().flat_map(|(_, _, cases)| cases.iter())
}

/// Every case of both sides, as data.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    server_cases().map(Case::row).chain(client_cases().map(Case::row))
}

/// Every group with its title and its cases as data: those for servers, then those for clients.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static Row>)> {
    SERVER_GROUPS.iter().map(listed).chain(CLIENT_GROUPS.iter().map(listed))
}

fn listed<J: Judged>(
    (id, title, cases): &'static Group<J>,
) -> (&'static str, &'static str, Vec<&'static Row>) {
    (id, title, cases.iter().map(Case::row).collect())
}

/// Finds a case by its id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Row> {
    rows().find(|row| row.id == id)
}

/// The faults that a case must notice, each with what it does.
#[must_use]
pub fn noticed(id: &str) -> Vec<(&'static str, &'static str)> {
    fn faults<J: Judged>(case: &'static Case<J>) -> Vec<(&'static str, &'static str)> {
        case.killed_by.iter().map(|fault| (fault.name(), fault.description().trim())).collect()
    }
    let of_server = server_cases().find(|case| case.id == id).map(faults);
    of_server.or_else(|| client_cases().find(|case| case.id == id).map(faults)).unwrap_or_default()
}

/// The title of a group.
#[must_use]
pub fn group_title(group: &str) -> &'static str {
    groups().find(|(id, ..)| *id == group).map_or("", |(_, title, _)| title)
}
