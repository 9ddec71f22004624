//! The interface between a case and the server: users, raw connections, fences, deadlines.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use conformance_kit::{
    net::dial::{self, DialError, Transport},
    nonce::Nonces,
    trace::{Kind, Trace},
};
use futures_util::future::join_all;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout,
};

use super::{
    peer::{self, Closing, Left, Mark, Peer, Wire, part},
    staff::Staff,
};
use crate::{
    connection::Inbox,
    server::shared::Shared,
    verdict::{Outcome, Verdict},
};

/// The means of one case: its users, names, texts and trace.
pub struct ServerHands {
    /// The state that all cases of the run share.
    pub shared: Arc<Shared>,
    /// The case's id.
    pub case: &'static str,
    /// Names and texts.
    pub nonces: Nonces,
    /// The trace of the wire.
    pub trace: Trace,
    /// The connections that the case has let go of.
    left: (Left, UnboundedReceiver<(Wire, Inbox)>),
    /// The account that puts back what the case changes for others, once the case has needed it. Nobody ever waits for the
    /// lock: it is there so that this can be shared between threads, which a connection can't.
    pub(super) staff: Mutex<Option<Staff>>,
}

impl ServerHands {
    /// A context for one case.
    #[must_use]
    pub fn new(shared: Arc<Shared>, case: &'static str, seed: u64) -> Self {
        let trace = Trace::new(shared.clock);
        let (nonces, left) = (Nonces::new(seed, case), unbounded_channel());
        Self { nonces, shared, case, trace, left, staff: Mutex::default() }
    }

    /// Puts back what the case has changed for others, whatever became of it, and closes politely whatever connections it
    /// has let go of, all at the same time.
    pub async fn farewell(&mut self) {
        let staff = self.staff.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(staff) = staff {
            staff.clean_up().await;
        }
        let time = self.shared.timing().settle;
        let mut left = Vec::new();
        while let Ok(connection) = self.left.1.try_recv() {
            left.push(part(connection, time));
        }
        join_all(left).await;
    }

    /// A fresh user name for a role.
    pub fn name(&mut self, role: &str) -> String {
        self.nonces.name(role)
    }

    /// A fresh text.
    pub fn text(&mut self) -> String {
        self.nonces.text("text")
    }

    /// A fresh text for a message that is malformed on purpose.
    pub fn malformed_text(&mut self) -> String {
        format!("{} {}", self.shared.invariants.mark(), self.nonces.letters(8))
    }

    /// How long something that must come may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.shared.timing().patience
    }

    /// Connects and joins under a fresh name.
    ///
    /// # Errors
    /// Inconclusive: whether joining works is the business of `join.accept`.
    pub async fn join(&mut self, role: &str) -> Result<Peer, Verdict> {
        let name = self.name(role);
        self.join_as(role, &name).await
    }

    /// Connects and joins under this name.
    ///
    /// # Errors
    /// Inconclusive, as [`ServerHands::join`].
    pub async fn join_as(&mut self, role: &str, name: &str) -> Result<Peer, Verdict> {
        let mut peer = self.connect(role).await?;
        match peer.ask_for(name).await {
            Some(true) => Ok(peer),
            Some(false) => Err(Verdict::inconclusive(format!(
                "{role} could not join: the fresh name {name} was refused"
            ))),
            None => Err(Verdict::inconclusive(format!(
                "{role} could not join: no answer to USERNAME; {}",
                peer.heard(Mark::START)
            ))),
        }
    }

    /// Connects and joins under a name that was in use a moment ago, trying again while it is not
    /// free yet.
    ///
    /// # Errors
    /// Says what the last answer was.
    pub async fn join_again(&mut self, role: &str, name: &str) -> Result<Peer, String> {
        let patience = self.patience();
        let mut last = "no connection".to_owned();
        let trying = async {
            loop {
                match self.connect(role).await {
                    Ok(mut peer) => {
                        if peer.ask_for(name).await == Some(true) {
                            return peer;
                        }
                        last = peer.heard(Mark::START);
                    }
                    Err(verdict) => last = format!("{verdict:?}"),
                }
                self.settle().await;
            }
        };
        timeout(patience, trying).await.map_err(|_| last)
    }

    /// Lets a connection that was refused a name, or never asked for one, end as that of a user:
    /// what the end of an unjoined connection does is the business of `leave` alone. One that has a
    /// name is closed: what a second one does to it is the business of `join.twice` alone.
    pub async fn dismiss(&mut self, mut peer: Peer) {
        let name = self.name(&peer.role.clone());
        let joined = peer.find_now(|frame| frame.accepted().filter(|yes| *yes)).is_some();
        if !joined && !peer.is_closed() {
            // The answer is waited for: closing with it unread would turn into a reset, which can
            // overtake the name on its way.
            peer.ask_for(&name).await;
        }
        peer.close(Closing::Polite).await;
    }

    /// Two fresh users must be able to join and talk to each other.
    ///
    /// # Errors
    /// Never `Err`: whatever goes wrong is what the case is about, and fails it.
    pub async fn others_are_served(&mut self, circumstances: &str) -> Outcome {
        let expected = format!("others join and talk {circumstances}");
        let text = self.text();
        let mut pair = Vec::new();
        for role in ["carl", "dora"] {
            match self.join(role).await {
                Ok(peer) => pair.push(peer),
                Err(Verdict::Inconclusive { reason }) => {
                    return Ok(Verdict::missing(expected, reason));
                }
                Err(verdict) => return Err(verdict),
            }
        }
        let [carl, dora] = pair.as_mut_slice() else {
            return Err(Verdict::inconclusive("two users were wanted"));
        };
        carl.say(&text).await;
        let arrived = dora.find_message(Mark::START, |m| m.content == text).await.is_some();
        Ok(Verdict::came(arrived, expected, dora.heard(Mark::START)))
    }

    /// Whether the subject answers a fresh user, be it with a refusal.
    pub async fn is_answered(&mut self) -> bool {
        let name = self.name("health");
        match self.connect("health").await {
            Ok(mut peer) => peer.ask_for(&name).await.is_some(),
            Err(_) => false,
        }
    }

    /// Opens a connection that has not joined.
    ///
    /// # Errors
    /// Inconclusive when the server can't be reached.
    pub async fn connect(&mut self, role: &str) -> Result<Peer, Verdict> {
        let transport = self.shared.transport();
        self.dial(role, self.shared.address(), &transport)
            .await
            .map_err(|error| unreachable(role, &error))
    }

    /// Opens a TCP connection on which nothing is spoken beyond it.
    ///
    /// # Errors
    /// Inconclusive when the server can't be reached.
    pub async fn connect_tcp(&mut self, role: &str) -> Result<Peer, Verdict> {
        self.dial(role, self.shared.address(), &Transport::PLAIN)
            .await
            .map_err(|error| unreachable(role, &error))
    }

    /// Opens a connection on which everything is spoken but TLS; `None` where the server does not take it for one.
    ///
    /// # Errors
    /// Inconclusive when the server can't be reached.
    pub async fn connect_without_tls(&mut self, role: &str) -> Result<Option<Peer>, Verdict> {
        let transport = self.shared.transport().without_tls();
        match self.dial(role, self.shared.address(), &transport).await {
            Ok(peer) => Ok(Some(peer)),
            Err(DialError::Upgrade(_) | DialError::UpgradeSlow(_)) => Ok(None),
            Err(error) => Err(unreachable(role, &error)),
        }
    }

    /// Opens a connection to a certain address.
    ///
    /// # Errors
    /// As the network says.
    pub async fn dial(
        &self,
        role: &str,
        address: SocketAddr,
        transport: &Transport,
    ) -> Result<Peer, DialError> {
        self.dial_into(&self.trace, role, address, transport).await
    }

    /// Opens a connection of which the record of the case holds nothing: a password or a token goes over it that is not
    /// the suite's own.
    ///
    /// # Errors
    /// Inconclusive when the server can't be reached.
    pub(super) async fn connect_unrecorded(&self, role: &str) -> Result<Peer, Verdict> {
        let (elsewhere, transport) = (Trace::new(self.shared.clock), self.shared.transport());
        let address = self.shared.address();
        let dialled = self.dial_into(&elsewhere, role, address, &transport).await;
        dialled.map_err(|error| unreachable(role, &error))
    }

    async fn dial_into(
        &self,
        trace: &Trace,
        role: &str,
        address: SocketAddr,
        transport: &Transport,
    ) -> Result<Peer, DialError> {
        let dialled = dial::dial(address, transport, self.patience()).await;
        match dialled {
            Ok(link) => {
                let with = transport.describe(link.tls.as_ref());
                trace.note(role, Kind::Opened, &format!("{address} with {with}"));
                Ok(Peer::start(&self.shared, self.case, trace, role, link, self.left.0.clone()))
            }
            Err(error) => {
                trace.note(role, Kind::Note, &format!("could not connect: {error}"));
                Err(error)
            }
        }
    }

    /// Waits until what `from` did before must have reached `to`: a public message does, and a
    /// little time on top.
    ///
    /// # Errors
    /// A failure when the sentinel does not arrive: public messages reach everybody in general, or
    /// the case would not be asked, so what came before is the reason.
    pub async fn fence(&mut self, from: &mut Peer, to: &mut Peer) -> Result<(), Verdict> {
        self.counted_fence(from, to).await.map(|_| ())
    }

    /// The same; says how often the sentinel came, which is once unless everything comes twice.
    ///
    /// # Errors
    /// As [`ServerHands::fence`].
    pub async fn counted_fence(
        &mut self,
        from: &mut Peer,
        to: &mut Peer,
    ) -> Result<usize, Verdict> {
        let sentinel = self.nonces.text("sentinel");
        let (since, before) = (to.mark(), from.mark());
        from.say(&sentinel).await;
        if to.find_message(Mark::START, |m| m.content == sentinel).await.is_none() {
            let heard = to.heard(since);
            let expected =
                format!("after that, a public message from {} reaches {}", from.role, to.role);
            return Err(Verdict::missing(expected, format!("{heard}; {}", from.heard(before))));
        }
        self.settle().await;
        Ok(to.count(&sentinel))
    }

    /// Waits for what trickles in behind a sentinel.
    pub async fn settle(&self) {
        tokio::time::sleep(self.shared.timing().settle).await;
    }

    /// A message as it goes into `MESSAGES`, dated now.
    #[must_use]
    pub fn message(src: &str, dest: &str, content: &str) -> serde_json::Value {
        peer::message(src, dest, content)
    }
}

fn unreachable(role: &str, error: &DialError) -> Verdict {
    Verdict::inconclusive(format!("{role} could not connect: {error}"))
}
