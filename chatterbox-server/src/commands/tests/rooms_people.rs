//! Who is in a room, who is let in, and who has which level there.

use chatterbox_hub::{Level, RoomMember};
use chatterbox_proto::capability::commands::OutcomeCode;
use serde_json::json;

use crate::commands::tests::fake::{House, name};

#[tokio::test]
async fn rooms_are_listed_with_what_one_has_to_know_to_join() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    assert_eq!(ann.call("rooms", &[]).await["INFO"], "There are no rooms.");
    let lab = house.room("#Lab", Some("ann")).await;
    house.edit(&lab, |room| {
        room.definition.configured = true;
        room.definition.settings.limit = 9;
        room.definition.settings.description = "for \u{1b} all".into();
        room.definition.settings.password = Some("hash".into());
        room.definition.settings.closed = true;
        room.definition.settings.hidden = true;
    });
    house.room("#open", None).await;
    let listed = ann.call("rooms", &[]).await;
    let columns = json!(["NAME", "COUNT", "LIMIT", "DESCRIPTION", "FLAGS", "MEMBER"]);
    assert_eq!(listed["DATA"]["COLUMNS"], columns);
    let flags = json!(["hidden", "closed", "password", "configured"]);
    let rows =
        json!([["#Lab", 1, 9, "for \u{1b} all", flags, true], ["#open", 0, 0, "", [], false]]);
    assert_eq!(listed["DATA"]["ROWS"], rows);
    assert!(!listed["INFO"].as_str().unwrap().contains('\u{1b}'), "b1: {listed}");
    assert!(!listed.to_string().contains("hash"), "b14");
}

#[tokio::test]
async fn members_are_listed_by_pages() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::HELPER).await;
    house.away("zoe", Level::USER).await;
    let lab = house.room("#lab", Some("ann")).await;
    let mut guest = house.guest("Guest").await;
    guest.call("join", &["#lab"]).await;
    let zoe = house.account_ref("zoe").await;
    house.edit(&lab, |room| room.members.push(RoomMember::Account(zoe)));
    let listed = ann.call("list", &["lab"]).await;
    let rows = json!([["ann", true, 4], ["Guest", true, 0], ["zoe", false, 0]]);
    assert_eq!((&listed["DATA"]["ROWS"], &listed["DATA"]["MORE"]), (&rows, &json!(false)));
    assert_eq!(listed["INFO"], "3 in #lab: ann, Guest, zoe (away)");
    let rest = ann.call("list", &["#lab", "guest"]).await;
    assert_eq!(rest["DATA"]["ROWS"], json!([["zoe", false, 0]]));
    house.edit(&lab, |room| {
        room.members.clear();
        for id in 0..1_500 {
            let account = name(&format!("user{id:04}"));
            let member = chatterbox_hub::AccountRef { id: 10_000 + id, name: account };
            room.members.push(RoomMember::Account(member));
        }
    });
    let party = ann.party();
    house.edit(&lab, |room| room.members.push(party));
    let first = ann.call("list", &["#lab"]).await;
    assert_eq!(first["DATA"]["ROWS"].as_array().unwrap().len(), 1_000);
    assert_eq!(first["DATA"]["MORE"], true);
    let last = first["DATA"]["ROWS"][999][0].as_str().unwrap().to_owned();
    assert!(first["INFO"].as_str().unwrap().ends_with(&format!("/list #lab {last}")));
    let second = ann.call("list", &["#lab", &last]).await;
    assert_eq!(second["DATA"]["ROWS"].as_array().unwrap().len(), 501, "each of them once");
    assert_eq!(second["DATA"]["MORE"], false);

    let lobby = ann.call("list", &["ALL"]).await;
    assert_eq!(lobby["DATA"]["ROWS"], json!([["ann", true, 2], ["Guest", true, 0]]));
    assert_eq!(ann.call("list", &["ALL", "ann"]).await["CODE"], "bad-arguments");
}

#[tokio::test]
async fn users_are_invited_whether_they_are_here_or_not() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let mut bob = house.user("bob", Level::USER).await;
    house.away("zoe", Level::USER).await;
    let guest = house.guest("guest").await;
    let lab = house.room("#Lab", Some("ann")).await;
    bob.call("nick", &["bobby"]).await;
    let invited = ann.call("invite", &["lab", "bobby", "ZOE", "guest"]).await;
    assert_eq!(invited["DATA"]["ROWS"], json!([["bobby"], ["zoe"], ["guest"]]));
    assert_eq!(invited["INFO"], "Invited to #Lab: bobby, zoe, guest.");
    let [bobs, zoes] = ["bob", "zoe"].map(|name| house.account_ref(name));
    let expected =
        [RoomMember::Account(bobs.await), RoomMember::Account(zoes.await), guest.party()];
    house.edit(&lab, |room| assert_eq!(room.invited, expected, "the account, not the nick"));
    assert_eq!(bob.call("invitations", &[]).await["DATA"]["ROWS"], json!([["#Lab", ""]]));
    assert_eq!(ann.call("invitations", &[]).await["INFO"], "You are not invited anywhere.");
    let again = ann.call("invite", &["#lab", "zoe"]).await;
    assert_eq!(
        (&again["CODE"], &again["OK"], &again["DATA"]["ROWS"]),
        (&json!("already"), &json!(true), &json!([]))
    );

    assert_eq!(ann.call("invite", &["#lab", "ann"]).await["CODE"], "bad-arguments");
    assert_eq!(ann.call("invite", &["#lab", "nobody"]).await["CODE"], "no-such-user");
    let before = house.rooms.lock().unwrap().clone();
    assert_eq!(ann.call("invite", &["#lab", "carl", "zoe"]).await["CODE"], "no-such-user");
    let many: Vec<_> = std::iter::once("#lab").chain(std::iter::repeat_n("zoe", 21)).collect();
    assert_eq!(ann.call("invite", &many).await["CODE"], "bad-arguments");
    assert_eq!(*house.rooms.lock().unwrap(), before);

    let uninvited = ann.call("uninvite", &["#lab", "bobby", "guest"]).await;
    assert_eq!(uninvited["DATA"]["ROWS"], json!([["bobby"], ["guest"]]));
    assert_eq!(bob.call("invitations", &[]).await["DATA"]["ROWS"], json!([]));
    assert_eq!(ann.call("uninvite", &["#lab", "bobby"]).await["CODE"], "no-such-user");
    assert_eq!(ann.call("invite", &["ALL", "bobby"]).await["CODE"], "forbidden");
    house.rooms.lock().unwrap().refuses = Some(OutcomeCode::TooMany);
    let full = ann.call("invite", &["#lab", "bobby"]).await;
    assert_eq!(full["CODE"], "too-many");
    assert!(full["ERROR"].as_str().unwrap().starts_with("bobby: "), "{full}");
}

#[tokio::test]
async fn b2_who_blocks_each_other_is_not_invited_here_or_away() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let mut bob = house.user("bob", Level::USER).await;
    let mut guest = house.guest("guest").await;
    house.user("carl", Level::USER).await;
    house.room("#lab", Some("ann")).await;
    ann.call("block", &["carl"]).await;
    bob.call("block", &["ann"]).await;
    guest.call("block", &["ann"]).await;
    for name in ["carl", "bob", "guest"] {
        let result = ann.call("invite", &["#lab", name]).await;
        assert_eq!(result["CODE"], "blocked", "{name}");
    }
    bob.leave();
    assert_eq!(ann.call("invite", &["#lab", "bob"]).await["CODE"], "blocked", "away");
    assert_eq!(ann.call("unblock", &["carl"]).await["CODE"], "ok");
    assert_eq!(ann.call("invite", &["#lab", "carl"]).await["CODE"], "ok");
}

#[tokio::test]
async fn somebody_is_removed_with_a_reason() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let mut eve = house.guest("eve").await;
    house.away("zoe", Level::USER).await;
    let lab = house.room("#Lab", Some("ann")).await;
    eve.call("join", &["#lab"]).await;
    let zoe = RoomMember::Account(house.account_ref("zoe").await);
    house.edit(&lab, |room| room.members.push(zoe.clone()));
    let kicked = ann.call("kick-from", &["lab", "EVE", "too", "loud"]).await;
    assert_eq!(kicked["DATA"], json!({"ROOM": "#Lab", "NAME": "eve"}));
    assert_eq!(ann.call("kick-from", &["#lab", "zoe"]).await["CODE"], "ok", "who is away, too");
    let removed = house.rooms.lock().unwrap().removed.clone();
    assert_eq!(removed, [(eve.party(), "too loud".to_owned()), (zoe, String::new())]);
    assert_eq!(ann.call("kick-from", &["#lab", "eve"]).await["CODE"], "no-such-user");
    assert_eq!(ann.call("kick-from", &["#lab", "nobody"]).await["CODE"], "no-such-user");
    assert_eq!(ann.call("kick-from", &["ALL", "eve"]).await["CODE"], "forbidden");
    assert_eq!(ann.call("kick-from", &["#lab", "eve", "\u{1b}"]).await["CODE"], "bad-arguments");
}

#[tokio::test]
async fn levels_are_shown_and_given_in_a_room() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    let mut bob = house.user("bob", Level::HELPER).await;
    house.guest("guest").await;
    let lab = house.room("#Lab", Some("ann")).await;
    let own = ann.call("perm", &["#lab"]).await;
    assert_eq!(own["DATA"], json!({"NAME": "ann", "LEVEL": 4, "ACCOUNT": "ann", "ROOM": "#Lab"}));
    assert_eq!(ann.call("perm", &["bob", "lab"]).await["DATA"]["LEVEL"], 2, "that of the server");
    assert_eq!(ann.call("perm", &["ann", "ALL"]).await["DATA"]["LEVEL"], 1);
    let given = ann.call("set-perm", &["bob", "moderator", "#lab"]).await;
    assert_eq!(given["DATA"], json!({"NAME": "bob", "LEVEL": 3, "ACCOUNT": "bob", "ROOM": "#Lab"}));
    assert_eq!(bob.call("perm", &["#lab"]).await["DATA"]["LEVEL"], 3, "one's own, as no member");
    assert_eq!(bob.call("perm", &["ann", "#lab"]).await["CODE"], "not-a-member");
    assert_eq!(house.account("bob").await.unwrap().level, Level::HELPER, "not on the server");
    assert_eq!(ann.call("set-perm", &["bob", "0", "#lab"]).await["CODE"], "ok");
    assert_eq!(bob.call("perm", &["#lab"]).await["DATA"]["LEVEL"], 2);
    for (arguments, code) in [
        (&["guest", "2", "#lab"][..], "no-such-user"),
        (&["nobody", "2", "#lab"], "no-such-user"),
        (&["bob", "5", "#lab"], "bad-arguments"),
        (&["bob", "x", "#lab"], "bad-arguments"),
        (&["bob", "2", "#none"], "no-such-room"),
        (&["bob", "2"], "forbidden"),
    ] {
        assert_eq!(ann.call("set-perm", arguments).await["CODE"], code, "{arguments:?}");
    }
    house.edit(&lab, |room| assert_eq!(room.levels.last().unwrap().1, Level::GUEST));
}
