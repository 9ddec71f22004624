//! Encrypted private messages: the keys of this user on this machine, and where they are stored.
//!
//! `vault` gives the application what `chatterbox-e2ee` does, and stores what has changed before anything of it is sent; `store` is
//! the folder of one account at one server; `cipher` is how its files are encrypted.

mod cipher;
mod store;
mod vault;
mod words;

pub(crate) use vault::Vault;
