//! The schedule of an open loop: a thread that sleeps until messages are due and wakes their senders.
//!
//! The runtime's own timers round up to a whole millisecond, which would be a part of every latency.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use super::{plan::Plan, shared::Shared};

/// How often senders are woken at most.
const BREATH: Duration = Duration::from_micros(100);

/// The longest sleep, so that the thread notices its end.
const LONGEST: Duration = Duration::from_millis(50);

/// The thread of the schedule; it ends when this is dropped.
pub(super) struct Pacer {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Pacer {
    /// Starts waking: so many messages a second, from `start` on.
    ///
    /// # Errors
    /// When the system has no thread.
    pub(super) fn start(shared: Arc<Shared>, rate: f64, start: u64) -> std::io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = thread::Builder::new().name("load-pacer".to_owned()).spawn(move || {
            while !ends.load(Relaxed) {
                let now = shared.now();
                let due = due(rate, now.saturating_sub(start));
                if now >= start && shared.due.swap(due, Relaxed) != due {
                    shared.lines.iter().for_each(|line| line.bell.notify_one());
                }
                let next = start.saturating_add(when(&shared.plan, rate, due));
                let sleep = Duration::from_micros(next.saturating_sub(shared.now()));
                thread::sleep(sleep.clamp(BREATH, LONGEST));
            }
        })?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.over.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How many messages are due so many microseconds after the start: the first one at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a run has far fewer than 2^52 messages and microseconds"
)]
fn due(rate: f64, micros: u64) -> u64 {
    // A microsecond later, because the schedule is rounded down to whole ones.
    ((micros + 1) as f64 * rate / 1e6).ceil() as u64
}

/// When the message with this number is due.
fn when(plan: &Plan, rate: f64, number: u64) -> u64 {
    let senders = u64::from(plan.senders.max(1));
    let slot = usize::try_from(number % senders).unwrap_or_default();
    plan.due(slot, u32::try_from(number / senders).unwrap_or(u32::MAX), rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    #[test]
    fn whatever_is_due_is_counted_and_nothing_else() {
        for rate in [1.0, 3.0, 999.0, 70_000.0] {
            for micros in [0, 1, 999, 1_000, 333_333, 333_334, 5_000_000] {
                let due = due(rate, micros);
                assert!(when(&plan(), rate, due - 1) <= micros, "{rate} {micros}");
                // Floating point may be one microsecond early.
                assert!(when(&plan(), rate, due) + 1 >= micros, "{rate} {micros}");
            }
        }
    }
}
