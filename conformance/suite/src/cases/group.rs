//! A group of cases.

use crate::case::Case;

/// The id of a group, its title, and its cases in the order in which reports show them.
pub type Group<J> = (&'static str, &'static str, &'static [Case<J>]);
