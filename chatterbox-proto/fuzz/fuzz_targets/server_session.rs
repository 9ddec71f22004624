//! Whatever a client sends, the server's reader judges it, and nobody speaks for somebody else.
#![no_main]

use chatterbox_proto::{Capabilities, Capability, ClientFrame, session::ServerSession};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut session = ServerSession::new(32, Capability::EVERY.iter().copied().collect::<Capabilities>());
    for body in data.split(|byte| *byte == 0) {
        let actions = session.receive(ClientFrame::parse(body));
        assert!(!actions.is_empty() || ClientFrame::parse(body).is_ok());
        assert!(session.name().is_none(), "nobody has accepted a name");
    }
});
