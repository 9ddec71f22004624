//! Plain mode: lines in, lines out, on a terminal or through pipes.

mod colour;
mod mask;
pub(crate) mod pipes;
pub(crate) mod render;
pub(crate) mod terminal;
