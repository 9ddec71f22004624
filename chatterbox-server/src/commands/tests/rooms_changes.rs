//! Rooms are made, changed and deleted: `create-room`, `delete-room`, `topic`, `set-room`, `clear`, `say`.

use chatterbox_hub::{Level, RoomKeep, RoomSetting, RoomShow};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::limits;
use serde_json::json;

use crate::accounts::{PasswordHash, Secret};
use crate::commands::tests::fake::House;

#[tokio::test]
async fn a_room_is_made_by_who_owns_it_then() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let made = ann.call("create-room", &["#L\u{e4}b"]).await;
    assert_eq!(made["DATA"], json!({"ROOM": "#L\u{e4}b", "NUMBER": 1}));
    assert_eq!(ann.call("create-room", &["#l\u{c4}B"]).await["CODE"], "taken");
    assert_eq!(ann.call("create-room", &["ALL"]).await["CODE"], "taken");
    let longest = "x".repeat(limits::ROOM_NAME_CHARS);
    let bad =
        ["#", "#a b", " #a", "##a", "#a\u{1b}", "#\u{202e}a", "", "#p\u{430}y"].map(str::to_owned);
    for name in bad.into_iter().chain([format!("#{longest}x")]) {
        let result = ann.call("create-room", &[&name]).await;
        assert_eq!(result["CODE"], "bad-name", "{name:?}");
        assert!(!result["ERROR"].as_str().unwrap().contains('\u{1b}'));
    }
    assert_eq!(house.rooms.lock().unwrap().rooms.len(), 1);
    assert_eq!(ann.call("create-room", &[&longest]).await["CODE"], "ok");
    let mut bob = house.user("bob", Level::USER).await;
    assert_eq!(bob.call("create-room", &["#bobs", ""]).await["CODE"], "bad-arguments");
    assert_eq!(
        bob.call("create-room", &["#bobs", &"x".repeat(1025)]).await["CODE"],
        "bad-arguments"
    );
    assert_eq!(bob.call("create-room", &["#bobs", "s"]).await["CODE"], "ok", "a short one is fine");
    let hash = house.rooms.lock().unwrap().rooms[2].definition.settings.password.clone().unwrap();
    let stored = PasswordHash::stored(hash.to_string());
    let accounts = &house.state.accounts;
    assert!(accounts.is_room_password(Secret::given("s"), stored).await.unwrap(), "b14: hashed");
    for code in [OutcomeCode::TooMany, OutcomeCode::Taken] {
        house.rooms.lock().unwrap().refuses = Some(code);
        assert_eq!(bob.call("create-room", &["#more"]).await["CODE"], code.word());
    }
    let rows = bob.call("command-history", &["3"]).await["DATA"]["ROWS"].to_string();
    assert!(rows.contains("create-room ***") && !rows.contains("#more"), "{rows}");
}

#[tokio::test]
async fn deleting_asks_for_the_name_once_more() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let room = house.room("#Lab", Some("ann")).await;
    for answer in ["", "yes", "#lab2", "la b"] {
        let result = ann.call_and_answer("delete-room", &["#lab"], Some(answer)).await;
        assert_eq!(result["CODE"], "cancelled", "{answer}");
    }
    assert_eq!(ann.call_and_answer("delete-room", &["#lab"], None).await["CODE"], "cancelled");
    assert_eq!(house.rooms.lock().unwrap().rooms.len(), 1);

    // While it is asked, the room is replaced by another of its name: that one is not meant.
    let id = ann.begin("delete-room", &["lab"]);
    let prompt = ann.next_with("PROMPT").await["PROMPT"].clone();
    assert_eq!(
        (&prompt["SECRET"], prompt["TEXT"].as_str().unwrap().contains("#Lab")),
        (&json!(false), true)
    );
    house.rooms.lock().unwrap().rooms.clear();
    house.room("#lab", None).await;
    ann.answer(&id, Some(" LAB ")).unwrap();
    let result = ann.result(&id).await;
    assert_eq!(result["DATA"]["NUMBER"], room.number.0);
    assert_eq!(house.rooms.lock().unwrap().rooms.len(), 1);

    let fixed = house.room("#fixed", Some("ann")).await;
    house.edit(&fixed, |room| room.definition.configured = true);
    assert_eq!(ann.call("delete-room", &["#fixed"]).await["CODE"], "configured", "not asked first");
    assert_eq!(ann.call("delete-room", &["ALL"]).await["CODE"], "forbidden");
}

#[tokio::test]
async fn a_topic_is_one_line_of_bounded_length() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    house.room("#lab", Some("ann")).await;
    let set = ann.call("topic", &["#lab", "  exercise", "3 \u{e9} "]).await;
    assert_eq!(set["DATA"], json!({"ROOM": "#lab", "TOPIC": "exercise 3 \u{e9}"}));
    let most = "\u{e9}".repeat(limits::TOPIC_CHARS);
    assert_eq!(ann.call("topic", &["#lab", &most]).await["CODE"], "ok");
    assert_eq!(ann.call("topic", &["#lab", &format!("{most}x")]).await["CODE"], "too-long");
    for text in ["two\nlines", "\u{1b}[2J", "a\u{202e}b", "\u{0}"] {
        let result = ann.call("topic", &["#lab", text]).await;
        assert_eq!(result["CODE"], "bad-arguments", "b1: {text:?}");
    }
    let topic = house.rooms.lock().unwrap().rooms[0].definition.settings.topic.clone();
    assert_eq!(&*topic, most, "what was refused has changed nothing");
    assert_eq!(ann.call("topic", &["#lab", ""]).await["INFO"], "#lab has no topic now.");
    assert_eq!(ann.call("topic", &["#lab"]).await["CODE"], "bad-arguments");
}

#[tokio::test]
async fn every_setting_of_a_room_can_be_set_and_is_judged() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let room = house.room("#lab", Some("ann")).await;
    let mut expected = chatterbox_hub::RoomSettings::default();
    for (setting, value, meant) in [
        ("description", "for the lab", RoomSetting::Description("for the lab".into())),
        ("limit", "7", RoomSetting::Limit(7)),
        ("hidden", "on", RoomSetting::Hidden(true)),
        ("closed", "on", RoomSetting::Closed(true)),
        ("talk", "3", RoomSetting::Talk(Level::MODERATOR)),
        ("SLOW", "10", RoomSetting::Slow(10)),
        ("length", "100", RoomSetting::Length(100)),
        ("keep", "off", RoomSetting::Keep(RoomKeep::Off)),
        ("keep", "50", RoomSetting::Keep(RoomKeep::Newest(50))),
        ("show", "joined", RoomSetting::Show(RoomShow::Joined)),
        ("roster", "off", RoomSetting::Roster(false)),
    ] {
        let result = ann.call("set-room", &["#lab", setting, value]).await;
        let data = json!({"ROOM": "#lab", "SETTING": setting.to_lowercase(), "VALUE": value});
        assert_eq!((&result["CODE"], &result["DATA"]), (&json!("ok"), &data), "{result}");
        meant.apply(&mut expected);
        house.edit(&room, |room| assert_eq!(room.definition.settings, expected, "{setting}"));
    }
    for arguments in [
        &["#lab", "limit"][..],
        &["#lab", "limit", "-1"],
        &["#lab", "talk", "5"],
        &["#lab", "slow", "3601"],
        &["#lab", "length", "4001"],
        &["#lab", "hidden", "perhaps"],
        &["#lab", "topic", "x"],
        &["#lab", "colour\u{1b}", "x"],
        &["ALL", "limit", "1"],
    ] {
        let result = ann.call("set-room", arguments).await;
        let code = if arguments[0] == "ALL" { "forbidden" } else { "bad-arguments" };
        assert_eq!(result["CODE"], code, "{arguments:?}");
        assert!(!result["ERROR"].as_str().unwrap().contains('\u{1b}'), "b1");
    }
    let long = "x".repeat(limits::TOPIC_CHARS + 1);
    assert_eq!(ann.call("set-room", &["#lab", "description", &long]).await["CODE"], "too-long");
    house.edit(&room, |room| assert_eq!(room.definition.settings, expected));
    house.rooms.lock().unwrap().refuses = Some(OutcomeCode::Configured);
    assert_eq!(ann.call("set-room", &["#lab", "slow", "1"]).await["CODE"], "configured");
}

#[tokio::test]
async fn b14_the_password_of_a_room_is_asked_for_hashed_and_not_remembered() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let room = house.room("#lab", Some("ann")).await;
    let hash = || house.rooms.lock().unwrap().rooms[0].definition.settings.password.clone();
    let id = ann.begin("set-room", &["#lab", "password"]);
    assert_eq!(ann.next_with("PROMPT").await["PROMPT"]["SECRET"], true);
    ann.answer(&id, Some("hunter2")).unwrap();
    let result = ann.result(&id).await;
    assert_eq!(result["DATA"], json!({"ROOM": "#lab", "SETTING": "password", "VALUE": null}));
    assert!(hash().unwrap().starts_with("$argon2id$"));
    let first = hash();
    let empty = ann.call_and_answer("set-room", &["#lab", "password"], Some("")).await;
    assert_eq!(empty["CODE"], "bad-arguments", "an empty line opens no room");
    assert_eq!(hash(), first);
    assert_eq!(ann.call("set-room", &["#lab", "password", "hunter3"]).await["CODE"], "ok");
    assert_ne!(hash(), first);
    for none in ["", "\"\""] {
        house.edit(&room, |room| room.definition.settings.password = Some("x".into()));
        assert_eq!(ann.call("set-room", &["#lab", "password", none]).await["CODE"], "ok");
        assert_eq!(hash(), None);
    }
    let everything = json!(ann.everything()).to_string();
    assert!(!everything.contains("hunter") && !everything.contains("argon2"), "{everything}");
    let rows = ann.call("command-history", &["9"]).await["DATA"]["ROWS"].to_string();
    assert!(rows.contains("set-room #lab password ***") && !rows.contains("hunter"), "{rows}");
}

#[tokio::test]
async fn clearing_asks_for_a_yes() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    house.room("#lab", Some("ann")).await;
    let floor = || house.rooms.lock().unwrap().rooms[0].definition.floor;
    for (answer, code) in [("no", "cancelled"), ("", "cancelled"), ("yesterday", "cancelled")] {
        let result = ann.call_and_answer("clear", &["#lab"], Some(answer)).await;
        assert_eq!((&result["CODE"], floor()), (&json!(code), 0), "{answer}");
    }
    let result = ann.call_and_answer("clear", &["#lab"], Some(" YES ")).await;
    assert_eq!((&result["CODE"], floor()), (&json!("ok"), 99));
}

#[tokio::test]
async fn something_is_said_in_a_room_or_to_everybody() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    house.room("#Lab", Some("ann")).await;
    house.room("#other", None).await;
    assert_eq!(ann.call("say", &["lab", "two  spaces"]).await["DATA"], json!({"ROOM": "#Lab"}));
    assert_eq!(ann.call("say", &["ALL", "hi"]).await["CODE"], "ok");
    let said: Vec<_> =
        ann.everything().into_iter().filter_map(|told| told.get("POSTED").cloned()).collect();
    assert_eq!(said, [json!(["#Lab", "two  spaces"]), json!(["ALL", "hi"])]);
    let slow = ann.call("say", &["#lab", "slow"]).await;
    assert_eq!((&slow["CODE"], &slow["WAIT"]), (&json!("slow-mode"), &json!(7)));
    assert_eq!(ann.call("say", &["#other", "hi"]).await["CODE"], "not-a-member");
    assert_eq!(ann.call("say", &["#none", "hi"]).await["CODE"], "no-such-room");
}

#[tokio::test]
async fn what_the_hub_refuses_is_told_in_words() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    house.user("bob", Level::USER).await;
    house.room("#lab", Some("ann")).await;
    for code in OutcomeCode::EVERY.iter().filter(|code| !code.is_ok()) {
        for (command, arguments) in
            [("topic", &["#lab", "x"][..]), ("invite", &["#lab", "bob"]), ("leave", &["#lab"])]
        {
            house.rooms.lock().unwrap().refuses = Some(*code);
            let result = ann.call(command, arguments).await;
            // Comings, goings and invitations of one person are counted.
            if result["CODE"] != "throttled" {
                assert_eq!((&result["CODE"], &result["OK"]), (&json!(code.word()), &json!(false)));
            }
            assert!(result["ERROR"].as_str().unwrap().ends_with('.'), "{result}");
        }
    }
}
