//! Completion: what the word at the cursor can become, and what is known of it.
//!
//! [`crate::App::complete`] is asked with the text that is being typed; it looks into a [`Vocabulary`], the names and commands of the
//! chat at that moment.

mod argument;
mod command;
mod completion;
mod text;
mod vocabulary;

#[cfg(test)]
mod tests;

pub(crate) use completion::begins;
pub use completion::{Candidate, Completion};
pub use vocabulary::Vocabulary;
pub(crate) use vocabulary::word_before;
