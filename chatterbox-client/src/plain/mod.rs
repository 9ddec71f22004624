//! Plain mode: lines in, lines out, on a terminal or through pipes.

mod colour;
mod console;
mod interjection;
mod mask;
mod modes;
pub(crate) mod pipes;
mod render;
pub(crate) mod terminal;
