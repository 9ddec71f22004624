//! The chat itself, as one pure state machine: who is here, what happened, who has seen how much of it.

mod block_index;
mod conversation;
mod encode;
mod event;
pub mod guard;
mod hub;
mod identity;
mod ids;
mod ignore;
mod level;
mod member;
mod membership;
mod permission;
mod presence;
mod record;
mod room;
mod roster;
mod sessions;
mod wake;

pub use conversation::{Conversation, key};
pub use encode::batch::Batch;
pub use encode::view::View;
pub use encode::welcome::shown;
pub use event::Event;
pub use hub::{Delivery, Hub, Laggards, MOVING};
pub use identity::{AccountKey, Actor, Identity, LoggedIn};
pub use ids::{MemberId, SessionId, SessionKey};
pub use ignore::{BlockLists, IgnoreFilter};
pub use level::Level;
pub use membership::{JoinError, JoinReply, JoinRequest, Rename, Resuming};
pub use permission::{Denied, Permission, Target, authorise};
pub use record::{Record, Sequence};
pub use room::limits::{Keep, TimelineLimits};
pub use room::timeline::Lag;
pub use wake::Wake;
