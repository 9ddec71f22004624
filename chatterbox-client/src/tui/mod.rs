//! The full screen.

mod draw;
mod theme;
mod ui;
