//! The results of many submissions, and the forms in which an instructor reads them.

mod console;
mod csv;
mod page;
mod results;

pub use console::{progress, render};
pub use csv::csv;
pub use page::page;
pub use results::{Batch, Outcome, Submission};
