//! Rooms beside the lobby: what they are, who is a member, who may do what there.

pub(crate) mod definition;
pub(crate) mod record;
pub(crate) mod wish;
