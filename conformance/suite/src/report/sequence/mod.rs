//! The sequence diagram of one case: a lane for each connection and one for the subject, time
//! downwards, frames as arrows, and dashed what was waited for and never came.
//!
//! [`diagram`] makes the [`Diagram`] of a result: `stream` splits what was read and written into frames, `derive`
//! adds what was expected, `fold` leaves out what does not matter. [`svg`] and [`text`] draw it.

mod build;
mod derive;
mod elide;
mod fold;
mod model;
mod stream;
pub mod svg;
pub mod text;

pub use build::{diagram, subject};
pub use model::{Diagram, Frame, Lane, Step, What};
