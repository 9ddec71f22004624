//! For the tests of a program: whether its completions and pages tell all of its command line, and are taken by what
//! reads them.

mod flags;
mod readers;

pub use flags::unnamed;
pub use readers::{complaints, offered};
