//! Rooms change: by wishes, and because their members come, go and change.

use std::sync::Arc;

use chatterbox_proto::Username;

use crate::identity::{AccountKey, Identity, LoggedIn};
use crate::ids::MemberId;
use crate::ids::RoomNumber;
use crate::level::Level;
use crate::record::Sequence;
use crate::replica::rooms::definition::{AccountRef, RoomMember};
use crate::replica::rooms::departures::DELETED;
use crate::replica::rooms::record::RoomRecord;
use crate::replica::rooms::room::{Room, Who};
use crate::replica::rooms::told::{LeftWhy, Lost, RoomTold, RoomsChanged};
use crate::replica::rooms::wish::{RoomActor, RoomChange, RoomRefusal, RoomWish};
use crate::replica::state::Replica;

impl Replica {
    /// Judges a wish, and makes what follows from it true.
    ///
    /// # Errors
    /// [`RoomRefusal`]; nothing changes then.
    pub(crate) fn grant(
        &mut self,
        wish: &RoomWish,
        number: Sequence,
    ) -> Result<RoomsChanged, RoomRefusal> {
        let judged = self.judge_wish(wish, number)?;
        let wisher = self.wisher(wish.by)?;
        let by = match &wish.change {
            RoomChange::Remove { by: Some(by), .. } => by.to_string(),
            _ => wisher.name,
        };
        let mut told = Vec::with_capacity(judged.records.len());
        if let (RoomChange::Adopt, RoomActor::Member(member)) = (&wish.change, wish.by) {
            self.adopt_rooms(member, &judged.records, number, &mut told);
        } else {
            for record in &judged.records {
                self.make_true(record, wish, &by, number, &mut told);
            }
        }
        if let RoomChange::Configure(wanted) = &wish.change
            && let Some(room) = &judged.done.room
            && let Some(room) = self.rooms.get_mut(room.number)
        {
            room.fixed = wanted.settings.iter().fold(0, |bits, setting| bits | setting.bit());
        }
        if let RoomChange::Create { .. } = &wish.change
            && let Some(room) = &judged.done.room
            && let Some(room) = self.rooms.get_mut(room.number)
        {
            room.made_from = wisher.site;
        }
        if let (RoomChange::SetDefault(room), Some(RoomMember::Guest(member))) =
            (&wish.change, &wisher.member)
        {
            self.rooms.set_default(Who::Guest(*member), *room);
        }
        if let RoomChange::Release(room) = &wish.change
            && let Some(room) = self.rooms.get_mut(*room)
        {
            room.fixed = 0;
        }
        Ok(RoomsChanged { done: judged.done, told, records: judged.records })
    }

    fn make_true(
        &mut self,
        record: &RoomRecord,
        wish: &RoomWish,
        by: &str,
        number: Sequence,
        told: &mut Vec<RoomTold>,
    ) {
        match record {
            RoomRecord::Defined(definition) => {
                let number = definition.number;
                let before = if number == RoomNumber::LOBBY {
                    Some((Arc::clone(self.rooms.lobby()), true))
                } else {
                    let room = self.rooms.get(number);
                    room.map(|room| (Arc::clone(&room.definition), room.has_roster()))
                };
                self.rooms.apply(record);
                let Some((before, had_roster)) = before else {
                    told.push(RoomTold::Made(number));
                    return;
                };
                let owners = [before.owner.clone(), definition.owner.clone()];
                told.push(RoomTold::Defined { room: number, before, had_roster });
                if owners[0] != owners[1] {
                    let owners = owners.into_iter().flatten();
                    told.extend(owners.map(|owner| RoomTold::StaffChanged(number, Some(owner))));
                }
            }
            RoomRecord::Deleted(deleted) => {
                let Some(room) = self.rooms.get(*deleted) else { return };
                let accounts = room.accounts().cloned().map(RoomMember::Account);
                let guests = room.guests().map(RoomMember::Guest);
                let members: Vec<_> = accounts.chain(guests).collect();
                let room = room.definition.to_ref();
                self.sanctions.forget(|sanction| sanction.room == Some(room.number));
                let who = members.iter().map(Who::from).collect();
                self.rooms.departures.note(number, room.clone(), who, DELETED, (by, ""));
                self.rooms.apply(record);
                told.push(RoomTold::Deleted { room, members, by: by.to_owned() });
            }
            RoomRecord::Entered { room, who, .. } => {
                self.entering(*room, told, |replica, told| {
                    replica.rooms.apply(record);
                    let names = replica.roster_names(who);
                    told.push(RoomTold::Entered { room: *room, who: who.clone(), names });
                });
                self.enters_staff(*room, who, told);
            }
            RoomRecord::Left { room, who, .. } => {
                let Some(room) = self.rooms.get(*room).map(|room| room.definition.to_ref()) else {
                    return;
                };
                if let RoomMember::Guest(member) = who
                    && self.presence.identity(*member).is_none()
                    && let Some(session) = self.sessions.of_newest(*member)
                {
                    self.sessions.leave_room(session, room.number);
                }
                let departed = vec![Who::from(who)];
                let departures = &mut self.rooms.departures;
                let why = match &wish.change {
                    RoomChange::Remove { reason, banned, .. } => {
                        let code = if *banned { "banned" } else { "kicked" };
                        departures.note(number, room.clone(), departed, code, (by, reason));
                        LeftWhy::Removed { code, by: by.to_owned(), reason: reason.clone() }
                    }
                    _ => {
                        departures.note(number, room.clone(), departed, "left", ("", ""));
                        LeftWhy::Left
                    }
                };
                let (number, names) = (room.number, self.roster_names(who));
                let is_staff = self.is_staff(number, who);
                self.entering(number, told, |replica, told| {
                    replica.rooms.apply(record);
                    told.push(RoomTold::Left { room, who: who.clone(), names, why });
                });
                if is_staff {
                    self.note_staff(number, told);
                }
            }
            RoomRecord::LevelSet { room, account, .. } => {
                self.rooms.apply(record);
                told.push(RoomTold::StaffChanged(*room, Some(account.clone())));
            }
            RoomRecord::Invited { room, who, by, until } => {
                let presence = &self.presence;
                if let Some(found) = self.rooms.get_mut(*room) {
                    found.forget_invitations(wish.now, |guest| presence.identity(guest).is_some());
                    let room = found.definition.to_ref();
                    let (who, by, until) = (who.clone(), by.clone(), *until);
                    told.push(RoomTold::Invited { room, who, by, until });
                }
                self.rooms.apply(record);
            }
            RoomRecord::Uninvited { room, who } => {
                if let Some(room) = self.rooms.get(*room)
                    && matches!(wish.change, RoomChange::Uninvite(..))
                {
                    let room = room.definition.to_ref();
                    told.push(RoomTold::Uninvited { room, who: who.clone(), by: by.to_owned() });
                }
                self.rooms.apply(record);
            }
            RoomRecord::DefaultSet { .. } => self.rooms.apply(record),
        }
    }

    /// Tells the others when somebody who has just entered is one of STAFF.
    pub(super) fn enters_staff(
        &self,
        room: RoomNumber,
        who: &RoomMember,
        told: &mut Vec<RoomTold>,
    ) {
        let has_others = self.rooms.get(room).is_some_and(|room| room.count() > 1);
        if has_others && self.is_staff(room, who) {
            told.push(RoomTold::StaffChanged(room, None));
        }
    }

    fn is_staff(&self, room: RoomNumber, who: &RoomMember) -> bool {
        let RoomMember::Account(account) = who else { return false };
        let room = self.rooms.get(room);
        room.is_some_and(|room| self.level_of_account_in(room, account) >= Level::HELPER)
    }

    /// Tells that one of STAFF is none any more where nobody sees them leave.
    fn note_staff(&self, room: RoomNumber, told: &mut Vec<RoomTold>) {
        if self.rooms.get(room).is_some_and(|room| !room.has_roster()) {
            told.push(RoomTold::StaffChanged(room, None));
        }
    }

    /// Changes the members of a room, and notes when they are listed from then on, or not any more (RM-10).
    pub(super) fn entering(
        &mut self,
        room: RoomNumber,
        told: &mut Vec<RoomTold>,
        change: impl FnOnce(&mut Self, &mut Vec<RoomTold>),
    ) {
        let had_roster = self.rooms.get(room).is_some_and(Room::has_roster);
        let place = told.len();
        change(self, told);
        self.note_roster(room, had_roster, told, place);
    }

    /// Notes what follows for the roster of a room from what is told from a place on. Nobody is told the name of who comes or
    /// goes where members are not listed, or where all of them are told anew.
    fn note_roster(
        &self,
        room: RoomNumber,
        had_roster: bool,
        told: &mut Vec<RoomTold>,
        place: usize,
    ) {
        let Some(has_roster) = self.rooms.get(room).map(Room::has_roster) else { return };
        if !had_roster || !has_roster {
            for told in told.iter_mut().skip(place) {
                if let RoomTold::Entered { names, .. } | RoomTold::Left { names, .. } = told {
                    names.clear();
                }
            }
        }
        if had_roster != has_roster {
            told.push(RoomTold::RosterSwitched(room));
        }
    }

    /// The sessions of an account that are here.
    pub(crate) fn sessions_of<'a>(
        &'a self,
        account: &AccountRef,
    ) -> impl Iterator<Item = (MemberId, &'a Identity)> {
        let login = LoggedIn {
            account: account.name.clone(),
            account_key: AccountKey { id: account.id, epoch: 0 },
        };
        let here: Vec<_> = self.presence.logged_in(&login).map(|(id, _)| id).collect();
        here.into_iter().filter_map(|id| Some((id, self.presence.identity(id)?)))
    }

    /// The names that a member has in a roster (RM-8).
    pub(crate) fn roster_names(&self, who: &RoomMember) -> Vec<Username> {
        match who {
            RoomMember::Guest(member) => {
                self.presence.identity(*member).map(|who| who.name.clone()).into_iter().collect()
            }
            RoomMember::Account(account) => {
                let mut here = Vec::<Username>::new();
                for (_, identity) in self.sessions_of(account) {
                    // Several devices have one name.
                    if !here.contains(&identity.name) {
                        here.push(identity.name.clone());
                    }
                }
                if here.is_empty() { vec![account.name.clone()] } else { here }
            }
        }
    }

    /// Whether a member of the chat is a member of a room; since which number, if so.
    pub(crate) fn membership(&self, member: MemberId, room: &Room) -> Option<Sequence> {
        // Who has just registered is a member as the guest that they were, until their account is.
        let as_account = room.since(Who::from(&self.room_member(member)?));
        as_account.or_else(|| room.since(Who::Guest(member)))
    }

    /// The account with which somebody is logged in, with its names in rosters and its level on the server, if it is a member of
    /// any room.
    pub(crate) fn names_in_rooms(&self, login: Option<&LoggedIn>) -> Option<NamesInRooms> {
        let account = AccountRef::from(login?);
        if self.rooms.count_of(Who::Account(account.id)) == 0 {
            return None;
        }
        let on_server = self.level_on_server(&account);
        let who = RoomMember::Account(account);
        let names = self.roster_names(&who);
        Some(NamesInRooms { who, names, on_server })
    }

    /// What rooms are told of an account whose sessions have changed: its names, and its places in STAFF.
    pub(crate) fn renamed_in_rooms(&self, before: Option<NamesInRooms>) -> Vec<RoomTold> {
        let Some(NamesInRooms { who, names, on_server }) = before else { return Vec::new() };
        let RoomMember::Account(account) = &who else { return Vec::new() };
        let now = self.roster_names(&who);
        let on_server_now = self.level_on_server(account);
        let other = |of: &[Username], than: &[Username]| -> Vec<Username> {
            of.iter().filter(|name| !than.contains(name)).cloned().collect()
        };
        let (left, joined) = (other(&names, &now), other(&now, &names));
        let is_renamed = !left.is_empty() || !joined.is_empty();
        if !is_renamed && on_server == on_server_now {
            return Vec::new();
        }
        let mut told = Vec::new();
        for (number, room) in self.rooms.rooms_of(Who::from(&who)) {
            if is_renamed {
                // Who has just logged in may stand there already, as the guest that they were.
                let stands = |name: &Username| {
                    self.who(name).is_some_and(|member| room.has(Who::Guest(member)))
                };
                let joined = joined.iter().filter(|name| !stands(name)).cloned().collect();
                told.push(RoomTold::Renamed { room: number, left: left.clone(), joined });
            }
            let [was, is] = [on_server, on_server_now].map(|on| on.max(room.level_of(account.id)));
            if was.max(is) >= Level::HELPER && (is_renamed || was != is) {
                told.push(RoomTold::StaffChanged(number, None));
            }
        }
        told
    }

    /// What somebody is told of their rooms who had this level on the server, and has another one.
    pub(crate) fn promoted_in_rooms(&self, member: MemberId, before: Level) -> Vec<RoomTold> {
        let Some(identity) = self.presence.identity(member) else { return Vec::new() };
        let Some(login) = &identity.login else { return Vec::new() };
        let (account, now) = (login.account_key.id, identity.actor().level);
        let rooms = self.rooms.rooms_of(Who::Account(account));
        let differs =
            |room: &Room| before.max(room.level_of(account)) != now.max(room.level_of(account));
        let rooms = rooms.filter(|(_, room)| differs(room));
        rooms.map(|(number, _)| RoomTold::LevelChanged(number, member)).collect()
    }

    /// A guest's connection has ended: they leave the rosters, and their session remembers the rooms (RM-2, RM-7).
    pub(crate) fn guest_leaves_rooms(
        &mut self,
        member: MemberId,
        name: &Username,
    ) -> (Vec<(RoomNumber, Sequence)>, Vec<RoomTold>) {
        let mut told = Vec::new();
        if self.rooms.count_of(Who::Guest(member)) == 0 {
            return (Vec::new(), told);
        }
        let had_roster: Vec<_> = self
            .rooms
            .rooms_of(Who::Guest(member))
            .map(|(number, room)| (number, room.has_roster()))
            .collect();
        let taken = self.rooms.take_guest(member);
        for (number, had_roster) in had_roster {
            let Some(room) = self.rooms.get(number) else { continue };
            let (who, names) = (RoomMember::Guest(member), vec![name.clone()]);
            let (room, place) = (room.definition.to_ref(), told.len());
            told.push(RoomTold::Left { room, who, names, why: LeftWhy::Gone });
            self.note_roster(number, had_roster, &mut told, place);
        }
        (taken, told)
    }

    /// A guest's session goes on with another connection: they are back in their rooms, as far as these have a place.
    pub(crate) fn guest_returns(
        &mut self,
        member: MemberId,
        rooms: Vec<(RoomNumber, Sequence)>,
    ) -> (Vec<RoomTold>, Vec<Lost>) {
        let (mut told, mut lost) = (Vec::new(), Vec::new());
        for (number, since) in rooms {
            let Some(room) = self.rooms.get(number) else {
                lost.extend(self.rooms.departures.of_room(number).map(Lost::from));
                continue;
            };
            let who = RoomMember::Guest(member);
            if !self.has_place(room, false) {
                let info = "Others have taken your place.".to_owned();
                let room = room.definition.to_ref();
                lost.push(Lost { room, code: "left", by: String::new(), info });
                continue;
            }
            self.entering(number, &mut told, |replica, told| {
                let names = replica.roster_names(&who);
                replica.rooms.enter(number, who.clone(), since);
                told.push(RoomTold::Entered { room: number, who, names });
            });
        }
        (told, lost)
    }

    /// The rooms that somebody who resumes a session has lost behind a number of the log, and is not in again (RH-6).
    pub(crate) fn rooms_lost(&self, member: MemberId, after: Sequence) -> Vec<Lost> {
        let Some(who) = self.room_member(member) else { return Vec::new() };
        let who = Who::from(&who);
        let mut lost: Vec<Lost> = Vec::new();
        for departure in self.rooms.departures.since(who, after) {
            let number = departure.room.number;
            lost.retain(|lost| lost.room.number != number);
            if !self.rooms.get(number).is_some_and(|room| room.has(who)) {
                lost.push(Lost::from(departure));
            }
        }
        lost
    }

    /// A guest's place in rooms goes over to another connection of the same session, unseen by others.
    pub(crate) fn guest_is_replaced(&mut self, old: MemberId, new: MemberId) {
        for (number, since) in self.rooms.take_guest(old) {
            self.rooms.enter(number, RoomMember::Guest(new), since);
        }
    }

    /// An account is removed: it is a member of nothing any more, and its rooms get another owner, or none (RL-3).
    pub(crate) fn account_leaves_rooms(&mut self, account: &AccountRef) -> Vec<RoomTold> {
        let who = RoomMember::Account(account.clone());
        let names = self.roster_names(&who);
        let was_in: Vec<_> = self
            .rooms
            .rooms_of(Who::Account(account.id))
            .map(|(number, room)| (number, room.has_roster(), self.is_staff(number, &who)))
            .collect();
        let (_, owned) = self.rooms.forget_account(account.id);
        let mut told = Vec::new();
        for (number, had_roster, was_staff) in was_in {
            let Some(room) = self.rooms.get(number) else { continue };
            let (room, place) = (room.definition.to_ref(), told.len());
            let (who, names) = (who.clone(), names.clone());
            told.push(RoomTold::Left { room, who, names, why: LeftWhy::Gone });
            self.note_roster(number, had_roster, &mut told, place);
            if was_staff {
                self.note_staff(number, &mut told);
            }
        }
        told.extend(owned.into_iter().map(|room| RoomTold::StaffChanged(room, None)));
        told
    }
}

/// The names of an account in rosters, and its level on the server, before something changes.
#[derive(Debug)]
pub(crate) struct NamesInRooms {
    who: RoomMember,
    names: Vec<Username>,
    on_server: Level,
}
