//! Coming and going: `join`, `leave`, `default`; and that hidden rooms are not there (RM-12).

use chatterbox_hub::{Level, RoomRef};
use chatterbox_proto::Capability;
use serde_json::{Value, json};

use crate::accounts::Secret;
use crate::commands::tests::fake::{House, Somebody};
use crate::config::Config;

async fn with_password(house: &House, room: &RoomRef, password: &str) {
    let hash = house.state.accounts.make_room_password(Secret::given(password)).await.unwrap();
    let hash = Some(hash.as_str().into());
    house.edit(room, |room| room.definition.settings.password = hash);
}

#[tokio::test]
async fn who_joins_is_in_and_joining_again_tells_all_of_it_again() {
    let house = House::new().await;
    house.room("#Lab", None).await;
    let mut ann = house.guest("ann").await;
    let joined = ann.call("join", &["lab"]).await;
    assert_eq!(
        (&joined["CODE"], &joined["DATA"]),
        (&json!("ok"), &json!({"ROOM": "#Lab", "NUMBER": 1}))
    );
    assert_eq!(joined["INFO"], "You are in #Lab.", "in the room's own spelling");
    let frames = ann.everything().len();
    let again = ann.call("join", &["#LAB"]).await;
    assert_eq!((&again["CODE"], &again["OK"]), (&json!("already"), &json!(true)));
    let told = ann.everything();
    assert_eq!(told[frames], json!({"ROOMS": [{"NUMBER": 1}]}), "before the RESULT");
    let lobby = ann.call("join", &["ALL"]).await;
    assert_eq!((&lobby["CODE"], &lobby["OK"]), (&json!("already"), &json!(true)));

    assert_eq!(ann.call("leave", &["#lab"]).await["CODE"], "ok");
    assert_eq!(ann.call("leave", &["#lab"]).await["CODE"], "not-a-member");
    for none in ["#none", "#a b", "#"] {
        assert_eq!(ann.call("join", &[none]).await["CODE"], "no-such-room", "{none}");
        assert_eq!(ann.call("leave", &[none]).await["CODE"], "no-such-room", "{none}");
    }
    assert_eq!(ann.call("leave", &["ALL"]).await["CODE"], "forbidden", "nobody leaves it");
    assert_eq!(ann.call("leave", &[]).await["CODE"], "forbidden", "it is the default");
}

#[tokio::test]
async fn a_password_is_asked_for_where_there_is_one() {
    let house = House::new().await;
    let room = house.room("#lab", None).await;
    with_password(&house, &room, "x").await;
    let mut ann = house.guest("ann").await;
    assert_eq!(ann.call("join", &["#lab", "y"]).await["CODE"], "wrong-password");
    assert_eq!(ann.call_and_answer("join", &["#lab"], Some("y")).await["CODE"], "wrong-password");
    assert_eq!(ann.call_and_answer("join", &["#lab"], None).await["CODE"], "cancelled");
    let id = ann.begin("join", &["#lab"]);
    assert_eq!(ann.next_with("PROMPT").await["PROMPT"]["SECRET"], true);
    ann.answer(&id, Some("x")).unwrap();
    assert_eq!(ann.result(&id).await["CODE"], "ok");
    let mut bob = house.guest("bob").await;
    assert_eq!(bob.call("join", &["#lab", "x"]).await["CODE"], "ok");

    let mut carl = house.guest("carl").await;
    let id = carl.begin("join", &["#lab"]);
    carl.next_with("PROMPT").await;
    house.edit(&room, |room| room.definition.settings.closed = true);
    carl.answer(&id, Some("x")).unwrap();
    assert_eq!(carl.result(&id).await["CODE"], "closed", "the hub has the last word");
    let rows = ann.call("command-history", &["3"]).await["DATA"]["ROWS"].clone();
    assert_eq!(rows[0], json!(["join ***"]), "{rows}");
}

#[tokio::test]
async fn who_is_trusted_needs_no_password_and_no_invitation() {
    let house = House::new().await;
    let mut prof = house.user("prof", Level::USER).await;
    let room = house.room("#lab", Some("prof")).await;
    with_password(&house, &room, "x").await;
    assert_eq!(prof.call("leave", &["#lab"]).await["CODE"], "ok");
    for closed in [false, true] {
        house.edit(&room, |room| room.definition.settings.closed = closed);
        let staff = [("op", Level::OPERATOR), ("mod", Level::MODERATOR), ("user", Level::USER)];
        for (name, level) in staff {
            let name = format!("{name}{closed}");
            let mut somebody = house.user(&name, level).await;
            let allowed = level == Level::OPERATOR;
            let result = somebody.call("join", &["#lab", "wrong"]).await;
            let refused = if closed { "closed" } else { "wrong-password" };
            assert_eq!(result["CODE"], if allowed { "ok" } else { refused }, "{name}");
            let party = somebody.party();
            house.edit(&room, |room| room.invited.push(party));
            let result = somebody.call("join", &["#lab"]).await;
            assert_eq!(result["CODE"], if allowed { "already" } else { "ok" }, "invited: {name}");
        }
    }
    assert_eq!(prof.call("join", &["#lab"]).await["CODE"], "ok", "it is their own room");
    house.edit(&room, |room| {
        room.definition.settings = chatterbox_hub::RoomSettings::default();
        room.definition.settings.limit = 1;
    });
    let mut late = house.guest("late").await;
    let full = late.call("join", &["#lab"]).await;
    assert_eq!((&full["CODE"], &full["ERROR"]), (&json!("full"), &json!("#lab is full.")));
}

/// The answers to somebody who is not a member, without the name of the room and the id of the call.
async fn answers(somebody: &mut Somebody, room: &str) -> Vec<Value> {
    let mut answers = Vec::new();
    for (command, arguments) in [
        ("join", &[][..]),
        ("join", &["wrong"]),
        ("join", &["right"]),
        ("list", &[]),
        ("leave", &[]),
        ("default", &[]),
        ("say", &["hi"]),
        ("topic", &["x"]),
        ("delete-room", &[]),
        ("clear", &[]),
        ("set-room", &["slow", "1"]),
        ("set-room", &["nonsense", "1"]),
        ("set-room", &["password"]),
        ("invite", &["ann"]),
        ("uninvite", &["nobody"]),
        ("kick-from", &["ann"]),
        ("kick-from", &["nobody", "why"]),
    ] {
        let arguments = [&[room], arguments].concat();
        answers.push((command, somebody.call(command, &arguments).await));
    }
    for (command, arguments) in
        [("perm", &["ann", room][..]), ("perm", &[room]), ("set-perm", &["ann", "2", room])]
    {
        answers.push((command, somebody.call(command, arguments).await));
    }
    let plain = |(command, answer): (&str, Value)| {
        let Value::Object(mut answer) = answer else { panic!("{answer}") };
        answer.remove("ID");
        let text = Value::Object(answer).to_string().replace(room, "#ROOM");
        json!([command, serde_json::from_str::<Value>(&text).unwrap()])
    };
    answers.into_iter().map(plain).collect()
}

#[tokio::test]
async fn of_a_hidden_room_every_answer_is_that_for_no_room() {
    for level in [Level::GUEST, Level::USER, Level::OPERATOR] {
        for (closed, password, limit) in
            [(true, false, 0), (true, true, 0), (false, false, 1), (false, true, 1)]
        {
            // Level 4 enters whatever is closed, if they know where: only a full room keeps them out here.
            if level == Level::OPERATOR && limit == 0 {
                continue;
            }
            let house = House::new().await;
            house.user("ann", Level::USER).await;
            let room = house.room("#secret", Some("ann")).await;
            if password {
                with_password(&house, &room, "right").await;
            }
            house.edit(&room, |room| {
                room.definition.settings.hidden = true;
                room.definition.settings.closed = closed;
                room.definition.settings.limit = limit;
            });
            let before = house.rooms.lock().unwrap().clone();
            let mut eve = house.user("eve", level).await;
            let hidden = answers(&mut eve, "#secret").await;
            let mut mallory = house.user("mallory", level).await;
            assert_eq!(hidden, answers(&mut mallory, "#absent").await, "{level} {closed}");
            assert_eq!(*house.rooms.lock().unwrap(), before, "and nothing was changed");
            // What guests may not do anywhere says nothing of the room.
            let guest = level == Level::GUEST;
            for answer in hidden {
                let code = answer[1]["CODE"].as_str().unwrap();
                let is_plain = code == "no-such-room" || (guest && code == "forbidden");
                assert!(is_plain, "{level}: {answer}");
            }
            assert_eq!(eve.call("rooms", &[]).await["DATA"]["ROWS"], json!([]));
        }
    }
}

#[tokio::test]
async fn a_hidden_room_lets_in_who_knows_it_and_is_seen_by_admins_and_the_invited() {
    let house = House::new().await;
    let room = house.room("#secret", None).await;
    house.edit(&room, |room| room.definition.settings.hidden = true);
    let mut ann = house.guest("ann").await;
    assert_eq!(ann.call("join", &["#secret", "whatever"]).await["CODE"], "ok");
    with_password(&house, &room, "right").await;
    let mut bob = house.guest("bob").await;
    assert_eq!(bob.call("join", &["#secret", "wrong"]).await["CODE"], "no-such-room");
    assert_eq!(bob.call("join", &["#secret", "right"]).await["CODE"], "ok");
    let mut carl = house.guest("carl").await;
    let party = carl.party();
    house.edit(&room, |room| room.invited.push(party));
    assert_eq!(carl.call("rooms", &[]).await["DATA"]["ROWS"][0][0], "#secret");
    assert_eq!(carl.call("join", &["#secret"]).await["CODE"], "ok");
    let mut root = house.user("root", Level::ADMIN).await;
    assert_eq!(root.call("rooms", &[]).await["DATA"]["ROWS"][0][0], "#secret");
    assert_eq!(root.call("topic", &["#secret", "x"]).await["CODE"], "ok");
}

/// Otherwise the throttle would tell which names are rooms.
#[tokio::test]
async fn guesses_at_passwords_are_throttled_whether_there_is_a_room_or_not() {
    let house = House::new().await;
    let hidden = house.room("#secret", None).await;
    let seen = house.room("#lab", None).await;
    for room in [&hidden, &seen] {
        with_password(&house, room, "right").await;
    }
    house.edit(&hidden, |room| room.definition.settings.hidden = true);
    for (room, user, wrong) in [
        ("#secret", "ann", "no-such-room"),
        ("#absent", "bob", "no-such-room"),
        ("#lab", "carl", "wrong-password"),
    ] {
        let mut somebody = house.guest(user).await;
        for _ in 0..5 {
            assert_eq!(somebody.call("join", &[room, "wrong"]).await["CODE"], wrong);
        }
        // The wait doubles with each, so a machine that stalls comes to it, too.
        let mut waits = 0;
        for _ in 0..10 {
            let result = somebody.call("join", &[room, "wrong"]).await;
            match result["CODE"].as_str() {
                Some("throttled") => waits += result["WAIT"].as_u64().unwrap(),
                code => assert_eq!(code, Some(wrong)),
            }
        }
        assert!(waits > 0, "{room}");
    }
    let mut other = house.guest("dora").await;
    assert_eq!(other.call("join", &["#lab", "right"]).await["CODE"], "ok");
}

#[tokio::test(start_paused = true)]
async fn comings_and_goings_are_paced() {
    let house = House::new().await;
    house.room("#lab", None).await;
    let mut eve = house.guest("eve").await;
    for round in 0..10 {
        assert_eq!(eve.call("join", &["#lab"]).await["CODE"], "ok", "{round}");
        assert_eq!(eve.call("leave", &["#lab"]).await["CODE"], "ok", "{round}");
    }
    let result = eve.call("join", &["#lab"]).await;
    assert_eq!((&result["CODE"], &result["WAIT"]), (&json!("throttled"), &json!(3)), "{result}");
    assert!(result["ERROR"].as_str().unwrap().contains("wait 3 s"), "{result}");
    let mut ann = house.user("ann", Level::USER).await;
    for number in 0..20 {
        let name = format!("#room{number}");
        assert_eq!(ann.call("create-room", &[&name]).await["CODE"], "ok");
    }
    assert_eq!(ann.call("create-room", &["#lab"]).await["CODE"], "throttled", "names are guessed");
    assert_eq!(ann.call("invite", &["#room1", "eve"]).await["CODE"], "throttled");
}

#[tokio::test]
async fn guests_get_into_rooms_unless_the_server_says_no() {
    let house = House::with(Config { room_guests: false, ..Config::default() }).await;
    house.room("#lab", None).await;
    let mut guest = house.guest("guest").await;
    for room in ["#lab", "#none", "ALL"] {
        let result = guest.call("join", &[room, "x"]).await;
        assert_eq!(result["CODE"], "forbidden", "the same for every name: {result}");
    }
    let mut ann = house.user("ann", Level::USER).await;
    assert_eq!(ann.call("join", &["#lab"]).await["CODE"], "ok");
    assert_eq!(ann.call("invite", &["#lab", "guest"]).await["CODE"], "forbidden");
}

#[tokio::test]
async fn the_default_is_meant_where_no_room_is_named() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    house.user("bob", Level::USER).await;
    let room = house.room("#Lab", Some("ann")).await;
    house.room("#other", None).await;
    assert_eq!(ann.call("default", &["#other"]).await["CODE"], "not-a-member");
    assert_eq!(ann.call("default", &["#none"]).await["CODE"], "no-such-room");
    let set = ann.call("default", &["lab"]).await;
    assert_eq!(set["DATA"], json!({"DEFAULT": "#Lab"}));
    assert_eq!(ann.call("topic", &["exercise", "3"]).await["DATA"]["ROOM"], "#Lab");
    assert_eq!(ann.call("list", &[]).await["DATA"]["ROWS"], json!([["ann", true, 4]]));
    let level = ann.call("perm", &["bob"]).await;
    assert_eq!(level["DATA"].get("ROOM"), None, "levels are those of the server");
    assert_eq!(ann.call_and_answer("clear", &[], Some("yes")).await["DATA"]["ROOM"], "#Lab");
    assert_eq!(ann.call("leave", &[]).await["DATA"]["ROOM"], "#Lab");
    assert_eq!(ann.call("default", &["ALL"]).await["DATA"], json!({"DEFAULT": "ALL"}));
    assert_eq!(ann.call("topic", &["x"]).await["CODE"], "forbidden", "the lobby's");

    // Another room that has got the name is not the default.
    assert_eq!(ann.call("join", &["#lab"]).await["CODE"], "ok");
    ann.call("default", &["#lab"]).await;
    house.rooms.lock().unwrap().rooms.retain(|other| other.definition.number != room.number);
    let another = house.room("#lab", Some("ann")).await;
    assert_ne!(another.number, room.number);
    assert_eq!(ann.call("topic", &["x"]).await["CODE"], "no-such-room");
}

#[tokio::test]
async fn who_did_not_agree_to_rooms_is_told_what_it_needs() {
    let house = House::new().await;
    house.room("#lab", None).await;
    let mut plain = house.speaking("plain", &[Capability::Commands]);
    let catalogue = plain.next_with("COMMANDS").await["COMMANDS"].to_string();
    for word in ["create-room", "\"nick\"", "\"TYPE\":\"room\""] {
        assert!(!catalogue.contains(word), "{word}: {catalogue}");
    }
    assert!(catalogue.contains("\"perm\""));
    for (command, arguments) in [
        ("join", &["#lab"][..]),
        ("leave", &[]),
        ("list", &["ALL"]),
        ("default", &["ALL"]),
        ("say", &["#lab", "x"]),
        ("rooms", &[]),
        ("perm", &["plain", "#lab"]),
        ("perm", &["plain", "#none"]),
    ] {
        let result = plain.call(command, arguments).await;
        assert_eq!(result["CODE"], "needs-capability", "{command}");
    }
    let mut base = house.base("base");
    for line in ["/rooms", "/join #lab", "/list"] {
        base.type_line(line);
        let error = base.next_with("ERROR").await["ERROR"].clone();
        assert!(error.as_str().unwrap().contains("needs a client that speaks"), "{error}");
    }
    assert!(!base.everything().iter().any(|told| told.to_string().contains("#lab")));
}
