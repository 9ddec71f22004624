//! The chat as one pure state machine: who is here, what happened, and how much of it each member has been sent.
//!
//! Nothing in here waits, reads a clock or touches a socket, and the package depends on nothing that could. A server holds
//! a [`Hub`] behind one lock, calls it, and does what the returned [`Wake`] says.
//!
//! # One order for all
//! Everything that concerns the members of a room is pushed onto its timeline; what concerns one member alone waits in a
//! small queue of its own. One clock stamps all of it. A member is one [`Stamp`], its cursor, in however many rooms it is:
//! [`Hub::take`] hands out the next run, the longest piece of one room in which nothing else of this member's happened. So
//! everybody is told the same story in the same order, members at the same place of a room share the encoded frames, and a
//! slow consumer costs a cursor, not a copy.
//!
//! Everybody is in the lobby. Other rooms are opened, entered and left by [`Hub::open_room`], [`Hub::enter`] and [`Hub::exit`];
//! no frame of the protocol does so yet.
//!
//! # The way in
//! What changes the chat is a [`Proposal`], in a [`Group`] that was decided: [`Hub::begin`], and [`Hub::step`] for each of them. It is
//! accepted or refused by a state that all nodes of a chat have in common, and knows nothing of this one; what follows from it
//! is told to the members of this node. Members who read, what waits for them and who is too slow are of this node alone.
//!
//! # Who is here
//! [`Identity`] says who a member is, base clients included. The presence keeps all identities with an index on the block
//! lists; a change concerns the pairs of members that a list connects, never everybody.

mod addressing;
mod asked_marks;
mod block_lists;
mod budget;
mod census;
mod conversation;
mod delivery;
mod digest;
mod durable;
mod elsewhere;
mod encode;
mod entering;
mod event;
mod eviction;
mod file_access;
mod filing;
pub mod format;
mod format_level;
mod freezing;
mod greeting;
pub mod guard;
mod happened;
mod hub;
mod identity;
mod ids;
mod known_accounts;
mod level;
mod mail_desk;
mod mark;
mod mark_desk;
mod marks_of_welcome;
mod member;
mod membership;
mod mentions;
mod moderating;
mod moderation_telling;
mod over_budget;
mod own_device;
mod own_queue;
mod permission;
mod plain;
mod presence_desk;
mod presence_telling;
mod read_marks;
mod reading;
mod record;
mod record_meta;
mod removal;
#[deny(clippy::iter_over_hash_type)]
mod replica;
mod room;
mod room_access;
mod room_desk;
mod room_object;
mod room_resuming;
mod room_telling;
mod rooms;
mod run_budget;
mod runs;
mod sanction;
mod sealed_for;
mod serving;
mod sorted;
mod speaker;
mod stepping;
mod storing;
mod telling;
mod track;
mod unread;
mod waiting_mail;
mod wake;
mod who_is_here;

pub use block_lists::{BlockFilter, BlockLists};
pub use budget::WAITING;
pub use census::RoomCount;
pub use conversation::Conversation;
pub use delivery::Delivery;
pub use durable::Durable;
pub use encode::batch::Batch;
pub use encode::view::View;
pub use encode::welcome::{Assembly, Welcome};
pub use event::Event;
pub use eviction::{Laggards, MOVING};
pub use file_access::{Announcement, FileScope, NoScope};
pub use filing::{Filing, Party, Sender};
pub use freezing::StateCopy;
pub use greeting::{Greeting, JoinReply, Secrets};
pub use hub::Hub;
pub use identity::{AccountKey, Actor, Identity, LoggedIn};
pub use ids::{MemberId, RoomId, RoomNumber, SessionId, SessionKey, SessionProof, Verifier};
pub use level::Level;
pub use mark::{Marked, ReadMark, StoredMark};
pub use membership::{JoinError, JoinRequest, Resuming};
pub use mentions::Mention;
pub use own_device::OwnDevice;
pub use permission::{Denied, Permission, Target, authorise};
pub use read_marks::ReadIn;
pub use record::{Record, RoomRef, Sequence, To};
pub use record_meta::RecordMeta;
pub use removal::Removal;
pub use replica::effect::Refused;
pub use replica::ended_logins::{AccountChange, AccountChangeKind};
pub use replica::moderation_act::{
    Hit, Moderation, ModerationAct, ModerationDone, ModerationRefusal, Whom,
};
pub use replica::nodes::NodeUp;
pub use replica::proposal::{
    Amendment, Group, Incarnation, Join, Login, Old, Proposal, Rename, Resume, Say, Tick, Up,
};
pub use replica::rooms::definition::{
    AccountRef, RoomDefinition, RoomKeep, RoomMember, RoomSettings, RoomShow,
};
pub use replica::rooms::judge::Judged;
pub use replica::rooms::record::RoomRecord;
pub use replica::rooms::wish::{
    ConfiguredRoom, RoomActor, RoomChange, RoomDone, RoomMemberView, RoomRefusal, RoomSetting,
    RoomView, RoomWish,
};
pub use replica::store_command::StoreCommand;
pub use replica::tell::{Audience, Tell};
pub use room::limits::{Keep, TimelineLimits};
pub use room::mailboxes::{Kept, Mailboxes};
pub use room::shares::Shares;
pub use room::stamp::Stamp;
pub use room::timeline::Lag;
pub use sanction::{Network, Sanction, SanctionId, SanctionKind, SanctionSubject};
pub use speaker::Speaker;
pub use stepping::{Applied, Outcome};
pub use track::Happened;
pub use unread::COUNTED_IN_ROOMS;
pub use waiting_mail::{Reserved, WAITING_MAIL, WAITING_MAIL_OF_ONE};
pub use wake::Wake;
