//! The results of a run, and every format in which they are written.

pub mod badge;
pub mod batch;
pub mod classroom;
pub mod compare;
pub mod console;
mod destination;
pub mod exception;
pub mod expect;
pub mod format;
pub mod gradescope;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod points;
pub mod repeat;
mod results;
pub mod sequence;
pub mod tap;
mod trouble;
pub mod write;

pub use results::{CaseResult, Header, ONLY, Report, Totals};
pub use trouble::Trouble;
