//! The client under judgement, and whoever operates it: a keyboard, a pipe, an adapter or a person.

mod action;
pub mod adapter;
mod means;
mod operate;
pub mod person;
pub mod process;

pub use action::Action;
pub use means::Means;
pub use operate::{Operator, Place};
