//! Accounts: authentication, credentials, and what is stored for the owner of a name.
//!
//! A [`Directory`] stores accounts. Its calls block, and the trait depends on no store: the command line calls a directory
//! directly, the server through a thread of its own (`directory_thread`). [`Accounts`] is the server's side: it
//! authenticates users, applies the rate limits, and hashes passwords within bounds (`hashing`).

mod blocklist;
#[cfg(test)]
pub(crate) mod contract;
mod credentials;
mod directory;
mod directory_error;
mod directory_thread;
mod ever_seen;
mod hashing;
mod keys;
mod keys_directory;
mod login;
mod low_devices;
mod marks_directory;
mod operated;
mod password_hash;
mod room_password;
mod secret;
mod seen_directory;
mod settings;
mod token;
mod visits;

pub use directory::{
    ACCOUNTS, Account, Added, BLOCKERS, BLOCKS, Directory, DirectoryError, Settings, Spared, TOKENS,
};
pub use directory_thread::Observer;
pub use keys_directory::{
    AccountKeys, ClaimedKey, DeviceDone, KeysDirectory, KeysPutDone, LOW_DEVICES, LowKeys, NewKeys,
};
pub use login::{Accounts, Login, Refused};
pub use low_devices::LowDevices;
pub use marks_directory::{MARKS, MarksDirectory, MarksWritten, NewMark};
pub use operated::{AccountWish, HashText, WishDone};
pub use password_hash::{Cost, HashError, PasswordHash};
pub use secret::{Secret, SecretError};
pub use seen_directory::{EverSeen, GUESTS, GUESTS_FOR, Seen, SeenDirectory};
pub use token::{Token, TokenHash};
