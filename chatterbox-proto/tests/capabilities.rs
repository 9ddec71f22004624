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
use chatterbox_proto::capability::meta::DeviceId;
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
    let device = DeviceId::parse("d2").unwrap();
    let offer = Offer {
        capabilities: all(),
        proof: Some(&proof),
        resume: Some(&resume),
        recent: Some(200),
        device: Some(&device),
    };
    let frame = client_frame::join_with("ann", &offer).unwrap();
    assert!(frame.is_ascii() || frame[..4].iter().any(|byte| *byte > 127));
    let keys = ClientFrame::parse(&frame[4..]).unwrap().keys.unwrap();
    assert_eq!((keys.offer, keys.recent), (Some(Ok(all())), Some(Ok(200))));
    assert_eq!((keys.proof, keys.resume), (Some(Ok(proof)), Some(Ok(resume))));
    assert_eq!(keys.device, Some(Ok(device)));
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
        arguments: vec![
            Argument { rest: true, ..Argument::new("text", ArgumentType::Text) },
            Argument {
                optional: true,
                help: "what \"it\" is".into(),
                values: vec!["on".into(), "\u{1f600}".into()],
                ..Argument::new("room", ArgumentType::Room)
            },
        ],
        help: "says \"something\" to one user".into(),
        example: "/msg bob hi".into(),
        level: 1,
        confirm: true,
        demo: true,
    };
    let quiet = Command { confirm: false, demo: false, ..command.clone() };
    let keys = at_client(commands::catalogue(
        [&command, &quiet],
        "/",
        ["guest", "user", "helper", "moderator", "operator", "admin"],
    ));
    assert_eq!(keys.commands, Some(vec![command, quiet]));
    assert_eq!(keys.prefix, Some(WireText::new("/")));
    for code in OutcomeCode::EVERY {
        let outcome =
            Outcome::new("7", *code, "text").with_data(serde_json::json!({"a": [1, null]}));
        let outcome = Outcome { wait: Some(3), until: Some(1_700_000_600), ..outcome };
        assert_eq!(at_client(outcome.to_object()).result, Some(outcome));
        assert_eq!(OutcomeCode::of(code.word()), Some(*code));
    }
    let prompt = Prompt { id: WireText::new("7"), text: WireText::new("Password?"), secret: true };
    assert_eq!(at_client(prompt.to_object()).prompt, Some(prompt));
}

/// What a catalogue of another version says does not make the commands in it unknown.
#[test]
fn a_catalogue_with_more_in_it_is_read() {
    let text = r#"{"COMMANDS": [{"NAME": "x", "ALIASES": [], "ARGUMENTS": [
        {"NAME": "a", "TYPE": "colour", "OPTIONAL": false, "REST": false, "HELP": 5, "VALUES": "on", "MORE": 1},
        {"NAME": "b", "TYPE": "duration", "OPTIONAL": false, "REST": false, "VALUES": ["on", 5, null]}],
        "HELP": "", "EXAMPLE": "x", "LEVEL": 0, "CONFIRM": "yes", "DEMO": 1, "MORE": {}}]}"#;
    let keys = |text: &str| {
        let (frame, _) = ServerFrame::parse_as(text.as_bytes(), all()).unwrap();
        *frame.keys.unwrap()
    };
    let [command] = &keys(text).commands.unwrap()[..] else { panic!("{text}") };
    assert!(!command.confirm && !command.demo);
    let expected = [
        Argument::new("a", ArgumentType::Text),
        Argument { values: vec!["on".into()], ..Argument::new("b", ArgumentType::Duration) },
    ];
    assert_eq!(command.arguments, expected);
    let text = r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "later", "ERROR": "x", "WAIT": -1, "UNTIL": "x"}}"#;
    let result = keys(text).result.unwrap();
    assert_eq!((result.code.as_wire(), result.wait, result.until), ("later", None, None));
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
        let meta = |id: u64| (id % 2 == 1).then_some(&br#"{"REPLY": 5}"#[..]);
        let messages = json.iter().map(|(id, json)| PageMessage { id: *id, time: 7, json, meta: meta(*id) });
        let page = ids::page("ALL", messages, more);
        let page = at_client(page).history.unwrap();
        prop_assert_eq!((page.with, page.more), (WireText::new("ALL"), more));
        for paged in &page.messages {
            let reply = paged.meta.as_ref().and_then(|meta| meta.reply);
            prop_assert_eq!(reply, (paged.id % 2 == 1).then_some(5));
        }
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
