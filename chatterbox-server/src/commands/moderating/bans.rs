//! Bans of users, names and networks (MO-4 to MO-6).

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use chatterbox_hub::{
    Hit, Level, MemberId, ModerationDone, Network, RoomActor, RoomChange, RoomRef, RoomWish,
    Sanction, SanctionId, SanctionKind, SanctionSubject,
};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::family::subject::Subject;
use crate::commands::moderating::acts::Acts;
use crate::commands::reply::Rejection;
use crate::commands::span::Span;
use crate::moderation::{About, Act, AuditEntry, NewSanction, SANCTIONS};
use crate::ops::clock::unix_now;

/// For how long guests from the address of a banned guest are kept out, in seconds (MO-5).
const GUESTS_FROM_THERE: u32 = 60 * 60;

/// Users who are here from an address that is no shared one yet (MO-5).
const SHARED_BY: usize = 5;

/// The widest networks that somebody below level 5 may ban (MO-6).
const WIDEST_IPV4: u8 = 16;
const WIDEST_IPV6: u8 = 32;

/// Bans of one room, and mutes. Whoever has an account can have a room.
const OF_ROOM: usize = 200;

/// Places that are kept for sanctions on the server: no owner of a room keeps anybody from banning there.
const FOR_THE_SERVER: usize = 2_000;

/// Whom a ban is for.
#[derive(Debug)]
pub(in crate::commands) enum Banned {
    /// Somebody who is here, or has an account.
    Subject(Subject),
    /// A name that nobody has at the moment.
    Name(Username),
    /// Whoever comes from a network, or who does and is not logged in.
    Network { network: Network, guests_only: bool },
}

/// A ban that was thought through and not imposed yet.
#[derive(Debug)]
pub(in crate::commands) struct BanPlan {
    sanctions: Vec<NewSanction>,
    about: About,
    /// The connections that it ends.
    hits: Vec<Hit>,
    /// Whether more end than those of the one whom it is for, so that it is asked first (MO-6).
    pub(in crate::commands) asks: bool,
    pub(in crate::commands) until: Option<i64>,
}

impl BanPlan {
    /// Whom it is for: a name, or a network.
    pub(in crate::commands) fn about(&self) -> &str {
        self.about.text()
    }

    /// Whether it ends no connection but these.
    pub(in crate::commands) fn ends_only(&self, members: &HashSet<MemberId>) -> bool {
        self.hits.iter().all(|hit| members.contains(&hit.member))
    }

    /// The connections that it ends.
    pub(in crate::commands) fn members(&self) -> HashSet<MemberId> {
        self.hits.iter().map(|hit| hit.member).collect()
    }

    /// How many connections it ends.
    pub(in crate::commands) fn connections(&self) -> usize {
        self.hits.len()
    }
}

impl Acts<'_> {
    /// Thinks a ban from the server through.
    ///
    /// # Errors
    /// [`Rejection`] with `would-lock-out` when it would hit its author or somebody of no lower level, `forbidden` when the network
    /// is too wide.
    pub(in crate::commands) fn plan_ban(
        &self,
        whom: &Banned,
        span: Span,
        reason: &str,
    ) -> Result<BanPlan, Rejection> {
        let now = unix_now();
        let until = span.until(now);
        let one = |subject: SanctionSubject, about: &str, until| NewSanction {
            kind: SanctionKind::Ban,
            subject,
            about: about.into(),
            room: None,
            by: (&*self.author.name).into(),
            reason: reason.into(),
            since: now,
            until,
        };
        let (sanctions, about) = match whom {
            Banned::Subject(subject) => {
                let name = &subject.name;
                let mut sanctions = vec![one(subject.as_sanctioned(), name.as_str(), until)];
                let from_there = subject.address().filter(|_| subject.account.is_none());
                if let Some(network) = from_there.and_then(|from| self.guests_from(from)) {
                    let an_hour = now.saturating_add(GUESTS_FROM_THERE.into());
                    let until = Some(until.map_or(an_hour, |until| until.min(an_hour)));
                    let on = SanctionSubject::Network { network, guests_only: true };
                    sanctions.push(one(on, name.as_str(), until));
                }
                (sanctions, About::user(name))
            }
            Banned::Name(name) => {
                let on = SanctionSubject::Name(name.clone());
                (vec![one(on, name.as_str(), until)], About::user(name))
            }
            Banned::Network { network, guests_only } => {
                self.is_narrow(*network)?;
                let on = SanctionSubject::Network { network: *network, guests_only: *guests_only };
                (vec![one(on, &network.to_string(), until)], About::network(*network))
            }
        };
        let as_imposed: Vec<_> = sanctions.iter().map(|new| new.with_id(SanctionId(0))).collect();
        let hits = self.port.hits(&as_imposed);
        let locks_out = |hit: &Hit| {
            Some(hit.member) == self.author.member
                || !self.author.is_above(hit.identity.actor().level)
        };
        if hits.iter().any(locks_out) {
            let text =
                "This would put out you yourself, or somebody of the same or a higher level.";
            return Err(Rejection::new(OutcomeCode::WouldLockOut, text));
        }
        let is_meant = |hit: &Hit| match whom {
            Banned::Subject(subject) => match (&subject.account, &hit.identity.login) {
                (Some(its), Some(login)) => its.is_same_account(login),
                (None, None) => hit.identity.name == subject.name,
                _ => false,
            },
            // Nobody had it when it was looked for, and somebody may have come since.
            Banned::Name(name) => hit.identity.name == *name,
            Banned::Network { .. } => false,
        };
        let others = hits.iter().filter(|hit| !is_meant(hit)).count();
        let asks = match whom {
            Banned::Network { .. } => others > 1,
            Banned::Subject(_) | Banned::Name(_) => others > 0,
        };
        Ok(BanPlan { sanctions, about, hits, asks, until })
    }

    /// Imposes a ban.
    ///
    /// # Errors
    /// [`Rejection`]; nothing has changed then.
    pub(in crate::commands) async fn ban(
        &self,
        plan: BanPlan,
        silent: bool,
    ) -> Result<ModerationDone, Rejection> {
        let BanPlan { sanctions, about, until, .. } = plan;
        let reason = sanctions.first().map(|new| new.reason.clone()).unwrap_or_default();
        let entry = AuditEntry {
            about: Some(about),
            reason,
            until,
            detail: if silent { "silent".into() } else { "".into() },
            ..self.author.entry(unix_now(), Act::Ban)
        };
        self.impose(entry, sanctions, silent, None).await
    }

    /// Keeps somebody out of a room. That they leave it is a change of the room.
    ///
    /// # Errors
    /// [`Rejection`]. Where it is the room that could not be changed, the ban holds all the same.
    pub(in crate::commands) async fn ban_from(
        &self,
        room: &RoomRef,
        subject: &Subject,
        span: Span,
        reason: &str,
    ) -> Result<Option<i64>, Rejection> {
        let now = unix_now();
        let until = span.until(now);
        let new = NewSanction {
            kind: SanctionKind::Ban,
            subject: subject.as_sanctioned(),
            about: subject.name.as_str().into(),
            room: Some(room.number),
            by: (&*self.author.name).into(),
            reason: reason.into(),
            since: now,
            until,
        };
        let entry = AuditEntry {
            about: Some(About::user(&subject.name)),
            room: Some(room.clone()),
            reason: reason.into(),
            until,
            ..self.author.entry(now, Act::Ban)
        };
        let before = self.held_by(SanctionKind::Ban, Some(room), |one| one.subject == new.subject);
        self.has_place(SanctionKind::Ban, room, &before)?;
        let removal = RoomWish {
            by: RoomActor::Operator,
            change: RoomChange::Remove {
                room: room.number,
                who: subject.as_room_member()?,
                reason: reason.to_owned(),
                banned: true,
                by: Some(Arc::clone(&self.author.name)),
            },
            now,
        };
        self.impose(entry, vec![new], true, Some(removal)).await?;
        if !before.is_empty() {
            let entry = AuditEntry {
                about: Some(About::user(&subject.name)),
                room: Some(room.clone()),
                detail: "replaced".into(),
                ..self.author.entry(now, Act::Unban)
            };
            self.take_back(entry, before.iter().map(|ban| ban.id).collect(), true).await?;
        }
        Ok(until)
    }

    /// Checks that one more sanction may hold in a room, beside those that it replaces.
    pub(super) fn has_place(
        &self,
        kind: SanctionKind,
        room: &RoomRef,
        replaced: &[Arc<Sanction>],
    ) -> Result<(), Rejection> {
        let of_room = self.held_by(kind, Some(room), |_| true).len() - replaced.len();
        let text = if of_room >= OF_ROOM {
            format!("A room has at most {OF_ROOM} bans, and as many mutes; lift some first.")
        } else if self.port.sanctions().len() - replaced.len() >= SANCTIONS - FOR_THE_SERVER {
            "There are too many in all rooms together.".to_owned()
        } else {
            return Ok(());
        };
        Err(Rejection::new(OutcomeCode::TooMany, text))
    }

    /// The network of a guest, unless many come from there: an address is often shared, and then others would pay. On this machine
    /// everybody has the same one.
    fn guests_from(&self, address: IpAddr) -> Option<Network> {
        let network =
            Network::new(address, None).filter(|_| !address.to_canonical().is_loopback())?;
        let probe = NewSanction {
            kind: SanctionKind::Ban,
            subject: SanctionSubject::Network { network, guests_only: false },
            about: "".into(),
            room: None,
            by: "".into(),
            reason: "".into(),
            since: 0,
            until: None,
        };
        let there = self.port.hits(&[probe.with_id(SanctionId(0))]);
        // A user with several connections is one.
        let accounts = there.iter().map(|hit| match &hit.identity.login {
            Some(login) => (Some(login.account_key.id), None),
            None => (None, Some(&hit.identity.name)),
        });
        (accounts.collect::<HashSet<_>>().len() <= SHARED_BY).then_some(network)
    }

    /// Checks that a network is not too wide for its author (MO-6).
    fn is_narrow(&self, network: Network) -> Result<(), Rejection> {
        let widest = if network.is_ipv4() { WIDEST_IPV4 } else { WIDEST_IPV6 };
        let may_all = self.author.level.is_none_or(|level| level >= Level::ADMIN);
        if may_all || network.prefix() >= widest {
            return Ok(());
        }
        let text = format!("Nothing wider than /{widest} can be banned below level 5.");
        Err(Rejection::new(OutcomeCode::Forbidden, text))
    }
}
