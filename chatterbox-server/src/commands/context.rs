//! The context of a call: the caller, the state that all connections share, and prompts.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Amendment, Identity, LoggedIn, Permission, RoomRef, Target, authorise};
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::{OutcomeCode, Prompt};
use chatterbox_proto::{Username, WireText};

use crate::accounts::Secret;
use crate::commands::caller::Caller;
use crate::commands::moderating::Author;
use crate::commands::reply::Rejection;
use crate::commands::spec::Spec;
use crate::commands::state::CommandState;
use crate::moderation::{About, Act, AuditEntry};
use crate::ops::clock::unix_now;

/// A prompt that is not answered within this time counts as refused (CM-4).
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// One call of a command.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) state: &'a CommandState,
    pub(super) caller: &'a Arc<Caller>,
    pub(super) spec: &'static Spec,
    /// The specs of all commands.
    pub(super) specs: &'static [&'static Spec],
    /// The id of the call.
    pub(super) id: &'a str,
    /// The client can answer prompts; base clients can't.
    pub(super) can_ask: bool,
}

impl Context<'_> {
    pub(super) fn who(&self) -> Identity {
        self.caller.who()
    }

    /// Changes the caller's own account or level.
    pub(super) async fn amend(&self, amendment: Amendment) {
        self.state.online.amend(self.caller, self.caller.port.id(), amendment).await;
    }

    /// A line of the audit log about what the caller does.
    pub(super) fn entry(&self, at: i64, act: Act) -> AuditEntry {
        let who = self.who();
        Author::member(&who, self.caller.port.id(), who.actor().level).entry(at, act)
    }

    /// Writes down what the caller is about to do (MO-10): to whom, where, and what exactly.
    ///
    /// # Errors
    /// [`Rejection`] when it can't be written; then it may not be done.
    pub(super) async fn audit(
        &self,
        act: Act,
        about: Option<&Username>,
        room: Option<RoomRef>,
        detail: &str,
    ) -> Result<(), Rejection> {
        let entry = AuditEntry {
            about: about.map(About::user),
            room,
            detail: detail.into(),
            ..self.entry(unix_now(), act)
        };
        Ok(self.state.moderation.note(entry).await?)
    }

    /// The account of the caller.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden` when they are a guest.
    pub(super) fn login(&self) -> Result<LoggedIn, Rejection> {
        let guest = || Rejection::new(OutcomeCode::Forbidden, "You are not logged in.");
        self.who().login.ok_or_else(guest)
    }

    /// The address that the caller comes from.
    pub(super) fn peer(&self) -> IpAddr {
        self.who().address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// The rejection of arguments that make no sense.
    pub(super) fn misused(&self) -> Rejection {
        Rejection::new(OutcomeCode::BadArguments, format!("Usage: {}", self.spec.usage()))
    }

    /// Checks a permission of the caller.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub(super) fn authorise(
        &self,
        permission: Permission,
        target: Target,
    ) -> Result<(), Rejection> {
        Ok(authorise(self.who().actor(), permission, target)?)
    }

    /// Sends a prompt to the caller, and waits for the answer (CM-4).
    ///
    /// # Errors
    /// [`Rejection`] when the prompt is cancelled or not answered in time, or the client can't answer prompts.
    pub(super) async fn ask(&self, question: &str, secret: bool) -> Result<Typed, Rejection> {
        if !self.can_ask {
            let text = format!("{question} Questions can't be asked here: give it as an argument.");
            return Err(Rejection::new(OutcomeCode::BadArguments, text));
        }
        let answered = self.caller.asking(self.id);
        let prompt = Prompt {
            id: WireText::new(self.id.to_owned()),
            text: WireText::new(question.to_owned()),
            secret,
        };
        let members = prompt.to_object().into_members();
        let asked = async {
            while !self.caller.port.tell(members.clone()) {
                self.caller.port.room().await;
            }
            answered.await
        };
        let answer = tokio::time::timeout(ANSWER_WITHIN, asked).await;
        self.caller.asked_in_vain();
        match answer {
            Ok(Ok(Some(text))) => Ok(text),
            Ok(_) => Err(Rejection::new(OutcomeCode::Cancelled, "It was cancelled.")),
            Err(_) => Err(Rejection::new(OutcomeCode::Timeout, "It was not answered in time.")),
        }
    }

    /// A secret from the arguments, or else from a prompt.
    ///
    /// # Errors
    /// As [`Context::ask`].
    pub(super) async fn secret(
        &self,
        given: Option<Secret>,
        question: &str,
    ) -> Result<Secret, Rejection> {
        match given {
            Some(secret) => Ok(secret),
            None => Ok(Secret::given(self.ask(question, true).await?.reveal())),
        }
    }

    /// A new password, from the arguments or else from two equal answers to prompts.
    ///
    /// # Errors
    /// As [`Context::ask`], and when the text can't be a password.
    pub(super) async fn chosen_secret(
        &self,
        given: Option<Secret>,
        question: &str,
    ) -> Result<Secret, Rejection> {
        if let Some(secret) = given {
            secret.is_choosable()?;
            return Ok(secret);
        }
        let first = self.secret(None, question).await?;
        first.is_choosable()?;
        let again = self.secret(None, "Once more:").await?;
        if first.is_same(&again) {
            Ok(first)
        } else {
            Err(Rejection::new(OutcomeCode::Failed, "These were two different passwords."))
        }
    }
}
