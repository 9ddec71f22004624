//! Rooms, as connections and commands ask for them.

use chatterbox_hub::{
    AccountRef, Conversation, Level, MemberId, RoomActor, RoomChange, RoomDone, RoomMemberView,
    RoomNumber, RoomRecord, RoomRef, RoomRefusal, RoomView, RoomWish, Sequence, Wake,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::{Code, NameKey, RoomName, Username, limits};

use crate::chat::shared::Chat;
use crate::ops::clock::unix_now;

impl Chat {
    /// Makes what is stored of rooms true, before anybody is here.
    pub fn restore_rooms(&self, records: &[RoomRecord], newest: &[(RoomNumber, Sequence)]) {
        let mut hub = self.hub();
        for record in records {
            hub.restore_room(record);
        }
        for (room, newest) in newest {
            hub.restore_newest(*room, *newest);
        }
        self.note_lobby(&hub);
    }

    /// Asks for a change of rooms, and waits until it is made.
    ///
    /// # Errors
    /// [`RoomRefusal`] says why it is not.
    pub async fn change_room(
        &self,
        by: RoomActor,
        change: RoomChange,
    ) -> Result<RoomDone, RoomRefusal> {
        self.wish(RoomWish { by, change, now: unix_now() }).await
    }

    /// Whether a change would be made now.
    ///
    /// # Errors
    /// Why not.
    pub fn may_change_room(&self, by: RoomActor, change: &RoomChange) -> Result<(), RoomRefusal> {
        let wish = RoomWish { by, change: change.clone(), now: unix_now() };
        self.judge_room(&wish, Sequence::MAX).map(drop)
    }

    /// The rooms that are there because the configuration names them.
    pub fn configured_rooms(&self) -> Vec<RoomRef> {
        self.hub().configured_rooms()
    }

    /// Makes an account a member of the rooms that every account becomes one of once (RM-16).
    pub async fn enter_auto_rooms(&self, account: AccountRef) {
        if self.hub().has_auto_rooms(account.id) {
            // Where it can't be stored, the next login tries again.
            let _ = self.change_room(RoomActor::Operator, RoomChange::EnterAuto(account)).await;
        }
    }

    /// Makes the account that a guest has now a member where the guest was one, and of the rooms that every account becomes
    /// one of once.
    pub(super) async fn adopt_rooms(&self, member: MemberId, account: AccountRef) {
        if self.hub().guest_has_rooms(member) {
            // Where it can't be stored, they stay in these rooms as the guest that they were.
            let _ = self.change_room(RoomActor::Member(member), RoomChange::Adopt).await;
        }
        self.enter_auto_rooms(account).await;
    }

    /// A room that a member may be told of; see [`chatterbox_hub::Hub::room_named`].
    pub fn room_named(&self, member: MemberId, name: &RoomName) -> Option<RoomView> {
        self.hub().room_named(member, name, unix_now())
    }

    /// A room that a member wants to join; see [`chatterbox_hub::Hub::room_to_join`].
    pub fn room_to_join(&self, member: MemberId, name: &RoomName) -> Option<RoomView> {
        self.hub().room_to_join(member, name, unix_now())
    }

    /// All rooms that a member may be told of.
    pub fn rooms_seen(&self, member: MemberId) -> Vec<RoomView> {
        self.hub().rooms_seen(member, unix_now())
    }

    /// Members of a room behind a name, by folded name.
    ///
    /// # Errors
    /// See [`chatterbox_hub::Hub::members_of`].
    pub fn members_of(
        &self,
        member: MemberId,
        room: RoomNumber,
        after: Option<&Username>,
        limit: usize,
    ) -> Result<Vec<RoomMemberView>, OutcomeCode> {
        self.hub().members_of(member, room, after, limit)
    }

    /// The room that a member has set as its default.
    pub fn default_room(&self, member: MemberId) -> Option<RoomRef> {
        self.hub().default_room(member)
    }

    /// The level of an account in a room.
    pub fn level_of_account_in(&self, room: RoomNumber, account: &AccountRef) -> Level {
        self.hub().level_of_account_in(room, account)
    }

    /// Sends a member the whole object of a room that it is in.
    pub fn tell_room(&self, member: MemberId, room: RoomNumber) {
        let mut hub = self.hub();
        let mut wakes = Vec::new();
        hub.tell_room(member, room, &mut wakes);
        self.wake(hub, wakes);
    }

    /// Which messages of a room a member may read; see [`chatterbox_hub::Hub::readable`].
    ///
    /// # Errors
    /// [`OutcomeCode`].
    pub fn readable(
        &self,
        member: MemberId,
        name: &impl NameKey,
    ) -> Result<Conversation, OutcomeCode> {
        self.hub().readable(member, name)
    }

    /// Whether everybody may come into a room and read all that it keeps; see [`chatterbox_hub::Hub::is_open_to_all`].
    pub(crate) fn is_open_to_all(&self, name: &impl NameKey) -> bool {
        self.hub().is_open_to_all(name)
    }

    /// Who has said a message that is in the timeline of a room; see [`chatterbox_hub::Hub::source_in_timeline`].
    pub(super) fn source_in_timeline(
        &self,
        member: MemberId,
        name: &impl NameKey,
        id: Sequence,
    ) -> Option<Username> {
        self.hub().source_in_timeline(member, name, id)
    }

    /// Whether a member is staff of the room that a conversation is in: it hears there who blocks it.
    pub fn is_staff_of(&self, member: MemberId, of: &Conversation) -> bool {
        match of {
            Conversation::Room { room, .. } => self.hub().is_room_staff(member, *room),
            Conversation::Public | Conversation::Between(..) => false,
        }
    }

    /// The room that a message is for, if its sender may say it there now; see [`chatterbox_hub::Hub::may_say_in`].
    ///
    /// # Errors
    /// [`Code`].
    pub fn may_say_in(
        &self,
        member: MemberId,
        name: &impl NameKey,
        content: &str,
    ) -> Result<RoomRef, Code> {
        // No room takes more; and counting is not for the lock.
        let characters = content.chars().take(1 + limits::ROOM_CONTENT_CHARS).count();
        self.hub_now().may_say_in(member, name, characters)
    }

    /// Whether a member may say something to everybody now.
    ///
    /// # Errors
    /// [`Code::ReadOnly`] or [`Code::SlowMode`].
    pub fn may_say_to_all(&self, member: MemberId) -> Result<(), Code> {
        if self.is_lobby_open() { Ok(()) } else { self.hub_now().may_say_to_all(member) }
    }

    /// Tells how many are in rooms whose members are not listed, where that has changed (RM-10).
    pub fn tell_counts(&self) {
        let mut hub = self.hub_now();
        let wakes: Vec<Wake> = hub.tell_counts();
        self.wake(hub, wakes);
    }
}
