//! How events become frames.

pub(crate) mod batch;
mod compressed;
mod pieces;
pub(crate) mod view;
pub(crate) mod welcome;
