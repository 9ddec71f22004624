//! The life of one member: it connects, joins, speaks and listens, and leaves.

use std::{
    rc::Rc,
    sync::{PoisonError, atomic::Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use super::{
    connection::{Arrived, Connection, ConnectionError},
    content::Purpose,
    incoming::Incoming,
    peer,
    plan::{Pace, Plan, Role, Workload},
    sender::{Hours, Sender},
    shard::{MemberCell, Shard},
};

/// Back-pressure: a member with so many unsent bytes builds no more messages.
const BACKLOG: usize = 256 * 1024;

/// How often a member reads before it is the turn of another: a busy one must not starve the rest.
const TURNS: u32 = 2;

/// How often a slow reader reads.
const NAP: Duration = Duration::from_millis(100);

/// Why somebody did not join.
enum Refusal {
    Name(String),
    Failed(String),
}

impl From<ConnectionError> for Refusal {
    fn from(error: ConnectionError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// A member and its connection.
pub(super) struct Member {
    shard: Rc<Shard>,
    cell: Rc<MemberCell>,
    user: u32,
    connection: Connection,
    incoming: Incoming,
    /// What has to be said to what has come: other dialects ask whether somebody is there.
    answers: Vec<u8>,
    sending: Option<Sender>,
    ended: bool,
}

/// Lives through a member's life; the permit is for coming in.
pub(super) async fn live(shard: Rc<Shard>, user: u32, permit: OwnedSemaphorePermit) {
    let plan = shard.shared.plan.clone();
    shard.count(|c| &c.tried, 1);
    let cell = shard.open(user);
    let entered = Member::enter(&shard, &cell, user, &plan).await;
    drop(permit);
    let mut member = match entered {
        Ok(member) => member,
        Err(refusal) => {
            let text = match refusal {
                Refusal::Name(said) => {
                    shard.count(|c| &c.refused, 1);
                    format!("a name was refused: {said}")
                }
                Refusal::Failed(text) => {
                    shard.count(|c| &c.failed, 1);
                    text
                }
            };
            shard.shared.trouble(&text);
            return;
        }
    };
    let role = plan.role(user);
    let end = match role {
        Role::Slow => member.dawdle(plan.slow_speed).await,
        Role::Passer => {
            let staying = std::future::poll_fn(|cx| member.poll(cx, |_| false));
            timeout(plan.stay, staying).await.unwrap_or(Ok(()))
        }
        _ => std::future::poll_fn(|cx| member.poll(cx, |member| member.cell.leaves.get())).await,
    };
    shard.shared.went(user);
    cell.present.set(false);
    match end {
        Err(error) if role == Role::Slow => {
            shard.shared.trouble(&format!("a slow reader was disconnected: {error}"));
        }
        Err(error) => {
            shard.count(|c| &c.closed, 1);
            shard.shared.trouble(&error);
        }
        Ok(()) => {
            member.leave().await;
            if role == Role::Passer {
                shard.close_passer(&cell);
                shard.count(|c| &c.passed, 1);
            }
        }
    }
}

impl Member {
    async fn enter(
        shard: &Rc<Shard>,
        cell: &Rc<MemberCell>,
        user: u32,
        plan: &Plan,
    ) -> Result<Self, Refusal> {
        let shared = &shard.shared;
        let patience = plan.patience;
        let late = |what: &str| Refusal::Failed(format!("{what} took more than {patience:.0?}"));
        let connecting = Connection::connect(shared.address, shared.source(user), &shared.wire);
        let connection = timeout(patience, connecting).await.map_err(|_| late("connecting"))??;
        let mut member = Self {
            shard: Rc::clone(shard),
            cell: Rc::clone(cell),
            user,
            connection,
            incoming: Incoming::new(plan.dialect),
            answers: Vec::new(),
            sending: None,
            ended: false,
        };
        let shaking =
            std::future::poll_fn(|cx| member.poll(cx, |member| member.connection.is_ready()));
        let shaken = timeout(patience, shaking).await.map_err(|_| late("the TLS handshake"))?;
        shaken.map_err(Refusal::Failed)?;
        shard.count(|c| &c.connected, 1);
        if let Some(suite) = member.connection.suite() {
            let mut known = shared.suite.lock().unwrap_or_else(PoisonError::into_inner);
            known.get_or_insert(suite);
        }
        let asking = member.incoming.asking(&shared.reading.names.name(user));
        member.connection.send(&asking)?;
        let answered = |member: &Self| member.cell.state.borrow().accepted.is_some();
        let asking = std::future::poll_fn(|cx| member.poll(cx, answered));
        let asked = timeout(patience, asking).await.map_err(|_| late("the answer to a name"))?;
        asked.map_err(Refusal::Failed)?;
        let accepted = cell.state.borrow_mut().accepted.take();
        match accepted {
            Some((true, _)) => {}
            other => {
                let said = other.and_then(|(_, said)| said).unwrap_or_else(|| "no reason".into());
                return Err(Refusal::Name(said));
            }
        }
        shared.came(user);
        cell.present.set(true);
        shard.count(|c| &c.joined, 1);
        member.sending = sending(plan, user, |user| shared.reading.names.name(user));
        Ok(member)
    }

    /// Speaks, writes and reads as far as it goes; ready when `done` says so, or the server ends
    /// the connection, which is an error.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        done: impl Fn(&Self) -> bool,
    ) -> Poll<Result<(), String>> {
        for _ in 0..TURNS {
            if done(self) {
                return Poll::Ready(Ok(()));
            }
            if self.ended {
                return Poll::Ready(Err("the server closed a connection".to_owned()));
            }
            self.cell.sleeps(cx.waker());
            match self.turn(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(arrived)) => self.ended = arrived.ended,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.to_string())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arrived, ConnectionError>> {
        self.speak()?;
        if let Poll::Ready(Err(error)) = self.connection.poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        let Self { shard, cell, connection, incoming, answers, .. } = self;
        let mut state = cell.state.borrow_mut();
        let reference = shard.reference.borrow().clone();
        let mut buffer = shard.buffer.borrow_mut();
        let mut now = None;
        let read = connection.poll_read(cx, &mut buffer, |bytes| {
            let now = *now.get_or_insert_with(|| shard.shared.now());
            let before = shard.counters().map_or(0, |counters| counters.deliveries.load());
            match incoming {
                Incoming::Frames(frames) => frames.push(bytes, reference.as_ref(), |piece| {
                    shard.receive(&mut state, &piece, now);
                }),
                Incoming::Peer(session) => {
                    session.push(bytes, &shard.shared.reading, answers, |summary| {
                        shard.heard(&mut state, summary, now);
                    });
                }
            }
            let after = shard.counters().map_or(0, |counters| counters.deliveries.load());
            shard.count(|c| &c.batches, u64::from(after > before));
        });
        if let Poll::Ready(Ok(arrived)) = &read {
            shard.count(|c| &c.bytes, arrived.bytes as u64);
        }
        if !answers.is_empty() {
            // One that asks all the time and reads nothing is not answered.
            if connection.backlog() < BACKLOG {
                connection.send(answers)?;
            }
            answers.clear();
        }
        read
    }

    fn speak(&mut self) -> Result<(), ConnectionError> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let shared = &self.shard.shared;
        let hours = match shared.plan.role(self.user) {
            Role::Filler => Hours { start: 0, stop: u64::MAX },
            _ => shared.hours(),
        };
        let mut confirmed = self.cell.confirmed.get();
        // Private partners live on one thread, and nobody else is there yet when history is filled.
        let is_alone = shared.plan.workload == Workload::Private
            || shared.plan.role(self.user) == Role::Filler;
        if !is_alone {
            confirmed = confirmed.min(shared.witnesses(self.shard.thread, sending.slot));
        }
        while self.connection.backlog() < BACKLOG {
            let mut scratch = self.shard.scratch.borrow_mut();
            scratch.clear();
            let texts = (&shared.plan, &shared.reading.texts);
            if !sending.speak(texts, hours, shared.now(), confirmed, &mut scratch) {
                break;
            }
            if let Some(sent) = shared.sent.get(sending.slot) {
                sent.store(sending.sent(), Relaxed);
            }
            self.connection.send(&scratch)?;
        }
        Ok(())
    }

    /// Reads so many bytes a second, or not at all.
    async fn dawdle(&mut self, speed: u32) -> Result<(), String> {
        let share = usize::try_from(speed / 10).unwrap_or(usize::MAX);
        loop {
            if self.cell.leaves.get() {
                return Ok(());
            }
            tokio::time::sleep(NAP).await;
            if share == 0 {
                continue;
            }
            let mut piece = vec![0; share + 20 * 1024];
            let connection = &mut self.connection;
            let once = |cx: &mut Context<'_>| match connection.poll_read(cx, &mut piece, |_| {}) {
                Poll::Pending => Poll::Ready(Ok(Arrived { bytes: 0, ended: false })),
                ready => ready,
            };
            let arrived = std::future::poll_fn(once).await.map_err(|error| error.to_string())?;
            if arrived.ended {
                return Err("the server closed the connection".to_owned());
            }
        }
    }

    async fn leave(&mut self) {
        self.connection.farewell();
        let goodbye = std::future::poll_fn(|cx| {
            if self.connection.poll_flush(cx).is_pending() {
                return Poll::Pending;
            }
            self.connection.poll_shutdown(cx).map(drop)
        });
        // Whoever can't say goodbye in time just goes.
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }
}

fn sending(plan: &Plan, user: u32, name: impl Fn(u32) -> String) -> Option<Sender> {
    let slot = plan.slot(user)?;
    let own = name(user);
    Some(match plan.role(user) {
        Role::Flooder => {
            let pace = Pace::Window(plan.flood_window);
            Sender::new(slot, user, Purpose::Public, pace, [&own, "ALL"])
        }
        Role::Filler => {
            let pace = Pace::Window(2_048);
            Sender::new(slot, user, Purpose::History, pace, [&own, "ALL"])
                .in_bulk(plan.history, plan.payload)
        }
        _ if plan.workload == Workload::Private => {
            let partner = name(plan.buddy(user));
            Sender::new(slot, user, Purpose::Private, plan.pace, [&own, &partner])
        }
        _ => {
            let sender = Sender::new(slot, user, Purpose::Public, plan.pace, [&own, "ALL"]);
            match peer::envelope(plan.dialect, plan.payload) {
                Some(envelope) => sender.between(envelope),
                None => sender,
            }
        }
    })
}
