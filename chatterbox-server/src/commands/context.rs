//! What a command is given, and what it gives back.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{BlockLists, Denied, Identity, LoggedIn, Permission, Target, authorise};
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::{OutcomeCode, Prompt};
use chatterbox_proto::{Code, WireText};
use serde_json::Value;

use crate::accounts::{DirectoryError, Refused, Secret, SecretError};
use crate::commands::caller::Caller;
use crate::commands::registry::Spec;
use crate::commands::state::Desk;

/// A question that is not answered in this time is answered with no (CM-4).
pub const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What came of a command.
pub type Reply = Result<Done, Rejection>;

/// It was done.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// For people.
    pub info: String,
    /// For programs.
    pub data: Option<Value>,
    /// Whether the connection ends with it.
    pub closes: bool,
}

impl Done {
    /// It was done.
    pub fn new(info: impl Into<String>) -> Self {
        Self { info: info.into(), ..Self::default() }
    }

    /// The same with something for programs.
    #[must_use]
    pub fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The same with a table for programs, which clients can draw.
    #[must_use]
    pub fn with_table(self, columns: &[&str], rows: Vec<Value>) -> Self {
        let mut table = serde_json::Map::new();
        table.insert("COLUMNS".to_owned(), columns.into());
        table.insert("ROWS".to_owned(), Value::Array(rows));
        self.with_data(Value::Object(table))
    }
}

/// It was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// For programs.
    pub code: OutcomeCode,
    /// For people.
    pub text: String,
}

impl Rejection {
    /// It was not done.
    pub fn new(code: OutcomeCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// Something is missing that the table says has to be there.
    pub fn missing() -> Self {
        Self::new(OutcomeCode::BadArguments, "An argument is missing.")
    }
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        Self::new(OutcomeCode::Forbidden, denied.to_string())
    }
}

impl From<DirectoryError> for Rejection {
    fn from(error: DirectoryError) -> Self {
        tracing::error!(%error, "a command could not read or write accounts");
        Self::new(OutcomeCode::NotStored, "The server can't read or store this now.")
    }
}

impl From<SecretError> for Rejection {
    fn from(error: SecretError) -> Self {
        Self::new(OutcomeCode::BadArguments, error.to_string())
    }
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Store(error) => return error.into(),
            Refused::WrongPassword => OutcomeCode::WrongPassword,
            Refused::Throttled(_) => OutcomeCode::Throttled,
            Refused::Registered(_) => OutcomeCode::Registered,
            Refused::NoAccount => OutcomeCode::NoSuchUser,
            Refused::Hash(_) => OutcomeCode::Busy,
            Refused::NoAdminPassword | Refused::Full => OutcomeCode::Failed,
        };
        Self::new(code, refused.to_string())
    }
}

impl From<chatterbox_proto::Refusal> for Rejection {
    fn from(refusal: chatterbox_proto::Refusal) -> Self {
        use chatterbox_proto::Refusal as Name;
        let code = match refusal {
            Name::Name(_) => OutcomeCode::BadName,
            Name::Taken | Name::LooksTaken | Name::Held => OutcomeCode::Taken,
            Name::Registered => OutcomeCode::Registered,
            Name::Busy => OutcomeCode::Busy,
            _ => OutcomeCode::Failed,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<Code> for Rejection {
    fn from(code: Code) -> Self {
        let word = OutcomeCode::of(code.word()).unwrap_or(match code {
            Code::RecipientBusy => OutcomeCode::Busy,
            _ => OutcomeCode::Failed,
        });
        let mut text = code.text().to_owned();
        // As a sentence of its own, it is one.
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self::new(word, text + ".")
    }
}

/// What a command is given beside its arguments.
#[derive(Debug)]
pub struct Context<'a> {
    /// What all share.
    pub desk: &'a Desk,
    /// Who calls it.
    pub session: &'a Arc<Caller>,
    /// Which command it is.
    pub spec: &'static Spec,
    /// Which call it is.
    pub id: &'a str,
    /// Whether questions can be asked: not of base clients.
    pub can_ask: bool,
}

impl Context<'_> {
    /// Who calls it.
    pub fn who(&self) -> Identity {
        self.session.who()
    }

    /// Changes the caller's own account, level or block lists.
    pub(super) fn amend(&self, amend: impl FnOnce(&mut Identity, &mut BlockLists)) {
        self.desk.online.amend(self.session, self.session.port.id(), amend);
    }

    /// The caller's account, which a command of this level can't be called without.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub(super) fn login(&self) -> Result<LoggedIn, Rejection> {
        let none = || Rejection::new(OutcomeCode::Forbidden, "You are not logged in.");
        self.who().login.ok_or_else(none)
    }

    /// Where the caller comes from.
    pub(super) fn peer(&self) -> IpAddr {
        self.who().address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// What is answered to arguments that make no sense.
    pub fn misused(&self) -> Rejection {
        Rejection::new(OutcomeCode::BadArguments, format!("Usage: {}", self.spec.usage()))
    }

    /// Whether they may do this as well.
    ///
    /// # Errors
    /// [`Rejection`] with `forbidden`.
    pub fn authorise(&self, permission: Permission, target: Target) -> Result<(), Rejection> {
        Ok(authorise(self.who().actor(), permission, target)?)
    }

    /// Asks the user something, and waits for the answer (CM-4).
    ///
    /// # Errors
    /// [`Rejection`] when the answer is no, late, or can't be asked for.
    pub async fn ask(&self, question: &str, secret: bool) -> Result<Typed, Rejection> {
        if !self.can_ask {
            let text = format!("{question} Questions can't be asked here: give it as an argument.");
            return Err(Rejection::new(OutcomeCode::BadArguments, text));
        }
        let answered = self.session.asking(self.id);
        let prompt = Prompt {
            id: WireText::new(self.id.to_owned()),
            text: WireText::new(question.to_owned()),
            secret,
        };
        let members = prompt.to_object().into_members();
        let asked = async {
            while !self.session.port.tell(members.clone()) {
                self.session.port.room().await;
            }
            answered.await
        };
        let answer = tokio::time::timeout(ANSWER_WITHIN, asked).await;
        self.session.asked_in_vain();
        match answer {
            Ok(Ok(Some(text))) => Ok(text),
            Ok(_) => Err(Rejection::new(OutcomeCode::Cancelled, "It was cancelled.")),
            Err(_) => Err(Rejection::new(OutcomeCode::Timeout, "It was not answered in time.")),
        }
    }

    /// A secret that was an argument, or is asked for.
    ///
    /// # Errors
    /// As [`Context::ask`].
    pub async fn secret(&self, given: Option<Secret>, question: &str) -> Result<Secret, Rejection> {
        match given {
            Some(secret) => Ok(secret),
            None => Ok(Secret::given(self.ask(question, true).await?.reveal())),
        }
    }

    /// A password that is chosen: as an argument once, in answers twice.
    ///
    /// # Errors
    /// As [`Context::ask`], and when it can't be a password.
    pub async fn chosen_secret(
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
