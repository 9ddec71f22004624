//! Whatever a client sends, the server's reader judges it, and nobody speaks for somebody else.
#![no_main]

use chatterbox_proto::session::{JoinedAction, JoiningSession};
use chatterbox_proto::{Capabilities, Capability, ClientFrame, Username};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut joining = JoiningSession::new(32, Capability::EVERY.iter().copied().collect::<Capabilities>());
    let name = Username::parse("ann").expect("a name");
    // With everything agreed, so that no key is unknown to who has joined.
    let all = Capability::EVERY.iter().copied().collect::<Capabilities>();
    let offer = format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "{all}"}}"#);
    let _ = joining.receive(ClientFrame::parse(offer.as_bytes()));
    let (mut joined, _) = joining.accepted(name, None);
    for body in data.split(|byte| *byte == 0) {
        let actions = joining.receive(ClientFrame::parse(body));
        assert!(!actions.is_empty() || ClientFrame::parse(body).is_ok());
        for action in joined.receive(ClientFrame::parse_as(body, joined.known())) {
            let JoinedAction::Post(postings) = action else { continue };
            assert!(postings.iter().all(|posting| posting.entry.source == "ann"));
        }
    }
});
