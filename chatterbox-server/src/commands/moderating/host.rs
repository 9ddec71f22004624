//! Acts of moderation by whoever runs the server, from its command line.

use std::sync::Arc;

use chatterbox_hub::Network;
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::OutcomeCode;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::chat::shared::Chat;
use crate::commands::family::subject::Subject;
use crate::commands::moderating::acts::Acts;
use crate::commands::moderating::author::Author;
use crate::commands::moderating::bans::Banned;
use crate::commands::reply::Rejection;
use crate::commands::span::Span;
use crate::commands::state::CommandState;
use crate::config::room_text;
use crate::moderation::{Ban, Done, Kick, Moderator, NotDone, Unban};

/// Moderates a chat in the name of the server, who is above everybody.
#[derive(Debug)]
pub(in crate::commands) struct HostModerator {
    state: Arc<CommandState>,
    chat: Arc<Chat>,
}

impl HostModerator {
    pub(in crate::commands) fn new(state: Arc<CommandState>, chat: Arc<Chat>) -> Self {
        Self { state, chat }
    }

    fn acts(&self) -> Acts<'_> {
        Acts { state: &self.state, port: &*self.chat, author: Author::operator() }
    }

    async fn subject(&self, text: &str) -> Result<Subject, NotDone> {
        let nobody = || NotDone::NoSuchUser(text.to_owned());
        let name = Username::parse(text).map_err(|_| nobody())?;
        let found = Subject::find_by(&self.state, &*self.chat, &name).await;
        found.map_err(|rejection| match rejection.code {
            OutcomeCode::NoSuchUser => nobody(),
            _ => NotDone::from(rejection),
        })
    }

    async fn kick_out(&self, kick: Kick) -> Result<Done, NotDone> {
        let Kick { user, reason, silent } = kick;
        let reason = line(&reason)?;
        let subject = self.subject(&user).await?;
        let done = self.acts().kick(&subject, &reason, silent).await?;
        let about = subject.name.to_string();
        let info = match done.removed.len() {
            0 => format!("{about} is not here, and may not come for 30 s."),
            _ => format!("{about} had to go, and may come back after 30 s."),
        };
        Ok(Done { ended: done.removed.len(), about, info, ..Done::default() })
    }

    async fn ban_out(&self, ban: Ban) -> Result<Done, NotDone> {
        let Ban { subject, seconds, reason, silent, guests, sure } = ban;
        let reason = line(&reason)?;
        let span = match seconds {
            None => Span::Forever,
            Some(seconds) => Span::Seconds(u32::try_from(seconds).map_err(|_| {
                NotDone::BadArguments("nobody is banned for so long: leave it out".to_owned())
            })?),
        };
        let whom = match Network::parse(&subject) {
            Some(network) => Banned::Network { network, guests_only: guests },
            None => match self.subject(&subject).await {
                Ok(found) => Banned::Subject(found),
                Err(NotDone::NoSuchUser(_)) => {
                    let name = Username::parse(&subject);
                    Banned::Name(name.map_err(|_| NotDone::NoSuchUser(subject.clone()))?)
                }
                Err(other) => return Err(other),
            },
        };
        let acts = self.acts();
        let plan = acts.plan_ban(&whom, span, &reason)?;
        if plan.asks && !sure {
            return Err(NotDone::HitsOthers(plan.connections()));
        }
        let (until, about) = (plan.until, plan.about().to_owned());
        let done = acts.ban(plan, silent).await?;
        let number = acts.bans_meant(None, &about).last().map(|ban| ban.id.0);
        let info = match until {
            Some(_) => format!("{about} is banned for a while."),
            None => format!("{about} is banned."),
        };
        Ok(Done { about, number, until, ended: done.removed.len(), info })
    }

    async fn lift(&self, unban: Unban) -> Result<Done, NotDone> {
        let acts = self.acts();
        let held = acts.bans_meant(None, &unban.subject);
        let Some(first) = held.first() else { return Err(NotDone::NoSuchBan(unban.subject)) };
        let (about, number) = (first.about.to_string(), Some(first.id.0));
        acts.lift(&held, None).await?;
        let info = format!("{about} may come in again.");
        Ok(Done { about, number, info, ..Done::default() })
    }
}

/// A reason, which goes to others in one line.
fn line(text: &str) -> Result<String, NotDone> {
    let text =
        room_text(text).map_err(|error| NotDone::BadArguments(format!("the reason: {error}")))?;
    Ok(text.as_ref().to_owned())
}

impl Moderator for HostModerator {
    fn kick(&self, kick: Kick) -> BoxFuture<'_, Result<Done, NotDone>> {
        self.kick_out(kick).boxed()
    }

    fn ban(&self, ban: Ban) -> BoxFuture<'_, Result<Done, NotDone>> {
        self.ban_out(ban).boxed()
    }

    fn unban(&self, unban: Unban) -> BoxFuture<'_, Result<Done, NotDone>> {
        self.lift(unban).boxed()
    }
}

impl From<Rejection> for NotDone {
    fn from(rejection: Rejection) -> Self {
        match rejection.code {
            OutcomeCode::NotStored | OutcomeCode::TooMany => Self::NotStored,
            OutcomeCode::WouldLockOut => Self::WouldLockOut(rejection.text),
            OutcomeCode::Forbidden => Self::Forbidden(rejection.text),
            OutcomeCode::Failed | OutcomeCode::Busy => Self::Failed(rejection.text),
            _ => Self::BadArguments(rejection.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_fault_of_the_arguments_is_not_told_as_such() {
        let rejected = |code| NotDone::from(Rejection::new(code, "no"));
        assert_eq!(rejected(OutcomeCode::Forbidden), NotDone::Forbidden("no".into()));
        for code in [OutcomeCode::Failed, OutcomeCode::Busy] {
            assert_eq!(rejected(code), NotDone::Failed("no".into()), "{code:?}");
        }
        let bad = rejected(OutcomeCode::BadArguments);
        assert_eq!(bad, NotDone::BadArguments("no".into()));
    }
}
