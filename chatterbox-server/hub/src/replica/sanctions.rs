//! The sanctions that hold, and who was put out a moment ago (MO-2 to MO-4).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use chatterbox_proto::{Exclusion, Refusal, Username};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, Digester};
use crate::identity::Identity;
use crate::ids::{MemberId, RoomNumber, SessionId};
use crate::replica::moderation_act::{Moderation, Whom};
use crate::replica::rooms::definition::AccountRef;
use crate::sanction::{Network, Sanction, SanctionId, SanctionKind, SanctionSubject};

/// For how long who was put out may not come back, in seconds (MO-2).
pub(crate) const KICKED_FOR: i64 = 30;

/// The sanctions that may hold at a time, where those who impose them don't look in a store first.
const SANCTIONS: usize = 10_000;

/// Kicks that are remembered; the oldest go first.
const KICKS: usize = 1024;

/// Somebody as sanctions see them: what they are known by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) member: Option<MemberId>,
    pub(crate) session: Option<SessionId>,
}

impl Known<'_> {
    /// Whether somebody is one of those whom a sanction is on.
    pub(crate) fn is_under(&self, sanction: &Sanction) -> bool {
        let Self { identity, member, session } = *self;
        let account = identity.login.as_ref().map(|login| login.account_key.id);
        let is_called = |name: &Username| identity.name == *name;
        let looks_like =
            |name: &Username| identity.name.looks().iter().any(|look| name.looks().contains(look));
        match &sanction.subject {
            SanctionSubject::Account(on) => account == Some(on.id),
            SanctionSubject::Name(name) => {
                !self.has_own_name() && (is_called(name) || looks_like(name))
            }
            SanctionSubject::Guest { name, session: of, member: id } => {
                let is_ban = sanction.kind == SanctionKind::Ban;
                let by_name = is_called(name) || (is_ban && looks_like(name));
                (by_name && !(is_ban && self.has_own_name()))
                    || (session.is_some() && session == *of)
                    || (member.is_some() && member == *id)
            }
            SanctionSubject::Network { network, guests_only } => {
                (!guests_only || account.is_none())
                    && identity.address.is_some_and(|address| network.contains(address))
            }
        }
    }

    /// Whether they are here under the name of their account. A ban on a name is for whoever has no account of that name: else
    /// nobody, of whatever rank, could be sure to get in.
    fn has_own_name(&self) -> bool {
        self.identity.account() == Some(&self.identity.name)
    }
}

/// Who was put out, and until when.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kick {
    whom: Whom,
    until: i64,
    reason: Arc<str>,
}

type Ids = BTreeSet<SanctionId>;

/// All that hold, with an index by what somebody is known by: each lookup costs as much as there are sanctions on one person.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sanctions {
    all: BTreeMap<SanctionId, Arc<Sanction>>,
    accounts: BTreeMap<i64, Ids>,
    /// By folded name.
    names: BTreeMap<Box<str>, Ids>,
    /// By what look-alikes have in common.
    looks: BTreeMap<Box<str>, Ids>,
    sessions: BTreeMap<SessionId, Ids>,
    members: BTreeMap<MemberId, Ids>,
    networks: BTreeMap<Network, Ids>,
    /// How many networks of the table have so many bits in common; an address is looked for once for each number.
    prefixes: BTreeMap<(bool, u8), usize>,
    mutes: usize,
    /// Bans from rooms.
    room_bans: usize,
    kicks: VecDeque<Kick>,
}

/// One entry of the index.
enum Key<'a> {
    Account(i64),
    Name(&'a str),
    Look(&'a str),
    Session(SessionId),
    Member(MemberId),
    Network(Network),
}

fn keys(sanction: &Sanction) -> Vec<Key<'_>> {
    match &sanction.subject {
        SanctionSubject::Account(account) => vec![Key::Account(account.id)],
        SanctionSubject::Name(name) => by_name(name, true).collect(),
        // Who is muted under another name is not muted under one that looks like it.
        SanctionSubject::Guest { name, session, member } => {
            by_name(name, sanction.kind == SanctionKind::Ban)
                .chain(session.map(Key::Session))
                .chain(member.map(Key::Member))
                .collect()
        }
        SanctionSubject::Network { network, .. } => vec![Key::Network(*network)],
    }
}

fn by_name(name: &Username, with_looks: bool) -> impl Iterator<Item = Key<'_>> {
    let looks = with_looks.then(|| name.looks().map(Key::Look));
    std::iter::once(Key::Name(name.key())).chain(looks.into_iter().flatten())
}

impl Sanctions {
    /// A sanction holds from now on.
    pub(crate) fn impose(&mut self, sanction: Sanction) {
        self.lift(sanction.id);
        let sanction = Arc::new(sanction);
        for key in keys(&sanction) {
            self.index(&key, sanction.id, true);
        }
        self.mutes += usize::from(sanction.kind == SanctionKind::Mute);
        self.room_bans += usize::from(is_room_ban(&sanction));
        self.all.insert(sanction.id, sanction);
    }

    /// Whether there may be these as well, which nobody has judged by what is stored.
    pub(crate) fn has_room(&self, new: &[Sanction], now: i64) -> bool {
        let hold = self.all.values().filter(|one| one.holds(now)).count();
        new.len() <= Moderation::SANCTIONS && hold.saturating_add(new.len()) <= SANCTIONS
    }

    /// A sanction does not hold any more; gives the one that it was.
    pub(crate) fn lift(&mut self, id: SanctionId) -> Option<Arc<Sanction>> {
        let sanction = self.all.remove(&id)?;
        for key in keys(&sanction) {
            self.index(&key, id, false);
        }
        self.mutes -= usize::from(sanction.kind == SanctionKind::Mute);
        self.room_bans -= usize::from(is_room_ban(&sanction));
        Some(sanction)
    }

    /// Forgets those that have ended, and those of a room or an account that is not there any more.
    pub(crate) fn forget(&mut self, is_over: impl Fn(&Sanction) -> bool) {
        let over: Vec<_> =
            self.all.values().filter(|one| is_over(one)).map(|sanction| sanction.id).collect();
        for id in over {
            self.lift(id);
        }
    }

    fn index(&mut self, key: &Key<'_>, id: SanctionId, holds: bool) {
        match *key {
            Key::Account(account) => note(&mut self.accounts, account, id, holds),
            Key::Name(name) => note(&mut self.names, name.into(), id, holds),
            Key::Look(look) => note(&mut self.looks, look.into(), id, holds),
            Key::Session(session) => note(&mut self.sessions, session, id, holds),
            Key::Member(member) => note(&mut self.members, member, id, holds),
            Key::Network(network) => {
                note(&mut self.networks, network, id, holds);
                let count = self.prefixes.entry(network.width()).or_default();
                *count = if holds { *count + 1 } else { count.saturating_sub(1) };
                if *count == 0 {
                    self.prefixes.remove(&network.width());
                }
            }
        }
    }

    /// Whether nobody is muted anywhere, so that nobody has to ask.
    pub(crate) const fn has_mutes(&self) -> bool {
        self.mutes > 0
    }

    /// Whether somebody is banned from a room at a moment.
    pub(crate) fn bans_from(&self, who: Known<'_>, room: RoomNumber, now: i64) -> bool {
        self.room_bans > 0 && self.on(SanctionKind::Ban, who, Some(room), now).is_some()
    }

    /// Whether an account is banned from a room at a moment, whether its user is here or not.
    pub(crate) fn bans_account_from(&self, account: i64, room: RoomNumber, now: i64) -> bool {
        let ids = self.accounts.get(&account).into_iter().flatten();
        ids.filter_map(|id| self.all.get(id))
            .any(|one| is_room_ban(one) && one.room == Some(room) && one.holds(now))
    }

    /// How many there are, those that have ended and are not forgotten yet too.
    pub(crate) fn count(&self) -> usize {
        self.all.len()
    }

    /// All of them, in the order in which they were imposed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Sanction>> {
        self.all.values()
    }

    /// The sanction of a kind that holds on somebody in a room (`None` is the server) at a moment, in seconds since 1970 UTC;
    /// of several the one that ends last.
    pub(crate) fn on(
        &self,
        kind: SanctionKind,
        who: Known<'_>,
        room: Option<RoomNumber>,
        now: i64,
    ) -> Option<&Arc<Sanction>> {
        self.each_on(who)
            .filter_map(|id| self.all.get(id))
            .filter(|one| one.kind == kind && one.room == room && one.holds(now))
            // The index knows less than the sanction says.
            .filter(|one| who.is_under(one))
            .max_by_key(|one| one.until.unwrap_or(i64::MAX))
    }

    /// The mute that keeps somebody from writing in a room, or to others where there is none.
    pub(crate) fn mute_on(
        &self,
        who: Known<'_>,
        room: Option<RoomNumber>,
        now: i64,
    ) -> Option<&Arc<Sanction>> {
        if self.mutes == 0 {
            return None;
        }
        let on_server = self.on(SanctionKind::Mute, who, None, now);
        let in_room = room.and_then(|room| self.on(SanctionKind::Mute, who, Some(room), now));
        in_room.into_iter().chain(on_server).max_by_key(|one| one.until.unwrap_or(i64::MAX))
    }

    /// Every sanction whose subject somebody is, whether it holds or not.
    fn each_on<'a>(&'a self, who: Known<'a>) -> impl Iterator<Item = &'a SanctionId> {
        let Known { identity, member, session } = who;
        let account = identity.login.as_ref().map(|login| login.account_key.id);
        let by_account = account.and_then(|account| self.accounts.get(&account));
        let by_name = self.names.get(identity.name.key());
        // What a name looks like costs a hundred times what it is called.
        let looks = (!self.looks.is_empty()).then(|| identity.name.looks());
        let by_look = looks.into_iter().flatten().filter_map(|look| self.looks.get(look));
        let by_session = session.and_then(|session| self.sessions.get(&session));
        let by_member = member.and_then(|member| self.members.get(&member));
        let by_network = identity.address.into_iter().flat_map(|address| self.at(address));
        let by_person = by_account.into_iter().chain(by_name).chain(by_session).chain(by_member);
        by_person.chain(by_look).flatten().chain(by_network)
    }

    /// The sanctions on networks that an address is in.
    fn at(&self, address: IpAddr) -> impl Iterator<Item = &SanctionId> {
        let networks = self.prefixes.keys().filter_map(move |(is_ipv4, prefix)| {
            let network = Network::new(address, Some(*prefix))?;
            (network.is_ipv4() == *is_ipv4).then_some(network)
        });
        networks.filter_map(|network| self.networks.get(&network)).flatten()
    }

    /// A guest has an account from now on, which what was imposed on the guest is on. What only the name had in common stays with the
    /// name: whom it was imposed on may have another by now.
    pub(crate) fn follow(&mut self, who: Known<'_>, account: &AccountRef) {
        let is_of_guest = |one: &&Arc<Sanction>| match &one.subject {
            SanctionSubject::Guest { session, member, .. } => {
                (session.is_some() && *session == who.session)
                    || (member.is_some() && *member == who.member)
            }
            _ => false,
        };
        let ids = self.each_on(who).filter_map(|id| self.all.get(id)).filter(is_of_guest);
        let ids: Vec<_> = ids.map(|one| one.id).collect();
        for id in ids {
            if let Some(sanction) = self.lift(id) {
                let subject = SanctionSubject::Account(account.clone());
                self.impose(Sanction { subject, ..(*sanction).clone() });
            }
        }
    }

    /// Somebody was put out, and may not come back for a while.
    pub(crate) fn kick(&mut self, whom: Whom, now: i64, reason: Arc<str>) {
        self.kicks.retain(|kick| now < kick.until && kick.whom != whom);
        if self.kicks.len() >= KICKS {
            self.kicks.pop_front();
        }
        self.kicks.push_back(Kick { whom, until: now + KICKED_FOR, reason });
    }

    /// Why somebody may not be here, if they may not (MO-2, MO-4).
    pub(crate) fn excludes(&self, who: Known<'_>, now: i64) -> Option<Refusal> {
        if let Some(ban) = self.on(SanctionKind::Ban, who, None, now) {
            return Some(Refusal::Banned(ban.exclusion()));
        }
        let is_kicked = |kick: &&Kick| now < kick.until && kick.whom.is(who.identity);
        let kick = self.kicks.iter().find(is_kicked)?;
        let exclusion = Exclusion { reason: Arc::clone(&kick.reason), until: Some(kick.until) };
        Some(Refusal::Kicked(exclusion))
    }
}

fn is_room_ban(sanction: &Sanction) -> bool {
    sanction.kind == SanctionKind::Ban && sanction.room.is_some()
}

fn note<K: Ord>(index: &mut BTreeMap<K, Ids>, key: K, id: SanctionId, holds: bool) {
    if holds {
        index.entry(key).or_default().insert(id);
    } else if let Some(ids) = index.get_mut(&key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(&key);
        }
    }
}

/// Written are the sanctions and the kicks; the rest is an index on these.
impl Serialize for Sanctions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all: Vec<_> = self.all.values().collect();
        (all, &self.kicks).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Sanctions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (all, kicks) = <(Vec<Sanction>, _)>::deserialize(from)?;
        let mut read = Self { kicks, ..Self::default() };
        for sanction in all {
            read.impose(sanction);
        }
        Ok(read)
    }
}

impl Digest for Kick {
    fn digest(&self, to: &mut Digester) {
        let Self { whom, until, reason } = self;
        to.add(whom).add(until).add(&**reason);
    }
}

impl Digest for Sanctions {
    fn digest(&self, to: &mut Digester) {
        // The rest is an index on these.
        let Self { all, kicks, .. } = self;
        to.add(&all.len());
        for sanction in all.values() {
            to.add(&**sanction);
        }
        to.add(kicks);
    }
}
