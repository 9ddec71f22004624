//! What is typed, before it is a line: the composer of every interface on a terminal.

mod composer;

pub use composer::{Composer, Edit, Entered};
