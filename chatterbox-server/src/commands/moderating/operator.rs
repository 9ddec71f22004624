//! Acts of whoever runs the server, from its command line: above every level, and asked by flags instead of prompts.

use std::sync::Arc;

use chatterbox_hub::Network;
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::chat::shared::Chat;
use crate::commands::family::moderation::times::{line, until};
use crate::commands::family::subject::Subject;
use crate::commands::moderating::acts::Acts;
use crate::commands::moderating::author::Author;
use crate::commands::moderating::bans::Banned;
use crate::commands::reply::Rejection;
use crate::commands::span::Span;
use crate::commands::state::CommandState;
use crate::moderation::MASKED;
use crate::moderator::{Ban, Done, Kick, Moderator, NotDone, Unban};

/// Acts against users of a chat.
#[derive(Debug)]
pub(in crate::commands) struct OperatorActs {
    state: Arc<CommandState>,
    chat: Arc<Chat>,
}

impl OperatorActs {
    pub(in crate::commands) const fn new(state: Arc<CommandState>, chat: Arc<Chat>) -> Self {
        Self { state, chat }
    }

    fn acts(&self) -> Acts<'_> {
        Acts { state: &self.state, port: &*self.chat, author: Author::operator() }
    }

    async fn subject(&self, name: &Username) -> Result<Subject, Rejection> {
        Subject::find_by(&self.state, &*self.chat, name).await
    }

    async fn put_out(&self, Kick { user, reason, silent }: Kick) -> Result<Done, NotDone> {
        let reason = line(Some(reason), "reason").map_err(not_done)?;
        let name = Username::parse(&user).map_err(|_| nobody(&user))?;
        let subject = self.subject(&name).await.map_err(not_done)?;
        let done = self.acts().kick(&subject, &reason, silent).await.map_err(not_done)?;
        tracing::info!(name = %subject.name, "kicked from the command line");
        let info = match done.removed.len() {
            0 => format!("{} is not here, and may not come for 30 s.", subject.name),
            _ => format!("{} had to go, and may come back after 30 s.", subject.name),
        };
        let about = subject.name.to_string();
        Ok(Done { about, ended: done.removed.len(), info, ..Done::default() })
    }

    /// Whom a text means, as for the command in the chat.
    async fn whom(&self, text: &str, guests_only: bool) -> Result<Banned, NotDone> {
        if let Some(network) = Network::parse(text) {
            return Ok(Banned::Network { network, guests_only });
        }
        if guests_only {
            let text = "guests are banned by an address or a network".to_owned();
            return Err(NotDone::BadArguments(text));
        }
        let name = Username::parse(text).map_err(|_| nobody(text))?;
        match self.subject(&name).await {
            Ok(subject) => Ok(Banned::Subject(subject)),
            Err(Rejection { code: OutcomeCode::NoSuchUser, .. }) => Ok(Banned::Name(name)),
            Err(rejection) => Err(not_done(rejection)),
        }
    }

    async fn keep_out(&self, ban: Ban) -> Result<Done, NotDone> {
        let Ban { subject, seconds, reason, silent, guests, sure } = ban;
        let reason = line(Some(reason), "reason").map_err(not_done)?;
        let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
        let span = seconds.map_or(Span::Forever, Span::Seconds);
        let whom = self.whom(&subject, guests).await?;
        let acts = self.acts();
        let plan = acts.plan_ban(&whom, span, &reason).map_err(not_done)?;
        if plan.asks && !sure {
            return Err(NotDone::HitsOthers(plan.connections()));
        }
        let end = plan.until;
        let about = match &whom {
            Banned::Subject(subject) => subject.name.to_string(),
            Banned::Name(name) => name.to_string(),
            Banned::Network { network, .. } => network.to_string(),
        };
        let done = acts.ban(plan, silent).await.map_err(not_done)?;
        let is_network = matches!(whom, Banned::Network { .. });
        let logged = if is_network { MASKED } else { about.as_str() };
        tracing::info!(name = logged, "banned from the command line");
        let ended = done.removed.len();
        let gone = match ended {
            0 => String::new(),
            1 => " One connection was ended.".to_owned(),
            many => format!(" {many} connections were ended."),
        };
        let info = format!("{about} is banned{}.{gone}", until(end));
        Ok(Done { about, until: end, ended, info, ..Done::default() })
    }

    async fn let_in(&self, Unban { subject }: Unban) -> Result<Done, NotDone> {
        let acts = self.acts();
        let held = acts.bans_meant(None, &subject);
        let Some(first) = held.first() else { return Err(NotDone::NoSuchBan(subject)) };
        acts.lift(&held, None).await.map_err(not_done)?;
        let numbers: Vec<_> = held.iter().map(|ban| ban.id.0).collect();
        tracing::info!(bans = ?numbers, "unbanned from the command line");
        let info = match numbers.len() {
            1 => "The ban is lifted.".to_owned(),
            many => format!("{many} bans are lifted."),
        };
        let about = first.about.to_string();
        Ok(Done { about, number: numbers.first().copied(), info, ..Done::default() })
    }
}

impl Moderator for OperatorActs {
    fn kick(&self, kick: Kick) -> BoxFuture<'_, Result<Done, NotDone>> {
        self.put_out(kick).boxed()
    }

    fn ban(&self, ban: Ban) -> BoxFuture<'_, Result<Done, NotDone>> {
        self.keep_out(ban).boxed()
    }

    fn unban(&self, unban: Unban) -> BoxFuture<'_, Result<Done, NotDone>> {
        self.let_in(unban).boxed()
    }
}

fn nobody(text: &str) -> NotDone {
    NotDone::NoSuchUser(format!("{text:?} is nobody's name, and no address."))
}

fn not_done(rejection: Rejection) -> NotDone {
    let text = rejection.text;
    match rejection.code {
        OutcomeCode::WouldLockOut => NotDone::WouldLockOut(text),
        OutcomeCode::BadArguments => NotDone::BadArguments(text),
        OutcomeCode::NoSuchUser => NotDone::NoSuchUser(text),
        _ => NotDone::Refused(text),
    }
}
