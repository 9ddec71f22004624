//! Leads through a run.

use std::{sync::Arc, time::Duration};

use conformance_kit::clock::Clock;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinSet,
    time::{sleep, timeout},
};

use super::acts::Acts;
use crate::{
    evidence::{Evidence, Pages, Testimony},
    report::{Circumstances, Report},
    setting::{Setting, Shared, micros},
    stage::Stage,
    user::{Base, Claimant, Phase, Report as Word, Talker, live},
};

/// What one user leaves.
type Left = (usize, Testimony, Vec<Pages>);

/// Runs, and judges. `say` is told what happens meanwhile.
pub async fn run(
    setting: Setting,
    stage: &mut impl Stage,
    say: &mut (dyn FnMut(&str) + Send),
) -> (Evidence, Report) {
    run_until(setting, stage, say, std::future::pending()).await
}

/// The same, for no longer than until `over` is there: then everything comes to rest, and is judged.
pub async fn run_until(
    setting: Setting,
    stage: &mut impl Stage,
    say: &mut (dyn FnMut(&str) + Send),
    over: impl Future<Output = ()>,
) -> (Evidence, Report) {
    let shared = Arc::new(Shared {
        names: names(&setting),
        nodes: stage.nodes(),
        clock: Clock::start(),
        setting,
    });
    let setting = &shared.setting;
    let talkers = usize::from(setting.users);
    let (phase, watching) = watch::channel(Phase::Talk);
    let (reports, mut words) = unbounded_channel();
    let mut users = begin(&shared, &reports, &watching);
    let mut acts = Acts {
        shared: &shared,
        phase: &phase,
        evidence: Evidence {
            names: shared.names.clone(),
            alone: stage.is_alone(),
            before: setting.before.clone(),
            hold: micros(setting.hold),
            grace: micros(setting.grace),
            ..Evidence::default()
        },
        troubles: Vec::new(),
        say,
    };
    acts.break_things(stage, over).await;

    (acts.say)("users come to rest");
    acts.evidence.rest = shared.now();
    phase.send_replace(Phase::Settle);
    gather(&mut words, talkers, setting.patience, |word| matches!(word, Word::Flushed(_))).await;
    acts.look_for_losses(stage);
    // Whoever competed for a name is gone by now, at a node that died meanwhile too.
    sleep(setting.hold * 2).await;
    phase.send_replace(Phase::Mark);
    let marked = timeout(setting.patience, async {
        while let Some(word) = words.recv().await {
            if let Word::Marked(id, print) = word {
                return Some((id, print));
            }
        }
        None
    });
    if let Ok(Some((id, print))) = marked.await {
        acts.evidence.end = id;
        phase.send_replace(Phase::End(id, print));
        gather(&mut words, talkers, setting.patience, |word| matches!(word, Word::Settled(_)))
            .await;
    } else {
        acts.troubles.push("nobody could say the last word".to_owned());
    }
    (acts.say)("pages are read");
    phase.send_replace(Phase::Read);
    let mut left: Vec<Left> = Vec::new();
    while let Some(user) = users.join_next().await {
        match user {
            Ok(user) => left.push(user),
            Err(error) => acts.troubles.push(format!("a user came to grief: {error}")),
        }
    }
    acts.look_for_losses(stage);
    let Acts { mut evidence, troubles, .. } = acts;
    left.sort_by_key(|(me, _, _)| *me);
    for (_, testimony, pages) in left {
        evidence.testimonies.push(testimony);
        evidence.pages.extend(pages);
    }
    evidence.identify();
    let circumstances = Circumstances {
        seed: setting.seed,
        seconds: shared.clock.elapsed().as_secs(),
        nodes: u16::try_from(shared.nodes.len()).unwrap_or(u16::MAX),
        talkers,
        troubles,
    };
    let report = Report::of(&evidence, circumstances);
    (evidence, report)
}

/// All users begin.
fn begin(
    shared: &Arc<Shared>,
    reports: &UnboundedSender<Word>,
    watching: &watch::Receiver<Phase>,
) -> JoinSet<Left> {
    let setting = &shared.setting;
    let mut users: JoinSet<Left> = JoinSet::new();
    for me in 0..setting.users {
        let (shared, reports, phase) = (Arc::clone(shared), reports.clone(), watching.clone());
        let is_base = setting.is_base(me);
        users.spawn(async move {
            let (testimony, pages) = if is_base {
                live(Base::new(shared, me, reports), phase).await
            } else {
                live(Talker::new(shared, me, reports), phase).await
            };
            (usize::from(me), testimony, pages)
        });
    }
    for n in 0..setting.contested * setting.claimants {
        let me = usize::from(setting.users) + usize::from(n);
        let name = setting.users + n % setting.contested;
        let (claimant, phase) = (Claimant::new(Arc::clone(shared), me, name), watching.clone());
        users.spawn(async move { (me, claimant.run(phase).await, Vec::new()) });
    }
    users
}

fn names(setting: &Setting) -> Vec<String> {
    let run = setting.seed & 0xffff;
    let users = (0..setting.users).map(|n| format!("c{run:04x}n{n}"));
    users.chain((0..setting.contested).map(|n| format!("c{run:04x}star{n}"))).collect()
}

/// Waits until each of so many users has said such a word.
async fn gather(
    words: &mut UnboundedReceiver<Word>,
    users: usize,
    patience: Duration,
    is_due: impl Fn(&Word) -> bool,
) {
    let mut said = std::collections::BTreeSet::new();
    let saying = async {
        while said.len() < users {
            let Some(word) = words.recv().await else { return };
            if is_due(&word)
                && let Word::Flushed(who) | Word::Settled(who) = word
            {
                said.insert(who);
            }
        }
    };
    // Whoever has not said it by then is told of in the report.
    let _ = timeout(patience, saying).await;
}
