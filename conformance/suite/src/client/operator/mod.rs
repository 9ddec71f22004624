//! Drives the client under judgement: by a terminal, by pipes, by an adapter or by a person.

mod action;
pub mod adapter;
mod means;
mod operate;
pub mod person;
pub mod process;

pub use action::Action;
pub use means::Means;
pub use operate::{Operator, Place};
