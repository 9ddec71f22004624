//! Rooms without a hub: what is so when a wish is made, and what stands in the way of one.
//!
//! Levels are none of these things here: whoever may not do something has to be stopped before.

use std::sync::Arc;

use chatterbox_hub::{
    AccountRef, Identity, Level, MemberId, RoomChange, RoomDefinition, RoomDone, RoomMember,
    RoomNumber, RoomRef, RoomSettings, RoomView,
};
use chatterbox_proto::RoomName;
use chatterbox_proto::capability::commands::OutcomeCode;

/// One room.
#[derive(Debug, Clone, PartialEq)]
pub struct FakeRoom {
    pub definition: RoomDefinition,
    pub members: Vec<RoomMember>,
    pub levels: Vec<(i64, Level)>,
    pub invited: Vec<RoomMember>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FakeRooms {
    pub rooms: Vec<FakeRoom>,
    /// Kept when the room goes: a hub may change between two questions.
    pub defaults: Vec<(RoomMember, RoomRef)>,
    /// What was changed of the lobby.
    pub lobby: Vec<String>,
    /// Why and from where somebody was removed.
    pub removed: Vec<(RoomMember, String)>,
    next: u64,
    /// What the next wish is refused with.
    pub refuses: Option<OutcomeCode>,
}

/// Who somebody is, for rooms.
pub fn party(id: MemberId, identity: &Identity) -> RoomMember {
    let account = identity.login.as_ref().map(|login| RoomMember::Account(AccountRef::from(login)));
    account.unwrap_or(RoomMember::Guest(id))
}

fn is_same(one: &RoomMember, other: &RoomMember) -> bool {
    match (one, other) {
        (RoomMember::Account(one), RoomMember::Account(other)) => one.id == other.id,
        _ => one == other,
    }
}

fn has(list: &[RoomMember], who: &RoomMember) -> bool {
    list.iter().any(|other| is_same(other, who))
}

impl FakeRoom {
    /// The room's own level of an account.
    pub fn level(&self, account: i64) -> Level {
        if self.definition.owner.as_ref().is_some_and(|owner| owner.id == account) {
            return Level::OPERATOR;
        }
        let found = self.levels.iter().find(|(other, _)| *other == account);
        found.map_or(Level::GUEST, |(_, level)| *level)
    }

    pub fn view(&self, who: &RoomMember, identity: &Identity) -> RoomView {
        let own = match who {
            RoomMember::Account(account) => self.level(account.id),
            RoomMember::Guest(_) => Level::GUEST,
        };
        RoomView {
            definition: Arc::new(self.definition.clone()),
            count: self.members.len(),
            is_member: has(&self.members, who),
            level: own.max(identity.actor().level),
            is_invited: has(&self.invited, who),
        }
    }
}

impl FakeRooms {
    pub fn of_name(&self, name: &RoomName) -> Option<&FakeRoom> {
        self.rooms.iter().find(|room| room.definition.name == *name)
    }

    pub fn of(&mut self, number: RoomNumber) -> Option<&mut FakeRoom> {
        self.rooms.iter_mut().find(|room| room.definition.number == number)
    }

    /// Whether somebody may know of a room (RM-12).
    pub fn is_seen(room: &RoomView) -> bool {
        let secret = room.definition.settings.hidden;
        !secret || room.is_member || room.is_invited || room.level == Level::ADMIN
    }

    pub fn add(&mut self, name: &RoomName, owner: Option<AccountRef>) -> RoomRef {
        self.next += 1;
        let number = RoomNumber(self.next);
        self.rooms.push(FakeRoom {
            definition: RoomDefinition {
                number,
                name: name.clone(),
                owner: owner.clone(),
                settings: RoomSettings::default(),
                configured: false,
                auto: false,
                floor: 0,
            },
            members: owner.map(RoomMember::Account).into_iter().collect(),
            levels: Vec::new(),
            invited: Vec::new(),
        });
        RoomRef { number, name: name.clone() }
    }

    pub fn change(
        &mut self,
        who: &RoomMember,
        identity: &Identity,
        change: RoomChange,
    ) -> Result<RoomDone, OutcomeCode> {
        if let Some(code) = self.refuses.take() {
            return Err(code);
        }
        let number = match change {
            RoomChange::Create { name, password } => {
                if self.of_name(&name).is_some() {
                    return Err(OutcomeCode::Taken);
                }
                let RoomMember::Account(owner) = who else { return Err(OutcomeCode::Forbidden) };
                let room = self.add(&name, Some(owner.clone()));
                let made = self.of(room.number).unwrap();
                made.definition.settings.password = password;
                return Ok(RoomDone { room: Some(room) });
            }
            RoomChange::SetDefault(room) => {
                self.defaults.retain(|(other, _)| !is_same(other, who));
                let room = room.map(|room| self.of(room).unwrap().definition.to_ref());
                self.defaults.extend(room.map(|room| (who.clone(), room)));
                return Ok(RoomDone { room: None });
            }
            RoomChange::Delete(number) => {
                self.rooms.retain(|room| room.definition.number != number);
                return Ok(RoomDone { room: None });
            }
            RoomChange::Set(RoomNumber::LOBBY, setting) => {
                self.lobby.push(format!("{setting:?}"));
                return Ok(RoomDone { room: None });
            }
            RoomChange::Clear(RoomNumber::LOBBY) => {
                self.lobby.push("Clear".to_owned());
                return Ok(RoomDone { room: None });
            }
            RoomChange::Enter { room, .. }
            | RoomChange::Leave(room)
            | RoomChange::Set(room, _)
            | RoomChange::Invite(room, _)
            | RoomChange::Uninvite(room, _)
            | RoomChange::Clear(room)
            | RoomChange::SetLevel(room, ..)
            | RoomChange::Remove { room, .. } => room,
            RoomChange::Configure(_)
            | RoomChange::EnterAuto(_)
            | RoomChange::Release(_)
            | RoomChange::Adopt => {
                return Err(OutcomeCode::Forbidden);
            }
        };
        let mut removed = None;
        let room = self.of(number).ok_or(OutcomeCode::NoSuchRoom)?;
        match change {
            RoomChange::Enter { shown, .. } => room.enter(who, identity, shown.as_ref())?,
            RoomChange::Leave(_) => room.members.retain(|other| !is_same(other, who)),
            RoomChange::Set(_, setting) => setting.apply(&mut room.definition.settings),
            RoomChange::Invite(_, invitee) => {
                if has(&room.members, &invitee) || has(&room.invited, &invitee) {
                    return Err(OutcomeCode::Already);
                }
                if room.invited.len() >= 20 {
                    return Err(OutcomeCode::TooMany);
                }
                room.invited.push(invitee);
            }
            RoomChange::Uninvite(_, invitee) => {
                if !has(&room.invited, &invitee) {
                    return Err(OutcomeCode::NoSuchUser);
                }
                room.invited.retain(|other| !is_same(other, &invitee));
            }
            RoomChange::Clear(_) => room.definition.floor = 99,
            RoomChange::SetLevel(_, account, level) => {
                room.levels.retain(|(other, _)| *other != account.id);
                room.levels.push((account.id, level));
            }
            RoomChange::Remove { who: target, reason, .. } => {
                if !has(&room.members, &target) {
                    return Err(OutcomeCode::NotAMember);
                }
                room.members.retain(|other| !is_same(other, &target));
                removed = Some((target, reason));
            }
            _ => {}
        }
        let room = Some(room.definition.to_ref());
        self.removed.extend(removed);
        Ok(RoomDone { room })
    }
}

impl FakeRoom {
    fn enter(
        &mut self,
        who: &RoomMember,
        identity: &Identity,
        shown: Option<&Arc<str>>,
    ) -> Result<(), OutcomeCode> {
        let view = self.view(who, identity);
        if view.is_member {
            return Err(OutcomeCode::Already);
        }
        let settings = &self.definition.settings;
        let is_trusted = view.is_invited || view.level >= Level::OPERATOR;
        if !is_trusted && settings.closed {
            return Err(OutcomeCode::Closed);
        }
        if !is_trusted && settings.password.is_some() && settings.password.as_ref() != shown {
            return Err(OutcomeCode::WrongPassword);
        }
        if settings.limit > 0 && self.members.len() >= settings.limit as usize {
            return Err(OutcomeCode::Full);
        }
        self.invited.retain(|other| !is_same(other, who));
        self.members.push(who.clone());
        Ok(())
    }
}
