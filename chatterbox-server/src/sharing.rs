//! Limits that mean the whole chat, where each of its nodes counts for itself: each has its part of them.

use tokio::sync::watch;

use crate::access::Authenticator;
use crate::chat::cluster::report::Report;

/// Tells whoever counts how many nodes are up, whenever that has changed; ends with the node.
pub(crate) async fn share_limits(
    mut reports: watch::Receiver<Option<Report>>,
    authenticator: &dyn Authenticator,
) {
    let mut shared = 1;
    loop {
        // A node that is not up yet takes nobody.
        let nodes = reports.borrow_and_update().as_ref().map_or(1, |report| report.nodes.len());
        if nodes != shared {
            shared = nodes;
            authenticator.share_among(nodes);
        }
        if reports.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use chatterbox_hub::Incarnation;
    use chatterbox_proto::Refusal;
    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, ready};

    use super::*;
    use crate::access::{Grant, LoginRequest};
    use crate::chat::cluster::report::NodeReport;

    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<usize>>);

    impl Authenticator for Told {
        fn authenticate<'a>(
            &'a self,
            _request: LoginRequest<'a>,
        ) -> BoxFuture<'a, Result<Grant, Refusal>> {
            ready(Err(Refusal::Busy)).boxed()
        }

        fn share_among(&self, nodes: usize) {
            self.0.lock().unwrap().push(nodes);
        }
    }

    fn report(nodes: u64) -> Option<Report> {
        let node = |node| NodeReport {
            name: "a".into(),
            node: Incarnation(node),
            speaks: 1,
            heard: None,
            applied: 0,
        };
        Some(Report { name: "a".into(), place: 1, nodes: (0..nodes).map(node).collect() })
    }

    #[test]
    fn who_counts_is_told_when_nodes_come_and_go() {
        let (reports, watched) = watch::channel(None);
        let told = Told::default();
        let mut sharing = Box::pin(share_limits(watched, &told));
        for nodes in [1, 3, 3, 2, 1] {
            assert!((&mut sharing).now_or_never().is_none());
            reports.send_replace(report(nodes));
        }
        assert!((&mut sharing).now_or_never().is_none());
        drop(reports);
        assert!(sharing.now_or_never().is_some(), "it ends with the node");
        assert_eq!(*told.0.lock().unwrap(), [3, 2, 1]);
    }
}
