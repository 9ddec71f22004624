//! The chat as one pure state machine: members and their names, the history, and the delivery of events to every
//! member.

mod conversation;
mod delivery;
mod encode;
mod event;
mod eviction;
pub mod guard;
mod hub;
mod identity;
mod ids;
mod level;
mod member;
mod membership;
mod record;
mod removal;
mod room;
mod roster;
mod sessions;
mod wake;

pub use conversation::Conversation;
pub use delivery::Delivery;
pub use encode::batch::Batch;
pub use encode::view::View;
pub use encode::welcome::unescaped;
pub use event::Event;
pub use eviction::{Laggards, MOVING};
pub use hub::Hub;
pub use identity::{AccountKey, LoggedIn};
pub use ids::{MemberId, SessionId, SessionKey};
pub use level::Level;
pub use member::IgnoreFilter;
pub use membership::{JoinError, JoinReply, JoinRequest, Resuming};
pub use record::{Record, Sequence};
pub use removal::Removal;
pub use room::limits::{Keep, TimelineLimits};
pub use room::timeline::Lag;
pub use wake::Wake;
