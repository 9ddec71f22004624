//! What a node tells those who look after it beside its loop: when it was heard in the order last, and what it knows of all nodes.

use tokio::sync::watch;
use tokio::time::Instant;

use crate::chat::cluster::report::Report;

/// The pulse of a node.
#[derive(Debug)]
pub struct Pulse {
    /// When something of this life came round last, as far as that was waited for: its beginning, and its ticks.
    heard: watch::Sender<Instant>,
    /// What is known of all nodes; nothing before this one was up.
    report: watch::Sender<Option<Report>>,
}

impl Pulse {
    /// One of a node that begins now.
    pub fn new(now: Instant) -> Self {
        Self { heard: watch::Sender::new(now), report: watch::Sender::new(None) }
    }

    /// The node was heard.
    pub(super) fn beats(&self, now: Instant, report: Report) {
        self.heard.send_replace(now);
        self.report.send_replace(Some(report));
    }

    /// When it was heard.
    pub(crate) fn heard(&self) -> watch::Receiver<Instant> {
        self.heard.subscribe()
    }

    /// What it knows.
    pub(crate) fn report(&self) -> watch::Receiver<Option<Report>> {
        self.report.subscribe()
    }
}
