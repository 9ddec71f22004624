//! The style sheet that the HTML reports share.

/// The style sheet; a page holds it whole, so that it needs no other file.
pub const STYLE: &str = include_str!("page.css");
