//! A connection without a socket: what commands do with it is a list.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{
    AccountRef, Amendment, Hit, Hub, Identity, Incarnation, Level, LoggedIn, MemberId, Outcome,
    Proposal, Refused, Rename, RoomChange, RoomDone, RoomMember, RoomMemberView, RoomNumber,
    RoomRef, RoomView, Sanction, Sequence,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::capability::notices::NewNotice;
use chatterbox_proto::{Code, Refusal, RoomName, Username};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::chat::moderation::BeginModeration;
use crate::chat::paging::ReadableMessage;
use crate::commands::client_port::{ClientPort, PostError};
use crate::commands::moderating::ModerationPort;
use crate::commands::tests::fake_rooms::{FakeRoom, FakeRooms, party};
use crate::ops::clock::unix_now;
use crate::store::StoreError;

/// What one connection was told.
#[derive(Debug, Default)]
pub struct Told {
    pub frames: Mutex<Vec<Value>>,
    pub pushed: Notify,
}

impl Told {
    pub fn push(&self, frame: Value) -> bool {
        self.frames.lock().unwrap().push(frame);
        self.pushed.notify_one();
        true
    }
}

/// A connection whose frames are a list; who is here, a real hub knows.
#[derive(Debug)]
pub struct FakePort {
    pub told: Arc<Told>,
    pub hub: Arc<Mutex<Hub>>,
    pub rooms: Arc<Mutex<FakeRooms>>,
    pub id: MemberId,
    pub moderation: FakeModeration,
}

/// Acts of moderation on the hub, which tells nobody.
#[derive(Debug, Clone)]
pub struct FakeModeration(pub Arc<Mutex<Hub>>);

impl FakePort {
    /// Who this is for rooms, and at all.
    fn own(&self) -> (RoomMember, Identity) {
        let identity = self.identity().unwrap();
        (party(self.id, &identity), identity)
    }

    fn views(&self, is_it: impl Fn(&FakeRoom) -> bool) -> Vec<RoomView> {
        let (who, identity) = self.own();
        let rooms = self.rooms.lock().unwrap();
        rooms
            .rooms
            .iter()
            .filter(|room| is_it(room))
            .map(|room| room.view(&who, &identity))
            .collect()
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap()
    }
}

impl ClientPort for FakePort {
    fn id(&self) -> MemberId {
        self.id
    }

    fn tell(&self, members: Bytes) -> bool {
        let object = [b"{", &members[..], b"}"].concat();
        self.told.push(serde_json::from_slice(&object).unwrap())
    }

    fn tell_base(&self, text: &str) -> bool {
        self.told.push(json!({"BASE": text}))
    }

    fn tell_error(&self, text: &str) -> bool {
        self.told.push(json!({"ERROR": text}))
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn caught_up(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    fn identity(&self) -> Option<Identity> {
        self.hub().identity(self.id).cloned()
    }

    fn blocked(&self) -> Vec<Username> {
        self.hub().blocked(self.id).to_vec()
    }

    fn users(&self, limit: usize) -> Vec<Identity> {
        self.hub().users().take(limit).cloned().collect()
    }

    fn users_behind(&self, after: Option<&Username>, limit: usize) -> Vec<Identity> {
        self.hub().users_behind(after, limit)
    }

    fn are_here(&self, all: Vec<(Username, Option<i64>)>) -> Vec<bool> {
        self.hub().are_here(&all)
    }

    fn user_count(&self) -> usize {
        self.hub().members()
    }

    fn find(&self, name: &Username) -> Option<Identity> {
        self.hub().find(name).map(|(_, identity)| identity.clone())
    }

    fn logged_in(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)> {
        self.hub().logged_in(account).map(|(id, identity)| (id, identity.clone())).collect()
    }

    fn set_blocked(&self, blocked: Vec<Username>) -> BoxFuture<'_, ()> {
        self.hub().set_blocked(self.id, blocked);
        ready(()).boxed()
    }

    fn set_away<'a>(&'a self, words: Option<&'a str>) -> BoxFuture<'a, ()> {
        self.hub().set_away(self.id, words);
        ready(()).boxed()
    }

    fn amend(&self, member: MemberId, amendment: Amendment) -> BoxFuture<'_, bool> {
        let mut hub = self.hub();
        let before = hub.identity(member).map(Identity::actor);
        hub.amend(member, amendment);
        ready(hub.identity(member).map(Identity::actor) != before).boxed()
    }

    fn rename(&self, rename: Rename) -> BoxFuture<'_, Result<(), Refusal>> {
        ready(self.hub().rename(self.id, rename).map(drop)).boxed()
    }

    fn post<'a>(&'a self, to: &'a Username, text: &'a str) -> BoxFuture<'a, Result<(), PostError>> {
        let reserved = self.hub().reserve(self.id, to, text.len());
        if reserved.is_ok() {
            self.told.push(json!({"POSTED": [to.as_str(), text]}));
        }
        ready(reserved.map(drop).map_err(PostError)).boxed()
    }

    fn refuses(&self, other: &Username) -> bool {
        self.hub().filter(self.id).refused.contains(other)
    }

    fn room_named(&self, name: &RoomName) -> Option<RoomView> {
        self.room_behind(name).filter(FakeRooms::is_seen)
    }

    fn room_behind(&self, name: &RoomName) -> Option<RoomView> {
        self.views(|room| room.definition.name == *name).pop()
    }

    fn rooms_seen(&self) -> Vec<RoomView> {
        let mut seen = self.views(|_| true);
        seen.retain(FakeRooms::is_seen);
        seen
    }

    fn members_of(
        &self,
        room: RoomNumber,
        after: Option<&Username>,
        limit: usize,
    ) -> Result<Vec<RoomMemberView>, OutcomeCode> {
        let view = self.views(|one| one.definition.number == room).pop();
        if !view.ok_or(OutcomeCode::NoSuchRoom)?.is_member {
            return Err(OutcomeCode::NotAMember);
        }
        let mut rooms = self.rooms.lock().unwrap();
        let room = rooms.of(room).unwrap().clone();
        let hub = self.hub();
        let mut members: Vec<_> = room
            .members
            .iter()
            .map(|member| match member {
                RoomMember::Account(account) => RoomMemberView {
                    name: account.name.clone(),
                    online: hub.who(&account.name).is_some(),
                    level: room.level(account.id),
                },
                RoomMember::Guest(id) => RoomMemberView {
                    name: hub.name_of(*id).unwrap().clone(),
                    online: true,
                    level: Level::GUEST,
                },
            })
            .collect();
        members.sort_by(|a, b| a.name.key().cmp(b.name.key()));
        members.retain(|member| after.is_none_or(|after| member.name.key() > after.key()));
        members.truncate(limit);
        Ok(members)
    }

    fn default_room(&self) -> Option<RoomRef> {
        let (who, _) = self.own();
        let rooms = self.rooms.lock().unwrap();
        let (_, room) = rooms.defaults.iter().find(|(other, _)| *other == who)?;
        Some(room.clone())
    }

    fn change_room(&self, change: RoomChange) -> BoxFuture<'_, Result<RoomDone, OutcomeCode>> {
        let (who, identity) = self.own();
        let enters = matches!(change, RoomChange::Enter { .. } | RoomChange::Create { .. });
        let done = self.rooms.lock().unwrap().change(&who, &identity, change);
        if let (true, Ok(RoomDone { room: Some(room) })) = (enters, &done) {
            self.tell_room(room.number);
        }
        ready(done).boxed()
    }

    fn may_change_room(&self, change: &RoomChange) -> Result<(), OutcomeCode> {
        let (who, identity) = self.own();
        let mut rooms = self.rooms.lock().unwrap().clone();
        rooms.change(&who, &identity, change.clone()).map(drop)
    }

    fn tell_room(&self, room: RoomNumber) {
        self.told.push(json!({"ROOMS": [{"NUMBER": room.0}]}));
    }

    fn say_in<'a>(
        &'a self,
        room: &'a RoomRef,
        text: &'a str,
    ) -> BoxFuture<'a, Result<(), PostError>> {
        let member = room.number == RoomNumber::LOBBY
            || self.views(|one| one.definition.number == room.number)[0].is_member;
        let said = match text {
            _ if !member => Err(PostError(Code::NotAMember)),
            "slow" => Err(PostError(Code::SlowMode(7))),
            _ => {
                self.told.push(json!({"POSTED": [room.name.as_str(), text]}));
                Ok(())
            }
        };
        ready(said).boxed()
    }

    fn level_in(&self, room: RoomNumber, account: &AccountRef) -> Level {
        let mut rooms = self.rooms.lock().unwrap();
        rooms.of(room).map_or(Level::GUEST, |room| room.level(account.id))
    }

    fn excluded_as(&self, name: &Username) -> Option<Refusal> {
        self.hub().excluded_as(self.id, name, unix_now())
    }

    fn tell_report(&self, _: Option<RoomNumber>, _: &Username, _: &NewNotice<'_>) {}

    fn moderation(&self) -> &dyn ModerationPort {
        &self.moderation
    }

    fn message_of<'a>(
        &'a self,
        source: &'a Username,
        id: Sequence,
    ) -> BoxFuture<'a, Result<Option<ReadableMessage>, StoreError>> {
        // Everybody has said one thing.
        let found =
            (id == 7).then(|| ReadableMessage { text: format!("said by {source}"), room: None });
        ready(Ok(found)).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Option<Duration>> {
        let silent = self.identity().unwrap().name.as_str() == "silent";
        ready((!silent).then_some(Duration::from_micros(12_500))).boxed()
    }
}

impl FakeModeration {
    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.0.lock().unwrap()
    }
}

impl ModerationPort for FakeModeration {
    fn here(&self, name: &Username) -> Option<(MemberId, Identity)> {
        self.hub().find(name).map(|(member, identity)| (member, identity.clone()))
    }

    fn cut_off(&self, name: &Username) -> Option<MemberId> {
        self.hub().cut_off(name)
    }

    fn with_account(&self, account: &LoggedIn) -> Vec<(MemberId, Identity)> {
        self.hub().logged_in(account).map(|(id, identity)| (id, identity.clone())).collect()
    }

    fn sanctions(&self) -> Vec<Arc<Sanction>> {
        self.hub().sanctions(unix_now()).cloned().collect()
    }

    fn hits(&self, sanctions: &[Sanction]) -> Vec<Hit> {
        self.hub().hits(sanctions)
    }

    fn begin(&self) -> BeginModeration {
        let hub = Arc::clone(&self.0);
        Box::new(move |moderation, _| {
            let proposal = Proposal::Moderate(Box::new(moderation));
            let outcome = hub.lock().unwrap().step(Incarnation::default(), proposal, None).outcome;
            ready(match outcome {
                Ok(Outcome::Moderated(done)) => Ok(done),
                Err(Refused::Moderation(refusal)) => Err(refusal),
                other => panic!("{other:?}"),
            })
            .boxed()
        })
    }

    fn muted_until(&self, member: MemberId, room: Option<RoomNumber>) -> Option<Option<i64>> {
        self.hub().mute_of(member, room, unix_now()).map(|mute| mute.until)
    }

    fn ban_of(&self, member: MemberId, room: RoomNumber) -> Option<Arc<Sanction>> {
        self.hub().ban_of(member, room, unix_now()).cloned()
    }

    fn is_muted_for_flood(&self, _: MemberId) -> bool {
        false
    }

    fn pardon(&self, _: MemberId) {}

    fn announce(&self, _: Option<RoomNumber>, _: &str) {}

    fn tell_staff(&self, _: Option<RoomNumber>, _: Level, _: &NewNotice<'_>) {}

    fn tell_notice(&self, _: MemberId, _: &NewNotice<'_>) {}
}
