//! The scheduler's view of a client: every case starts a process of its own.

use std::{sync::Arc, time::Duration};

use conformance_kit::trace::Trace;

use crate::{
    case::Row,
    client::{
        ClientSide, diagnosis,
        hands::ClientHands,
        quirks::{Shows, Speaks},
        shared::Shared,
    },
    run::runner::{Footing, Runner, Testimony},
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
    /// A case that failed blocks others only as far as what it charges keeps them from being judged: the
    /// first contact knows what works in spite of it.
    fn spoken_around(&self, case: &Row, need: &str) -> bool {
        let quirks = self.shared.quirks();
        match need {
            // Charged once, and then done without by everything that is not about TLS.
            "c.tls.connect" => quirks.plaintext && !case.id.starts_with("c.tls."),
            "c.join.first" => quirks.prefix.is_some() && quirks.silence.is_none(),
            "c.send.public" => quirks.speaks != Speaks::Unknown,
            "c.recv.message" => quirks.shows != Shows::Unknown,
            _ => false,
        }
    }

    fn testimony(hands: &ClientHands, case: &Row) -> Testimony {
        let printed = match &hands.screen {
            Some(screen) => screen.plain_end(),
            // The case rests on the first contact.
            None => {
                hands.shared.quirks().silence.map(|silence| silence.printed).unwrap_or_default()
            }
        };
        let connecting = matches!(case.id, "c.tls.connect" | "c.join.first" | "c.net.v6");
        let hint = diagnosis::hint(&printed, case.hint, connecting);
        Testimony { hint, printed: diagnosis::last_lines(&printed) }
    }
}
