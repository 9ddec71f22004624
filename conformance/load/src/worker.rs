//! A thread with its own runtime that owns its members: nothing of theirs is shared with others, so
//! nothing is locked while messages come in.

use std::{
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::LocalSet,
    time::MissedTickBehavior,
};

use super::{
    member,
    shard::{Shard, Tally},
    shared::Shared,
};

/// How many may be on their way in or out at a time, of those who come and go.
const MOST_PASSING: usize = 1_024;

/// An order to a thread.
pub(super) enum Order {
    /// Let these users join.
    Join(Vec<u32>),
    /// Wake the senders.
    Wake,
    /// Let somebody join, who leaves again, so often; until that time.
    Churn { every: Duration, until: u64 },
    /// Let these users leave.
    Leave(Vec<u32>),
    /// Say what was found.
    Settle(oneshot::Sender<Tally>),
}

/// A thread and the way to it.
pub(super) struct Worker {
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread.
    ///
    /// # Errors
    /// When the system has none.
    pub(super) fn start(shared: Arc<Shared>, number: usize) -> std::io::Result<Self> {
        let (orders, received) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name(format!("load-{number}")).spawn(move || {
            let shard = Rc::new(Shard::new(shared, number));
            let local = LocalSet::new();
            local.spawn_local(listen(Rc::clone(&shard)));
            local.block_on(&runtime, obey(shard, received));
        })?;
        Ok(Self { orders, thread: Some(thread) })
    }

    /// Tells the thread something.
    pub(super) fn tell(&self, order: Order) {
        // A thread that is gone has nothing to do.
        let _ = self.orders.send(order);
    }

    pub(super) async fn settle(&self) -> Tally {
        let (answer, tally) = oneshot::channel();
        self.tell(Order::Settle(answer));
        tally.await.unwrap_or_default()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread ends with the last one who could tell it anything.
        self.orders = mpsc::unbounded_channel().0;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn obey(shard: Rc<Shard>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let at_once = shard.shared.plan.at_once.div_ceil(shard.shared.counters.len().max(1));
    let door = Arc::new(Semaphore::new(at_once));
    while let Some(order) = orders.recv().await {
        match order {
            Order::Join(users) => {
                let (shard, door) = (Rc::clone(&shard), Arc::clone(&door));
                tokio::task::spawn_local(async move {
                    for user in users {
                        let Ok(permit) = Arc::clone(&door).acquire_owned().await else { return };
                        tokio::task::spawn_local(member::live(Rc::clone(&shard), user, permit));
                    }
                });
            }
            Order::Wake => shard.cells.borrow().values().for_each(|cell| cell.wake()),
            Order::Churn { every, until } => {
                tokio::task::spawn_local(churn(Rc::clone(&shard), every, until));
            }
            Order::Leave(users) => {
                for user in users {
                    if let Some(cell) = shard.cells.borrow().get(&user) {
                        cell.leaves.set(true);
                        cell.wake();
                    }
                }
            }
            Order::Settle(answer) => {
                let _ = answer.send(shard.settle());
            }
        }
    }
}

/// Wakes the senders whose messages have become due since the last time, or have come everywhere.
async fn listen(shard: Rc<Shard>) {
    let shared = Arc::clone(&shard.shared);
    let Some(line) = shared.lines.get(shard.thread) else { return };
    let senders = u64::from(shared.plan.senders.max(1));
    let mut done = 0;
    loop {
        line.bell.notified().await;
        let due = shared.due.load(Relaxed);
        let cells = shard.cells.borrow();
        let by_schedule = (done..due.min(done + senders)).map(|number| {
            shared.plan.sender_at(usize::try_from(number % senders).unwrap_or_default())
        });
        for sender in by_schedule.chain(line.wakes()) {
            if let Some(cell) = cells.get(&sender) {
                cell.wake();
            }
        }
        done = due;
    }
}

async fn churn(shard: Rc<Shard>, every: Duration, until: u64) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let door = Arc::new(Semaphore::new(MOST_PASSING));
    loop {
        ticks.tick().await;
        if shard.shared.now() >= until {
            return;
        }
        let Ok(permit) = Arc::clone(&door).try_acquire_owned() else {
            shard.count(|c| &c.skipped, 1);
            continue;
        };
        let user = shard.shared.next_passer.fetch_add(1, Relaxed);
        tokio::task::spawn_local(member::live(Rc::clone(&shard), user, permit));
    }
}
