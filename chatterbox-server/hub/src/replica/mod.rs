//! The replicated state: what all nodes of a chat have the same copy of, because each applies the same proposals in the same
//! order.
//!
//! Who is here, under which name, whom each blocks, sessions with their idempotency keys, names of a moment ago, logins that
//! were ended, and the nodes themselves. [`Replica::step`](state::Replica::step) is the only way to change it. It accepts or
//! refuses a proposal by what the proposal says and by what was accepted before, and by nothing else: it asks no clock, no
//! random number, no setting of this node, and never walks over a hash map in the order of its memory. What follows from it
//! for the members of this node is an [`Effect`](effect::Effect), which the hub carries out.

mod amending;
pub(crate) mod block_index;
pub(crate) mod effect;
pub(crate) mod ended_logins;
mod fellow;
pub(crate) mod frozen;
pub(crate) mod look_counts;
pub(crate) mod moderation;
pub(crate) mod moderation_act;
pub(crate) mod nodes;
mod old;
pub(crate) mod presence;
pub(crate) mod proposal;
mod recent_renames;
pub(crate) mod rooms;
pub(crate) mod roster;
pub(crate) mod sanctions;
mod saying;
pub(crate) mod sessions;
pub(crate) mod state;
pub(crate) mod store_command;
pub(crate) mod tell;
mod user_list;

#[cfg(test)]
mod tests;
