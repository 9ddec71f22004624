//! Plain mode: lines in, lines out, on a terminal or through pipes.

mod colour;
mod console;
mod interjection;
mod mask;
pub(crate) use mask::Mask;
mod modes;
pub(crate) mod pipes;
mod render;
pub(crate) mod terminal;
