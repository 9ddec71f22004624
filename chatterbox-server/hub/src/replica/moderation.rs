//! Acts of moderation, as the state that all nodes share takes them.

use std::sync::Arc;

use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::{Exclusion, Username};

use crate::identity::Identity;
use crate::ids::{MemberId, RoomNumber, SessionId};
use crate::level::Level;
use crate::removal::Removal;
use crate::replica::effect::{Moderated, ModerationTold, Refused};
use crate::replica::moderation_act::{Hit, Moderation, ModerationAct, ModerationDone, Whom};
use crate::replica::sanctions::{KICKED_FOR, Known};
use crate::replica::state::Replica;
use crate::sanction::{Sanction, SanctionKind, SanctionSubject};

impl Replica {
    /// Carries an act out.
    ///
    /// # Errors
    /// [`Refused::Moderation`] when it would touch somebody of the same or a higher level, and when there are too many sanctions;
    /// nothing changes then.
    pub(super) fn moderate(&mut self, moderation: Moderation) -> Result<Moderated, Refused> {
        let Moderation { level, now, silent, written, act, .. } = moderation;
        if let ModerationAct::Impose(new) = &act
            && written.is_some()
            && !self.sanctions.has_room(new, now)
        {
            return Err(Refused::Moderation(OutcomeCode::TooMany));
        }
        let mut moderated = match act {
            ModerationAct::Kick { whom, reason } => self.kick(&whom, level, now, reason)?,
            ModerationAct::Impose(sanctions) => self.impose(sanctions, level, now),
            ModerationAct::Lift(ids) => {
                let lifted = ids.iter().filter_map(|id| self.sanctions.lift(*id));
                let lifted: Vec<_> = lifted.collect();
                self.lifted(&lifted, now)
            }
        };
        // That they are muted they are told themselves in any case.
        let is_for_others = |told: &ModerationTold| match told {
            ModerationTold::PutOut { .. } => true,
            ModerationTold::Mute { held, .. } => held.is_none(),
        };
        if silent {
            moderated.told = moderated.told.filter(|told| !is_for_others(told));
        }
        Ok(moderated)
    }

    fn kick(
        &mut self,
        whom: &Whom,
        level: Option<Level>,
        now: i64,
        reason: Arc<str>,
    ) -> Result<Moderated, Refused> {
        let here: Vec<_> =
            self.hits(|identity, known| whom.is(identity) || whom.has(known.member)).collect();
        // Ranks are strict (RL-2): who was promoted a moment ago stays.
        if here.iter().any(|hit| !is_below(hit, level)) {
            return Err(Refused::Moderation(OutcomeCode::Forbidden));
        }
        self.sanctions.kick(whom.clone(), now, Arc::clone(&reason));
        let (names, members) = split(here);
        let sessions = self.sessions_of_members(&members);
        let left = members.into_iter().filter_map(|member| self.remove(member)).collect();
        self.sessions.forget_those(|id, session| {
            sessions.contains(&id) || (session.member.is_none() && session.is_of(whom))
        });
        let kicked = Exclusion { reason, until: Some(now.saturating_add(KICKED_FOR)) };
        let announced = match (names.is_empty(), whom) {
            (false, _) => names.clone(),
            (true, Whom::Guest(name, _)) => vec![name.clone()],
            (true, Whom::Account(account)) => vec![account.name.clone()],
        };
        let told =
            ModerationTold::PutOut { names: announced, is_ban: false, exclusion: kicked.clone() };
        Ok(Moderated {
            left,
            removal: Some(Removal::Kicked(Box::new(kicked))),
            told: Some(told),
            done: ModerationDone { removed: names, told: 0 },
        })
    }

    fn impose(
        &mut self,
        mut sanctions: Vec<Sanction>,
        level: Option<Level>,
        now: i64,
    ) -> Moderated {
        self.sanctions.forget(|sanction| !sanction.holds(now));
        for sanction in &mut sanctions {
            if let SanctionSubject::Guest { session, member: Some(member), .. } =
                &mut sanction.subject
            {
                *session = self.session(*member).or_else(|| self.sessions.of_newest(*member));
            }
            self.sanctions.impose(sanction.clone());
        }
        let Some(first) = sanctions.first() else { return nothing() };
        let (kind, room, about) = (first.kind, first.room, Arc::clone(&first.about));
        let exclusion = first.exclusion();
        match kind {
            SanctionKind::Mute => {
                let members = self.hits_of(&sanctions).map(|hit| hit.member).collect();
                self.mute_told(members, about, room, Some(exclusion))
            }
            // Who is banned from a room leaves it by a wish about the room, which is a record of the log.
            SanctionKind::Ban if room.is_some() => nothing(),
            SanctionKind::Ban => {
                // Ranks are strict (RL-2): who was promoted a moment ago stays.
                let here = self.hits_of(&sanctions).filter(|hit| is_below(hit, level)).collect();
                let (names, members) = split(here);
                let gone = self.sessions_of_members(&members);
                let left = members.into_iter().filter_map(|member| self.remove(member)).collect();
                let table = &self.sanctions;
                self.sessions.forget_those(|id, session| {
                    let is_banned = || {
                        let identity = session.identity();
                        let who = Known { identity: &identity, member: None, session: Some(id) };
                        table.on(SanctionKind::Ban, who, None, now).is_some()
                    };
                    gone.contains(&id) || (session.member.is_none() && is_banned())
                });
                let mut announced = names.clone();
                if announced.is_empty() {
                    // Nobody is told of an address (MO-7).
                    announced.extend(sanctions.iter().find_map(|one| one.subject.name()).cloned());
                }
                let removal = Some(Removal::Banned(Box::new(exclusion.clone())));
                let told = ModerationTold::PutOut { names: announced, is_ban: true, exclusion };
                let done = ModerationDone { removed: names, told: 0 };
                Moderated { left, removal, told: Some(told), done }
            }
        }
    }

    fn lifted(&self, lifted: &[Arc<Sanction>], now: i64) -> Moderated {
        let mutes: Vec<_> = lifted
            .iter()
            .filter(|one| one.kind == SanctionKind::Mute)
            .map(|one| (**one).clone())
            .collect();
        let Some(first) = mutes.first() else { return nothing() };
        let members = self.hits_of(&mutes).map(|hit| hit.member);
        // Somebody may be muted twice.
        let is_free = |member: &MemberId| self.is_not_muted(*member, first.room, None, now).is_ok();
        let members = members.filter(is_free).collect();
        self.mute_told(members, Arc::clone(&first.about), first.room, None)
    }

    fn mute_told(
        &self,
        members: Vec<MemberId>,
        about: Arc<str>,
        room: Option<RoomNumber>,
        held: Option<Exclusion>,
    ) -> Moderated {
        let room = room.and_then(|room| self.rooms.get(room)).map(|room| room.definition.to_ref());
        let done = ModerationDone { removed: Vec::new(), told: members.len() };
        let told = Some(ModerationTold::Mute { members, about, room, held });
        Moderated { told, done, ..nothing() }
    }

    /// Whether somebody may say something in a room, to all or to another user, as far as mutes go (MO-3).
    ///
    /// # Errors
    /// Until when they may not.
    pub(crate) fn is_not_muted(
        &self,
        member: MemberId,
        room: Option<RoomNumber>,
        to: Option<&Username>,
        now: i64,
    ) -> Result<(), Option<i64>> {
        if !self.sanctions.has_mutes() {
            return Ok(());
        }
        let Some(who) = self.known(member) else { return Ok(()) };
        let Some(mute) = self.sanctions.mute_on(who, room, now) else { return Ok(()) };
        // They may ask those who keep order.
        let reader = to.and_then(|name| self.recipient(name));
        let reader = reader.and_then(|reader| self.presence.identity(reader));
        let keeps_order = reader.is_some_and(|identity| identity.actor().level >= Level::MODERATOR);
        if keeps_order { Ok(()) } else { Err(mute.until) }
    }

    /// Somebody who is here, as sanctions see them.
    pub(crate) fn known(&self, member: MemberId) -> Option<Known<'_>> {
        let person = self.presence.person(member)?;
        let session = person.connection.session;
        Some(Known { identity: &person.identity, member: Some(member), session })
    }

    /// The connections that sanctions are on, if they were imposed.
    pub(crate) fn hits_of<'a>(
        &'a self,
        sanctions: &'a [Sanction],
    ) -> impl Iterator<Item = Hit> + 'a {
        self.hits(move |_, known| sanctions.iter().any(|sanction| known.is_under(sanction)))
    }

    fn hits<'a>(
        &'a self,
        is_hit: impl Fn(&Identity, Known<'_>) -> bool + 'a,
    ) -> impl Iterator<Item = Hit> + 'a {
        self.presence.people().filter_map(move |(member, person)| {
            let identity = &person.identity;
            let session = person.connection.session;
            let known = Known { identity, member: Some(member), session };
            is_hit(identity, known).then(|| Hit { member, identity: identity.clone() })
        })
    }

    fn sessions_of_members(&self, members: &[MemberId]) -> Vec<SessionId> {
        members.iter().filter_map(|member| self.session(*member)).collect()
    }
}

/// Whether somebody is below whoever moderates.
fn is_below(hit: &Hit, level: Option<Level>) -> bool {
    level.is_none_or(|level| hit.identity.actor().level < level)
}

/// The names, each once however many devices have it, and the connections.
fn split(hits: Vec<Hit>) -> (Vec<Username>, Vec<MemberId>) {
    let members = hits.iter().map(|hit| hit.member).collect();
    let mut names = Vec::<Username>::new();
    for Hit { identity, .. } in hits {
        if !names.contains(&identity.name) {
            names.push(identity.name);
        }
    }
    (names, members)
}

/// Nobody is told anything.
fn nothing() -> Moderated {
    Moderated { left: Vec::new(), removal: None, told: None, done: ModerationDone::default() }
}
