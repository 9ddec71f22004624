//! Every case there is: one file a group, one plain list a file.

mod broadcast;
mod capability;
mod client;
mod concurrency;
mod errors;
mod ext;
mod framing;
mod group;
mod history;
mod invariants;
mod join;
mod kill_matrix;
mod leave;
mod limits;
mod net;
mod private;
mod registry;
mod robust;
mod source;
mod tls;
mod users;

pub use client::CLIENT_GROUPS;
pub use group::Group;
pub(crate) use invariants::feed;
pub use kill_matrix::{client_kill_matrix, kill_matrix};
pub use registry::{
    SERVER_GROUPS, client_cases, find, group_title, groups, noticed, rows, server_cases,
};
