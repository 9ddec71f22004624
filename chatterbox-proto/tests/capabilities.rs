//! What one end writes of a capability is what the other end reads.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]

use chatterbox_proto::capability::accounts::{Account, Proof, Secret};
use chatterbox_proto::capability::commands::{
    self, Answer, Argument, ArgumentType, Call, Command, CommandRequest, Outcome, OutcomeCode,
    Prompt,
};
use chatterbox_proto::capability::ids::{self, PageMessage, Query, Resume, Side};
use chatterbox_proto::capability::{Request, ping, rename};
use chatterbox_proto::client_frame::{self, Known, Offer};
use chatterbox_proto::json::Object;
use chatterbox_proto::server_frame::ServerKeys;
use chatterbox_proto::{
    Capabilities, Capability, ClientFrame, Code, Entry, Faults, ServerFrame, WireText, server_frame,
};
use proptest::prelude::*;

fn all() -> Capabilities {
    Capability::EVERY.iter().copied().collect()
}

/// The one request that the server reads of a client's frame.
fn request(object: Object) -> Request {
    let frame = object.finish().unwrap();
    let frame = ClientFrame::parse_as(&frame[4..], Known::Agreed(all())).unwrap();
    let requests: Vec<_> = frame.keys.unwrap().requests.into_iter().collect();
    let [Ok(request)] = &requests[..] else { panic!("{requests:?}") };
    request.clone()
}

/// What the client reads of a server's frame, without a note.
fn at_client(object: Object) -> ServerKeys {
    let frame = object.finish().unwrap();
    let (frame, notes) = ServerFrame::parse_as(&frame[4..], all()).unwrap();
    assert_eq!(notes.into_vec(), []);
    *frame.keys.unwrap()
}

#[test]
fn a_name_with_everything_beside_it() {
    let proof = Proof::Password(Secret::new("pass \u{e9}\""));
    let resume = Resume { token: Secret::new("t"), after: 3 };
    let offer = Offer {
        capabilities: all(),
        proof: Some(&proof),
        resume: Some(&resume),
        recent: Some(200),
    };
    let frame = client_frame::join_with("ann", &offer).unwrap();
    assert!(frame.is_ascii() || frame[..4].iter().any(|byte| *byte > 127));
    let keys = ClientFrame::parse(&frame[4..]).unwrap().keys.unwrap();
    assert_eq!((keys.offer, keys.recent), (Some(Ok(all())), Some(Ok(200))));
    assert_eq!((keys.proof, keys.resume), (Some(Ok(proof)), Some(Ok(resume))));
}

#[test]
fn secrets_are_in_no_debug_output() {
    let call = Call { id: "1".into(), name: "passwd".into(), arguments: vec!["hush".into()] };
    let answer = Answer { id: "1".into(), text: Some(Secret::new("hush")) };
    let account = Account { level: 1, token: Some(Secret::new("hush")) };
    let shown = format!("{call:?} {answer:?} {account:?} {:?}", Proof::Token(Secret::new("hush")));
    assert!(!shown.contains("hush") && shown.contains("passwd"), "{shown}");
}

#[test]
fn a_refused_message_is_named_by_its_tag() {
    let mut faults = Faults::from(Code::NoSuchUser);
    faults.refuse("t\u{e9}", Code::NoSuchUser);
    faults.refuse("t\u{e9}", Code::NotStored);
    let keys = at_client(server_frame::error_object(&faults));
    let [refused] = &keys.refused[..] else { panic!("{keys:?}") };
    assert_eq!((refused.tag.as_wire(), refused.code.as_wire()), ("t\u{e9}", "no-such-user"));
    let base = server_frame::error(&Code::NoSuchUser.into()).unwrap();
    assert!(!String::from_utf8_lossy(&base).contains("REFUSED"));
}

#[test]
fn a_catalogue_a_question_and_a_result() {
    let command = Command {
        name: "msg".into(),
        aliases: vec!["dm".into()],
        arguments: vec![Argument {
            name: "text".into(),
            kind: ArgumentType::Text,
            optional: false,
            rest: true,
        }],
        help: "says \"something\" to one user".into(),
        example: "/msg bob hi".into(),
        level: 1,
    };
    let keys = at_client(commands::catalogue([&command], "/"));
    assert_eq!(keys.commands, Some(vec![command]));
    assert_eq!(keys.prefix, Some(WireText::new("/")));
    for code in OutcomeCode::EVERY {
        let outcome =
            Outcome::new("7", *code, "text").with_data(serde_json::json!({"a": [1, null]}));
        assert_eq!(at_client(outcome.to_object()).result, Some(outcome));
        assert_eq!(OutcomeCode::of(code.word()), Some(*code));
    }
    let prompt = Prompt { id: WireText::new("7"), text: WireText::new("Password?"), secret: true };
    assert_eq!(at_client(prompt.to_object()).prompt, Some(prompt));
}

fn tags() -> impl Strategy<Value = Vec<(String, u64)>> {
    prop::collection::btree_map("\\PC{1,5}", 1..=9_007_199_254_740_991_u64, 0..9)
        .prop_map(|tags| tags.into_iter().collect())
}

proptest! {
    #[test]
    fn numbers_both_ways(number in any::<i64>()) {
        prop_assert_eq!(request(ping::ping(number)), Request::Ping(number));
        prop_assert_eq!(request(ping::pong(number)), Request::Pong(number));
        prop_assert_eq!(at_client(ping::ping(number)).ping, Some(number));
        prop_assert_eq!(at_client(ping::pong(number)).pong, Some(number));
    }

    #[test]
    fn acknowledgements(tags in tags()) {
        let acks = ids::acks(tags.iter().map(|(tag, id)| (tag.as_str(), *id)));
        let expected: Vec<_> =
            tags.into_iter().map(|(tag, id)| (WireText::new(tag), id)).collect();
        prop_assert_eq!(at_client(acks).acks, expected);
    }

    #[test]
    fn renames(old in any::<String>(), new in any::<String>()) {
        let object = Object::with_capacity(0).json(rename::USERS_RENAMED, &rename::change(&old, &new));
        prop_assert_eq!(at_client(object).renamed, [(WireText::new(old), WireText::new(new))]);
    }

    #[test]
    fn what_is_asked_of_the_history(with in "\\PC{0,20}", id in 0..=9_007_199_254_740_991_u64, limit in 1..=500_u16) {
        for side in [Side::Before(id), Side::After(id), Side::Newest] {
            let query = Query { with: WireText::new(with.clone()), side, limit };
            prop_assert_eq!(request(query.to_object()), Request::History(query));
        }
    }

    #[test]
    fn pages_of_history(
        contents in prop::collection::vec((1..=9_007_199_254_740_991_u64, any::<String>()), 0..8),
        more in any::<bool>(),
    ) {
        let entries: Vec<_> = contents
            .into_iter()
            .map(|(id, content)| (id, Entry {
                source: "ann".into(),
                destination: "ALL".into(),
                timestamp: 5,
                content: content.into(),
            }))
            .collect();
        let json: Vec<_> = entries.iter().map(|(id, entry)| (*id, entry.to_json())).collect();
        let page = ids::page("ALL", json.iter().map(|(id, json)| PageMessage { id: *id, time: 7, json }), more);
        let page = at_client(page).history.unwrap();
        prop_assert_eq!((page.with, page.more), (WireText::new("ALL"), more));
        let paged: Vec<_> = page.messages.into_iter().map(|paged| (paged.id, paged.entry)).collect();
        prop_assert_eq!(paged, entries);
    }

    #[test]
    fn commands_and_answers(
        id in "\\PC{1,16}",
        name in any::<String>(),
        arguments in prop::collection::vec(any::<String>(), 0..8),
        text in prop::option::of(any::<String>()),
    ) {
        let call = Call { id: id.clone(), name, arguments };
        prop_assert_eq!(request(call.to_object()), Request::Command(CommandRequest::Call(call)));
        let answer = Answer { id, text: text.map(Secret::new) };
        prop_assert_eq!(request(answer.to_object()), Request::Command(CommandRequest::Answer(answer)));
    }
}
