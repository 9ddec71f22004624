//! The model: what a screen shows of the chat, as a fold over the outputs.
//!
//! ```text
//! Output -> Model::apply -> conversations: timeline, unread, mentions, marker
//! Intent -> App::intend  -> which conversation is in front, and whether its end is seen
//! ```
//!
//! It reads no clock, does no I/O and knows no screen. Everything in it is bounded ([`Limits`]) and safe to show.
//!
//! | to learn or change | go to |
//! |---|---|
//! | what an output changes | `apply.rs` |
//! | what is in front; delivery of own messages; rooms that are cleared, renamed or left | `state.rs`, `sent.rs` |
//! | order and bounds of the conversations | `list.rs`, `limits.rs` |
//! | unread, marker, pages of older messages | `conversation.rs` |
//! | where a message stands; holes; what is there already | `timeline.rs` |
//! | what an item is | `item.rs`, `moves.rs` |
//! | what of which conversation is told | `attention.rs`, `alert.rs` |
//! | mentions, search, links, the next unread one | `mention.rs`, `mentioned.rs`, `query.rs`, `links.rs` |

mod alert;
mod apply;
mod attention;
mod conversation;
mod item;
mod limits;
mod links;
mod list;
mod mention;
mod mentioned;
mod moves;
mod query;
mod sent;
mod state;
mod timeline;

pub use self::alert::Alert;
pub use self::attention::Attention;
pub use self::conversation::{Conversation, Older};
pub use self::item::{Body, Delivery, Hole, Item, Key, NoticeKind, Speech};
pub use self::limits::Limits;
pub use self::links::links;
pub use self::mention::mentions;
pub use self::mentioned::Mention;
pub use self::moves::Moves;
pub use self::query::{Found, Totals};
pub use self::state::Model;
pub use self::timeline::Timeline;
