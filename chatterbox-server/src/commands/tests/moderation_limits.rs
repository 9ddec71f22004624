//! What who keeps order can't do: speak while muted, lift what is on themselves, fill the server from a room.

use chatterbox_hub::{Level, RoomRef, Sanction, SanctionId, SanctionKind, SanctionSubject};

use crate::commands::tests::fake::{House, name};
use crate::ops::clock::unix_now;

#[tokio::test]
async fn who_is_muted_says_nothing_by_a_command_either() {
    let house = House::new().await;
    let _eve = house.guest("eve").await;
    let mut root = house.user("root", Level::ADMIN).await;
    let mut chief = house.user("chief", Level::OPERATOR).await;
    let words: [(&str, &[&str]); 5] = [
        ("broadcast", &["ALL", "buy"]),
        ("away", &["buy"]),
        ("mute", &["eve", "10m", "ALL", "buy"]),
        ("kick", &["eve", "buy"]),
        ("ban", &["eve", "1h", "buy"]),
    ];
    assert_eq!(root.call("mute", &["chief"]).await["CODE"], "ok");
    for (command, arguments) in words {
        let result = chief.call(command, arguments).await;
        assert_eq!(result["CODE"], "muted", "{command}: {result}");
    }
    assert_eq!(house.sanctions().len(), 1, "only the one on chief");
    // Order is kept without words, and so is being away.
    assert_eq!(chief.call("away", &[]).await["CODE"], "ok");
    assert_eq!(chief.call("mute", &["eve"]).await["CODE"], "ok");
    assert_eq!(root.call("unmute", &["chief"]).await["CODE"], "ok");
    for (command, arguments) in words {
        let result = chief.call(command, arguments).await;
        assert_eq!(result["CODE"], "ok", "{command}: {result}");
    }
}

#[tokio::test]
async fn nobody_lifts_what_is_on_themselves_or_on_who_is_not_below_them() {
    let house = House::new().await;
    let mut root = house.user("root", Level::ADMIN).await;
    let mut prof = house.user("prof", Level::MODERATOR).await;
    let mut chief = house.user("chief", Level::OPERATOR).await;
    for name in ["prof", "chief"] {
        assert_eq!(root.call("mute", &[name]).await["CODE"], "ok");
    }
    assert_eq!(chief.call("nick", &["boss"]).await["CODE"], "ok");
    for (who, about) in [("prof", "prof"), ("prof", "chief"), ("chief", "chief")] {
        let caller = if who == "prof" { &mut prof } else { &mut chief };
        let result = caller.call("unmute", &[about]).await;
        assert_eq!(result["CODE"], "forbidden", "{who} {about}: {result}");
    }
    assert_eq!(house.sanctions().len(), 2);
    assert_eq!(chief.call("unmute", &["prof"]).await["CODE"], "ok");
    // Whoever is banned is not here to have a level; the account has it still.
    assert_eq!(root.call("ban", &["chief"]).await["CODE"], "ok");
    let number = house.sanctions().last().unwrap().id.0.to_string();
    for meant in ["chief", &*number] {
        assert_eq!(prof.call("unban", &[meant]).await["CODE"], "forbidden", "{meant}");
    }
    assert_eq!(root.call("unban", &["chief"]).await["CODE"], "ok");
}

/// Imposes bans from a room behind everybody's back.
fn fill(house: &House, room: &RoomRef, bans: usize) {
    let ban = |number: usize| Sanction {
        id: SanctionId(
            i64::try_from(room.number.0).unwrap() * 10_000 + i64::try_from(number).unwrap(),
        ),
        kind: SanctionKind::Ban,
        subject: SanctionSubject::Name(name(&format!("b{number}"))),
        about: format!("b{number}").as_str().into(),
        room: Some(room.number),
        by: "ann".into(),
        reason: "".into(),
        since: unix_now(),
        until: None,
    };
    house.impose((0..bans).map(ban).collect(), None);
}

#[tokio::test]
async fn a_room_has_so_many_bans_and_the_server_always_has_room() {
    let house = House::new().await;
    let mut prof = house.user("prof", Level::MODERATOR).await;
    let mut ann = house.user("ann", Level::USER).await;
    let room = house.room("#lab", Some("ann")).await;
    for name in ["bob", "cyd"] {
        house.user(name, Level::USER).await;
    }
    fill(&house, &room, 199);
    assert_eq!(ann.call("ban-from", &["#lab", "bob"]).await["CODE"], "ok");
    let full = ann.call("ban-from", &["#lab", "cyd"]).await;
    assert_eq!(full["CODE"], "too-many", "{full}");
    let other = house.room("#other", Some("ann")).await;
    fill(&house, &other, 7_800);
    let third = house.room("#third", Some("ann")).await;
    let full = ann.call("ban-from", &["#third", "cyd"]).await;
    assert_eq!(full["CODE"], "too-many", "what is left is for the server: {full}");
    assert_eq!(prof.call("ban", &["cyd"]).await["CODE"], "ok", "{third:?}");
}
