//! Where the numbers come from.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::chat::cluster::Progress;
use crate::chat::cluster::report::Report;
use crate::metrics::exposition;
use crate::metrics::snapshot::{Cluster, Snapshot};
use crate::net::context::Context;
use crate::ops::memory;
use crate::ops::readiness::Health;
use crate::ops::signals::Asking;
use crate::store::Store;

/// The parts of a running server that are measured.
pub(crate) struct Sources {
    pub(crate) context: Arc<Context>,
    pub(crate) health: Health,
    pub(crate) store: Arc<dyn Store>,
    /// Of a node of a cluster: what it knows of all nodes, and how far it is.
    pub(crate) node: Option<(watch::Receiver<Option<Report>>, Arc<Progress>)>,
}

/// The time between two lines of the log that somebody has asked for.
const LINES: Duration = Duration::from_secs(1);

impl Sources {
    /// The numbers as they are now, in the text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        exposition::text(self.read().families())
    }

    /// Writes a line of status into the log whenever it is asked for; never returns.
    pub(crate) async fn log_when_asked(&self, mut asking: Asking) {
        loop {
            asking.asked().await;
            self.read().log();
            // Whoever asks all the time gets a line now and then.
            tokio::time::sleep(LINES).await;
        }
    }

    fn read(&self) -> Snapshot {
        let Context { chat, limits, config, transport, .. } = &*self.context;
        Snapshot {
            version: env!("CARGO_PKG_VERSION"),
            started: chat.traffic().started(),
            resident: memory::resident(),
            readiness: self.health.readiness(),
            connections: limits.by_kind().to_vec(),
            max_connections: config.current().max_connections,
            totals: chat.traffic().totals(),
            gauges: chat.gauges(),
            backlog: self.store.backlog(),
            certificate_ends: transport.certificate_ends(),
            cluster: self.cluster(),
        }
    }

    fn cluster(&self) -> Option<Cluster> {
        let (reports, progress) = self.node.as_ref()?;
        let reports = reports.borrow();
        let report = reports.as_ref()?;
        let furthest = report.nodes.iter().map(|node| node.applied).max().unwrap_or_default();
        let own = report.nodes.first();
        let heard = own.and_then(|own| own.heard);
        // The report is as old as the last tick of this node.
        let place = report.place.max(progress.applied());
        Some(Cluster {
            place,
            behind: furthest.saturating_sub(place),
            unstored: progress.unstored(),
            nodes: report.nodes.len(),
            quiet: heard.map_or(Duration::ZERO, |heard| heard.elapsed()),
        })
    }
}
