//! Putting out, muting, and what ends a sanction.

use std::sync::Arc;

use chatterbox_hub::{
    AccountRef, Moderation, ModerationAct, ModerationDone, Network, RoomRef, RoomWish, Sanction,
    SanctionId, SanctionKind, SanctionSubject, Whom,
};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::family::subject::Subject;
use crate::commands::moderating::author::Author;
use crate::commands::moderating::port::ModerationPort;
use crate::commands::reply::Rejection;
use crate::commands::span::Span;
use crate::commands::state::CommandState;
use crate::moderation::{About, Act, AuditEntry, NewSanction};
use crate::ops::clock::unix_now;

/// What somebody can do who moderates. That they may was looked at before.
#[derive(Debug)]
pub(in crate::commands) struct Acts<'a> {
    pub(in crate::commands) state: &'a CommandState,
    pub(in crate::commands) port: &'a dyn ModerationPort,
    pub(in crate::commands) author: Author,
}

impl Acts<'_> {
    /// Puts somebody out, who may come back in half a minute (MO-2).
    ///
    /// # Errors
    /// [`Rejection`]: it can't be written down, or the chat does not do it.
    pub(in crate::commands) async fn kick(
        &self,
        subject: &Subject,
        reason: &str,
        silent: bool,
    ) -> Result<ModerationDone, Rejection> {
        let now = unix_now();
        let entry = AuditEntry {
            about: Some(About::user(&subject.name)),
            reason: reason.into(),
            ..self.author.entry(now, Act::Kick)
        };
        let act = ModerationAct::Kick { whom: whom(subject), reason: reason.into() };
        let (begin, moderation) = (self.port.begin(), self.moderation(act, now, silent));
        let noted = self
            .state
            .moderation
            .note_then(entry, move |written| begin(Moderation { written, ..moderation }, None));
        noted.await?.await.map_err(refused)
    }

    /// Keeps somebody from writing, on the server or in a room (MO-3). A mute that they have there already ends.
    ///
    /// # Errors
    /// [`Rejection`]: it can't be written down, or the chat does not do it.
    pub(in crate::commands) async fn mute(
        &self,
        subject: &Subject,
        room: Option<&RoomRef>,
        span: Span,
        reason: &str,
    ) -> Result<Option<i64>, Rejection> {
        let now = unix_now();
        let until = span.until(now);
        let before = self.held(SanctionKind::Mute, room, &subject.name);
        if let Some(room) = room {
            self.has_place(SanctionKind::Mute, room, &before)?;
        }
        let new = NewSanction {
            kind: SanctionKind::Mute,
            subject: subject.as_sanctioned(),
            about: subject.name.as_str().into(),
            room: room.map(|room| room.number),
            by: (&*self.author.name).into(),
            reason: reason.into(),
            since: now,
            until,
        };
        let entry = AuditEntry {
            about: Some(About::user(&subject.name)),
            room: room.cloned(),
            reason: reason.into(),
            until,
            ..self.author.entry(now, Act::Mute)
        };
        self.impose(entry, vec![new], true, None).await?;
        if !before.is_empty() {
            let ids = before.iter().map(|sanction| sanction.id).collect();
            // Until the next start both hold if this fails; the later end counts.
            let entry = AuditEntry {
                about: Some(About::user(&subject.name)),
                room: room.cloned(),
                detail: "replaced".into(),
                ..self.author.entry(now, Act::Unmute)
            };
            self.take_back(entry, ids, true).await?;
        }
        Ok(until)
    }

    /// Lifts sanctions, which were found by [`Acts::held`] or their number.
    ///
    /// # Errors
    /// [`Rejection`]: it can't be written down, or the chat does not do it.
    pub(in crate::commands) async fn lift(
        &self,
        lifted: &[Arc<Sanction>],
        room: Option<&RoomRef>,
    ) -> Result<(), Rejection> {
        let Some(first) = lifted.first() else { return Ok(()) };
        let now = unix_now();
        let act = match first.kind {
            SanctionKind::Ban => Act::Unban,
            SanctionKind::Mute => Act::Unmute,
        };
        let about = match &first.subject {
            SanctionSubject::Network { network, .. } => Some(About::network(*network)),
            _ => Username::parse(&first.about).ok().map(|name| About::user(&name)),
        };
        let numbers: Vec<_> = lifted.iter().map(|sanction| sanction.id.0.to_string()).collect();
        let entry = AuditEntry {
            about,
            room: room.cloned(),
            detail: numbers.join(", ").as_str().into(),
            ..self.author.entry(now, act)
        };
        self.take_back(entry, lifted.iter().map(|sanction| sanction.id).collect(), false).await
    }

    /// The sanctions of a kind that hold in a room, or on the server, and were asked for this name.
    pub(in crate::commands) fn held(
        &self,
        kind: SanctionKind,
        room: Option<&RoomRef>,
        name: &Username,
    ) -> Vec<Arc<Sanction>> {
        self.held_by(kind, room, |sanction| {
            Username::parse(&sanction.about).is_ok_and(|about| about == *name)
                || sanction.subject.name() == Some(name)
        })
    }

    /// The sanctions of a kind that hold in a room, or on the server, and are the ones that are meant.
    pub(in crate::commands) fn held_by(
        &self,
        kind: SanctionKind,
        room: Option<&RoomRef>,
        is_meant: impl Fn(&Sanction) -> bool,
    ) -> Vec<Arc<Sanction>> {
        let room = room.map(|room| room.number);
        let all = self.port.sanctions().into_iter();
        all.filter(|one| one.kind == kind && one.room == room && is_meant(one)).collect()
    }

    /// The bans that a text means: by number, network, or name.
    pub(in crate::commands) fn bans_meant(
        &self,
        room: Option<&RoomRef>,
        text: &str,
    ) -> Vec<Arc<Sanction>> {
        let by_number = text.parse().ok().map(SanctionId);
        let network = Network::parse(text);
        let name = Username::parse(text).ok();
        let by_name = self.held_by(SanctionKind::Ban, room, |ban| {
            let is_network = || match (&ban.subject, network) {
                (SanctionSubject::Network { network, .. }, Some(meant)) => *network == meant,
                _ => false,
            };
            let is_name = |name: &Username| {
                ban.subject.name() == Some(name)
                    || Username::parse(&ban.about).is_ok_and(|about| about == *name)
            };
            is_network() || name.as_ref().is_some_and(is_name)
        });
        // A number can be a name, too.
        match by_name.is_empty() {
            true => self.held_by(SanctionKind::Ban, room, |ban| by_number == Some(ban.id)),
            false => by_name,
        }
    }

    /// Writes sanctions down, and imposes them; behind that comes a wish about a room.
    pub(super) async fn impose(
        &self,
        entry: AuditEntry,
        new: Vec<NewSanction>,
        silent: bool,
        behind: Option<RoomWish>,
    ) -> Result<ModerationDone, Rejection> {
        let (begin, now) = (self.port.begin(), entry.at);
        let (by, level) = (Arc::clone(&self.author.name), self.author.level);
        let imposed = self.state.moderation.impose_then(entry, new, move |sanctions, written| {
            let act = ModerationAct::Impose(sanctions);
            begin(Moderation { by, level, now, silent, written, act }, behind)
        });
        imposed.await?.await.map_err(refused)
    }

    /// Writes down that sanctions are lifted, and lifts them.
    pub(super) async fn take_back(
        &self,
        entry: AuditEntry,
        ids: Vec<SanctionId>,
        silent: bool,
    ) -> Result<(), Rejection> {
        let (begin, now) = (self.port.begin(), entry.at);
        let (by, level) = (Arc::clone(&self.author.name), self.author.level);
        let lifted = self.state.moderation.lift_then(entry, ids, move |ids, written| {
            let act = ModerationAct::Lift(ids);
            begin(Moderation { by, level, now, silent, written, act }, None)
        });
        lifted.await?.await.map(drop).map_err(refused)
    }

    fn moderation(&self, act: ModerationAct, now: i64, silent: bool) -> Moderation {
        let (by, level) = (Arc::clone(&self.author.name), self.author.level);
        Moderation { by, level, now, silent, written: None, act }
    }
}

/// Why the chat did not do what was written down.
fn refused(code: OutcomeCode) -> Rejection {
    let text = match code {
        OutcomeCode::Forbidden => "Only users of a level below the own one can be changed.",
        OutcomeCode::TooMany => "There are too many bans and mutes already.",
        _ => "The server can't do this now.",
    };
    Rejection::new(code, text)
}

/// Somebody, as those who are put out are known.
fn whom(subject: &Subject) -> Whom {
    match &subject.account {
        Some(login) => Whom::Account(AccountRef::from(login)),
        None => Whom::Guest(subject.name.clone(), subject.member()),
    }
}
