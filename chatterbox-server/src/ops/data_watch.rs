//! Looks once a minute whether the data folder is still there, and says so in the log when it is not.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer, and looks at files")]

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

/// The time between two looks. PostgreSQL looks for its lock file as often.
const EVERY: Duration = Duration::from_secs(60);

/// Looks for as long as it is polled, and never ends. `check` says what is missing.
pub async fn watch<M: Display + Send + 'static>(
    check: impl Fn() -> Result<(), M> + Send + Sync + 'static,
) {
    let check = Arc::new(check);
    let mut missed = false;
    loop {
        tokio::time::sleep(EVERY).await;
        let check = Arc::clone(&check);
        // A network's file system may take its time.
        let Ok(found) = tokio::task::spawn_blocking(move || check()).await else { continue };
        match found {
            Err(missing) => {
                tracing::error!(%missing, "what is said now may be lost: put the folder back, or stop the server");
                missed = true;
            }
            Ok(()) if missed => {
                tracing::info!("the data folder is in its place again");
                missed = false;
            }
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::Instant;
    use tracing::Level;
    use tracing::field::{Field, Visit};

    use super::*;

    /// Keeps the level of every event, and whether it names the missing file.
    #[derive(Default, Clone)]
    struct Kept(Arc<Mutex<Vec<(Level, bool)>>>);

    struct Names(bool);

    impl Visit for Names {
        fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
            self.0 |= format!("{value:?}").contains("/data/chatterbox.db");
        }
    }

    impl tracing::Subscriber for Kept {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            metadata.target().contains("data_watch")
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            let mut names = Names(false);
            event.record(&mut names);
            self.0.lock().unwrap().push((*event.metadata().level(), names.0));
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_server_says_within_a_minute_that_its_folder_is_gone() {
        let kept = Kept::default();
        let _here = tracing::subscriber::set_default(kept.clone());
        let begin = Instant::now();
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        // There, gone, gone, there again, there.
        let check = move || match counted.fetch_add(1, Ordering::SeqCst) {
            1 | 2 => Err("/data/chatterbox.db is gone"),
            _ => Ok(()),
        };
        let five = async {
            while looks.load(Ordering::SeqCst) < 5 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = watch(check) => {}
            () = five => {}
        }
        // A paused clock moves on while nothing else is to be done, so this counts looks, not time.
        assert!(begin.elapsed() >= EVERY * 5);
        let told = kept.0.lock().unwrap().clone();
        assert_eq!(told, [(Level::ERROR, true), (Level::ERROR, true), (Level::INFO, false)]);
    }
}
