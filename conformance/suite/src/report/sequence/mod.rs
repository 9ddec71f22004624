//! The sequence diagram of one case: a lane for each connection and one for the subject, time
//! downwards, frames as arrows, and dashed what was waited for and never came.
//!
//! [`diagram`](diagram::diagram) makes the model of a result; `stream` splits what was read and written into frames
//! for it, `fold` leaves out what does not matter, [`svg`] and [`text`] draw it.

mod derive;
pub mod diagram;
mod elide;
mod fold;
mod stream;
pub mod svg;
pub mod text;

pub use diagram::{Diagram, Frame, Lane, Step, What, diagram, subject};
