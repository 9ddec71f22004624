//! What a room consists of: the timeline of its newest events, and the history for those who join.

pub(crate) mod beside;
pub(crate) mod cut;
pub(crate) mod cut_part;
pub(crate) mod history;
pub(crate) mod limits;
pub(crate) mod mailboxes;
pub(crate) mod memberships;
pub(crate) mod meta_list;
pub(crate) mod reader;
pub(crate) mod ring_budget;
pub(crate) mod segment;
pub(crate) mod shares;
pub(crate) mod sources;
pub(crate) mod stamp;
pub(crate) mod timeline;
