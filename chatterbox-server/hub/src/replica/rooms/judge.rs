//! What becomes of a wish: the facts that follow from it, or why none do.
//!
//! Nothing is changed here. Whoever stores facts asks first, stores them, and has them applied; since nothing comes between,
//! the answer is the same when the wish comes round.

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use chatterbox_proto::{RoomName, limits};

use crate::guard::site;

use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomDefinition, RoomMember, RoomSettings};
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::Room;
use crate::replica::rooms::wish::{
    ConfiguredRoom, RoomActor, RoomChange, RoomDone, RoomRefusal, RoomWish,
};
use crate::replica::state::Replica;

/// Rooms of one server.
const ROOMS: usize = 1000;
/// Rooms that were made from one site while the server runs: whoever takes these leaves others theirs.
const ROOMS_FROM_SITE: usize = ROOMS / 2;
/// Rooms that one account owns.
const OWNED: usize = 20;

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
    /// Where they come from.
    pub(super) site: Option<IpAddr>,
}

impl Wisher {
    pub(super) fn level_in(&self, room: &Room) -> Level {
        match &self.member {
            Some(RoomMember::Account(account)) => self.level.max(room.level_of(account.id)),
            _ => self.level,
        }
    }

    pub(super) fn is_in(&self, room: &Room) -> bool {
        self.member.as_ref().is_some_and(|member| room.has(member.into()))
    }

    /// Whether they may know that a room is there (RM-12). Entering has rules of its own.
    fn knows_of(&self, room: &Room, now: i64) -> bool {
        let is_invited = |who: &RoomMember| room.invitation(who.into(), now).is_some();
        !room.definition.settings.hidden
            || self.is_in(room)
            || self.level >= Level::ADMIN
            || self.member.as_ref().is_some_and(is_invited)
    }

    pub(super) fn account(&self) -> Result<&AccountRef, RoomRefusal> {
        match &self.member {
            Some(RoomMember::Account(account)) => Ok(account),
            _ => Err(RoomRefusal::Forbidden),
        }
    }

    pub(super) fn needs(&self, level: Level, has: Level) -> Result<(), RoomRefusal> {
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
        let about = wish.change.room().and_then(|room| self.rooms.get(room));
        if about.is_some_and(|room| !by.knows_of(room, wish.now)) {
            return Err(RoomRefusal::NoSuchRoom);
        }
        // Who is banned from a room has no say in it, whatever level they have there.
        if let Some(room) = about
            && !matches!(wish.change, RoomChange::Leave(_) | RoomChange::SetDefault(_))
            && self.is_banned_from(room.definition.number, wish.by, wish.now)
        {
            return Err(RoomRefusal::Banned);
        }
        self.follows(&by, wish, number)
    }

    /// What follows from a wish of somebody.
    fn follows(
        &self,
        by: &Wisher,
        wish: &RoomWish,
        number: Sequence,
    ) -> Result<Judged, RoomRefusal> {
        if let (RoomActor::Member(member), Some(room)) = (wish.by, wish.change.speaks_in())
            && self.is_not_muted(member, Some(room), None, wish.now).is_err()
        {
            return Err(RoomRefusal::Muted);
        }
        match &wish.change {
            RoomChange::Create { name, password } => {
                self.create(by, name, password.clone(), number)
            }
            RoomChange::Enter { room, shown } => {
                self.enter(by, *room, shown.as_deref(), number, wish)
            }
            RoomChange::Leave(room) => self.leave_room(by, *room),
            RoomChange::Delete(room) => {
                let room = self.room(*room)?;
                by.needs(Level::OPERATOR, by.level_in(room))?;
                if room.definition.configured {
                    return Err(RoomRefusal::Configured);
                }
                Ok(judged(room, vec![RoomRecord::Deleted(room.definition.number)]))
            }
            RoomChange::Set(room, setting) => self.set(by, *room, setting),
            RoomChange::Invite(room, who) => self.invite(by, *room, who, wish.now),
            RoomChange::Uninvite(room, who) => {
                let room = self.room(*room)?;
                self.may_invite(by, room)?;
                if room.invitation(who.into(), wish.now).is_none() {
                    return Err(RoomRefusal::NoSuchUser);
                }
                let number = room.definition.number;
                Ok(judged(room, vec![RoomRecord::Uninvited { room: number, who: who.clone() }]))
            }
            RoomChange::Clear(room) => self.clear(by, *room, number),
            RoomChange::SetLevel(room, account, level) => {
                self.set_level(by, *room, account, *level)
            }
            RoomChange::SetDefault(room) => self.set_default(by, *room),
            RoomChange::Remove { room, who, reason, .. } => {
                self.remove_from(by, *room, who, reason)
            }
            RoomChange::Configure(room) => self.configure(by, room, number),
            RoomChange::Release(room) => {
                by.is_operator()?;
                let room = self.room(*room)?;
                let mut definition = (*room.definition).clone();
                (definition.configured, definition.auto) = (false, false);
                Ok(judged(room, vec![RoomRecord::Defined(Box::new(definition))]))
            }
            RoomChange::EnterAuto(account) => {
                by.is_operator()?;
                self.is_there(account)?;
                Ok(self.enter_auto(account, number, wish.now))
            }
            RoomChange::Adopt => self.adopt(by, wish.by, number),
        }
    }

    /// Whether an account was not removed a moment ago. Whoever found it may not know that yet, and nobody would take it out of
    /// the room again.
    pub(super) fn is_there(&self, account: &AccountRef) -> Result<(), RoomRefusal> {
        let is_removed = self.ended_logins.is_removed(account.id);
        if is_removed { Err(RoomRefusal::NoSuchUser) } else { Ok(()) }
    }

    /// Who wishes something.
    pub(super) fn wisher(&self, by: RoomActor) -> Result<Wisher, RoomRefusal> {
        let RoomActor::Member(id) = by else {
            return Ok(Wisher {
                member: None,
                level: Level::ADMIN,
                name: String::new(),
                site: None,
            });
        };
        let identity = self.presence().identity(id).ok_or(RoomRefusal::Failed)?;
        let actor = identity.actor();
        let level = if actor.registered { actor.level } else { Level::GUEST };
        let name = identity.name.as_str().to_owned();
        let site = identity.address.map(site);
        Ok(Wisher { member: self.room_member(id), level, name, site })
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
        let from_there = by.site.map_or(0, |site| {
            self.rooms.iter().filter(|(_, room)| room.made_from == Some(site)).count()
        });
        if self.rooms.len() >= ROOMS
            || owned >= OWNED
            || from_there >= ROOMS_FROM_SITE
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

    fn leave_room(&self, by: &Wisher, room: RoomNumber) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        let who = by.member.clone().filter(|who| room.has(who.into()));
        let who = who.ok_or(RoomRefusal::NotAMember)?;
        Ok(judged(room, vec![left(room, who)]))
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
        self.is_there(account)?;
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
        room.level_of(account.id).max(self.level_on_server(account))
    }

    /// The level on the server of an account that is here; nothing is known of the others.
    pub(super) fn level_on_server(&self, account: &AccountRef) -> Level {
        let here = self.sessions_of(account).map(|(_, identity)| identity);
        let levels = here.map(|identity| identity.actor().level.max(identity.level));
        levels.max().unwrap_or_default()
    }

    fn set_default(&self, by: &Wisher, room: Option<RoomNumber>) -> Result<Judged, RoomRefusal> {
        let who = by.member.as_ref().ok_or(RoomRefusal::Failed)?;
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
        let now = self.rooms.default_of(who.into()).map(|room| room.definition.number);
        let records = match who {
            RoomMember::Account(account) if now != room => {
                vec![RoomRecord::DefaultSet { account: account.id, room }]
            }
            // That of a guest ends with the connection, so it is no fact of the log.
            RoomMember::Account(_) | RoomMember::Guest(_) => Vec::new(),
        };
        Ok(Judged { done, records })
    }

    fn remove_from(
        &self,
        by: &Wisher,
        room: RoomNumber,
        who: &RoomMember,
        reason: &str,
    ) -> Result<Judged, RoomRefusal> {
        let room = self.room(room)?;
        let own = by.level_in(room);
        by.needs(Level::HELPER, own)?;
        // It is remembered for those who come back, so it takes memory.
        if reason.chars().count() > limits::TOPIC_CHARS {
            return Err(RoomRefusal::TooLong);
        }
        if !room.has(who.into()) && !self.comes_back_to(room, who) {
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

    /// Whether somebody is a guest who was cut off, and is in a room again when they come back (RM-2).
    fn comes_back_to(&self, room: &Room, who: &RoomMember) -> bool {
        let RoomMember::Guest(member) = who else { return false };
        let session = self.sessions.of_newest(*member);
        session.is_some_and(|session| self.sessions.is_in(session, room.definition.number))
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
