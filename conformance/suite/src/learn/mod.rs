//! The catalogue as a path: stages in the order in which a server or a client is written.
//!
//! Whoever begins with an empty file fails nearly every case, and a list of these failures says
//! nothing about what to do next. A [`Path`] puts the cases into an order; [`Progress`] says which
//! [`Stage`] comes next, and `screen` shows that one alone: what it asks, the frames, and the first
//! failure. The stages before it are asked again each time, so one that breaks is seen at once.
//!
//! Nothing here runs anything: results come in as [`Report`](crate::Report)s, text goes out.

mod client_path;
mod findings;
mod path;
mod progress;
mod screen;
mod server_path;
mod stage;
mod wrap;

pub use client_path::CLIENT;
pub use findings::Findings;
pub use path::Path;
pub use progress::{Progress, State};
pub use screen::{NoStart, Screen, outline};
pub use server_path::SERVER;
pub use stage::{Line, Stage};
