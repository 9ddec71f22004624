//! What an act of moderation needs of the chat.

use std::fmt::Debug;
use std::sync::Arc;

use chatterbox_hub::{Hit, Identity, Level, LoggedIn, MemberId, RoomNumber, Sanction};
use chatterbox_proto::Username;
use chatterbox_proto::capability::notices::NewNotice;

use crate::chat::moderation::BeginModeration;
use crate::chat::shared::Chat;

/// The port between acts of moderation and the chat; tests have an adapter of their own.
pub trait ModerationPort: Send + Sync + Debug {
    /// Who is here under a name.
    fn here(&self, name: &Username) -> Option<(MemberId, Identity)>;

    /// The newest connection of a guest of this name who was cut off, and may come back to their session.
    fn cut_off(&self, name: &Username) -> Option<MemberId>;

    /// The members that are logged in with an account, under whatever names.
    fn with_account(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)>;

    /// The sanctions that hold now, in the order in which they were imposed.
    fn sanctions(&self) -> Vec<Arc<Sanction>>;

    /// The connections that sanctions would be on.
    fn hits(&self, sanctions: &[Sanction]) -> Vec<Hit>;

    /// What begins an act from another thread.
    fn begin(&self) -> BeginModeration;

    /// Until when a member may not write to all, or in a room, if they are muted, by whomever.
    fn muted_until(&self, member: MemberId, room: Option<RoomNumber>) -> Option<Option<i64>>;

    /// The ban that keeps a member from a room, if there is one.
    fn ban_of(&self, member: MemberId, room: RoomNumber) -> Option<Arc<Sanction>>;

    /// Whether flood control has muted a member (FL-2).
    fn is_muted_for_flood(&self, member: MemberId) -> bool;

    /// Ends the mute that flood control has imposed on a member.
    fn pardon(&self, member: MemberId);

    /// Says something in the name of the server, to all or in a room (MO-9).
    fn announce(&self, room: Option<RoomNumber>, text: &str);

    /// Tells those who have a level on the server, or in a room, and agreed to notices.
    fn tell_staff(&self, room: Option<RoomNumber>, level: Level, notice: &NewNotice<'_>);

    /// Tells a member something that concerns only them (NO-2).
    fn tell_notice(&self, member: MemberId, notice: &NewNotice<'_>);
}

impl ModerationPort for Chat {
    fn here(&self, name: &Username) -> Option<(MemberId, Identity)> {
        self.here(name)
    }

    fn cut_off(&self, name: &Username) -> Option<MemberId> {
        self.cut_off(name)
    }

    fn with_account(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)> {
        self.logged_in(account)
    }

    fn sanctions(&self) -> Vec<Arc<Sanction>> {
        self.sanctions()
    }

    fn hits(&self, sanctions: &[Sanction]) -> Vec<Hit> {
        self.hits(sanctions)
    }

    fn begin(&self) -> BeginModeration {
        self.begin_moderation()
    }

    fn muted_until(&self, member: MemberId, room: Option<RoomNumber>) -> Option<Option<i64>> {
        self.muted_until(member, room)
    }

    fn ban_of(&self, member: MemberId, room: RoomNumber) -> Option<Arc<Sanction>> {
        self.ban_of(member, room)
    }

    fn is_muted_for_flood(&self, member: MemberId) -> bool {
        self.is_muted_for_flood(member)
    }

    fn pardon(&self, member: MemberId) {
        self.pardon(member);
    }

    fn announce(&self, room: Option<RoomNumber>, text: &str) {
        self.announce_in(room, text);
    }

    fn tell_staff(&self, room: Option<RoomNumber>, level: Level, notice: &NewNotice<'_>) {
        self.tell_staff(room, level, notice);
    }

    fn tell_notice(&self, member: MemberId, notice: &NewNotice<'_>) {
        self.tell_notice(member, notice);
    }
}
