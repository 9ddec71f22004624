//! What becomes of a wish: the facts that follow from it, or why none do.
//!
//! Nothing is changed here. Whoever stores facts asks first, stores them, and has them applied; since nothing comes between,
//! the answer is the same when the wish comes round.

use chatterbox_proto::{RoomName, limits};

use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomDefinition, RoomMember, RoomSettings};
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::{Room, Who};
use crate::replica::rooms::wish::{
    ConfiguredRoom, RoomActor, RoomChange, RoomDone, RoomRefusal, RoomWish,
};
use crate::replica::state::Replica;

/// Rooms of one server.
const ROOMS: usize = 1000;
/// Rooms that one account owns.
const OWNED: usize = 20;
/// Members of one room.
const MEMBERS: usize = 5000;
/// Invitations of one room that count.
const INVITATIONS: usize = 20;
/// How long an invitation counts, in seconds.
const INVITED_FOR: i64 = 7 * 24 * 60 * 60;

/// The facts that follow from a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// For whoever wished it.
    pub done: RoomDone,
    /// What is so then; nothing where it is so already.
    pub records: Vec<RoomRecord>,
}

/// Somebody who wishes something, as rooms see them.
pub(super) struct Wisher {
    /// Under which name they are a member; nobody is the operator.
    pub(super) member: Option<RoomMember>,
    /// The level on the server.
    level: Level,
    /// Under which name others hear of them.
    pub(super) name: String,
}

impl Wisher {
    pub(super) fn level_in(&self, room: &Room) -> Level {
        match &self.member {
            Some(RoomMember::Account(account)) => self.level.max(room.level_of(account.id)),
            _ => self.level,
        }
    }

    fn is_in(&self, room: &Room) -> bool {
        self.member.as_ref().is_some_and(|member| room.has(member.into()))
    }

    fn account(&self) -> Result<&AccountRef, RoomRefusal> {
        match &self.member {
            Some(RoomMember::Account(account)) => Ok(account),
            _ => Err(RoomRefusal::Forbidden),
        }
    }

    fn needs(&self, level: Level, has: Level) -> Result<(), RoomRefusal> {
        if has >= level { Ok(()) } else { Err(RoomRefusal::Forbidden) }
    }
}

impl Replica {
    /// Says what follows from a wish, which has this number of the log.
    ///
    /// # Errors
    /// [`RoomRefusal`] says why nothing does.
    pub(crate) fn judge_wish(
        &self,
        wish: &RoomWish,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        let by = self.wisher(wish.by)?;
        match &wish.change {
            RoomChange::Create { name, password } => {
                self.create(&by, name, password.clone(), number)
            }
            RoomChange::Enter { room, shown } => {
                self.enter(&by, *room, shown.as_deref(), number, wish.now)
            }
            RoomChange::Leave(room) => self.leave_room(&by, *room),
            RoomChange::Delete(room) => {
                let room = self.room(*room)?;
                by.needs(Level::OPERATOR, by.level_in(room))?;
                if room.definition.configured {
                    return Err(RoomRefusal::Configured);
                }
                Ok(judged(room, vec![RoomRecord::Deleted(room.definition.number)]))
            }
            RoomChange::Set(room, setting) => self.set(&by, *room, setting),
            RoomChange::Invite(room, who) => self.invite(&by, *room, who, wish.now),
            RoomChange::Uninvite(room, who) => {
                let room = self.room(*room)?;
                self.may_invite(&by, room)?;
                if room.invitation(who.into(), wish.now).is_none() {
                    return Err(RoomRefusal::NoSuchUser);
                }
                let number = room.definition.number;
                Ok(judged(room, vec![RoomRecord::Uninvited { room: number, who: who.clone() }]))
            }
            RoomChange::Clear(room) => self.clear(&by, *room, number),
            RoomChange::SetLevel(room, account, level) => {
                self.set_level(&by, *room, account, *level)
            }
            RoomChange::SetDefault(room) => self.set_default(&by, *room),
            RoomChange::Remove { room, who, .. } => self.remove_from(&by, *room, who),
            RoomChange::Configure(room) => self.configure(&by, room, number),
            RoomChange::Release(room) => {
                by.is_operator()?;
                let room = self.room(*room)?;
                let mut definition = (*room.definition).clone();
                (definition.configured, definition.auto) = (false, false);
                Ok(judged(room, vec![RoomRecord::Defined(Box::new(definition))]))
            }
            RoomChange::EnterAuto(account) => {
                by.is_operator()?;
                Ok(self.enter_auto(account, number))
            }
            RoomChange::Adopt => self.adopt(&by, wish.by, number),
        }
    }

    /// Who wishes something.
    pub(super) fn wisher(&self, by: RoomActor) -> Result<Wisher, RoomRefusal> {
        let RoomActor::Member(id) = by else {
            return Ok(Wisher { member: None, level: Level::ADMIN, name: String::new() });
        };
        let identity = self.presence().identity(id).ok_or(RoomRefusal::Failed)?;
        let actor = identity.actor();
        let level = if actor.registered { actor.level } else { Level::GUEST };
        let name = identity.name.as_str().to_owned();
        Ok(Wisher { member: self.room_member(id), level, name })
    }

    /// As whom a member of the chat is a member of rooms (RM-2).
    pub(crate) fn room_member(&self, id: MemberId) -> Option<RoomMember> {
        let identity = self.presence().identity(id)?;
        Some(
            identity.login.as_ref().map_or(RoomMember::Guest(id), |login| {
                RoomMember::Account(AccountRef::from(login))
            }),
        )
    }

    pub(super) fn room(&self, number: RoomNumber) -> Result<&Room, RoomRefusal> {
        self.rooms.get(number).ok_or(RoomRefusal::NoSuchRoom)
    }

    fn create(
        &self,
        by: &Wisher,
        name: &RoomName,
        password: Option<std::sync::Arc<str>>,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        let owner = by.account()?.clone();
        if self.rooms.named(name.key()).is_some() || self.rooms.looks_taken(name) {
            return Err(RoomRefusal::Taken);
        }
        let owns = |room: &Room| room.definition.owner.as_ref().is_some_and(|o| o.id == owner.id);
        let owned = self.rooms.iter().filter(|(_, room)| owns(room)).count();
        let member = RoomMember::Account(owner.clone());
        if self.rooms.len() >= ROOMS
            || owned >= OWNED
            || self.rooms.count_of((&member).into()) >= limits::MEMBERSHIPS
        {
            return Err(RoomRefusal::TooMany);
        }
        let settings = RoomSettings { password, ..RoomSettings::default() };
        let definition = RoomDefinition {
            number: RoomNumber(number),
            name: name.clone(),
            owner: Some(owner),
            settings,
            configured: false,
            auto: false,
            floor: 0,
        };
        let done = RoomDone { room: Some(definition.to_ref()) };
        let room = definition.number;
        let entered = RoomRecord::Entered { room, who: member, since: number };
        Ok(Judged { done, records: vec![RoomRecord::Defined(Box::new(definition)), entered] })
    }

    fn enter(
        &self,
        by: &Wisher,
        room: RoomNumber,
        shown: Option<&str>,
        number: Sequence,
        now: i64,
    ) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        let who = by.member.clone().ok_or(RoomRefusal::Failed)?;
        let key = Who::from(&who);
        if room.has(key) {
            return Err(RoomRefusal::Already);
        }
        let settings = &room.definition.settings;
        let is_invited = room.invitation(key, now).is_some();
        let is_staff = by.level_in(room) >= Level::OPERATOR;
        if !is_invited && !is_staff {
            // Who may not know of it is not told that it is there (RM-12).
            let refusal = |code| if settings.hidden { RoomRefusal::NoSuchRoom } else { code };
            if settings.closed {
                return Err(refusal(RoomRefusal::Closed));
            }
            if settings.password.is_some() && settings.password.as_deref() != shown {
                return Err(refusal(RoomRefusal::WrongPassword));
            }
        }
        let limit = usize::try_from(settings.limit).unwrap_or(usize::MAX);
        let is_full = limit > 0 && !is_staff && room.counted() >= limit;
        if is_full || room.count() >= MEMBERS {
            return Err(RoomRefusal::Full);
        }
        if self.rooms.count_of(key) >= limits::MEMBERSHIPS {
            return Err(RoomRefusal::TooMany);
        }
        let mut records = Vec::with_capacity(2);
        if is_invited {
            // It counts once (RM-13).
            let room = room.definition.number;
            records.push(RoomRecord::Uninvited { room, who: who.clone() });
        }
        records.push(RoomRecord::Entered { room: room.definition.number, who, since: number });
        Ok(judged(room, records))
    }

    fn leave_room(&self, by: &Wisher, room: RoomNumber) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        let who = by.member.clone().filter(|who| room.has(who.into()));
        let who = who.ok_or(RoomRefusal::NotAMember)?;
        Ok(judged(room, vec![left(room, who)]))
    }

    fn may_invite(&self, by: &Wisher, room: &Room) -> Result<(), RoomRefusal> {
        let level = by.level_in(room);
        if !by.is_in(room) && level < Level::OPERATOR {
            return Err(RoomRefusal::NotAMember);
        }
        by.account()?;
        let needed = if room.definition.settings.closed { Level::HELPER } else { Level::USER };
        by.needs(needed, level)
    }

    fn invite(
        &self,
        by: &Wisher,
        room: RoomNumber,
        who: &RoomMember,
        now: i64,
    ) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        self.may_invite(by, room)?;
        let key = Who::from(who);
        if room.has(key) {
            return Err(RoomRefusal::Already);
        }
        if room.invitation(key, now).is_none() && room.invitations(now) >= INVITATIONS {
            return Err(RoomRefusal::TooMany);
        }
        let until = now.saturating_add(INVITED_FOR);
        let (room_number, who, by) = (room.definition.number, who.clone(), by.name.clone());
        let invited = RoomRecord::Invited { room: room_number, who, by, until };
        Ok(judged(room, vec![invited]))
    }

    fn clear(
        &self,
        by: &Wisher,
        room: RoomNumber,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        let floor = number.saturating_sub(1);
        if room == RoomNumber::LOBBY {
            by.needs(Level::ADMIN, by.level)?;
            let definition = RoomDefinition { floor, ..(**self.rooms.lobby()).clone() };
            return Ok(of_lobby(definition));
        }
        let room = self.room(room)?;
        by.needs(Level::OPERATOR, by.level_in(room))?;
        let definition = RoomDefinition { floor, ..(*room.definition).clone() };
        Ok(judged(room, vec![RoomRecord::Defined(Box::new(definition))]))
    }

    fn set_level(
        &self,
        by: &Wisher,
        room: RoomNumber,
        account: &AccountRef,
        level: Level,
    ) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        let own = by.level_in(room);
        by.needs(Level::OPERATOR, own)?;
        // Nobody gives more than they have there, or changes an equal (RL-1, RL-2).
        let has = self.level_of_account_in(room, account);
        if level > own || level > Level::OPERATOR || has >= own {
            return Err(RoomRefusal::Forbidden);
        }
        // Level 1 is what every account has.
        let level = if level > Level::USER { level } else { Level::GUEST };
        let (room_number, account) = (room.definition.number, account.clone());
        let set = RoomRecord::LevelSet { room: room_number, account, level };
        Ok(judged(room, vec![set]))
    }

    /// The level of an account in a room, as far as it is known here: the level on the server is that of who is here.
    pub(crate) fn level_of_account_in(&self, room: &Room, account: &AccountRef) -> Level {
        let here = self.sessions_of(account).map(|(_, identity)| identity);
        let on_server = here.map(|identity| identity.actor().level.max(identity.level)).max();
        room.level_of(account.id).max(on_server.unwrap_or_default())
    }

    fn set_default(&self, by: &Wisher, room: Option<RoomNumber>) -> Result<Judged, RoomRefusal> {
        let account = by.account()?.id;
        let done = match room {
            None => RoomDone { room: None },
            Some(number) => {
                let room = self.room(number)?;
                if !by.is_in(room) {
                    return Err(RoomRefusal::NotAMember);
                }
                RoomDone { room: Some(room.definition.to_ref()) }
            }
        };
        Ok(Judged { done, records: vec![RoomRecord::DefaultSet { account, room }] })
    }

    fn remove_from(
        &self,
        by: &Wisher,
        room: RoomNumber,
        who: &RoomMember,
    ) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        let own = by.level_in(room);
        by.needs(Level::HELPER, own)?;
        if !room.has(who.into()) {
            return Err(RoomRefusal::NoSuchUser);
        }
        let has = match who {
            RoomMember::Account(account) => self.level_of_account_in(room, account),
            RoomMember::Guest(_) => Level::GUEST,
        };
        if has >= own {
            return Err(RoomRefusal::Forbidden);
        }
        Ok(judged(room, vec![left(room, who.clone())]))
    }

    fn configure(
        &self,
        by: &Wisher,
        wanted: &ConfiguredRoom,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        by.is_operator()?;
        let found = self.rooms.named(wanted.name.key());
        let mut definition = match found {
            Some(room) => (*room.definition).clone(),
            None if self.rooms.len() >= ROOMS || self.rooms.looks_taken(&wanted.name) => {
                return Err(RoomRefusal::TooMany);
            }
            None => RoomDefinition {
                number: RoomNumber(number),
                name: wanted.name.clone(),
                owner: None,
                settings: RoomSettings::default(),
                configured: true,
                auto: false,
                floor: 0,
            },
        };
        for setting in &wanted.settings {
            setting.clone().apply(&mut definition.settings);
        }
        (definition.configured, definition.auto) = (true, wanted.auto);
        if wanted.owner.is_some() {
            definition.owner.clone_from(&wanted.owner);
        }
        let done = RoomDone { room: Some(definition.to_ref()) };
        let is_so = found.is_some_and(|room| *room.definition == definition);
        let records = match is_so {
            true => Vec::new(),
            false => vec![RoomRecord::Defined(Box::new(definition))],
        };
        Ok(Judged { done, records })
    }

    fn enter_auto(&self, account: &AccountRef, number: Sequence) -> Judged {
        let who = Who::Account(account.id);
        let places = limits::MEMBERSHIPS.saturating_sub(self.rooms.count_of(who));
        let missing = self.rooms.iter().filter(|(_, room)| {
            room.definition.auto
                && !room.has(who)
                && !room.was_left_by(account.id)
                && room.count() < MEMBERS
        });
        let enter = |(room, _): (RoomNumber, &Room)| RoomRecord::Entered {
            room,
            who: RoomMember::Account(account.clone()),
            since: number,
        };
        let records = missing.take(places).map(enter).collect();
        Judged { done: RoomDone { room: None }, records }
    }

    /// A guest has an account now, which takes over their memberships.
    fn adopt(
        &self,
        by: &Wisher,
        actor: RoomActor,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        let account = by.account()?;
        let RoomActor::Member(member) = actor else { return Err(RoomRefusal::Failed) };
        let who = RoomMember::Account(account.clone());
        let mut records = Vec::new();
        for (room, found) in self.rooms.rooms_of(Who::Guest(member)) {
            let guest = RoomMember::Guest(member);
            records.push(RoomRecord::Left { room, who: guest, stays_out: false });
            if !found.has((&who).into()) {
                records.push(RoomRecord::Entered { room, who: who.clone(), since: number });
            }
        }
        Ok(Judged { done: RoomDone { room: None }, records })
    }
}

impl Wisher {
    pub(super) fn is_operator(&self) -> Result<(), RoomRefusal> {
        if self.member.is_none() { Ok(()) } else { Err(RoomRefusal::Forbidden) }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }
}

/// What follows for a room that is there.
pub(super) fn judged(room: &Room, records: Vec<RoomRecord>) -> Judged {
    Judged { done: RoomDone { room: Some(room.definition.to_ref()) }, records }
}

/// What follows for the lobby.
pub(super) fn of_lobby(definition: RoomDefinition) -> Judged {
    let records = vec![RoomRecord::Defined(Box::new(definition))];
    Judged { done: RoomDone { room: None }, records }
}

fn left(room: &Room, who: RoomMember) -> RoomRecord {
    // Who is a member of such a room by itself, and has left, does not become one again (RM-16).
    let stays_out = room.definition.auto;
    RoomRecord::Left { room: room.definition.number, who, stays_out }
}
