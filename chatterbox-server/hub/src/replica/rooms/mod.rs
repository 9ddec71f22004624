//! Rooms beside the lobby: what they are, who is a member, who may do what there.
//!
//! A *wish* is judged and becomes *records*, which are stored, applied, and told. The table holds what is so.

mod admission;
mod adopting;
pub(crate) mod definition;
pub(crate) mod departures;
mod facts;
pub(crate) mod judge;
pub(crate) mod record;
pub(crate) mod room;
mod settings;
mod step;
pub(crate) mod table;
pub(crate) mod told;
pub(crate) mod wish;
