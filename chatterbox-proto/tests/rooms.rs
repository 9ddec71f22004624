//! Rooms, notices and short welcomes, as the client's session sees them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may be blunt")]

use chatterbox_proto::capability::notices::{Notice, Retry};
use chatterbox_proto::capability::rooms::{Kept, RoomLeft, Shown};
use chatterbox_proto::session::{ClientSession, Event, Message, SayError};
use chatterbox_proto::{Capabilities, Capability, WireText};
use proptest::prelude::*;

const AGREED: &str = "commands/1 ids/1 notices/1 ping/1 recent/1 rename/1 rooms/1";

fn all() -> Capabilities {
    Capability::EVERY.iter().copied().collect()
}

fn wire(text: &str) -> WireText<'static> {
    WireText::new(text.to_owned())
}

fn lab(rest: &str) -> String {
    format!(
        r##"{{"ROOM": "#lab", "NUMBER": 12, "OWNER": "prof", "LEVEL": 1, "TOPIC": "exercise 3", "DESCRIPTION": "questions",
            "ROSTER": true, "COUNT": 3, "USERS": ["ann", "bob", "prof"], "STAFF": {{"prof": 4}}, "LIMIT": 0, "TALK": 0, "SLOW": 0,
            "LENGTH": 4000, "KEEP": "all", "SHOW": "joined", "FLAGS": ["password"], "LAST": 20, "FLOOR": 3{rest}}}"##
    )
}

fn welcome(rest: &str) -> String {
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann", "bob"], "CAPABILITIES": "{AGREED}", "RESUME": "session", {rest}}}"#
    )
}

/// In the lobby and in #lab.
fn joined() -> ClientSession {
    let mut session = ClientSession::offering(all()).with_recent(Some(200));
    let frame = session.join("ann").unwrap();
    assert!(String::from_utf8_lossy(&frame).contains("\"RECENT\": 200"));
    let events = session.receive(
        welcome(&format!(
            r##""MESSAGES": [["bob", "ALL", 1, "old"]], "IDS": [17], "TIMES": [1700000000], "MORE": true, "DEFAULT": "#lab",
            "SERVER": {{"NAME": "test", "BANNER": "be kind"}}, "LIMITS": {{"FRAME": 1000000, "CONTENT": 5, "ROOMS": 50, "TOPIC": 400}},
            "ROOMS": [{{"ROOM": "ALL", "TOPIC": "hello", "TALK": 0, "SLOW": 5, "FLOOR": 0}}, {}]"##,
            lab("")
        ))
        .as_bytes(),
    );
    let [
        Event::Accepted { more: true, server: Some(server), history: 1, .. },
        Event::History(Message { taken: Some(1_700_000_000), id: Some(17), .. }),
        Event::Welcomed,
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(server.name, Some(wire("test")));
    session
}

fn users(session: &ClientSession, room: &str) -> Vec<String> {
    let room = session.room(room).unwrap();
    room.users().unwrap().map(|user| user.as_wire().to_owned()).collect()
}

#[test]
fn the_rooms_of_a_welcome_are_known_with_every_key() {
    let session = joined();
    let room = session.default_room().unwrap();
    assert_eq!((room.name.clone(), room.number, room.count()), (wire("#lab"), 12, 3));
    assert_eq!(
        (room.owner.clone(), room.level, room.staff.clone()),
        (Some(wire("prof")), 1, vec![(wire("prof"), 4)])
    );
    assert_eq!(
        (room.keep, room.show, room.length),
        (Some(Kept::All), Some(Shown::Joined), Some(4000))
    );
    assert_eq!((room.last, room.floor, room.flags.clone()), (20, 3, vec![wire("password")]));
    assert_eq!((session.lobby().topic.clone(), session.lobby().slow), (wire("hello"), 5));
    assert!(session.room("#LAB").is_some() && session.room("#lob").is_none());
    assert!(session.room("lab").is_none() && session.room("").is_none());
}

/// CP-10: in whatever order the keys stand.
#[test]
fn one_object_with_everything_is_meant_in_one_order() {
    let mut session = joined();
    session.say(None, "x", 1).unwrap();
    session.say(Some("#lab"), "y", 1).unwrap();
    let events = session.receive(
        br##"{"CLOSED": {"CODE": "slow", "INFO": "i", "RETRY": 1}, "PING": 5, "ERROR": "e", "ACKS": {"1": 31}, "USERS_LEFT": ["robert"],
            "REFUSED": {"2": {"CODE": "slow-mode", "ERROR": "wait", "WAIT": 9, "UNTIL": 1700000000}},
            "ROOMS_LEFT": [{"ROOM": "#talk", "NUMBER": 3, "CODE": "kicked", "BY": "prof", "INFO": "spam"}], "ROOM_USERS_LEFT": {"#lab": ["robert"]},
            "NOTICES": [{"CODE": "invited", "INFO": "", "ROOM": "#new", "BY": "prof", "UNTIL": 5}, {"CODE": "zzz"}],
            "MESSAGES": [["cyd", "#lab", 1, "me too"]], "IDS": [30], "TIMES": [7],
            "ROOMS": [{"ROOM": "#talk", "NUMBER": 3, "LAST": 0, "ROSTER": false, "COUNT": 700}, {"ROOM": "#lab", "NUMBER": 12, "TOPIC": "t"}],
            "USERS_RENAMED": {"bob": "robert"}, "ROOM_USERS_JOINED": {"#lab": ["cyd", "prof"], "#no": ["x"]}, "USERS_JOINED": ["zoe"]}"##,
    );
    let [
        Event::Joined(_),
        Event::RoomUsersJoined { users: cyd, .. },
        Event::Renamed { .. },
        Event::RoomJoined(talk),
        Event::RoomChanged(changed),
        Event::Message(message),
        Event::Notice(Notice { until: Some(5), .. }),
        Event::Notice(_),
        Event::RoomUsersLeft { users: robert, .. },
        Event::RoomLeft(left),
        Event::Left(_),
        rest @ ..,
    ] = &events[..]
    else {
        panic!("{events:#?}")
    };
    assert_eq!((cyd, robert), (&vec![wire("cyd")], &vec![wire("robert")]), "prof was there");
    assert_eq!((talk, &changed.topic), (&wire("#talk"), &Some(wire("t"))));
    assert_eq!((message.recipient.clone(), message.taken), (Some(wire("#lab")), Some(7)));
    assert_eq!((left.code.clone(), left.by.clone()), (Some(wire("kicked")), Some(wire("prof"))));
    let [
        Event::Stored { id: 31, .. },
        Event::Rejected(refused),
        Event::Error(_),
        Event::Ping(5),
        Event::Closed(closed),
    ] = rest
    else {
        panic!("{rest:#?}")
    };
    assert_eq!((refused.wait, refused.until), (Some(9), Some(1_700_000_000)));
    assert_eq!(closed.retry, Some(Retry::After(1)));
    assert!(session.room("#talk").is_none());
    let room = session.room("#lab").unwrap();
    assert_eq!((room.topic.clone(), room.description.clone()), (wire("t"), wire("questions")));
    assert_eq!(
        (users(&session, "#lab"), room.count()),
        (vec!["ann".into(), "prof".into(), "cyd".into()], 3)
    );
}

#[test]
fn a_name_changes_in_every_room_and_one_s_own_as_well() {
    let mut session = joined();
    session.receive(br#"{"USERS_RENAMED": {"ann": "anna"}}"#);
    session.receive(br#"{"USERS_RENAMED": {"prof": "dean"}}"#);
    session.receive(br#"{"USERS_RENAMED": {"who": "ever"}}"#);
    assert_eq!(users(&session, "#lab"), ["anna", "bob", "dean"], "nobody comes in by it");
    assert_eq!(session.room("#lab").unwrap().staff, [(wire("dean"), 4)]);
}

#[test]
fn a_room_of_the_same_name_is_another_one() {
    let mut session = joined();
    let events =
        session.receive(br##"{"ROOMS": [{"ROOM": "#LAB", "NUMBER": 40, "USERS": ["ann"], "ROSTER": true, "COUNT": 1}]}"##);
    assert_eq!(events, [Event::RoomJoined(wire("#LAB"))]);
    let room = session.room("#lab").unwrap();
    assert_eq!((room.topic.clone(), room.last, room.count()), (wire(""), 0, 1));
    // What concerns the room before is nothing to this one.
    session.receive(br##"{"ROOMS_LEFT": [{"ROOM": "#lab", "NUMBER": 12, "CODE": "deleted", "BY": null, "INFO": ""}]}"##);
    assert!(session.room("#lab").is_some());
}

#[test]
fn a_room_without_a_roster_has_a_count() {
    let mut session = joined();
    session.receive(
        br##"{"ROOMS": [{"ROOM": "#lab", "NUMBER": 12, "ROSTER": false, "COUNT": 501}]}"##,
    );
    session.receive(br##"{"ROOM_USERS_JOINED": {"#lab": ["x"]}}"##);
    let room = session.room("#lab").unwrap();
    assert!(room.users().is_none() && room.count() == 501);
}

fn after(session: &mut ClientSession) -> String {
    session.disconnected();
    String::from_utf8_lossy(&session.resume(None).unwrap()).into_owned()
}

/// CP-11: one number is the place in lobby, rooms and private messages.
#[test]
fn a_session_goes_on_behind_the_greatest_number_of_all() {
    let mut session = joined();
    assert!(after(&mut session).contains(r#""AFTER": 20}, "RECENT": 200"#));
    let mut session = joined();
    session.receive(
        br##"{"MESSAGES": [["bob", "#lab", 1, "a"], ["bob", "ALL", 1, "b"]], "IDS": [28, 29]}"##,
    );
    session.receive(br##"{"ROOMS": [{"ROOM": "#new", "NUMBER": 40, "LAST": 39}]}"##);
    assert!(
        after(&mut session).contains(r#""AFTER": 29}"#),
        "a message of the lobby may come behind #new"
    );
}

#[test]
fn a_welcome_of_a_resumed_session_says_what_became_of_the_rooms() {
    let mut session = joined();
    for (name, number) in [("#talk", 3), ("#gone", 4)] {
        session.receive(
            format!(r#"{{"ROOMS": [{{"ROOM": "{name}", "NUMBER": {number}, "LAST": 0}}]}}"#)
                .as_bytes(),
        );
    }
    after(&mut session);
    let events = session.receive(
        welcome(&format!(
            r##""RESUMED": true, "MESSAGES": [["bob", "#lab", 1, "a"], ["bob", "ALL", 1, "b"]], "IDS": [28, 29], "DEFAULT": "ALL",
            "ROOMS": [{}, {{"ROOM": "#auto", "NUMBER": 9, "LAST": 27, "GAP": false}}],
            "ROOMS_LEFT": [{{"ROOM": "#talk", "NUMBER": 3, "CODE": "kicked", "BY": "prof", "INFO": "x"}}]"##,
            lab(r#", "GAP": true"#)
        ))
        .as_bytes(),
    );
    let silent = RoomLeft { room: wire("#gone"), number: Some(4), ..RoomLeft::default() };
    let [
        Event::Rejoined { missed: 2, complete: true, .. },
        Event::RoomJoined(auto),
        Event::Gap { room, after: 20 },
        Event::Missed(_),
        Event::Missed(_),
        Event::RoomLeft(gone),
        Event::RoomLeft(talk),
    ] = &events[..]
    else {
        panic!("{events:#?}")
    };
    assert_eq!((auto, room), (&wire("#auto"), &wire("#lab")));
    assert_eq!((gone, &talk.code), (&silent, &Some(wire("kicked"))));
    assert!(session.default_room().is_none());
}

#[test]
fn a_part_of_what_was_missed_can_be_passed_over_beside_rooms_as_well() {
    let mut session = joined();
    after(&mut session);
    let body = welcome(&format!(
        r##""RESUMED": true, "MESSAGES": [["bob", "#lab", 1, "a"], ["bob", "ALL", 1, "b"], ["bob", "ALL", 1, "c"]], "IDS": [28, 29, 30],
            "ROOMS": [{}, {{"ROOM": "#auto", "NUMBER": 9, "LAST": 0}}]"##,
        lab(r#", "GAP": true"#)
    ));
    session.take(&body.into());
    assert!(matches!(session.next_event(), Some(Event::Rejoined { missed: 3, .. })));
    session.skip(2);
    let rest: Vec<_> = std::iter::from_fn(|| session.next_event()).collect();
    let [Event::RoomJoined(_), Event::Gap { .. }, Event::Missed(last)] = &rest[..] else {
        panic!("{rest:#?}")
    };
    assert_eq!(last.id, Some(30));
}

/// RH-5, RH-7: a server that was restarted has nothing of rooms in its welcome; the client knows what it has not seen.
#[test]
fn what_a_room_said_while_the_server_was_restarted_is_a_gap() {
    let back = |history: &str, last: u32| {
        let mut session = joined();
        after(&mut session);
        let lab = lab("").replace("\"LAST\": 20", &format!("\"LAST\": {last}"));
        session.receive(
            welcome(&format!(r#""RESUMED": false, "MESSAGES": {history}, "ROOMS": [{lab}]"#))
                .as_bytes(),
        )
    };
    let known = r#"[["bob", "ALL", 1, "old"]], "IDS": [17]"#;
    let gap =
        |events: &[Event]| events.iter().any(|event| matches!(event, Event::Gap { after: 20, .. }));
    assert!(gap(&back(known, 25)));
    assert!(!gap(&back(known, 20)), "there is nothing new");
    assert!(!gap(&back(r#"[["zoe", "ALL", 1, "other"]], "IDS": [17]"#, 25)), "another history");
}

#[test]
fn a_frame_is_taken_whatever_its_objects_are() {
    let mut session = joined();
    for body in [
        r#"{"ROOMS": 5}"#,
        r#"{"ROOMS": [5]}"#,
        r##"{"ROOMS": [{"ROOM": "#x"}]}"##,
        r#"{"ROOMS": [{"ROOM": "no sign", "NUMBER": 5}]}"#,
        r#"{"ROOMS_LEFT": [{}]}"#,
        r##"{"ROOM_USERS_JOINED": {"#lab": 5}}"##,
        r#"{"NOTICES": [{"INFO": "x"}]}"#,
        r#"{"CLOSED": "x"}"#,
        r#"{"DEFAULT": 5}"#,
        r#"{"MESSAGES": [["b", "ALL", 1, "x"]], "IDS": [90], "TIMES": [1, 2]}"#,
        r#"{"MESSAGES": [["b", "ALL", 1, "x"]], "IDS": [91], "TIMES": ["now"]}"#,
    ] {
        let events = session.receive(body.as_bytes());
        let notes = events.iter().filter(|event| matches!(event, Event::Deviation(_))).count();
        assert_eq!(notes, 1, "{body}: {events:?}");
    }
    assert!(session.room("#lab").is_some());
}

/// What a hostile server names is not kept without end.
#[test]
fn rooms_and_their_users_are_bounded() {
    let mut session = joined();
    let long = "x".repeat(1025);
    let body = format!(
        r##"{{"ROOMS": [{{"ROOM": "#lab", "NUMBER": 12, "ROSTER": true, "USERS": ["{long}", "bob"], "STAFF": {{"{long}": 2}}}}]}}"##
    );
    session.receive(body.as_bytes());
    assert_eq!(users(&session, "#lab"), ["bob"]);
    assert_eq!(session.room("#lab").unwrap().staff, []);
    for number in 100..1000 {
        let body = format!(
            r##"{{"ROOMS": [{{"ROOM": "#r{number}", "NUMBER": {number}, "USERS": [], "TOPIC": "{}"}}]}}"##,
            "x".repeat(9000)
        );
        session.receive(body.as_bytes());
    }
    assert_eq!(session.rooms().count(), 200);
    let longest = session.rooms().map(|room| room.topic.as_wire().len()).max().unwrap();
    assert!(longest <= 6400, "{longest}");
    for part in 0..5 {
        let names: Vec<_> = (0..30_000).map(|n| format!("\"u{part}x{n}\"")).collect();
        let body = format!(r##"{{"ROOM_USERS_JOINED": {{"#r10{part}": [{}]}}}}"##, names.join(","));
        session.receive(body.as_bytes());
    }
    let users: usize = session.rooms().filter_map(|room| room.users()).map(Iterator::count).sum();
    assert_eq!(users, 100_000);
}

#[test]
fn who_is_refused_for_a_time_is_told_until_when() {
    let mut session = ClientSession::offering(all());
    session.join("ann").unwrap();
    let events = session.receive(
        br#"{"USERNAME_ACCEPTED": false, "INFO": "spam", "CODE": "banned", "UNTIL": 1700000600, "CLOSED": {"CODE": "banned", "RETRY": null}}"#,
    );
    let [Event::Refused { until: Some(1_700_000_600), .. }, Event::Closed(closed)] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(closed.retry, Some(Retry::Never));
    assert_eq!(session.say(None, "x", 1), Err(SayError::NotJoined));
}

#[test]
fn a_page_may_be_refused_and_has_times() {
    let mut session = joined();
    let page = |session: &mut ClientSession, rest: &str| {
        let body = format!(
            r##"{{"HISTORY": {{"WITH": "#lab", "MESSAGES": [["b", "#lab", 1, "x"]], "IDS": [5], "MORE": true{rest}}}}}"##
        );
        let Some(Event::Page(page)) = session.receive(body.as_bytes()).pop() else { panic!() };
        page
    };
    assert_eq!(page(&mut session, r#", "TIMES": [77]"#).messages.first().unwrap().taken, Some(77));
    assert_eq!(page(&mut session, r#", "TIMES": [77, 78]"#).messages.first().unwrap().taken, None);
    assert_eq!(page(&mut session, r#", "CODE": "not-a-member""#).code, Some(wire("not-a-member")));
}

#[derive(Debug, Clone)]
enum Step {
    Join(u8),
    Leave(u8),
    Comes(u8, u8),
    Goes(u8, u8),
    Renamed(u8, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (room, user) = (0..3_u8, 0..6_u8);
    let step = prop_oneof![
        2 => room.clone().prop_map(Step::Join),
        1 => room.clone().prop_map(Step::Leave),
        4 => (room.clone(), user.clone()).prop_map(|(room, user)| Step::Comes(room, user)),
        2 => (room, user.clone()).prop_map(|(room, user)| Step::Goes(room, user)),
        2 => (user.clone(), user).prop_map(|(old, new)| Step::Renamed(old, new)),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// Against sets of names: rosters hold what was told, whatever is renamed.
    #[test]
    fn every_roster_is_the_set_of_its_members(steps in steps()) {
        let mut session = joined();
        let mut model: std::collections::BTreeMap<u8, std::collections::BTreeSet<u8>> = Default::default();
        for step in steps {
            let body = match step {
                Step::Join(room) if model.contains_key(&room) => continue,
                Step::Join(room) => {
                    model.insert(room, [9].into());
                    format!(r##"{{"ROOMS": [{{"ROOM": "#r{room}", "NUMBER": {room}, "ROSTER": true, "COUNT": 1, "USERS": ["9"]}}]}}"##)
                }
                Step::Leave(room) => {
                    model.remove(&room);
                    format!(r##"{{"ROOMS_LEFT": [{{"ROOM": "#r{room}", "NUMBER": {room}, "CODE": "left"}}]}}"##)
                }
                Step::Comes(room, user) => {
                    model.entry(room).and_modify(|users| { users.insert(user); });
                    format!(r##"{{"ROOM_USERS_JOINED": {{"#r{room}": ["{user}"]}}}}"##)
                }
                Step::Goes(room, user) => {
                    model.entry(room).and_modify(|users| { users.remove(&user); });
                    format!(r##"{{"ROOM_USERS_LEFT": {{"#r{room}": ["{user}"]}}}}"##)
                }
                Step::Renamed(old, new) => {
                    for users in model.values_mut() {
                        if users.remove(&old) {
                            users.insert(new);
                        }
                    }
                    format!(r#"{{"USERS_RENAMED": {{"{old}": "{new}"}}}}"#)
                }
            };
            session.receive(body.as_bytes());
            for (room, members) in &model {
                let name = format!("#r{room}");
                let mut known = users(&session, &name);
                known.sort();
                let members: Vec<_> = members.iter().map(ToString::to_string).collect();
                prop_assert_eq!(known, members);
                prop_assert_eq!(usize::try_from(session.room(&name).unwrap().count()).unwrap(), model[room].len());
            }
            prop_assert_eq!(session.rooms().count(), 1 + model.len());
        }
    }
}
