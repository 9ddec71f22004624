//! Who may use which command for rooms: by their level on the server, their level in the room, and their membership.
//!
//! What is expected stands here a second time, on purpose.

use chatterbox_hub::{Level, RoomMember};
use serde_json::Value;

use crate::commands::tests::fake::{House, Somebody};
use crate::commands::tests::fake_rooms::FakeRooms;

/// What a command needs.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// This level on the server.
    Server(u8),
    Member,
    /// This level in the room, and an account.
    Room(u8),
    /// To be a member with an account, or of level 4 there.
    Inviter,
    /// To be a member, or of level 4 there.
    Insider,
}

/// Each command with arguments that make it do something in `#lab`, and what is answered when it asks.
const ROWS: &[(&str, &[&str], Option<&str>, Needs)] = &[
    ("rooms", &[], None, Needs::Nothing),
    ("list", &["#lab"], None, Needs::Member),
    ("join", &["#lab"], None, Needs::Nothing),
    ("leave", &["#lab"], None, Needs::Member),
    ("default", &["#lab"], None, Needs::Member),
    ("say", &["#lab", "hi"], None, Needs::Member),
    ("create-room", &["#new"], None, Needs::Server(1)),
    ("delete-room", &["#lab"], Some("#lab"), Needs::Room(4)),
    ("topic", &["#lab", "x"], None, Needs::Room(2)),
    ("set-room", &["#lab", "slow", "5"], None, Needs::Room(4)),
    ("invite", &["#lab", "dora"], None, Needs::Inviter),
    ("uninvite", &["#lab", "carl"], None, Needs::Inviter),
    ("invitations", &[], None, Needs::Server(1)),
    ("kick-from", &["#lab", "bob"], None, Needs::Room(2)),
    ("clear", &["#lab"], Some("yes"), Needs::Room(4)),
    ("perm", &["bob", "#lab"], None, Needs::Insider),
    ("set-perm", &["bob", "2", "#lab"], None, Needs::Room(4)),
];

/// What somebody is in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    None,
    /// Not a member, with a level in the room.
    Outside(u8),
    Member(u8),
    Owner,
}

const SEATS: &[Seat] = &[
    Seat::None,
    Seat::Outside(4),
    Seat::Member(0),
    Seat::Member(1),
    Seat::Member(2),
    Seat::Member(3),
    Seat::Member(4),
    Seat::Owner,
];

fn is_allowed(needs: Needs, server: u8, seat: Seat) -> bool {
    let (member, own) = match seat {
        Seat::None => (false, 0),
        Seat::Outside(level) => (false, level),
        Seat::Member(level) => (true, level),
        Seat::Owner => (true, 4),
    };
    let level = server.max(own);
    let account = server >= 1;
    match needs {
        Needs::Nothing => true,
        Needs::Server(least) => server >= least,
        Needs::Member => member,
        Needs::Room(least) => account && level >= least,
        Needs::Inviter => account && (member || level >= 4),
        Needs::Insider => member || level >= 4,
    }
}

/// A house with ann in her seat, bob in the room, carl invited to it, and dora, who has nothing to do with it.
async fn seated(level: Level, seat: Seat) -> (House, Somebody) {
    let house = House::new().await;
    for name in ["bob", "carl", "dora"] {
        house.away(name, Level::USER).await;
    }
    let ann = house.user("ann", level).await;
    let lab = house.room("#lab", None).await;
    let [bob, carl] = ["bob", "carl"].map(|name| house.account_ref(name));
    let (bob, carl) = (bob.await, carl.await);
    let own = if level == Level::GUEST { None } else { Some(house.account_ref("ann").await) };
    house.edit(&lab, |room| {
        room.members.push(RoomMember::Account(bob));
        room.invited.push(RoomMember::Account(carl));
        if seat == Seat::Owner {
            room.definition.owner.clone_from(&own);
        }
        if let (Some(own), Seat::Member(level) | Seat::Outside(level)) = (&own, seat) {
            room.levels.push((own.id, Level::new(i64::from(level)).unwrap()));
        }
        if matches!(seat, Seat::Member(_) | Seat::Owner) {
            room.members.push(ann.party());
        }
    });
    (house, ann)
}

async fn called(somebody: &mut Somebody, row: usize, allowed: bool) -> Value {
    let (command, arguments, answer, _) = ROWS[row];
    match answer {
        // Who may not do it is not asked.
        Some(answer) if allowed => somebody.call_and_answer(command, arguments, Some(answer)).await,
        _ => somebody.call(command, arguments).await,
    }
}

#[tokio::test]
async fn b13_every_command_for_rooms_has_its_level_there() {
    let (mut allowed_cells, mut refused_cells) = (0, 0);
    for level in Level::ALL {
        for seat in SEATS {
            // Levels in rooms belong to accounts, and so do rooms.
            let guests_too = matches!(seat, Seat::None | Seat::Member(0));
            if level == Level::GUEST && !guests_too {
                continue;
            }
            let (house, mut ann) = seated(level, *seat).await;
            let before: FakeRooms = house.rooms.lock().unwrap().clone();
            for (row, (command, _, _, needs)) in ROWS.iter().enumerate() {
                let cell = format!("{command} at level {level}, {seat:?}");
                let allowed = is_allowed(*needs, level.number(), *seat);
                let told = ann.everything().len();
                let result = called(&mut ann, row, allowed).await;
                let code = result["CODE"].as_str().unwrap();
                let refused = ["forbidden", "not-a-member"].contains(&code);
                assert_eq!(!refused, allowed, "{cell}: {result}");
                let mut rooms = house.rooms.lock().unwrap();
                if allowed {
                    assert!(["ok", "already"].contains(&code), "{cell}: {result}");
                    allowed_cells += 1;
                } else {
                    assert!(*rooms == before, "{cell}: it changes nothing");
                    assert_eq!(ann.everything().len(), told + 1, "{cell}: it only answers");
                    refused_cells += 1;
                }
                rooms.clone_from(&before);
            }
        }
    }
    println!("rooms: {allowed_cells} cells allowed, {refused_cells} refused");
}

/// Somebody who may act in the room can't act on their equals there (RL-2), nor give more than they have.
#[tokio::test]
async fn b13_nobody_acts_on_whom_they_are_not_above_in_the_room() {
    for own in [2, 3, 4] {
        for other in 0..=4_u8 {
            for on_server in [false, true] {
                let cell = format!("{own} on {other}, server: {on_server}");
                let (house, mut ann) = seated(Level::USER, Seat::Member(own)).await;
                let level = Level::new(i64::from(other)).unwrap();
                let bob = house.account_ref("bob").await;
                if on_server {
                    let account = house.account("bob").await.unwrap();
                    let login = chatterbox_hub::LoggedIn {
                        account: account.name,
                        account_key: account.account_key,
                    };
                    house.state.accounts.set_level(&login, level.max(Level::USER)).await.unwrap();
                } else {
                    let lab = house.rooms.lock().unwrap().rooms[0].definition.to_ref();
                    house.edit(&lab, |room| room.levels.push((bob.id, level)));
                }
                let above = own > other.max(1);
                let kicked = ann.call("kick-from", &["#lab", "bob"]).await;
                assert_eq!(kicked["CODE"] == "ok", above, "{cell}: {kicked}");
                assert_eq!(kicked["CODE"] == "forbidden", !above, "{cell}: {kicked}");
                for given in 0..=5_u8 {
                    let result = ann.call("set-perm", &["bob", &given.to_string(), "#lab"]).await;
                    let code = match (own, given) {
                        (2 | 3, _) => "forbidden",
                        (_, 5) => "bad-arguments",
                        _ if above => "ok",
                        _ => "forbidden",
                    };
                    assert_eq!(result["CODE"], code, "{cell} gives {given}: {result}");
                }
                let own_level = ann.call("set-perm", &["ann", "4", "#lab"]).await;
                assert_eq!(own_level["CODE"], "forbidden", "{cell}");
                assert_eq!(ann.call("kick-from", &["#lab", "ann"]).await["CODE"], "forbidden");
            }
        }
    }
}

#[tokio::test]
async fn b13_only_admins_give_levels_on_the_server_and_act_in_the_lobby() {
    for level in Level::ALL {
        let (house, mut ann) = seated(level, Seat::None).await;
        let before = house.account("bob").await;
        let is_admin = level == Level::ADMIN;
        for room in [&["bob", "2"][..], &["bob", "2", "ALL"]] {
            let result = ann.call("set-perm", room).await;
            assert_eq!(result["CODE"] == "ok", is_admin, "{level}: {result}");
            assert_eq!(result["CODE"] == "forbidden", !is_admin, "{level}: {result}");
        }
        assert_eq!(house.account("bob").await != before, is_admin);

        let topic = ann.call("topic", &["ALL", "x"]).await;
        assert_eq!(topic["CODE"] == "ok", level >= Level::OPERATOR, "{level}: {topic}");
        let talk = ann.call("set-room", &["ALL", "talk", "1"]).await;
        assert_eq!(talk["CODE"] == "ok", level >= Level::OPERATOR, "{level}: {talk}");
        let cleared = if is_admin {
            ann.call_and_answer("clear", &["ALL"], Some("yes")).await
        } else {
            ann.call("clear", &["ALL"]).await
        };
        assert_eq!(cleared["CODE"] == "ok", is_admin, "{level}: {cleared}");
        let changed = house.rooms.lock().unwrap().lobby.len();
        assert_eq!(changed, [0, 0, 0, 0, 2, 3][usize::from(level.number())]);
    }
}

#[tokio::test]
async fn a_closed_room_needs_level_two_to_invite() {
    for (level, code) in [(1, "forbidden"), (2, "ok"), (4, "ok")] {
        let (house, mut ann) = seated(Level::USER, Seat::Member(level)).await;
        let lab = house.rooms.lock().unwrap().rooms[0].definition.to_ref();
        house.edit(&lab, |room| room.definition.settings.closed = true);
        assert_eq!(ann.call("invite", &["#lab", "dora"]).await["CODE"], code);
        assert_eq!(ann.call("uninvite", &["#lab", "carl"]).await["CODE"], code);
    }
}
