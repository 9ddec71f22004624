//! What a client's case has in its hands: a port, a client that comes to it, and time.

use std::sync::Arc;

use super::{
    listener::{Venue, Where},
    operator::{Action, Actor, Place, process::Exit},
    profile::Profile,
    screen::ScreenMark,
    session::{self, Visit},
    shared::{Lobby, Silence},
};
use crate::verdict::Verdict;
use conformance_kit::authority::Shows;
use conformance_kit::{nonce::Nonces, trace::Tape};

/// How one visit differs from the others.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Where the suite listens.
    pub place: Where,
    /// What certificate it shows.
    pub shows: Shows,
    /// More environment variables.
    pub env: Vec<(String, String)>,
}

/// The hands of one case.
pub struct Stage {
    /// What all cases of the run share.
    pub lobby: Arc<Lobby>,
    /// The case's id.
    pub case: &'static str,
    /// Names and texts.
    pub nonces: Nonces,
    /// What happens on the wire and at the keyboard.
    pub tape: Tape,
}

/// A client that was started and has not said its name.
pub struct Arrival {
    /// The client and its user.
    pub actor: Actor,
    /// Where it should connect.
    pub venue: Venue,
    /// The name that its user has for it.
    pub name: String,
}

impl Stage {
    /// The hands of a case.
    #[must_use]
    pub fn new(lobby: Arc<Lobby>, case: &'static str, seed: u64) -> Self {
        let tape = Tape::new(lobby.clock);
        Self { nonces: Nonces::new(seed, case), lobby, case, tape }
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
            Venue::open(&self.lobby, self.case, &self.tape, setup.place, setup.shows).await;
        let venue = match opened {
            Ok(venue) => venue,
            Err(error) if setup.place == Where::V6Only => {
                return Err(Verdict::not_applicable(format!("this machine has no ::1: {error}")));
            }
            Err(error) => return Err(Verdict::inconclusive(format!("no port: {error}"))),
        };
        let name = self.name("ann");
        let ca = self.lobby.authority.file().display().to_string();
        let place = Place { host: &venue.host, port: venue.port, ca: &ca, name: &name };
        let mut profile: Profile = (*self.lobby.profile).clone();
        profile.env.extend(setup.env.iter().cloned());
        let (lobby, tape) = (&self.lobby, self.tape.clone());
        let started =
            Actor::start(&lobby.command, &lobby.means, Arc::new(profile), place, tape).await;
        let actor = started.map_err(|error| Verdict::inconclusive(error.to_string()))?;
        Ok(Arrival { actor, venue, name })
    }

    /// Types the name as soon as the client seems to be ready for it.
    pub async fn give_name(&self, arrival: &Arrival) {
        let pace = self.lobby.pace();
        let open = arrival.venue.reached(|contact| contact.open > 0);
        arrival.actor.ready(open, pace.settle / 2, pace.start / 3).await;
        if !self.lobby.name_is_argument() {
            arrival.actor.act(Action::Name(arrival.name.clone())).await;
        }
    }

    /// Starts a client and lets it ask for its name; nothing is answered yet.
    ///
    /// # Errors
    /// Inconclusive: whether that works is the business of `c.join.first`.
    pub async fn enter(&mut self) -> Result<Visit, Verdict> {
        self.enter_with(&Setup::default()).await
    }

    /// The same, otherwise set up.
    ///
    /// # Errors
    /// As [`Stage::enter`].
    pub async fn enter_with(&mut self, setup: &Setup) -> Result<Visit, Verdict> {
        let arrival = self.start(setup).await?;
        self.give_name(&arrival).await;
        self.arrive(arrival).await.map_err(|silence| match silence {
            Silence::Absent(text)
            | Silence::Handshake(text)
            | Silence::Profile(text)
            | Silence::Mute(text) => Verdict::inconclusive(text),
        })
    }

    /// Waits for the client's first frame.
    ///
    /// # Errors
    /// Says how far it came.
    pub async fn arrive(&mut self, arrival: Arrival) -> Result<Visit, Silence> {
        let Arrival { actor, mut venue, name } = arrival;
        let patience = self.lobby.pace().start;
        let mut opened = false;
        let waiting = async {
            // A client may connect, look around and connect again: the one that speaks counts.
            while let Some(mut link) = venue.next(patience).await {
                opened = true;
                if link.find(patience, |_| Some(())).await.is_some() {
                    return Some(link);
                }
            }
            None
        };
        let link = tokio::select! {
            link = waiting => link,
            exit = ended(&actor, self.lobby.pace().settle) => {
                let _: Exit = exit;
                None
            }
        };
        if let Some(link) = link {
            let other = self.name("bob");
            return Ok(Visit {
                actor,
                venue,
                link,
                name,
                other,
                lobby: Arc::clone(&self.lobby),
                welcomed: ScreenMark::START,
            });
        }
        let contact = venue.contact();
        let shown = session::describe(&actor, ScreenMark::START);
        let place = format!("{}:{}", venue.host, venue.port);
        Err(if contact.connected == 0 {
            Silence::Absent(format!("no connection to {place}; {shown}"))
        } else if !opened {
            let why = contact.failed.unwrap_or_else(|| "the handshake was never finished".into());
            Silence::Handshake(format!("{why}; {shown}"))
        } else if self.lobby.name_is_argument() {
            Silence::Mute(format!("the client connected and sent nothing; {shown}"))
        } else {
            Silence::Profile(format!("the client connected and sent nothing; {shown}"))
        })
    }

    /// Starts a client and welcomes it.
    ///
    /// # Errors
    /// As [`Stage::enter`].
    pub async fn join(&mut self) -> Result<Visit, Verdict> {
        let mut visit = self.enter().await?;
        visit.welcome().await;
        Ok(visit)
    }
}

/// Waits for the end of a client, and a moment longer for what it sent last.
async fn ended(actor: &Actor, moment: std::time::Duration) -> Exit {
    let exit = actor.ended().await;
    tokio::time::sleep(moment).await;
    exit
}
