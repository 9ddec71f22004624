//! Files that users send, as connections ask for them (FI-1 to FI-7).
//!
//! [`Files`] brings together what is kept of files and what the chat says: who may put and who may fetch. Transfers of a connection
//! are in [`net`](crate::net).

mod beginning;
#[cfg(test)]
mod hooked;
mod quotas;
mod reading;
mod refusal;
mod service;
mod sweeping;
mod unfinished;
mod upload;

pub use refusal::FileRefusal;
pub use service::{Download, Files};
pub use upload::Upload;
