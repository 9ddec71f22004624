//! The full screen.

mod actions;
mod completing;
mod control;
mod draw;
mod full_screen;
mod links;
mod lists;
mod mouse;
mod notify;
mod overlays;
mod painter;
mod theme;
mod timeline;
mod ui;

pub(crate) use full_screen::open;
