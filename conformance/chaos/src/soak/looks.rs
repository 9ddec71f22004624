//! Looks at the memory of a server while a soak goes on.

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
};

use conformance_kit::{clock::Clock, subject::process::Process};
use tokio::{sync::watch, time::sleep};

use super::memory::{Life, MemoryRules};

/// What was seen of each life of the server.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<Vec<Life>>);

impl Looks {
    /// Looks for as long as it is asked.
    pub(super) async fn look(
        &self,
        process: Option<watch::Receiver<Option<u32>>>,
        clock: &Clock,
        rules: &MemoryRules,
    ) -> Infallible {
        let Some(mut process) = process else { return std::future::pending().await };
        let mut before = None;
        loop {
            let number = *process.borrow_and_update();
            let found = number.and_then(|number| Process::find(number).ok());
            if let Some(memory) = found.and_then(Process::memory) {
                let mut lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if number != before {
                    lives.push(Life::default());
                }
                if let Some(life) = lives.last_mut() {
                    life.looks.push((clock.elapsed(), memory.resident + memory.swapped));
                }
                before = number;
            }
            tokio::select! {
                () = sleep(rules.every) => {}
                changed = process.changed() => if changed.is_err() {
                    return std::future::pending().await;
                },
            }
        }
    }

    /// What has been seen until now.
    pub(super) fn lives(&self) -> Vec<Life> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The memory at the last look, in bytes.
    pub(super) fn newest(&self) -> Option<u64> {
        let lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.last()?.looks.last().map(|look| look.1)
    }
}
