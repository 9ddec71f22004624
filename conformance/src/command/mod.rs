//! The commands of the suite, one file each.

mod again;
mod authorities;
pub(crate) mod batch;
pub(crate) mod chaos;
pub(crate) mod client;
pub(crate) mod compare;
pub(crate) mod explain;
pub(crate) mod fuzz;
pub(crate) mod grade;
pub(crate) mod grading;
pub(crate) mod interrupt;
mod keylog;
pub(crate) mod learn;
pub(crate) mod load;
mod load_arguments;
mod load_common;
mod load_soak;
pub(crate) mod manual;
pub(crate) mod matrix;
mod operation;
mod progress;
pub(crate) mod say;
pub(crate) mod shared;
