//! One workload: leads through its phases and reports what was found.

use std::{sync::Arc, thread, time::Duration};

use conformance_kit::{clock, nonce::Nonces, subject::process::Process};

use super::{
    content::Texts,
    frame_summary::Reading,
    options::{LoadError, LoadOptions},
    phases::{Phases, Watch},
    plan::{Pace, Workload},
    report::{
        Checks, Churn, Joining, LoadReport, MemoryPoint, Setting, Traffic, VERSION, Verdict, float,
    },
    shard::Tally,
    shared::Shared,
    subject::{self, Subject},
    user_names::UserNames,
};

/// Seconds of CPU that other processes of the server may use without being told of.
const ASIDE: f64 = 0.05;

/// A run that is about to begin.
pub(super) struct PreparedRun {
    shared: Arc<Shared>,
}

impl PreparedRun {
    /// Prepares a run; the limit's server has no lists that could be judged.
    pub(super) fn set(
        options: &LoadOptions,
        subject: &Subject,
        judges_rosters: bool,
    ) -> Result<Self, LoadError> {
        let plan = options.plan.clone();
        let nonce = Nonces::new(rand::random(), "load").letters(super::user_names::NONCE);
        let names = UserNames::new(&nonce);
        let reading = Reading { texts: Texts::new(&names, plan.payload), names };
        let sources = subject::sources(subject.address, options.sources, plan.residents())?;
        let processors = thread::available_parallelism().map_or(1, usize::from);
        // Members confirm for each other in pairs, which live on one thread.
        let most = usize::try_from(plan.members / 2).unwrap_or(1).max(1);
        let threads = options.threads.unwrap_or(processors).clamp(1, most);
        let way = (subject.address, subject.wire.clone(), sources);
        Ok(Self { shared: Arc::new(Shared::new(plan, reading, way, threads, judges_rosters)) })
    }

    pub(super) async fn run(
        self,
        options: &LoadOptions,
        subject: &Subject,
        watch: Watch<'_>,
    ) -> Result<LoadReport, LoadError> {
        let started = clock::unix_seconds();
        let expected = options.warm_up + options.duration + options.settle + options.busy * 2;
        let shared = self.shared;
        let others = subject.others_cpu();
        let mut active = ActiveRun {
            phases: Phases::new(Arc::clone(&shared), subject.process, expected, watch)?,
            options,
            joining: Joining::default(),
            traffic: None,
            churn: None,
            memory: Vec::new(),
            doubts: Vec::new(),
        };
        match options.plan.workload {
            Workload::FanOut | Workload::Private => active.talk().await?,
            Workload::Churn => active.churn().await?,
            Workload::JoinStorm => active.join_storm().await,
            Workload::Idle => active.idle().await?,
        }
        let tally = active.phases.settle().await;
        let others = subject.others_cpu() - others;
        if others >= ASIDE {
            shared.trouble(&format!(
                "other processes of the server used {others:.2} s of CPU, which is in no figure, nor is their memory"
            ));
        }
        Ok(active.report(started, subject, &tally))
    }
}

/// A run that goes on.
struct ActiveRun<'a> {
    phases: Phases<'a>,
    options: &'a LoadOptions,
    joining: Joining,
    traffic: Option<super::phases::Window>,
    churn: Option<f64>,
    memory: Vec<MemoryPoint>,
    doubts: Vec<String>,
}

impl ActiveRun<'_> {
    /// Everybody joins; whether the run can go on.
    async fn assemble(&mut self) -> bool {
        let (joining, all) = self.phases.assemble().await;
        self.joining = joining;
        if !all {
            let wanted = self.options.plan.residents();
            self.doubts.push(format!("{} of {wanted} joined", joining.joined));
        } else if self.phases.shared.judges_rosters && joining.known_seconds.is_none() {
            self.doubts.push("not everybody came to know everybody in time".to_owned());
        }
        all
    }

    async fn talk(&mut self) -> Result<(), LoadError> {
        if self.assemble().await {
            self.phases.quiet(Duration::from_millis(100)).await;
            self.phases.begin_timeline();
            let (warm_up, duration) = (self.options.warm_up, self.options.duration);
            let churns = self.churn.is_some();
            self.traffic = Some(self.phases.talk(warm_up, duration, churns).await?);
        }
        Ok(())
    }

    async fn churn(&mut self) -> Result<(), LoadError> {
        self.churn = Some(self.options.plan.churn);
        self.talk().await
    }

    async fn join_storm(&mut self) {
        let plan = self.options.plan.clone();
        if plan.history > 0 {
            self.phases.phase("filling the history");
            let filler = plan.filler();
            // The observer first: what the filler says is confirmed by it, echo or not.
            let there = self.phases.join([filler + 1].into_iter()).await
                && self.phases.join([filler].into_iter()).await;
            let full = there
                && self
                    .phases
                    .wait(plan.drain, |_, totals| totals.from_others >= plan.history.into())
                    .await;
            if !full {
                self.doubts.push("the history could not be filled".to_owned());
                return;
            }
            self.phases.tell(|| super::worker::Order::Leave(vec![filler, filler + 1]));
            self.phases.quiet(Duration::from_millis(300)).await;
        }
        self.phases.begin_timeline();
        self.assemble().await;
        self.joining.history = self.phases.shared.history_of_first().map(|(_, count)| count);
        self.phases.quiet(Duration::from_millis(150)).await;
    }

    async fn idle(&mut self) -> Result<(), LoadError> {
        self.look("before anybody came", 0);
        self.phases.begin_timeline();
        if !self.assemble().await {
            return Ok(());
        }
        let connections = u64::from(self.options.plan.residents());
        self.phases.phase("resting");
        self.phases.pass(self.options.settle).await;
        self.look("everybody is there and silent", connections);
        if self.options.busy.is_zero() {
            return Ok(());
        }
        self.traffic = Some(self.phases.talk(Duration::ZERO, self.options.busy, false).await?);
        self.look("right after everybody heard others talk", connections);
        self.phases.phase("resting");
        self.phases.pass(self.options.settle).await;
        self.look("and after another rest", connections);
        Ok(())
    }

    fn look(&mut self, when: &str, connections: u64) {
        let Some(memory) = self.phases.process.and_then(Process::memory) else { return };
        let first = self.memory.first().map(|point| point.memory.resident);
        let per_connection = first
            .filter(|_| connections > 0)
            .map(|first| (float(memory.resident) - float(first)) / float(connections));
        let when = when.to_owned();
        self.memory.push(MemoryPoint { when, connections, memory, per_connection });
    }

    fn report(self, started: i64, subject: &Subject, tally: &Tally) -> LoadReport {
        let shared = &self.phases.shared;
        let totals = shared.totals();
        let checks = Checks {
            deliveries: totals.deliveries,
            faults: tally.faults,
            notices: tally.notices,
            histories_wrong: totals.histories_wrong,
            echoes: totals.echoes > 0,
            refused: totals.refused,
            failed: totals.failed,
            closed: totals.closed,
            slow_closed: tally.slow_gone,
            errors: totals.errors,
            nonsense: totals.nonsense,
            strangers: totals.strangers,
        };
        let traffic = self.traffic.map(|window| window.traffic(shared, tally));
        let (verdict, reasons) = judge(&checks, self.doubts, traffic.as_ref());
        let suite = shared.suite.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        LoadReport {
            version: VERSION,
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            target: subject.name.clone(),
            tls: suite,
            setting: setting(self.options, shared),
            joining: self.joining,
            churn: self.churn.map(|rate| Churn {
                rate,
                passed: totals.passed,
                skipped: totals.skipped,
            }),
            traffic,
            memory: self.memory,
            timeline: self.phases.timeline,
            checks,
            limits: Vec::new(),
            verdict,
            reasons,
            troubles: shared.troubles(),
        }
    }
}

fn setting(options: &LoadOptions, shared: &Shared) -> Setting {
    let plan = &options.plan;
    Setting {
        workload: plan.workload.name().to_owned(),
        dialect: plan.dialect.name().to_owned(),
        connections: plan.members,
        senders: plan.senders,
        payload: plan.payload,
        window: match plan.pace {
            Pace::Window(window) => Some(window),
            Pace::Rate(_) => None,
        },
        rate: match plan.pace {
            Pace::Window(_) => None,
            Pace::Rate(rate) => Some(rate),
        },
        warm_up: options.warm_up.as_secs_f64(),
        duration: options.duration.as_secs_f64(),
        flooders: plan.flooders,
        slow: plan.slow,
        history: plan.history,
        at_once: plan.at_once,
        sources: shared.sources.len().max(1),
        threads: shared.counters.len(),
    }
}

fn judge(
    checks: &Checks,
    mut doubts: Vec<String>,
    traffic: Option<&Traffic>,
) -> (Verdict, Vec<String>) {
    let complaints = checks.complaints();
    if !complaints.is_empty() {
        return (Verdict::Wrong, complaints.into_iter().chain(doubts).collect());
    }
    if checks.refused > 0 {
        doubts.push(format!("{} names were refused", checks.refused));
    }
    if checks.failed > 0 {
        doubts.push(format!("{} connections came to nothing", checks.failed));
    }
    if checks.strangers > 0 {
        doubts.push(format!(
            "{} messages came from others: give it a server of its own",
            checks.strangers
        ));
    }
    if traffic.is_some_and(|traffic| traffic.deliveries == 0) {
        doubts.push("nothing was delivered while it was measured".to_owned());
    }
    let verdict = if doubts.is_empty() { Verdict::Right } else { Verdict::Inconclusive };
    (verdict, doubts)
}
