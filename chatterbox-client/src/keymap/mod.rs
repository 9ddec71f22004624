//! Keys, and what they do.

mod bindings;
mod chord;
mod page;
mod table;

pub(crate) use bindings::{Keymap, Meaning, Mistake};
pub(crate) use page::page;
pub(crate) use table::{Action, BY_NUMBER, Row, Scope, TABLE, row_of};
