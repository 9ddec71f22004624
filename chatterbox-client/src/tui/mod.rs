//! The full screen.

mod actions;
pub(crate) mod bench;
mod cells;
mod completing;
mod control;
mod draw;
mod full_screen;
mod help;
mod layout;
mod links;
mod list;
mod lists;
mod mouse;
mod names;
mod notify;
mod overlays;
mod painter;
mod people;
mod popup;
mod prompt;
mod rows;
mod scene;
mod sidebar;
mod status;
mod theme;
mod timeline;
mod ui;

#[cfg(test)]
mod tests;

pub(crate) use full_screen::open;
