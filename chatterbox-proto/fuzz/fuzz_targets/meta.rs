//! Whatever goes with a message, what is read of it is bounded and read back as it was, by the server and by the client.
#![no_main]

use chatterbox_proto::capability::meta::{Meta, NewMeta};
use chatterbox_proto::session::{ClientSession, Event, JoinedAction, JoiningSession};
use chatterbox_proto::{Capabilities, Capability, ClientFrame, Username, limits};
use libfuzzer_sys::fuzz_target;

fn body(begins: &str, meta: &[u8]) -> Vec<u8> {
    [begins.as_bytes(), meta, b"]}"].concat()
}

/// What the server takes of the element of META.
fn put(element: &[u8]) -> Option<NewMeta> {
    let all = Capability::EVERY.iter().copied().collect::<Capabilities>();
    let mut joining = JoiningSession::new(32, all);
    let offer = format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "{all}"}}"#);
    let _ = joining.receive(ClientFrame::parse(offer.as_bytes()));
    let (mut joined, _) = joining.accepted(Username::parse("ann").expect("a name"), None);
    let body = body(r#"{"MESSAGES": [["ann", "ALL", 1, "x"]], "TAGS": ["t"], "META": ["#, element);
    let actions = joined.receive(ClientFrame::parse_as(&body, joined.known()));
    let mut postings = actions.into_iter().filter_map(|action| match action {
        JoinedAction::Post(postings) => Some(postings),
        _ => None,
    });
    Some(*postings.next()?.into_iter().next()?.meta?)
}

/// What the client takes of the element of META.
fn told(element: &[u8]) -> Option<Meta> {
    let mut session = ClientSession::offering([Capability::Ids, Capability::Meta].into_iter().collect());
    let _ = session.join("bob");
    let offer = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1 meta/1"}"#;
    session.receive(offer.as_bytes());
    let body = body(r#"{"MESSAGES": [["ann", "ALL", 1, "x"]], "IDS": [1], "META": ["#, element);
    session.receive(&body).into_iter().find_map(|event| match event {
        Event::Message(message) => message.meta.map(|meta| *meta),
        _ => None,
    })
}

/// Whether the server has to take what a client of ours writes. The limits are on the element as it is written, and `push_json` may write
/// more bytes than the peer did: it escapes what is beyond ASCII, and puts spaces between the parts.
fn fits(meta: &NewMeta, json: &[u8]) -> bool {
    let mut sealed = Vec::new();
    if let Some(e2ee) = &meta.e2ee {
        e2ee.push_json(&mut sealed);
    }
    json.len() - sealed.len() <= limits::META && sealed.len() <= limits::SEALED
}

fuzz_target!(|element: &[u8]| {
    if let Some(meta) = put(element) {
        assert!(meta.mentions.len() <= limits::MENTIONS);
        let mut json = Vec::new();
        meta.push_json(&mut json);
        if fits(&meta, &json) {
            assert_eq!(put(&json), Some(meta).filter(|meta| !meta.is_empty()));
        }
    }
    if let Some(meta) = told(element) {
        assert!(meta.mentions.len() <= limits::MENTIONS);
        let mut json = Vec::new();
        meta.push_json(&mut json);
        assert_eq!(told(&json), Some(meta).filter(|meta| !meta.is_empty()));
    }
});
