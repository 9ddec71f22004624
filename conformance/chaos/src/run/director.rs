//! Leads through a run.

use std::{sync::Arc, time::Duration};

use conformance_kit::clock::Clock;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use tokio::{
    sync::{mpsc::UnboundedReceiver, mpsc::unbounded_channel, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    evidence::{Evidence, Pages, Testimony},
    report::{Circumstances, Report},
    setting::{Setting, Shared, micros},
    stage::Stage,
    user::{Claimant, Phase, Report as Word, Talker},
};

/// What one user leaves.
type Left = (usize, Testimony, Vec<Pages>);

/// Runs, and judges. `say` is told what happens meanwhile.
pub async fn run(
    setting: Setting,
    stage: &mut impl Stage,
    say: &mut (dyn FnMut(&str) + Send),
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
    let mut users: JoinSet<Left> = JoinSet::new();
    for me in 0..setting.users {
        let (talker, phase) =
            (Talker::new(Arc::clone(&shared), me, reports.clone()), watching.clone());
        users.spawn(async move {
            let (testimony, pages) = talker.run(phase).await;
            (usize::from(me), testimony, pages)
        });
    }
    for n in 0..setting.contested * setting.claimants {
        let me = talkers + usize::from(n);
        let name = setting.users + n % setting.contested;
        let (claimant, phase) = (Claimant::new(Arc::clone(&shared), me, name), watching.clone());
        users.spawn(async move { (me, claimant.run(phase).await, Vec::new()) });
    }
    let mut evidence = Evidence {
        names: shared.names.clone(),
        hold: micros(setting.hold),
        grace: micros(setting.grace),
        ..Evidence::default()
    };
    let mut troubles = Vec::new();
    break_things(&shared, stage, &mut evidence, &mut troubles, say).await;

    say("users come to rest");
    evidence.rest = shared.now();
    phase.send_replace(Phase::Settle);
    gather(&mut words, talkers, setting.patience, |word| matches!(word, Word::Flushed(_))).await;
    // Whoever competed for a name is gone by now, at a node that died meanwhile too.
    sleep(setting.hold.mul_f64(1.5)).await;
    phase.send_replace(Phase::Mark);
    let marked = timeout(setting.patience, async {
        while let Some(word) = words.recv().await {
            if let Word::Marked(id) = word {
                return Some(id);
            }
        }
        None
    });
    if let Ok(Some(id)) = marked.await {
        evidence.end = id;
        phase.send_replace(Phase::End(id));
        gather(&mut words, talkers, setting.patience, |word| matches!(word, Word::Settled(_)))
            .await;
    } else {
        troubles.push("nobody could say the last word".to_owned());
    }
    say("pages are read");
    phase.send_replace(Phase::Read);
    let mut left: Vec<Left> = Vec::new();
    while let Some(user) = users.join_next().await {
        match user {
            Ok(user) => left.push(user),
            Err(error) => troubles.push(format!("a user came to grief: {error}")),
        }
    }
    left.sort_by_key(|(me, _, _)| *me);
    for (_, testimony, pages) in left {
        evidence.testimonies.push(testimony);
        evidence.pages.extend(pages);
    }
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

fn names(setting: &Setting) -> Vec<String> {
    let run = setting.seed & 0xffff;
    let users = (0..setting.users).map(|n| format!("c{run:04x}n{n}"));
    users.chain((0..setting.contested).map(|n| format!("c{run:04x}star{n}"))).collect()
}

/// Puts faults in, one after the other, each kind as often as any other.
async fn break_things(
    shared: &Shared,
    stage: &mut impl Stage,
    evidence: &mut Evidence,
    troubles: &mut Vec<String>,
    say: &mut (dyn FnMut(&str) + Send),
) {
    let setting = &shared.setting;
    let mut random = StdRng::seed_from_u64(setting.seed);
    let mut turn = Vec::new();
    loop {
        let left = setting.lasting.saturating_sub(shared.clock.elapsed());
        let pause = setting.pause.mul_f64(random.random_range(0.7..1.3));
        sleep(pause.min(left)).await;
        if left <= pause {
            return;
        }
        if turn.is_empty() {
            turn.clone_from(&setting.faults);
            turn.shuffle(&mut random);
        }
        let Some(fault) = turn.pop() else {
            sleep(left.saturating_sub(pause)).await;
            return;
        };
        let at = shared.clock.elapsed().as_secs();
        say(&format!("{at:>5} s  {}", fault.word()));
        match stage.strike(fault, random.random(), setting.fault_lasts, &shared.clock).await {
            Ok(struck) => evidence.faults.extend(struck),
            Err(error) => troubles.push(format!("{}: {error}", fault.word())),
        }
    }
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
