//! One connection after the other, as the client sees it.

mod devices;

use super::*;
use crate::capability::meta::NewMeta;
use crate::capability::{Capabilities, Capability};
use crate::server_frame::Deviation;
use crate::text::WireText;

fn wire(text: &'static str) -> WireText<'static> {
    WireText::new(text)
}

fn joined() -> ClientSession {
    let mut session = ClientSession::new();
    session.join("ann").unwrap();
    let events = session
        .receive(br#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": []}"#);
    let [Event::Accepted { info: None, history: 0, .. }, Event::Welcomed] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(session.user_count(), 2);
    session
}

#[test]
fn a_refused_name_may_be_followed_by_another() {
    let mut session = ClientSession::new();
    session.join("bob").unwrap();
    assert_eq!(
        session.receive(br#"{"USERNAME_ACCEPTED": false, "INFO": "no"}"#),
        [Event::Refused { info: Some(wire("no")), code: None, until: None }]
    );
    assert_eq!(session.me(), None);
    session.join("ann").unwrap();
    let events = session.receive(br#"{"USERNAME_ACCEPTED": "true"}"#);
    assert!(matches!(&events[0], Event::Accepted { .. }));
    assert_eq!(events.len(), 5, "three deviations: {events:?}");
    assert_eq!(session.me(), Some("ann"));
}

#[test]
fn everything_may_come_in_one_object_and_keeps_its_order() {
    let events = joined().receive(
        br#"{"ERROR": "e", "USERS_LEFT": ["bob"], "MESSAGES": [["bob", "ALL", 1, "x"], ["bob", "ann", 2, "y"]],
            "USERS_JOINED": ["cyd", "ann"], "INFO": "i"}"#,
    );
    let [
        Event::Joined(cyd),
        Event::Message(public),
        Event::Message(private),
        Event::Left(bob),
        rest @ ..,
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((cyd, bob), (&wire("cyd"), &wire("bob")));
    assert_eq!((public.recipient.as_ref(), private.recipient.as_ref()), (None, Some(&wire("ann"))));
    assert_eq!(rest, [Event::Info(wire("i")), Event::Error(wire("e"))]);
}

#[test]
fn own_messages_are_never_seen_twice() {
    let mut session = joined();
    session.say(None, "hi", 100).unwrap();
    session.say(Some("Bob"), "psst", 100).unwrap();
    session.say(None, "hi", 101).unwrap();
    // The server sets its own time and the spelling of the name.
    assert_eq!(
        session.receive(br#"{"MESSAGES": [["ann", "ALL", 999, "hi"], ["ann", "bob", 9, "psst"]]}"#),
        []
    );
    assert_eq!(session.receive(br#"{"MESSAGES": [["ann", "ALL", 999, "hi"]]}"#), []);
    // What this client did not say is shown.
    assert_eq!(session.receive(br#"{"MESSAGES": [["ann", "ALL", 999, "hi"]]}"#).len(), 1);
    assert_eq!(session.receive(br#"{"MESSAGES": [["bob", "ALL", 999, "hi"]]}"#).len(), 1);
}

#[test]
fn the_echo_of_the_last_message_is_noticed() {
    let mut session = joined();
    assert!(!session.last_echoed());
    session.say(None, "hi", 1).unwrap();
    session.say(None, "hi", 1).unwrap();
    session.receive(br#"{"MESSAGES": [["ann", "ALL", 1, "hi"]]}"#);
    assert!(!session.last_echoed(), "this was the echo of the first");
    session.receive(br#"{"MESSAGES": [["ann", "ALL", 1, "hi"]]}"#);
    assert!(session.last_echoed());
    session.say(Some("bob"), "psst", 1).unwrap();
    assert!(!session.last_echoed());
}

#[test]
fn a_server_that_never_echoes_costs_a_bounded_memory() {
    let mut session = joined();
    for number in 0..1000 {
        session.say(None, &number.to_string(), 1).unwrap();
    }
    assert_eq!(session.sent.unechoed(), sent::UNECHOED_KEPT);
}

#[test]
fn who_leaves_without_being_there_harms_nobody() {
    let mut session = joined();
    assert_eq!(
        session.receive(br#"{"USERS_LEFT": ["zoe"]}"#),
        [Event::Deviation(Deviation::LeftUnknown(wire("zoe")))]
    );
    assert_eq!(session.users().count(), 2);
    assert!(matches!(session.receive(b"xyz")[..], [Event::Deviation(Deviation::Unreadable(_))]));
}

#[test]
fn nothing_can_be_said_without_a_name() {
    assert_eq!(ClientSession::new().say(None, "x", 1), Err(SayError::NotJoined));
}

/// A server that closes on a message that is too long would otherwise get it again on every connection.
#[test]
fn what_the_server_does_not_take_is_not_sent() {
    let mut session = ClientSession::offering(Capabilities::NONE.with(Capability::Ids));
    session.join("ann").unwrap();
    session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1", "LIMITS": {"FRAME": 200}}"#,
    );
    assert!(matches!(session.say(None, &"x".repeat(200), 1), Err(SayError::TooLong(_))));
    assert_eq!(session.unanswered(), 0);
    assert!(session.say(None, "short", 1).is_ok());
    assert_eq!(session.unanswered(), 1);
}

#[test]
fn a_name_changes_and_messages_go_out_under_the_new_one() {
    let offer = Capabilities::NONE.with(Capability::Ids).with(Capability::Rename);
    let mut session = ClientSession::offering(offer);
    session.join("ann").unwrap();
    session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann", "bob"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1 rename/1"}"#,
    );
    session.say(None, "one", 1).unwrap();
    let events = session.receive(
        br#"{"USERS_RENAMED": {"ann": "anna"}, "MESSAGES": [["anna", "ALL", 1, "one"]], "IDS": [5]}"#,
    );
    assert_eq!(events, [Event::SelfRenamed(wire("anna"))]);
    assert_eq!(
        session.receive(br#"{"USERS_RENAMED": {"bob": "rob"}}"#),
        [Event::Renamed { old: wire("bob"), new: wire("rob") }]
    );
    let users: Vec<_> = session.users().map(WireText::into_owned).collect();
    assert_eq!(users, [wire("anna"), wire("rob")]);
    session.say(None, "two", 1).unwrap();
    session.disconnected();
    session.resume(None).unwrap();
    session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["anna"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1"}"#,
    );
    // The first came back, so it is stored, though this server does not know the session any more.
    let frames = session.resend();
    let [frame] = &frames[..] else { panic!("{frames:?}") };
    let text = String::from_utf8_lossy(&frame[4..]).into_owned();
    assert!(text.contains(r#"["anna", "ALL", 1, "two"]"#), "{text}");
}

#[test]
fn what_was_said_under_an_earlier_name_is_no_news_on_the_next_connection() {
    let offer = Capabilities::NONE.with(Capability::Ids).with(Capability::Rename);
    let mut session = ClientSession::offering(offer);
    session.join("ann").unwrap();
    session.receive(welcome_with("ids/1 rename/1", "").as_bytes());
    session.say(Some("bob"), "psst", 1).unwrap();
    session.receive(br#"{"ACKS": {"1": 5}}"#);
    session.receive(br#"{"USERS_RENAMED": {"ann": "anna"}}"#);
    session.disconnected();
    session.resume(None).unwrap();
    let events = session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [["ann", "bob", 1, "psst"], ["ann", "anna", 1, "new here"]],
            "IDS": [5, 6], "CAPABILITIES": "ids/1 rename/1", "RESUME": "x", "RESUMED": true}"#,
    );
    let missed: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Missed(message) => message.id,
            _ => None,
        })
        .collect();
    assert_eq!(missed, [6], "whoever has the name now is somebody else");
}

#[test]
fn what_is_sent_again_shares_frames_as_far_as_it_fits() {
    let mut session = ClientSession::offering(Capabilities::NONE.with(Capability::Ids));
    session.join("ann").unwrap();
    session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1", "RESUME": "x"}"#,
    );
    let long = "x".repeat(20_000);
    for text in ["a", "b", "c", &long, "d", "e"] {
        session.say(None, text, 1).unwrap();
    }
    session.disconnected();
    session.resume(None).unwrap();
    session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [], "IDS": [], "CAPABILITIES": "ids/1", "RESUME": "x", "RESUMED": true}"#,
    );
    let tags = |frame: &bytes::Bytes| {
        let body: serde_json::Value = serde_json::from_slice(&frame[4..]).unwrap();
        let texts = body["MESSAGES"].as_array().unwrap().len();
        let tags = body["TAGS"].as_array().unwrap().clone();
        assert_eq!(tags.len(), texts);
        tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect::<String>()
    };
    let frames: Vec<_> = session.resend().iter().map(tags).collect();
    assert_eq!(frames, ["123", "4", "56"], "in order, and the long one alone");
}

/// A session at a server that has agreed to these, with further keys of its welcome.
fn agreed_to(capabilities: &str, more: &str) -> ClientSession {
    let offer = Capabilities::NONE.with(Capability::Ids).with(Capability::Meta);
    let mut session = ClientSession::offering(offer);
    session.join("ann").unwrap();
    session.receive(welcome_with(capabilities, more).as_bytes());
    session
}

fn welcome_with(capabilities: &str, more: &str) -> String {
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [], "IDS": [], "CAPABILITIES": "{capabilities}", "RESUME": "x"{more}}}"#
    )
}

fn mentioning(name: &str, count: usize) -> Option<Box<NewMeta>> {
    Some(Box::new(NewMeta { mentions: vec![name.to_owned(); count], ..NewMeta::default() }))
}

#[test]
fn what_goes_with_a_message_counts_for_the_bound_of_a_frame() {
    let mut session = agreed_to("ids/1 meta/1", r#", "LIMITS": {"FRAME": 150}"#);
    let said = session.say_with(None, "short", 1, mentioning(&"n".repeat(100), 1));
    assert!(matches!(said, Err(SayError::TooLong(_))));
    assert_eq!(session.unanswered(), 0);
    assert!(session.say_with(None, "short", 1, mentioning("bob", 1)).is_ok());
}

#[test]
fn what_goes_with_messages_counts_where_they_share_frames() {
    let mut session = agreed_to("ids/1 meta/1", "");
    for _ in 0..20 {
        session.say_with(None, "x", 1, mentioning(&"n".repeat(90), 20)).unwrap();
    }
    session.disconnected();
    session.resume(None).unwrap();
    session.receive(welcome_with("ids/1 meta/1", r#", "RESUMED": true"#).as_bytes());
    let lengths: Vec<_> = session.resend().iter().map(bytes::Bytes::len).collect();
    assert!(lengths.len() > 1 && lengths.iter().all(|length| *length < 20_000), "{lengths:?}");
}

#[test]
fn what_was_not_agreed_when_a_message_was_said_does_not_go_with_it_later() {
    let mut session = agreed_to("ids/1", "");
    session.say_with(None, "x", 1, mentioning("bob", 1)).unwrap();
    session.disconnected();
    session.resume(None).unwrap();
    session.receive(welcome_with("ids/1 meta/1", r#", "RESUMED": true"#).as_bytes());
    let frames = session.resend();
    let [frame] = &frames[..] else { panic!("{frames:?}") };
    let text = String::from_utf8_lossy(&frame[4..]);
    assert!(text.contains(r#"["ann", "ALL", 1, "x"]"#) && !text.contains("META"), "{text}");
}

#[test]
fn numbers_that_do_not_fit_their_messages_are_noted_and_left_out() {
    let mut session = ClientSession::offering(Capabilities::NONE.with(Capability::Ids));
    session.join("ann").unwrap();
    let events = session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": [["b", "ALL", 1, "x"]], "IDS": [], "CAPABILITIES": "ids/1"}"#,
    );
    let [
        Event::Accepted { history: 1, .. },
        Event::History(Message { id: None, .. }),
        Event::Welcomed,
        Event::Deviation(Deviation::WrongValue("IDS", _)),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
}

fn welcome_of(messages: usize) -> bytes::Bytes {
    let list =
        |each: &dyn Fn(usize) -> String| (1..=messages).map(each).collect::<Vec<_>>().join(", ");
    let (entries, ids) =
        (list(&|n| format!(r#"["bob", "ALL", 1, "{n}"]"#)), list(&|n| n.to_string()));
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [{entries}], "IDS": [{ids}], "CAPABILITIES": "ids/1"}}"#
    )
    .into()
}

/// A welcome of millions of messages would otherwise be millions of values at the same time.
#[test]
fn a_welcome_comes_message_by_message_and_a_part_of_it_can_be_passed_over() {
    let mut session = ClientSession::offering(Capabilities::NONE.with(Capability::Ids));
    session.join("ann").unwrap();
    session.take(&welcome_of(1000));
    assert!(matches!(session.next_event(), Some(Event::Accepted { history: 1000, .. })));
    assert_eq!(session.me(), Some("ann"), "what is said meanwhile goes out");
    session.skip(997);
    for number in 998..=1000 {
        let Some(Event::History(message)) = session.next_event() else { panic!() };
        assert_eq!(
            (message.id, message.content),
            (Some(number), WireText::new(number.to_string()))
        );
    }
    assert!(session.has_events());
    assert_eq!(session.next_event(), Some(Event::Welcomed));
    assert_eq!(session.next_event(), None);
    assert!(!session.has_events());
    // What was passed over is known: none of it is missed.
    session.disconnected();
    session.resume(None).unwrap();
    session.take(&welcome_of(1003));
    assert!(matches!(
        session.next_event(),
        Some(Event::Rejoined { missed: 3, complete: true, .. })
    ));
    session.skip(2);
    let Some(Event::Missed(message)) = session.next_event() else { panic!() };
    assert_eq!(message.id, Some(1003));
    assert_eq!(session.next_event(), None);
}

#[test]
fn who_is_away_is_known_from_the_welcome_on_and_through_changes_of_name() {
    let all = [Capability::Presence, Capability::Rename].into_iter().collect();
    let mut session = ClientSession::offering(all);
    session.join("ann").unwrap();
    let events = session.receive(
        br#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "cyd", "ann"], "MESSAGES": [],
            "PRESENCE": {"bob": {"SINCE": 5, "AWAY": "lunch"}, "cyd": {"SINCE": 6, "AWAY": null}, "dan": {"AWAY": "x"}},
            "CAPABILITIES": "presence/1 rename/1"}"#,
    );
    let told = |event: &Event| match event {
        Event::Presence { user, was_away } => {
            let away = user.away.as_ref().map(|away| away.as_wire().to_owned());
            Some((user.name.as_wire().to_owned(), away, *was_away))
        }
        _ => None,
    };
    let told = |events: &[Event]| events.iter().filter_map(told).collect::<Vec<_>>();
    let user =
        |name: &str, away: Option<&str>, was: bool| (name.to_owned(), away.map(str::to_owned), was);
    assert_eq!(told(&events), [user("bob", Some("lunch"), true), user("cyd", None, false)]);
    assert!(session.is_away("bob") && !session.is_away("cyd") && !session.is_away("dan"));
    let events = session.receive(
        br#"{"USERS_RENAMED": {"bob": "bobby"}, "PRESENCE": {"bobby": {"SINCE": 5, "AWAY": null}, "cyd": {"AWAY": ""}}}"#,
    );
    assert_eq!(told(&events), [user("bobby", None, true), user("cyd", Some(""), false)]);
    assert!(session.is_away("cyd") && !session.is_away("bobby"));
    session.receive(br#"{"USERS_LEFT": ["cyd"]}"#);
    session.receive(br#"{"USERS_JOINED": ["cyd"]}"#);
    assert!(!session.is_away("cyd"), "who comes anew is not away");
}

#[test]
fn what_was_read_is_told_behind_the_answers_and_what_is_unread_without_a_mark_as_well() {
    let all = [Capability::Ids, Capability::Marks, Capability::Notices, Capability::Ping];
    let mut session = ClientSession::offering(all.into_iter().collect());
    session.join("ann").unwrap();
    let welcome = welcome_with("ids/1 marks/1 notices/1 ping/1", r#", "UNREAD": {"bob": 2}"#);
    let marks = |read: &[(&'static str, u64)], unread: &[(&'static str, u64)]| {
        let told =
            |all: &[(&'static str, u64)]| all.iter().map(|&(with, n)| (wire(with), n)).collect();
        Event::Marks { read: told(read), unread: told(unread) }
    };
    assert_eq!(session.receive(welcome.as_bytes()).last(), Some(&marks(&[], &[("bob", 2)])));
    session.say(None, "hi", 1).unwrap();
    let frame = r#"{"READ": {"ALL": 7}, "PONG": 5, "ERROR": "e", "ACKS": {"1": 7}, "CLOSED": {"CODE": "shutdown"}}"#;
    let events = session.receive(frame.as_bytes());
    let place = |is: &dyn Fn(&Event) -> bool| events.iter().position(is).unwrap();
    let places = [
        place(&|event| matches!(event, Event::Stored { .. })),
        place(&|event| matches!(event, Event::Error(_))),
        place(&|event| matches!(event, Event::Pong(5))),
        place(&|event| *event == marks(&[("ALL", 7)], &[])),
        place(&|event| matches!(event, Event::Closed(_))),
    ];
    assert!(places.is_sorted(), "{events:?}");
}
