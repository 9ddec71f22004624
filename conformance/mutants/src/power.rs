//! The switch of a mutant.

use tokio::sync::watch;

/// The switch of a mutant: off, and every connection ends.
#[derive(Clone)]
pub(super) struct Power(watch::Sender<bool>);

impl Power {
    pub(super) fn on() -> Self {
        Self(watch::channel(true).0)
    }

    pub(super) fn off(&self) {
        self.0.send_replace(false);
    }

    /// Waits until the power is cut.
    pub(super) async fn cut(self) {
        let _ = self.0.subscribe().wait_for(|on| !on).await;
    }
}
