//! Plain mode: lines in, lines out, on a terminal or through pipes.

mod bell;
mod bottom;
mod colour;
mod console;
mod listing;
pub(crate) mod pipes;
mod progress;
mod recall;
mod reflow;
mod render;
pub(crate) mod terminal;
mod wrapping;
