//! Reads PEM files of certificates and keys: wholly, or not at all.
//!
//! The usual readers skip what they don't understand. A file with a missing line end, a cut marker or the wrong encoding is
//! then read in part: a server sends half of its chain, a client trusts fewer authorities than its user believes. Here every
//! block is either understood, known to be harmless, or the reason for a refusal that names its line. Text between blocks is
//! allowed, as OpenSSL allows it.
//!
//! [`read`] takes the bytes of a file and gives a [`Bundle`]; [`PemError`] and [`KeyProblem`] have a sentence and a hint
//! for users. The package does no I/O.
//!
//! | to learn or change | go to |
//! |---|---|
//! | where a block begins and ends, encodings | `block.rs` |
//! | which labels are taken, passed over, refused | `bundle.rs` |
//! | sentences and hints | `error.rs` |

mod block;
mod bundle;
mod error;

pub use bundle::{Bundle, read};
pub use error::{Der, KeyProblem, PemError, shell_word};
