//! Leads a run from outside its threads: phases, waiting for what has to come, samples over time.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use conformance_kit::subject::process::Process;

use super::{
    latency::{Figures, Latency},
    pacer::Pacer,
    plan::{Pace, Workload},
    report::{Joining, Sample, Traffic, float},
    sender::Hours,
    shard::Tally,
    shared::{Shared, Totals},
    worker::{Order, Worker},
};

/// How often the state of things is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How many samples there are at most.
const MOST_SAMPLES: u64 = 400;

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The phase, in a word.
    pub phase: &'static str,
    /// Seconds since the run began.
    pub at: f64,
    /// How far it has come.
    pub totals: Totals,
    /// How many are to join.
    pub residents: u32,
}

/// Is told what a run is doing.
pub type Watch<'a> = &'a mut (dyn FnMut(&Moment) + Send);

pub(super) struct Phases<'a> {
    pub(super) shared: Arc<Shared>,
    pub(super) process: Option<Process>,
    pub(super) timeline: Vec<Sample>,
    workers: Vec<Worker>,
    watch: Watch<'a>,
    phase: &'static str,
    sampled_at: u64,
    sample_every: u64,
    zero: u64,
}

impl<'a> Phases<'a> {
    pub(super) fn new(
        shared: Arc<Shared>,
        process: Option<Process>,
        expected: Duration,
        watch: Watch<'a>,
    ) -> std::io::Result<Self> {
        let workers = (0..shared.counters.len())
            .map(|number| Worker::start(Arc::clone(&shared), number))
            .collect::<Result<_, _>>()?;
        let expected = u64::try_from(expected.as_micros()).unwrap_or(u64::MAX);
        Ok(Self {
            zero: shared.now(),
            shared,
            process,
            timeline: Vec::new(),
            workers,
            watch,
            phase: "connecting",
            sampled_at: 0,
            sample_every: (expected / MOST_SAMPLES * 2).max(50_000),
        })
    }

    /// Lets what is measured over time begin now.
    pub(super) fn begin_timeline(&mut self) {
        self.zero = self.shared.now();
        self.timeline.clear();
        self.sampled_at = 0;
    }

    pub(super) fn phase(&mut self, phase: &'static str) {
        self.phase = phase;
    }

    /// Waits until something has come; false when nothing at all has moved for `patience`.
    pub(super) async fn wait(
        &mut self,
        patience: Duration,
        mut has_come: impl FnMut(&Shared, &Totals) -> bool,
    ) -> bool {
        let patience = u64::try_from(patience.as_micros()).unwrap_or(u64::MAX);
        let mut moved = (self.shared.now(), Totals::default());
        loop {
            let totals = self.shared.totals();
            if has_come(&self.shared, &totals) {
                return true;
            }
            let now = self.shared.now();
            if totals != moved.1 {
                moved = (now, totals);
            } else if now - moved.0 > patience {
                return false;
            }
            self.look(now, totals);
            tokio::time::sleep(LOOK).await;
        }
    }

    fn look(&mut self, now: u64, totals: Totals) {
        let residents = self.shared.plan.residents();
        (self.watch)(&Moment { phase: self.phase, at: seconds(now), totals, residents });
        if now.saturating_sub(self.sampled_at) < self.sample_every {
            return;
        }
        self.sampled_at = now;
        let at = now.saturating_sub(self.zero);
        self.timeline.push(Sample {
            at: seconds(at),
            deliveries: totals.deliveries,
            joined: totals.joined,
            cpu: self.process.and_then(Process::cpu),
            measured: self.shared.is_measured(now),
        });
        if self.timeline.len() as u64 > MOST_SAMPLES {
            // A run that takes longer than expected has fewer samples, evenly.
            let mut keep = false;
            self.timeline.retain(|_| {
                keep = !keep;
                keep
            });
            self.sample_every *= 2;
        }
    }

    /// Waits for a time, whatever happens.
    pub(super) async fn pass(&mut self, time: Duration) {
        let end = self.shared.now() + u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 2);
        self.wait(time + LOOK * 20, |shared, _| shared.now() >= end).await;
    }

    /// Waits until nothing has come for a moment; gives up when it never gets quiet.
    pub(super) async fn quiet(&mut self, moment: Duration) {
        let mut last = (self.shared.now(), 0);
        let moment = u64::try_from(moment.as_micros()).unwrap_or(u64::MAX);
        let end = last.0 + 30_000_000;
        self.wait(Duration::from_secs(60), |shared, totals| {
            let now = shared.now();
            if totals.bytes != last.1 {
                last = (now, totals.bytes);
            }
            now - last.0 >= moment || now >= end
        })
        .await;
    }

    /// Lets users join and waits until each has, or has come to nothing.
    pub(super) async fn join(&mut self, users: impl Iterator<Item = u32>) -> bool {
        let before = self.shared.totals();
        let mut lists = vec![Vec::new(); self.workers.len()];
        let mut count = 0;
        for user in users {
            let thread = self.shared.plan.thread(user, lists.len());
            if let Some(list) = lists.get_mut(thread) {
                list.push(user);
                count += 1;
            }
        }
        for (worker, list) in self.workers.iter().zip(lists) {
            worker.tell(Order::Join(list));
        }
        let settled = |totals: &Totals| totals.joined + totals.refused + totals.failed;
        let goal = settled(&before) + count;
        let patience = self.shared.plan.patience * 4;
        self.wait(patience, |_, totals| settled(totals) >= goal).await;
        self.shared.totals().joined == before.joined + count
    }

    /// Tells every thread the same.
    pub(super) fn tell(&self, order: impl Fn() -> Order) {
        self.workers.iter().for_each(|worker| worker.tell(order()));
    }

    /// Lets everybody who stays join, and waits until everybody knows everybody.
    pub(super) async fn assemble(&mut self) -> (Joining, bool) {
        self.phase = "joining";
        let plan = self.shared.plan.clone();
        let (from, before, cpu) = (self.shared.now(), self.shared.totals(), self.cpu());
        let all_joined = self.join(0..plan.residents()).await;
        let joined_at = self.shared.now();
        let mut all_known = !self.shared.judges_rosters;
        if all_joined && self.shared.judges_rosters {
            self.phase = "meeting";
            let receivers = u64::from(plan.receivers());
            all_known = self.wait(plan.drain, |_, totals| totals.known >= receivers).await;
        }
        let totals = self.shared.totals();
        let known_at = self.shared.known_at.load(Relaxed);
        let known = all_joined && all_known && self.shared.judges_rosters;
        let cpu = self.cpu().zip(cpu).map(|(after, before)| after - before);
        let joining = Joining {
            joined: totals.joined - before.joined,
            seconds: seconds(joined_at - from),
            known_seconds: known.then(|| seconds(known_at.saturating_sub(from))),
            bytes: totals.bytes - before.bytes,
            cpu,
            history: None,
        };
        (joining, all_joined)
    }

    fn cpu(&self) -> Option<f64> {
        self.process.and_then(Process::cpu)
    }

    /// Lets the senders speak: warming up, measuring, and waiting for what is on its way.
    pub(super) async fn talk(
        &mut self,
        warm_up: Duration,
        time: Duration,
        churn: bool,
    ) -> std::io::Result<Window> {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX / 4);
        let start = self.shared.now() + 2_000;
        let from = start + micros(warm_up);
        let to = from + micros(time);
        self.shared.measure(from, to);
        self.shared.set_hours(Hours { start, stop: to });
        let plan = self.shared.plan.clone();
        let notices = self.shared.totals().notices;
        let pacer = match plan.pace {
            Pace::Window(_) => None,
            Pace::Rate(rate) => Some(Pacer::start(Arc::clone(&self.shared), rate, start)?),
        };
        tokio::time::sleep(Duration::from_millis(2)).await;
        self.tell(|| Order::Wake);
        if churn {
            let every = Duration::from_secs_f64(float(self.workers.len() as u64) / plan.churn);
            self.tell(|| Order::Churn { every, until: to });
        }
        self.phase = "warming up";
        self.until(from).await;
        self.phase = "measuring";
        let before = self.mark();
        self.until(to).await;
        let after = self.mark();
        self.phase = "draining";
        // Some senders notice the end only when they are woken.
        self.tell(|| Order::Wake);
        self.drain(notices).await;
        drop(pacer);
        Ok(Window { before, after })
    }

    async fn until(&mut self, time: u64) {
        let left = Duration::from_micros(time.saturating_sub(self.shared.now()));
        // Waking late would make a short time longer: the last stretch is slept in one piece.
        self.pass(left.saturating_sub(LOOK)).await;
        tokio::time::sleep(Duration::from_micros(time.saturating_sub(self.shared.now()))).await;
    }

    fn mark(&self) -> Mark {
        Mark {
            at: self.shared.now(),
            totals: self.shared.totals(),
            sent: self.shared.sent(),
            paced: self.shared.sent_by(0..self.shared.plan.senders as usize),
            cpu: self.cpu(),
            own_cpu: Process::find(std::process::id()).ok().and_then(Process::cpu),
        }
    }

    /// Waits for everything that was sent, and a moment longer for what should not come.
    async fn drain(&mut self, notices: u64) {
        let plan = self.shared.plan.clone();
        let passers =
            |shared: &Shared| u64::from(shared.next_passer.load(Relaxed) - plan.first_passer());
        self.wait(plan.drain + plan.stay, |shared, totals| {
            // Whoever has come to nothing is counted among them; these are told of nobody.
            totals.passed + totals.failed + totals.refused >= passers(shared)
        })
        .await;
        let judges = self.shared.judges_rosters;
        self.wait(plan.drain, |shared, totals| {
            let receivers = u64::from(plan.receivers()).saturating_sub(totals.closed);
            let sent = shared.sent();
            let due = match plan.workload {
                Workload::Private => sent,
                _ => sent * receivers.saturating_sub(1),
            };
            let told = notices + 2 * receivers * totals.passed;
            totals.from_others >= due
                && (totals.echoes == 0 || totals.echoes >= sent)
                && (!judges || totals.notices >= told)
        })
        .await;
        self.quiet(Duration::from_millis(150)).await;
    }

    pub(super) async fn settle(&mut self) -> Tally {
        let mut tally = Tally::default();
        for worker in &self.workers {
            tally.add(&worker.settle().await);
        }
        tally
    }
}

/// Where things stood at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    at: u64,
    totals: Totals,
    sent: u64,
    /// Those of the senders who are measured.
    paced: u64,
    cpu: Option<f64>,
    own_cpu: Option<f64>,
}

/// The time that was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    before: Mark,
    after: Mark,
}

impl Window {
    /// The figures of the traffic.
    pub(super) fn traffic(&self, shared: &Shared, tally: &Tally) -> Traffic {
        let Self { before, after } = *self;
        let seconds = seconds(after.at - before.at);
        let messages = after.sent - before.sent;
        let deliveries = after.totals.deliveries - before.totals.deliveries;
        let batches = after.totals.batches - before.totals.batches;
        let [latency, flood] = &tally.latency;
        let corrected = match shared.plan.pace {
            Pace::Rate(_) => None,
            Pace::Window(window) => {
                let places = u64::from(shared.plan.senders) * u64::from(window);
                corrected(latency, seconds, places, after.paced - before.paced)
            }
        };
        let spent = |after: Option<f64>, before: Option<f64>| Some(after? - before?);
        Traffic {
            seconds,
            messages,
            deliveries,
            bytes: after.totals.bytes - before.totals.bytes,
            batch: float(deliveries) / float(batches.max(1)),
            latency: latency.figures(),
            corrected,
            flood: flood.figures(),
            cpu: spent(after.cpu, before.cpu),
            own_cpu: spent(after.own_cpu, before.own_cpu),
        }
    }
}

/// What stalled senders would have sent is filled in. Each place of a window is a sender of its own
/// that sends again when its message has come; its mean pace is what it would have gone on at.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "microseconds between two messages"
)]
fn corrected(latency: &Latency, seconds: f64, places: u64, messages: u64) -> Option<Figures> {
    let interval = seconds * 1e6 * float(places) / float(messages.max(1));
    latency.corrected(interval as u64).figures()
}

fn seconds(micros: u64) -> f64 {
    float(micros) / 1e6
}
