//! Leads through the laps.

use std::time::Duration;

use conformance_kit::clock::Clock;
use tokio::sync::watch;

use super::{
    looks::Looks,
    plan::Soak,
    report::{Lap, SoakReport},
    rows,
};
use crate::{
    evidence::{Before, Entry, Evidence, What},
    report::Report,
    run_until,
    setting::Setting,
    stage::Stage,
};

/// What the lap before has told everybody.
#[derive(Default)]
struct Past {
    /// Its messages come behind this id.
    from: u64,
    /// The newest message.
    end: u64,
    before: Before,
}

impl Past {
    fn of(&mut self, evidence: &Evidence, is_complete: bool) {
        let public = || evidence.pages.iter().filter(|pages| pages.reader.is_none());
        let told: Vec<Entry> = public().flat_map(|pages| &pages.entries).copied().collect();
        let ids = |entries: &[Entry]| entries.iter().map(|entry| entry.id).collect::<Vec<_>>();
        let first = ids(&told).into_iter().min().unwrap_or(u64::MAX);
        // What was there before the soak is older than the lap as well.
        let older = public().flat_map(|pages| ids(&pages.older)).filter(|id| *id < first);
        self.from = older.fold(self.end, u64::max);
        self.end = ids(&told).into_iter().fold(self.from.max(evidence.end), u64::max);
        self.before = Before { told: told.into(), is_all: is_complete };
    }
}

/// What whoever waits for a soak is told meanwhile.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// What is being done.
    Line(&'a str),
    /// A lap is over: what has come of the soak until now.
    Lap(&'a SoakReport),
}

/// Soaks a server, whose process is that of the stage's first node. `say` is told what happens meanwhile. When `over` becomes true, the
/// lap that is under way comes to rest and is the last.
pub async fn soak(
    plan: &Soak,
    stage: &mut impl Stage,
    say: &mut (dyn FnMut(Told<'_>) + Send),
    over: watch::Receiver<bool>,
) -> SoakReport {
    let clock = Clock::start();
    let looks = Looks::default();
    let looking = looks.look(stage.process(), &clock, &plan.memory);
    let running = laps(plan, stage, say, &over, &looks, &clock);
    tokio::select! {
        report = running => report,
        never = looking => match never {},
    }
}

async fn laps(
    plan: &Soak,
    stage: &mut impl Stage,
    say: &mut (dyn FnMut(Told<'_>) + Send),
    over: &watch::Receiver<bool>,
    looks: &Looks,
    clock: &Clock,
) -> SoakReport {
    let mut report = SoakReport::new(plan);
    let mut past = Past::default();
    for number in 0.. {
        let elapsed = clock.elapsed();
        let is_enough =
            plan.laps.is_some_and(|laps| number >= laps) || plan.is_over(elapsed) || *over.borrow();
        if number > 0 && is_enough {
            break;
        }
        let setting = Setting {
            from: past.from,
            before: past.before.clone(),
            ..plan.setting_of(number, elapsed)
        };
        let mut told = over.clone();
        let ends = async move {
            // Whoever could say that it is over is gone: then it never is.
            if told.wait_for(|over| *over).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let mut within = |text: &str| say(Told::Line(&format!("lap {:>3} {text}", number + 1)));
        let (evidence, judged) = run_until(setting, stage, &mut within, ends).await;
        past.of(&evidence, judged.is_complete());
        let lap = lap(number + 1, elapsed, &evidence, &judged, looks.newest());
        say(Told::Line(&lap.text()));
        report.add(lap, &evidence, &judged);
        report.seconds = clock.elapsed().as_secs();
        report.interrupted = *over.borrow();
        report.look_at_memory(&looks.lives(), &plan.memory);
        say(Told::Lap(&report));
    }
    report
}

fn lap(
    number: usize,
    begun: Duration,
    evidence: &Evidence,
    judged: &Report,
    memory: Option<u64>,
) -> Lap {
    let measures = &judged.measures;
    let events = evidence.testimonies.iter().flat_map(|testimony| &testimony.events);
    Lap {
        number,
        from: begun.as_secs(),
        seconds: judged.seconds,
        disturbances: judged.struck.values().sum(),
        acknowledged: measures.acknowledged,
        deliveries: measures.deliveries,
        off_clock: events.filter(|event| matches!(event.what, What::OffClock)).count(),
        p50: measures.latency.p50,
        p99: measures.latency.p99,
        wrong: rows::ROWS.iter().map(|kind| judged.count(*kind)).sum(),
        memory,
    }
}
