//! Looks at the processes of a submission while it runs, and ends them when they take too much.
#![allow(
    clippy::disallowed_methods,
    reason = "the watching task is owned and ended by its Watchdog"
)]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_blocking},
};

use super::{
    processes::{Processes, Usage},
    sandbox::{Limits, Place},
};

/// How often they are looked at.
const INTERVAL: Duration = Duration::from_millis(250);
/// How often a submission may take too much before its run is ended: a server is started again, and would
/// do it again in every case.
const MOST_TIMES: usize = 3;

/// Watches over one submission.
pub(super) struct Watchdog {
    processes: Arc<Mutex<Processes>>,
    ended: watch::Receiver<Vec<String>>,
    task: JoinHandle<()>,
}

impl Watchdog {
    pub(super) fn start(place: &Place, limits: Limits) -> Self {
        let processes = Arc::new(Mutex::new(Processes::new(&place.roots())));
        let (tell, ended) = watch::channel(Vec::new());
        let task = tokio::spawn(watch_over(Arc::clone(&processes), limits, tell));
        Self { processes, ended, task }
    }

    /// Waits until the submission has taken too much too often.
    pub(super) async fn gives_up(&self) {
        let mut ended = self.ended.clone();
        if ended.wait_for(|times| times.len() >= MOST_TIMES).await.is_err() {
            std::future::pending().await
        }
    }

    /// Ends what is left, and tells what the submission was ended for.
    pub(super) async fn finish(self) -> Vec<String> {
        self.task.abort();
        let processes = Arc::clone(&self.processes);
        let gone = spawn_blocking(move || lock(&processes).kill()).await.unwrap_or(false);
        let times = self.ended.borrow().clone();
        let mut remarks: Vec<String> = Vec::new();
        if let Some(last) = times.last() {
            let often =
                if times.len() == 1 { String::new() } else { format!(", {} times", times.len()) };
            remarks.push(format!("ended by the sandbox{often}: {last}"));
        }
        if !gone {
            remarks.push("some of its processes could not be ended".to_owned());
        }
        remarks
    }
}

async fn watch_over(
    processes: Arc<Mutex<Processes>>,
    limits: Limits,
    tell: watch::Sender<Vec<String>>,
) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let looked_at = Arc::clone(&processes);
        // Reading what the kernel says takes longer than a task may block its thread.
        let looking = spawn_blocking(move || {
            let mut processes = lock(&looked_at);
            let usage = processes.usage();
            let why = excess(usage, limits);
            if why.is_some() {
                processes.kill();
            }
            why
        });
        if let Ok(Some(why)) = looking.await {
            tell.send_modify(|times| times.push(why));
        }
    }
}

/// What a submission takes too much of.
fn excess(usage: Usage, limits: Limits) -> Option<String> {
    if usage.processes > limits.processes {
        return Some(format!("{} processes, {} are allowed", usage.processes, limits.processes));
    }
    let mib = |bytes: u64| bytes >> 20;
    (usage.memory > limits.memory)
        .then(|| format!("{} MiB of memory, {} are allowed", mib(usage.memory), mib(limits.memory)))
}

fn lock(processes: &Mutex<Processes>) -> std::sync::MutexGuard<'_, Processes> {
    processes.lock().unwrap_or_else(PoisonError::into_inner)
}
