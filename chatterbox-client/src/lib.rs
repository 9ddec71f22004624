//! The Chatterbox client: a person, or a script, in a chat.
//!
//! The layers go one way. `chatterbox-app`, a package of its own, is pure: typed lines and the server's frames go in,
//! outputs to show and frames to send come out. `net` opens connections and moves frames. `terminal` reads keys and keeps
//! the modes of a terminal; `keymap` says what a key does, `config` what the user has set. `plain` renders outputs line by
//! line, on a terminal or through pipes; `tui` draws the application's model on the full screen. `session` drives them
//! through one trait, [`run`] puts them together.
//!
//! ```text
//! key, line -> terminal -> plain or tui -> session -> app -> session -> net -> socket
//! frame     -> net -> session -> app -> session -> plain (outputs) or tui (the model) -> terminal
//! ```
//!
//! | to learn or change | go to |
//! |---|---|
//! | a flag: name, default, help | `cli.rs` |
//! | exit codes | `exit.rs` |
//! | what a typed line means, what is shown, help, history, login | `app/src/`, whose `lib.rs` has a table |
//! | back-pressure, and what follows each effect | `session/driver.rs` |
//! | losing, dialing and resuming a connection; PING and latency | `session/link.rs`, `session/heartbeat.rs` |
//! | what was slept through | `session/wakefulness.rs` |
//! | all other deadlines | `session/timeouts.rs`, `session/driver/deadlines.rs`, and `session/stage.rs` for what is waited for |
//! | the end: its words, its order | `session/ending.rs`, `session/shutdown.rs` |
//! | files that are sent and fetched: the disk; whose turn it is | `files/`; `session/driver/filing.rs` |
//! | passwords from files, stored logins | `session/credentials.rs` |
//! | another kind of screen | the trait in `session/screen.rs` |
//! | colours, JSON lines | `plain/render.rs`, and `name_colour.rs` for names |
//! | the row that is typed in, line by line | `plain/terminal.rs`, `plain/bottom.rs` |
//! | what keys do to a text; what is asked for meanwhile | `terminal/typing.rs`, and `app/src/input/` |
//! | keys as bytes; the modes of the terminal on every way out; Ctrl-Z | `terminal/input.rs`, `terminal/guard.rs` |
//! | what the full screen looks like; what its keys do | `tui/draw.rs`; `tui/actions.rs`, `keymap/table.rs` |
//! | the configuration file | `config/` |
//! | how a dead link is noticed | `net/keepalive.rs`, and PING in `session/heartbeat.rs` |
//! | `TZ` | `time_zone.rs` |
//! | addresses, which one is taken | `net/dial.rs` |
//! | which certificates are trusted | `net/trust.rs`, `net/verify.rs` |
//! | the words for failures of the network | `net/explain.rs` |

mod cli;
mod config;
mod encryption;
mod exit;
mod files;
mod keymap;
mod name_colour;
mod net;
mod plain;
mod session;
mod start;
mod terminal;
mod time_zone;
mod tui;

/// What the benches need of the full screen.
#[doc(hidden)]
pub mod bench {
    pub use crate::tui::bench::Screen;
}

pub use cli::{Arguments, Theme};
pub use exit::{Exit, Failure};
pub use net::Fingerprint;
pub use start::run;
