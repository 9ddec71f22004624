//! What happens while users talk: faults are put in, one after the other, and what ends by itself is noticed.

use std::{pin::Pin, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use tokio::{sync::watch, time::sleep};

use crate::{
    evidence::{Death, Evidence, Fault, Struck},
    setting::{Setting, Shared},
    stage::Stage,
    user::{Phase, UserFault},
};

/// It is looked for what has ended by itself so often.
const LOOK: Duration = Duration::from_millis(500);

/// What is done to nodes and users, and what is noted of it.
pub(super) struct Acts<'a> {
    pub(super) shared: &'a Shared,
    pub(super) phase: &'a watch::Sender<Phase>,
    pub(super) evidence: Evidence,
    pub(super) troubles: Vec<String>,
    pub(super) say: &'a mut (dyn FnMut(&str) + Send),
}

impl Acts<'_> {
    /// Puts faults in: each kind as often as any other, and each kind with each length in turns.
    pub(super) async fn break_things(
        &mut self,
        stage: &mut impl Stage,
        over: impl Future<Output = ()>,
    ) {
        let shared = self.shared;
        let setting = &shared.setting;
        let mut over = std::pin::pin!(over);
        let mut random = StdRng::seed_from_u64(setting.seed);
        let mut turn: Vec<(Fault, Duration)> = Vec::new();
        let (mut round, mut number) = (0, 0);
        loop {
            let left = setting.lasting.saturating_sub(shared.clock.elapsed());
            let pause = setting.pause.mul_f64(random.random_range(0.7..1.3));
            if self.wait(pause.min(left), stage, over.as_mut()).await || left <= pause {
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
                self.wait(left.saturating_sub(pause), stage, over.as_mut()).await;
                return;
            };
            let at = shared.clock.elapsed().as_secs();
            let word = if stage.is_alone() { fault.word_alone() } else { fault.word() };
            (self.say)(&format!("{at:>5} s  {word} for {} s", lasts.as_secs_f64()));
            let choice = random.random();
            number += 1;
            let Some(of_users) = UserFault::of(fault, choice, number) else {
                let struck = &mut self.evidence.faults;
                let clock = &shared.clock;
                if let Err(error) = stage.strike(fault, choice, lasts, clock, struck).await {
                    let trouble = format!("{word} at {at} s: {error}");
                    (self.say)(&trouble);
                    self.troubles.push(trouble);
                }
                continue;
            };
            let from = shared.now();
            self.phase.send_replace(Phase::Disturb(of_users));
            let is_over = self.wait(lasts, stage, over.as_mut()).await;
            self.phase.send_replace(Phase::Talk);
            let until = shared.now();
            self.evidence.faults.push(Struck { fault, node: None, from, until, ended: None });
            if is_over {
                return;
            }
        }
    }

    /// Waits so long, and looks after the nodes; true where the run is over, which must not be asked again then.
    async fn wait(
        &mut self,
        time: Duration,
        stage: &mut impl Stage,
        mut over: Pin<&mut impl Future<Output = ()>>,
    ) -> bool {
        let end = self.shared.clock.elapsed() + time;
        loop {
            self.look_for_losses(stage);
            let left = end.saturating_sub(self.shared.clock.elapsed());
            if left.is_zero() {
                return false;
            }
            tokio::select! {
                () = sleep(left.min(LOOK)) => {}
                () = over.as_mut() => return true,
            }
        }
    }

    /// Notes what has ended by itself: of nodes it is a finding, of others a trouble.
    pub(super) fn look_for_losses(&mut self, stage: &mut impl Stage) {
        let losses = stage.losses();
        let at = self.shared.now();
        for how in losses.nodes {
            (self.say)(&how);
            self.evidence.deaths.push(Death { at, how });
        }
        for trouble in losses.others {
            (self.say)(&trouble);
            self.troubles.push(trouble);
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
