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
    evidence::{Evidence, Fault, Pages, Testimony},
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
        let (shared, reports, phase) = (Arc::clone(&shared), reports.clone(), watching.clone());
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
        evidence.end = id;
        phase.send_replace(Phase::End(id, print));
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

fn names(setting: &Setting) -> Vec<String> {
    let run = setting.seed & 0xffff;
    let users = (0..setting.users).map(|n| format!("c{run:04x}n{n}"));
    users.chain((0..setting.contested).map(|n| format!("c{run:04x}star{n}"))).collect()
}

/// Puts faults in, one after the other: each kind as often as any other, and each kind with each length in turns.
async fn break_things(
    shared: &Shared,
    stage: &mut impl Stage,
    evidence: &mut Evidence,
    troubles: &mut Vec<String>,
    say: &mut (dyn FnMut(&str) + Send),
) {
    let setting = &shared.setting;
    let mut random = StdRng::seed_from_u64(setting.seed);
    let mut turn: Vec<(Fault, Duration)> = Vec::new();
    let mut round = 0;
    loop {
        let left = setting.lasting.saturating_sub(shared.clock.elapsed());
        let pause = setting.pause.mul_f64(random.random_range(0.7..1.3));
        sleep(pause.min(left)).await;
        if left <= pause {
            return;
        }
        if turn.is_empty() {
            if setting.rounds.is_some_and(|rounds| round >= rounds) {
                return;
            }
            turn = turns(setting, round);
            turn.shuffle(&mut random);
            round += 1;
        }
        let Some((fault, lasts)) = turn.pop() else {
            sleep(left.saturating_sub(pause)).await;
            return;
        };
        let at = shared.clock.elapsed().as_secs();
        say(&format!("{at:>5} s  {} for {} s", fault.word(), lasts.as_secs_f64()));
        let struck = &mut evidence.faults;
        let choice = random.random();
        if let Err(error) = stage.strike(fault, choice, lasts, &shared.clock, struck).await {
            let trouble = format!("{} at {at} s: {error}", fault.word());
            say(&trouble);
            troubles.push(trouble);
        }
    }
}

/// Each fault once, with another length in each round.
fn turns(setting: &Setting, round: usize) -> Vec<(Fault, Duration)> {
    let lengths = setting.fault_lasts.iter().copied().cycle();
    setting
        .faults
        .iter()
        .copied()
        .zip(lengths.skip(round % setting.fault_lasts.len().max(1)))
        .collect()
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use conformance_kit::net::dial::Transport;

    use super::*;

    #[test]
    fn after_as_many_rounds_as_there_are_lengths_each_fault_had_each() {
        let lengths = [5, 15, 25].map(Duration::from_secs);
        let setting = Setting {
            faults: Fault::ALL.to_vec(),
            fault_lasts: lengths.to_vec(),
            ..Setting::quiet(Transport::PLAIN)
        };
        let had: BTreeSet<_> = (0..3).flat_map(|round| turns(&setting, round)).collect();
        assert_eq!(had.len(), Fault::ALL.len() * lengths.len());
        assert_eq!(turns(&setting, 1).len(), Fault::ALL.len());
    }
}
