//! Whatever a server sends, the client's reader takes it, and no text of it acts on a terminal.
#![no_main]

use chatterbox_proto::session::{ClientSession, Event};
use libfuzzer_sys::fuzz_target;

fn harmless(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

fuzz_target!(|data: &[u8]| {
    let mut session = ClientSession::new();
    let _ = session.join("ann");
    for body in data.split(|byte| *byte == 0) {
        for event in session.receive(body) {
            match event {
                Event::Message(message) | Event::History(message) | Event::Missed(message) => {
                    harmless(message.source.screen().as_str());
                    harmless(message.content.screen().as_str());
                }
                Event::Info(text) | Event::Error(text) => harmless(text.screen().as_str()),
                Event::Joined(name) | Event::Left(name) => harmless(name.screen().as_str()),
                _ => {}
            }
        }
    }
});
