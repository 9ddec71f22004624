//! Executes the commands of one connection, one at a time, with a bounded queue (CM-6).

use std::sync::Arc;

use chatterbox_hub::{Permission, Target, authorise};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{self as wire, Answer, Call, Outcome, OutcomeCode};
use chatterbox_proto::{Code, ScreenText};

use crate::access::RequestRoom;
use crate::chat::short_queue::{self, short_queue};
use crate::commands::arguments::{Arguments, for_history};
use crate::commands::caller::Caller;
use crate::commands::catalogue::catalogue;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::registry::{find, specs};
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::state::CommandState;

/// Calls that may wait; further ones are answered with `busy`.
const WAITING: usize = 16;

/// A call in the queue.
#[derive(Debug)]
pub struct QueuedCall {
    pub call: Call,
    /// Its part of the connection's memory, held until it is executed; `None` for one that nobody has sent.
    pub room: Option<RequestRoom>,
    /// A base client, whose results are messages and ERRORs.
    pub from_base: bool,
}

/// The user has logged out: the connection is closed once everything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended;

/// The end of the queue that the connection's reader fills.
#[derive(Debug)]
pub struct CallQueue {
    calls: short_queue::Sender<QueuedCall>,
    caller: Arc<Caller>,
}

/// Executes the calls of a [`CallQueue`].
#[derive(Debug)]
pub struct Executor {
    calls: short_queue::Receiver<QueuedCall>,
    state: Arc<CommandState>,
    caller: Arc<Caller>,
}

/// The queue and the executor of a new connection.
pub fn executor(state: Arc<CommandState>, caller: Arc<Caller>) -> (CallQueue, Executor) {
    let (queue, calls) = short_queue(WAITING);
    (CallQueue { calls: queue, caller: Arc::clone(&caller) }, Executor { calls, state, caller })
}

impl CallQueue {
    /// Queues a call.
    ///
    /// # Errors
    /// The outcome to answer with when the queue is full.
    pub fn call(&self, queued: QueuedCall) -> Result<(), Box<Outcome>> {
        self.calls.try_send(queued).map_err(|QueuedCall { call, .. }| {
            let text = "Too many commands are waiting, try again later.";
            Box::new(Outcome::new(&call.id, OutcomeCode::Busy, text))
        })
    }

    /// Passes an answer to the prompt that waits for it.
    ///
    /// # Errors
    /// [`Code::AnswerToNothing`].
    pub fn answer(&self, answer: Answer) -> Result<(), Code> {
        self.caller.answer(answer)
    }
}

impl Executor {
    /// Runs until the user logs out, and sends the catalogue whenever it changes. It may be cancelled at any moment.
    pub async fn run(&mut self) -> Ended {
        let speaks = self.caller.agreed.has(Capability::Commands);
        if speaks {
            Box::pin(tell_catalogue(&self.state, &self.caller)).await;
        }
        let (state, caller) = (Arc::clone(&self.state), Arc::clone(&self.caller));
        let catalogues = async {
            loop {
                caller.changed.notified().await;
                if speaks {
                    // Boxed, like all that a connection seldom does: the future of each is there all the time.
                    Box::pin(tell_catalogue(&state, &caller)).await;
                }
            }
        };
        tokio::select! {
            // Beside the work: a changed catalogue does not wait for the answer to a prompt.
            () = catalogues => Ended,
            () = self.work() => Ended,
        }
    }

    async fn work(&mut self) {
        while let Some(queued) = self.calls.recv().await {
            let closes = Box::pin(self.answer(queued)).await;
            if closes {
                return;
            }
        }
        // The reader has ended, and cancels this future with the connection.
        std::future::pending::<()>().await;
    }

    /// Executes a call and tells its outcome; says whether the connection ends with it.
    async fn answer(&self, queued: QueuedCall) -> bool {
        let from_base = queued.from_base;
        let id = queued.call.id.clone();
        let (outcome, closes) = match self.execute(queued).await {
            Ok(Done { code, info, data, closes }) => {
                let outcome = Outcome::new(&id, code, info);
                (Outcome { data, ..outcome }, closes)
            }
            Err(Rejection { code, text, wait, until }) => {
                (Outcome { wait, until, ..Outcome::new(&id, code, text) }, false)
            }
        };
        self.tell(&outcome, from_base).await;
        closes
    }

    async fn execute(&self, queued: QueuedCall) -> Reply {
        let QueuedCall { call: Call { id, name, arguments }, from_base, room: _room } = queued;
        let command = find(&name);
        let spec = command.map(|command| &command.spec);
        self.caller.remember(for_history(spec, &name, &arguments));
        let Some(Command { spec, run }) = command else {
            let text = format!("There is no command {}.", ScreenText::shortened(&name, 40));
            return Err(Rejection::new(OutcomeCode::NoSuchCommand, text));
        };
        tracing::debug!(name = %self.caller.who().name, command = spec.name, "command");
        // What somebody was told at another node is so here, too, before anything is looked up.
        self.caller.port.caught_up().await;
        authorise(self.caller.who().actor(), Permission::Use(spec.level), Target::Oneself)?;
        if self.state.is_disabled(spec) {
            let text = format!("{} is switched off.", spec.name);
            return Err(Rejection::new(OutcomeCode::Disabled, text));
        }
        let arguments = Arguments::parse(spec, arguments, specs())?;
        if let Some(needs) = spec.needs.filter(|needs| !self.caller.agreed.has(*needs)) {
            let text = format!("{} needs a client that speaks {}.", spec.name, needs.word());
            return Err(Rejection::new(OutcomeCode::NeedsCapability, text));
        }
        let context = Context {
            state: &self.state,
            caller: &self.caller,
            spec,
            specs: specs(),
            id: &id,
            can_ask: !from_base,
        };
        run(&context, arguments).await
    }

    async fn tell(&self, outcome: &Outcome, from_base: bool) {
        let port = &self.caller.port;
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

/// Sends the catalogue and the prefix (CM-1).
async fn tell_catalogue(state: &CommandState, caller: &Caller) {
    let commands = catalogue(specs(), state, caller.who().actor(), caller.agreed);
    let levels = state.level_names();
    let levels = levels.iter().map(String::as_str);
    let members = wire::catalogue(&commands, &state.prefix(), levels).into_members();
    while !caller.port.tell(members.clone()) {
        caller.port.room().await;
    }
}
