//! The Chatterbox client: a person, or a script, in a chat.
//!
//! The layers go one way. [`chatterbox_app`], a package of its own, is pure: what was typed and what came from the server
//! goes in, what to show and to send comes out. [`net`] gets a connection and moves frames. `plain` moves lines, to and
//! from a terminal or pipes. `session` drives them, and [`start`] puts them together.
//!
//! | to learn or change | go to |
//! |---|---|
//! | flags, help | [`cli`] |
//! | exit codes | [`exit`] |
//! | what a typed line means | `app/src/parse.rs` |
//! | what a line on the screen looks like | `app/src/output.rs` |
//! | what the server can be asked to do | `app/src/commands.rs` |
//! | when a lost connection is tried again | `app/src/reconnect.rs` |
//! | addresses, which one is taken | [`net::dial`] |
//! | which certificates are trusted | [`net::trust`], [`net::verify`] |
//! | texts and hints for failures | [`net::explain`] |
//! | how long is waited for what, how a session ends | `session::timeouts`, `session::ending` |
//! | the half-typed line | `plain::terminal` |

pub mod cli;
pub mod exit;
pub mod net;
mod plain;
mod session;
pub mod start;
