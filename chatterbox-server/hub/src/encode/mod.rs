//! How events become frames.

pub(crate) mod batch;
pub(crate) mod room_object;
pub(crate) mod view;
pub(crate) mod welcome;
