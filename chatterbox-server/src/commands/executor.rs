//! Runs the commands of one connection: one at a time, some wait, further ones are told that it is busy (CM-6).

use std::sync::Arc;

use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{self as wire, Answer, Call, Outcome, OutcomeCode};
use chatterbox_proto::{Code, ScreenText};
use tokio::sync::mpsc;

use crate::commands::arguments::{Arguments, for_history};
use crate::commands::caller::Session;
use crate::commands::catalogue::catalogue;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::online::Desk;
use crate::commands::permission::{Permission, Target, authorise};
use crate::commands::registry::{find, specs};
use crate::commands::reply::{Done, Rejection, Reply};

/// Commands that wait for the one that runs.
pub const WAITING: usize = 16;

/// A command that came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// The call.
    pub call: Call,
    /// Whether it came from a base client, which is answered with messages.
    pub from_base: bool,
}

/// That the connection is to be closed, once everything is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// Where the reading half of a connection hands in commands and answers.
#[derive(Debug, Clone)]
pub struct CallQueue {
    requests: mpsc::Sender<Request>,
    session: Arc<Session>,
}

/// The other end of a [`CallQueue`], which does the work.
#[derive(Debug)]
pub struct Executor {
    requests: mpsc::Receiver<Request>,
    desk: Arc<Desk>,
    session: Arc<Session>,
}

/// Both ends, for a connection that has joined.
pub fn executor(desk: Arc<Desk>, session: Arc<Session>) -> (CallQueue, Executor) {
    let (requests, inbox) = mpsc::channel(WAITING);
    (
        CallQueue { requests, session: Arc::clone(&session) },
        Executor { requests: inbox, desk, session },
    )
}

impl CallQueue {
    /// Hands in a command.
    ///
    /// # Errors
    /// What is to be answered when too many wait.
    pub fn call(&self, request: Request) -> Result<(), Box<Outcome>> {
        self.requests.try_send(request).map_err(|error| {
            let request = error.into_inner();
            let text = "Too many commands are waiting, try again later.";
            Box::new(Outcome::new(&request.call.id, OutcomeCode::Busy, text))
        })
    }

    /// Hands in an answer.
    ///
    /// # Errors
    /// [`Code::AnswerToNothing`].
    pub fn answer(&self, answer: Answer) -> Result<(), Code> {
        self.session.answer(answer)
    }
}

impl Executor {
    /// Works until the user logs out, or nobody can ask any more. May be given up at any moment.
    pub async fn run(&mut self) -> Ended {
        let speaks = self.session.agreed.has(Capability::Commands);
        if speaks {
            tell_catalogue(&self.desk, &self.session).await;
        }
        let (desk, session) = (Arc::clone(&self.desk), Arc::clone(&self.session));
        let catalogues = async {
            loop {
                session.changed.notified().await;
                if speaks {
                    tell_catalogue(&desk, &session).await;
                }
            }
        };
        tokio::select! {
            // A catalogue that has changed does not wait for a user who has been asked something.
            () = catalogues => Ended,
            () = self.work() => Ended,
        }
    }

    async fn work(&mut self) {
        while let Some(request) = self.requests.recv().await {
            let from_base = request.from_base;
            let id = request.call.id.clone();
            let (outcome, closes) = match self.execute(request).await {
                Ok(Done { info, data, closes }) => {
                    let outcome = Outcome::new(&id, OutcomeCode::Ok, info);
                    (Outcome { data, ..outcome }, closes)
                }
                Err(Rejection { code, text }) => (Outcome::new(&id, code, text), false),
            };
            self.tell(&outcome, from_base).await;
            if closes {
                return;
            }
        }
        // The reading half has gone, and the connection with it.
        std::future::pending::<()>().await;
    }

    async fn execute(&self, request: Request) -> Reply {
        let Request { call: Call { id, name, arguments }, from_base } = request;
        let command = find(&name);
        let spec = command.map(|command| &command.spec);
        self.session.remember(for_history(spec, &name, &arguments));
        let Some(Command { spec, run }) = command else {
            let text = format!("There is no command {}.", ScreenText::shortened(&name, 40));
            return Err(Rejection::new(OutcomeCode::NoSuchCommand, text));
        };
        tracing::debug!(name = %self.session.who().name, command = spec.name, "command");
        authorise(self.session.who().actor(), Permission::Use(spec.level), Target::Oneself)?;
        if self.desk.is_disabled(spec) {
            let text = format!("{} is switched off.", spec.name);
            return Err(Rejection::new(OutcomeCode::Disabled, text));
        }
        let arguments = Arguments::parse(spec, arguments, specs())?;
        if let Some(needs) = spec.needs.filter(|needs| !self.session.agreed.has(*needs)) {
            let text = format!("{} needs a client that speaks {}.", spec.name, needs.word());
            return Err(Rejection::new(OutcomeCode::NeedsCapability, text));
        }
        let context = Context {
            desk: &self.desk,
            session: &self.session,
            spec,
            specs: specs(),
            id: &id,
            can_ask: !from_base,
        };
        run(&context, arguments).await
    }

    async fn tell(&self, outcome: &Outcome, from_base: bool) {
        let port = &self.session.port;
        let said = || match (from_base, outcome.ok) {
            (false, _) => port.tell(outcome.to_object().into_members()),
            (true, true) => port.tell_base(outcome.text.as_wire()),
            (true, false) => port.tell_error(outcome.text.as_wire()),
        };
        while !said() {
            port.room().await;
        }
    }
}

/// Tells what this user may use now, and what is typed before it (CM-1).
async fn tell_catalogue(desk: &Desk, session: &Session) {
    let commands = catalogue(specs(), desk, session.who().actor());
    let members = wire::catalogue(&commands, &desk.prefix()).into_members();
    while !session.port.tell(members.clone()) {
        session.port.room().await;
    }
}
