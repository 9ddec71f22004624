//! The Chatterbox client: a person, or a script, in a chat.
//!
//! The layers go one way. [`chatterbox_app`], a package of its own, is pure: what was typed and what came from the server
//! goes in, what to show and to send comes out. [`net`] gets a connection and moves frames. [`plain`] moves lines, to and
//! from a terminal or pipes, and drives the other two. The `main` file only puts them together.
//!
//! | to learn or change | go to |
//! |---|---|
//! | flags, help | [`cli`] |
//! | exit codes | [`exit`] |
//! | what a typed line means | `app/src/typed.rs` |
//! | what a line on the screen looks like | `app/src/line.rs` |
//! | what the server can be asked to do | `app/src/catalogue.rs` |
//! | when a lost connection is tried again | `app/src/link.rs` |
//! | addresses, which one is taken | [`net::dial`] |
//! | which certificates are trusted | [`net::trust`], [`net::verify`] |
//! | texts and hints for failures | [`net::explain`] |
//! | how long is waited for what, how a session ends | `plain::waiting`, `plain::ending` |
//! | the half-typed line | `plain::terminal` |

pub mod cli;
pub mod exit;
pub mod net;
pub mod plain;
