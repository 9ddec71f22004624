//! A soak: one server for hours, lap after lap. Each lap is a run with users of its own, whose evidence is judged and forgotten, so that
//! the hours take no memory of the judge's; the server is the same, and what it has told in one lap it has to tell in the next one still.

mod laps;
mod looks;
mod markdown;
mod memory;
mod plan;
mod report;
mod rows;
mod server;

pub use laps::{Told, soak};
pub use markdown::markdown;
pub use memory::{Growth, Life, MemoryRules, MemoryVerdict};
pub use plan::Soak;
pub use report::{Lap, SoakReport};
pub use rows::{DISTURBANCES, Disturbance, ROWS, disturbance, row};
pub use server::{OneServer, OneServerError, Prepared};
