//! The commands of the suite, one file each.

pub(crate) mod client;
pub(crate) mod explain;
pub(crate) mod fuzz;
pub(crate) mod grade;
pub(crate) mod interrupt;
mod keylog;
pub(crate) mod load;
pub(crate) mod load_arguments;
pub(crate) mod matrix;
mod progress;
