//! Manual pages and completions for shells, made of the definition of a command line, so that they tell what the
//! program takes, and nothing else. Server and client have the same flags for them ([`ManualArguments`]).
//!
//! They are flags and no subcommands: the first word of the client's command line is a host, whatever its name.

mod arguments;
#[doc(hidden)]
pub mod check;
mod completions;
mod pages;

pub use arguments::{ManualArguments, ManualError};
pub use completions::completions;
pub use pages::{Page, pages};
