//! What is typed, before it is a line: the composer of every interface on a terminal.

mod composer;
mod drawn_row;
mod paste;
mod recall;
mod veil;

#[cfg(test)]
mod tests;

pub use composer::{Composer, Draft, Edit, Entered, TEXT};
pub use paste::PasteGuard;
pub use veil::Mask;
