//! The interface between a case and the client: a listener, a client that connects to it, deadlines.

use std::sync::Arc;

use conformance_kit::{authority::Shows, nonce::Nonces, trace::Trace};

use super::{
    listener::{Listener, Where},
    operator::{Action, Means, Operator, Place, process::Exit},
    profile::Profile,
    quirks::{DELAYS, Reached, Silence},
    screen::{Screen, ScreenMark},
    session::{self, ClientSession},
    shared::Shared,
};
use crate::verdict::Verdict;

/// How one session differs from the others.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The address on which the suite listens.
    pub place: Where,
    /// The certificate that it presents.
    pub shows: Shows,
    /// More environment variables.
    pub env: Vec<(String, String)>,
}

/// The means of one case: its client, names, texts and trace.
pub struct ClientHands {
    /// The state that all cases of the run share.
    pub shared: Arc<Shared>,
    /// The case's id.
    pub case: &'static str,
    /// Names and texts.
    pub nonces: Nonces,
    /// The trace of the wire and the keyboard.
    pub trace: Trace,
    /// The output of the client that was started last.
    pub(crate) screen: Option<Screen>,
    /// Milliseconds to wait before each line that this case has found to be needed.
    delay: Option<u64>,
}

/// A client that was started and has not said its name.
pub struct Arrival {
    /// The client and its user.
    pub operator: Operator,
    /// The listener to which it should connect.
    pub listener: Listener,
    /// The name that its user has for it.
    pub name: String,
}

impl ClientHands {
    /// The hands of a case.
    #[must_use]
    pub fn new(shared: Arc<Shared>, case: &'static str, seed: u64) -> Self {
        let trace = Trace::new(shared.clock);
        Self { nonces: Nonces::new(seed, case), shared, case, trace, screen: None, delay: None }
    }

    /// A text that can't occur by accident, short enough for every screen.
    pub fn text(&mut self) -> String {
        format!("t{}", self.nonces.letters(11))
    }

    /// A name that can't occur by accident.
    pub fn name(&mut self, role: &str) -> String {
        self.nonces.name(role)
    }

    /// Starts a client.
    ///
    /// # Errors
    /// When the machine lacks what the case needs, or there is no such program.
    pub async fn start(&mut self, setup: &Setup) -> Result<Arrival, Verdict> {
        let opened =
            Listener::open(&self.shared, self.case, &self.trace, setup.place, setup.shows).await;
        let listener = match opened {
            Ok(listener) => listener,
            Err(error) if setup.place == Where::V6Only => {
                return Err(Verdict::not_applicable(format!("this machine has no ::1: {error}")));
            }
            Err(error) => return Err(Verdict::inconclusive(format!("no port: {error}"))),
        };
        let name = self.name("ann");
        let ca = self.shared.authority.file().display().to_string();
        let place = Place { host: &listener.host, port: listener.port, ca: &ca, name: &name };
        let mut profile: Profile = (*self.shared.profile).clone();
        profile.env.extend(setup.env.iter().cloned());
        let delay = self.shared.quirks().delay.max(self.delay);
        profile.delay = profile.delay.max(delay.unwrap_or_default());
        let (shared, trace) = (&self.shared, self.trace.clone());
        let started =
            Operator::start(&shared.command, &shared.means, Arc::new(profile), place, trace).await;
        let operator = started.map_err(|error| Verdict::inconclusive(error.to_string()))?;
        self.screen = Some(operator.screen.clone());
        Ok(Arrival { operator, listener, name })
    }

    /// Types the name as soon as the client seems to be ready for it.
    pub async fn give_name(&self, arrival: &Arrival) {
        let pace = self.shared.pace();
        let open = arrival.listener.reached(|contact| contact.open > 0);
        arrival.operator.ready(open, pace.settle / 2, pace.start / 3).await;
        if !self.shared.name_is_argument() {
            arrival.operator.act(Action::Name(arrival.name.clone())).await;
        }
    }

    /// Starts a client and lets it ask for its name; nothing is answered yet.
    ///
    /// # Errors
    /// Inconclusive: whether that works is the business of `c.join.first`.
    pub async fn enter(&mut self) -> Result<ClientSession, Verdict> {
        self.enter_with(&Setup::default()).await
    }

    /// The same, otherwise set up.
    ///
    /// # Errors
    /// As [`ClientHands::enter`].
    pub async fn enter_with(&mut self, setup: &Setup) -> Result<ClientSession, Verdict> {
        let silence = match self.try_to_enter(setup).await? {
            Ok(session) => return Ok(session),
            Err(silence) => silence,
        };
        // The first contact may have been lucky with a client that loses what is typed too early.
        let quirks = self.shared.quirks();
        let typed = matches!(self.shared.means, Means::Terminal | Means::Pipe);
        if typed && quirks.silence.is_none() && silence.may_want_a_delay() {
            let waits = self.shared.profile.delay.max(quirks.delay.unwrap_or_default());
            for delay in DELAYS.into_iter().filter(|delay| *delay > waits) {
                self.delay = Some(delay);
                if let Ok(session) = self.try_to_enter(setup).await? {
                    self.shared.learn_delay(delay);
                    return Ok(session);
                }
            }
        }
        Err(Verdict::inconclusive(silence.text))
    }

    async fn try_to_enter(
        &mut self,
        setup: &Setup,
    ) -> Result<Result<ClientSession, Silence>, Verdict> {
        let arrival = self.start(setup).await?;
        self.give_name(&arrival).await;
        Ok(self.arrive(arrival).await)
    }

    /// Waits for the frame in which the client asks for its name; others may come before.
    ///
    /// # Errors
    /// Says how far it came.
    pub async fn arrive(&mut self, arrival: Arrival) -> Result<ClientSession, Silence> {
        let Arrival { operator, mut listener, name } = arrival;
        let pace = self.shared.pace();
        let mut opened = false;
        let mut heard = None;
        // Kept open: a client that ends because its connection does has not ended by itself.
        let mut silent = Vec::new();
        let waiting = async {
            // A client may connect, look around and connect again: the one that asks counts.
            let mut patience = pace.start;
            while let Some(mut peer) = listener.next(patience).await {
                opened = true;
                patience = pace.patience;
                let asked = peer.find(pace.start, |frame| frame.key("USERNAME").cloned()).await;
                if let Some(asked) = asked {
                    return Some((peer, asked));
                }
                if !peer.frames().is_empty() {
                    heard = Some(peer.heard());
                }
                silent.push(peer);
            }
            None
        };
        let found = tokio::select! {
            found = waiting => found,
            exit = ended(&operator, pace.settle) => {
                let _: Exit = exit;
                None
            }
        };
        if let Some((peer, asked)) = found {
            let other = self.name("bob");
            return Ok(ClientSession {
                operator,
                listener,
                peer,
                // Whether it is the name that was typed is the business of c.join.first.
                name: asked.as_str().map_or_else(|| name.clone(), str::to_owned),
                typed: name,
                other,
                shared: Arc::clone(&self.shared),
                welcomed: ScreenMark::START,
            });
        }
        let contact = listener.contact();
        let shown = session::describe(&operator, ScreenMark::START);
        let place = format!("{}:{}", listener.host, listener.port);
        let (reached, what) = if contact.connected == 0 {
            (Reached::Nothing, format!("no connection to {place}"))
        } else if let Some(heard) = heard {
            (Reached::Frames, heard)
        } else if !opened {
            let why = contact.failed.unwrap_or_else(|| "the handshake was never finished".into());
            (Reached::Handshake, why)
        } else {
            let typed = !self.shared.name_is_argument();
            let reached = if typed { Reached::Typing } else { Reached::Argument };
            (reached, "the client connected and sent nothing".to_owned())
        };
        let ended = operator.exit().is_some();
        let printed = operator.screen.plain_end();
        Err(Silence { reached, ended, text: format!("{what}; {shown}"), printed })
    }

    /// Starts a client and welcomes it.
    ///
    /// # Errors
    /// As [`ClientHands::enter`].
    pub async fn join(&mut self) -> Result<ClientSession, Verdict> {
        let mut session = self.enter().await?;
        session.welcome().await;
        Ok(session)
    }
}

/// Waits for the end of a client, and a moment longer for what it sent last.
async fn ended(operator: &Operator, moment: std::time::Duration) -> Exit {
    let exit = operator.ended().await;
    tokio::time::sleep(moment).await;
    exit
}
