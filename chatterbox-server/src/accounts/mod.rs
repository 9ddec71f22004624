//! Accounts: names that belong to somebody, and what is kept for them.
//!
//! A [`Directory`] keeps them. The seam is free of the ways of any one store and knows no task: a thread of its own
//! ([`DirectoryThread`]) asks it, and the command line asks it directly. [`Memory`] forgets everything with the process,
//! [`Sqlite`] keeps it in the database of the messages. Both pass the contract tests of this module.
//!
//! Above it: [`Accounts`] says who may join under which name, and [`Hashing`] spends processor time within bounds.

mod blocklist;
#[cfg(test)]
pub mod contract;
mod credentials;
mod directory;
mod directory_thread;
mod hashing;
mod login;
mod password;
mod secret;
mod token;

pub use directory::{
    ACCOUNTS, Account, Added, BLOCKERS, BLOCKS, Directory, DirectoryError, Settings, TOKENS,
};
pub use directory_thread::DirectoryThread;
pub use hashing::Hashing;
pub use login::{Accounts, Login, Refused};
pub use password::{Cost, HashError, PasswordHash, Verdict};
pub use secret::{Secret, SecretError};
pub use token::{LIFETIME, Token, TokenHash};
