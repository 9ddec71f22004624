//! How events become frames.

pub(crate) mod batch;
pub(crate) mod view;
pub(crate) mod welcome;
