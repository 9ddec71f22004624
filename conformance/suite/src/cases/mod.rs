//! Every case there is: one file a group, one plain list a file.

pub mod broadcast;
pub mod capability;
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
mod registry;
pub mod robust;
pub mod source;
pub mod tls;
pub mod users;

pub use registry::{
    SERVER_GROUPS, client_cases, find, group_title, groups, kill_matrix, server_cases,
};
