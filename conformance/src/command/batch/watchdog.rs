//! Looks at the processes of a submission while it runs, and ends them when they take too much.
#![allow(
    clippy::disallowed_methods,
    reason = "the watching task is owned and ended by its Watchdog"
)]

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::spawn_blocking};

use super::{
    processes::{self, Processes, Usage},
    sandbox::{Limits, Place},
};

/// How often they are looked at.
const INTERVAL: Duration = Duration::from_millis(250);
/// How often the number of all threads of the machine is looked at, which costs next to nothing: a program
/// that forks without end has thousands of processes after an [`INTERVAL`].
const GLANCE: Duration = Duration::from_millis(20);
/// How often a submission may take too much before its run is ended: a server is started again, and would
/// do it again in every case.
const MOST_TIMES: usize = 3;

/// Watches over one submission, and ends all its processes when it is dropped.
pub(super) struct Watchdog {
    ended: watch::Receiver<Told>,
    /// Dropped to end the watching.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the watching thread tells.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Why the submission was ended, each time.
    times: Vec<String>,
    /// Whether some of its processes could not be ended.
    some_are_left: bool,
}

impl Watchdog {
    /// Watches in a thread of its own: tasks are the first to starve when a submission takes everything.
    pub(super) fn start(place: &Place, limits: Limits) -> Self {
        let mut processes = Processes::new(&place.roots());
        let (tell, ended) = watch::channel(Told::default());
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            watch_over(&mut processes, limits, &tell, &stopped);
            let gone = processes.kill();
            tell.send_modify(|told| told.some_are_left = !gone);
        });
        Self { ended, stop: Some(stop), thread: Some(thread) }
    }

    /// Waits until the submission has taken too much too often.
    pub(super) async fn gives_up(&self) {
        let mut ended = self.ended.clone();
        if ended.wait_for(|told| told.times.len() >= MOST_TIMES).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Ends what is left, and tells what the submission was ended for.
    pub(super) async fn finish(self) -> Vec<String> {
        let ended = self.ended.clone();
        let _ = spawn_blocking(move || drop(self)).await;
        let Told { times, some_are_left } = ended.borrow().clone();
        let mut remarks: Vec<String> = Vec::new();
        if let Some(last) = times.last() {
            let often =
                if times.len() == 1 { String::new() } else { format!(", {} times", times.len()) };
            remarks.push(format!("ended by the sandbox{often}: {last}"));
        }
        if some_are_left {
            remarks.push("some of its processes could not be ended".to_owned());
        }
        remarks
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The program may be about to end, and the thread with it: nothing may be left behind.
            let _ = thread.join();
        }
    }
}

fn watch_over(
    processes: &mut Processes,
    limits: Limits,
    tell: &watch::Sender<Told>,
    stopped: &mpsc::Receiver<()>,
) {
    let mut threads = processes::threads_of_all();
    let mut looked = Instant::now();
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(GLANCE) {
        let now = processes::threads_of_all();
        let grown = now.saturating_sub(threads) > limits.processes / 2;
        if looked.elapsed() < INTERVAL && !grown {
            continue;
        }
        if let Some(why) = excess(processes.usage(), limits) {
            processes.kill();
            tell.send_modify(|told| told.times.push(why));
        }
        threads = processes::threads_of_all();
        looked = Instant::now();
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
