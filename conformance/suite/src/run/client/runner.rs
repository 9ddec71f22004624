//! The scheduler's view of a client: every case starts a process of its own.

use std::{sync::Arc, time::Duration};

use conformance_kit::trace::Trace;

use crate::{
    case::Row,
    client::{ClientSide, hands::ClientHands, shared::Shared},
    run::runner::{Footing, Runner},
};

/// The client under judgement.
pub(super) struct ClientRunner {
    pub(super) shared: Arc<Shared>,
}

impl Runner for ClientRunner {
    type Side = ClientSide;

    fn elapsed(&self) -> Duration {
        self.shared.clock.elapsed()
    }

    fn hands(&self, case: &'static Row, _footing: Footing, seed: u64) -> ClientHands {
        ClientHands::new(Arc::clone(&self.shared), case.id, seed)
    }

    fn trace(hands: &ClientHands) -> &Trace {
        &hands.trace
    }

    fn limit(hands: &ClientHands) -> Duration {
        let pace = hands.shared.pace();
        pace.start * 2 + pace.patience * 24 + Duration::from_secs(20)
    }
}
