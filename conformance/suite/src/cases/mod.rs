//! Every case there is: one file a group, one plain list a file.

pub mod broadcast;
pub mod capability;
pub mod client;
pub mod concurrency;
pub mod errors;
pub mod ext;
pub mod framing;
mod group;
pub mod history;
pub mod invariants;
pub mod join;
mod kill_matrix;
pub mod leave;
pub mod limits;
pub mod net;
pub mod private;
mod registry;
pub mod robust;
pub mod source;
pub mod tls;
pub mod users;

pub use client::CLIENT_GROUPS;
pub use group::Group;
pub use kill_matrix::{client_kill_matrix, kill_matrix};
pub use registry::{
    SERVER_GROUPS, client_cases, find, group_title, groups, noticed, rows, server_cases,
};
