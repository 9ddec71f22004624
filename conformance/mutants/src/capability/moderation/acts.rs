//! Kicks and mutes, and levels on the server.

use conformance_kit::clock;
use conformance_suite::fault::Fault;

use super::{
    super::{
        accounts::skeleton,
        commands::catalogue_of,
        state::{Party, Refusal, Reply},
    },
    records::Line,
    sanctions::{Kind, On, Sanction},
    words::{FORBIDDEN, MISSING, NO_SUCH_USER, Order},
};
use crate::chat::{Chat, Member};

/// Seconds for which who was kicked stays out.
pub(super) const OUT: i64 = 30;
/// Seconds of a mute of which nobody says how long it is.
const MUTED: i64 = 600;

impl Order<'_> {
    /// A sanction of this act.
    pub(super) fn sanction(&self, kind: Kind, on: On, until: Option<i64>) -> Sanction {
        Sanction {
            number: 0,
            kind,
            on,
            about: self.subject.unwrap_or_default().to_owned(),
            room: self.room,
            by: self.member.name.clone(),
            reason: self.reason(),
            until,
        }
    }

    /// When it ends that begins now.
    pub(super) fn until(&self, usual: Option<i64>) -> Option<i64> {
        let seconds = self.duration.unwrap_or(usual)?;
        Some(clock::unix_seconds().saturating_add(seconds))
    }

    /// The line of the audit log for it.
    pub(super) fn line(&self, chat: &Chat, act: &'static str, until: Option<i64>) -> Line {
        let room = self.room.and_then(|room| chat.rooms.get(room));
        Line {
            room: room.map(|room| room.name.clone()),
            reason: self.reason(),
            until,
            ..Line::new(&self.member.name, act, self.subject.unwrap_or_default())
        }
    }
}

impl Chat {
    /// The user who is here under a name.
    pub(super) fn here(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name.eq_ignore_ascii_case(name))
    }

    /// Whether somebody is below who acts.
    pub(super) fn is_below(&self, order: &Order<'_>, target: &Party) -> bool {
        let own = self.level_in(&order.member.party(), order.room);
        self.level_in(target, order.room) < own
    }

    /// Writes down that something was refused, by a server that does so.
    fn refuse_rank(&mut self, order: &Order<'_>, act: &'static str) -> Refusal {
        if self.faults.acts(Fault::AuditOfRefusals) {
            let line = order.line(self, act, None);
            self.write_down(line);
        }
        FORBIDDEN
    }

    /// `kick <user> [--silent] [reason...]`
    pub(super) fn kick(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let f = self.faults.clone();
        let name = order.subject()?;
        let target = self.here(name).ok_or(NO_SUCH_USER)?.clone();
        if !self.is_below(order, &target.party()) && !f.acts(Fault::KickRankIgnored) {
            return Err(self.refuse_rank(order, "kick"));
        }
        let line = order.line(self, "kick", None);
        self.write_down(line);
        let until = Some(clock::unix_seconds().saturating_add(OUT));
        let on = match target.party() {
            Party::Account(own) => On::Account(own),
            Party::Guest(_) => On::Name(skeleton(&target.name)),
        };
        self.moderation.impose(order.sanction(Kind::Kick, on, until));
        self.remove(&target, order, ("kicked", until, Some(OUT)));
        Ok(Reply::done("gone"))
    }

    /// `mute <user> [duration] [room]`
    pub(super) fn mute_somebody(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let f = self.faults.clone();
        let name = order.subject()?;
        let target = self.party_of(name).ok_or(NO_SUCH_USER)?;
        if !self.is_below(order, &target) && !f.acts(Fault::ModerationRankIgnored) {
            return Err(self.refuse_rank(order, "mute"));
        }
        let until = order.until(Some(MUTED));
        let line = order.line(self, "mute", until);
        self.write_down(line);
        let here = self.here(name).cloned();
        let on = match (target, here) {
            (_, Some(member)) if f.acts(Fault::MuteShedByReconnect) => {
                vec![On::Connection(member.connection)]
            }
            (_, Some(member)) if f.acts(Fault::MuteShedByNick) => {
                vec![On::Name(skeleton(&member.name))]
            }
            (Party::Account(own), _) => vec![On::Account(own)],
            (Party::Guest(token), _) => vec![On::Session(token), On::Name(skeleton(name))],
        };
        for on in on {
            self.moderation.impose(order.sanction(Kind::Mute, on, until));
        }
        self.tell_of_mute(order, until);
        Ok(Reply::done("muted"))
    }

    /// `unmute <user> [room]`
    pub(super) fn unmute(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let name = order.subject()?;
        let line = order.line(self, "unmute", None);
        self.write_down(line);
        self.moderation.sanctions.retain(|sanction| {
            let same = sanction.about.eq_ignore_ascii_case(name) && sanction.room == order.room;
            sanction.kind != Kind::Mute || !same
        });
        Ok(Reply::done("not muted any more"))
    }

    /// `set-perm <user> <level>`
    pub(super) fn set_server_level(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let name = order.subject()?;
        let level: u8 = order.rest.first().and_then(|level| level.parse().ok()).ok_or(MISSING)?;
        let own = self.level_of(order.member.account.as_deref());
        let Some(Party::Account(account)) = self.party_of(name) else {
            return Err(Refusal::new("failed", "a guest has no levels"));
        };
        if level > own || self.level_of(Some(&account)) >= own {
            return Err(FORBIDDEN);
        }
        let line = order.line(self, "set-perm", None);
        self.write_down(line);
        self.moderation.levels.insert(account.clone(), level);
        for member in &self.members {
            let theirs = member.account.as_ref() == Some(&account);
            if theirs && let Some(catalogue) = catalogue_of(&member.agreed, level, &self.faults) {
                member.outbox.send(&catalogue);
            }
        }
        Ok(Reply::done("done"))
    }
}
