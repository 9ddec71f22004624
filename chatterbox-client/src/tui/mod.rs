//! The full screen.

mod cells;
mod draw;
mod help;
mod layout;
mod list;
mod names;
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
