//! Wishes about rooms: stored before anybody is told, in the order of the log, between the messages of others.

use chatterbox_hub::{
    AccountKey, AccountRef, BlockLists, Identity, Level, LoggedIn, RoomActor, RoomChange, RoomDone,
    RoomMember, RoomRef, RoomSetting,
};
use chatterbox_proto::{Capabilities, RoomName};
use serde_json::Value;

use super::*;

const SPEAKS: &str = "commands/1 ids/1 rename/1 rooms/1";

fn account(id: i64, text: &str) -> AccountRef {
    AccountRef { id, name: name(text) }
}

/// A user who speaks rooms: with this account, or a guest.
async fn come(chat: &Arc<Chat>, text: &str, id: Option<i64>) -> Seat {
    let agreed = Capabilities::parse_offer(SPEAKS).unwrap();
    let login = id.map(|id| LoggedIn {
        account: name(text),
        account_key: AccountKey { id, ..AccountKey::default() },
    });
    let level = if login.is_some() { Level::USER } else { Level::GUEST };
    let guest = Identity::guest(name(text));
    let request = JoinRequest {
        identity: Identity { login, level, agreed: Some(agreed), ..guest },
        lists: BlockLists::default(),
        extra: br#""LIMITS": {}"#,
        random: u128::from(text.bytes().fold(0_u64, |sum, byte| sum * 251 + u64::from(byte))),
        ..JoinRequest::base(&name(text), "Hi")
    };
    let seat = Seat::join(chat, request).await.unwrap().0;
    heard(&seat);
    seat
}

/// What a member is told, as JSON.
fn heard(seat: &Seat) -> Vec<Value> {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    while let Delivery::Frames { frames, .. } = seat.take() {
        frames.frames().iter().for_each(|piece| decoder.push(piece));
    }
    let bodies = std::iter::from_fn(|| decoder.next_body().unwrap());
    bodies.map(|body| serde_json::from_slice(&body).unwrap()).collect()
}

/// What a member is told of rooms and in them, in short: texts of messages, topics, names in rosters.
fn told_of_rooms(seat: &Seat) -> Vec<String> {
    let mut told = Vec::new();
    for frame in heard(seat) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let names = |key: &str| {
            let rooms = frame[key].as_object().cloned().unwrap_or_default();
            rooms.into_iter().flat_map(|(_, names)| list(&names)).collect::<Vec<_>>()
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        told.extend(names("ROOM_USERS_JOINED").iter().map(|name| format!("+{}", text(name))));
        let topics = list(&frame["ROOMS"]).into_iter().filter(|room| room.get("COUNT").is_none());
        told.extend(topics.filter_map(|room| Some(format!("#{}", room["TOPIC"].as_str()?))));
        told.extend(list(&frame["MESSAGES"]).iter().map(|message| text(&message[3])));
        told.extend(names("ROOM_USERS_LEFT").iter().map(|name| format!("-{}", text(name))));
    }
    told
}

async fn wish(seat: &Seat, change: RoomChange) -> Result<RoomDone, RoomRefusal> {
    let member = seat.handle();
    member.chat().change_room(RoomActor::Member(member.id()), change).await
}

async fn create(seat: &Seat, text: &str) -> RoomRef {
    let name = RoomName::parse(text).unwrap();
    name.looks();
    let done = wish(seat, RoomChange::Create { name, password: None }).await.unwrap();
    done.room.unwrap()
}

async fn enter(seat: &Seat, room: &RoomRef) -> Result<RoomDone, RoomRefusal> {
    wish(seat, RoomChange::Enter { room: room.number, shown: None }).await
}

fn topic(room: &RoomRef, text: &str) -> RoomChange {
    RoomChange::Set(room.number, RoomSetting::Topic(text.into()))
}

async fn say_in(seat: &Seat, room: &RoomRef, text: &str) -> Result<(), Code> {
    let member = seat.handle();
    let source = member.name().unwrap();
    let json = format!(r#"["{source}", "{}", 1, "{text}"]"#, room.name).into();
    let destination = Destination::Room(room.clone());
    let record = Record { source, destination, json, ..record(text) };
    member.chat().post(member.id(), vec![record], None, None, None).await.map(drop)
}

/// Waits until the store was asked for its how many-eth change, and gives everybody else turns enough to do what they would do.
async fn is_asked(store: &FailingStore, count: usize) {
    while store.asked.load(Ordering::Relaxed) < count {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// A chat with a store that can fail, ann and bob, and a room of ann with both in it.
async fn lab() -> (Arc<FailingStore>, Arc<Chat>, Seat, Seat, RoomRef) {
    let store = Arc::new(FailingStore::default());
    let chat = opened::chat(Arc::clone(&store) as _);
    let ann = come(&chat, "ann", Some(1)).await;
    let bob = come(&chat, "bob", Some(2)).await;
    let room = create(&ann, "#lab").await;
    enter(&bob, &room).await.unwrap();
    assert_eq!(store.asked.load(Ordering::Relaxed), 2);
    heard(&ann);
    heard(&bob);
    (store, chat, ann, bob, room)
}

#[tokio::test(start_paused = true)]
async fn a_wish_is_stored_before_anybody_is_told() {
    let (store, chat, ann, bob, room) = lab().await;
    let turn = store.rooms.lock().await;
    let mut changing = Box::pin(wish(&ann, topic(&room, "exercise 3")));
    assert!(changing.as_mut().now_or_never().is_none());
    is_asked(&store, 3).await;
    assert!(changing.as_mut().now_or_never().is_none(), "it is not stored yet");
    assert!(heard(&ann).is_empty() && heard(&bob).is_empty());
    let seen = |seat: &Seat| chat.room_named(seat.handle().id(), &room.name).unwrap();
    assert_eq!(&*seen(&bob).definition.settings.topic, "");
    drop(turn);
    changing.await.unwrap();
    assert_eq!(
        (told_of_rooms(&ann), told_of_rooms(&bob)),
        (vec!["#exercise 3".into()], vec!["#exercise 3".into()])
    );
    assert_eq!(&*seen(&bob).definition.settings.topic, "exercise 3");
    let stored = store.memory.rooms().await.unwrap();
    assert!(
        matches!(&stored[0], RoomRecord::Defined(room) if &*room.settings.topic == "exercise 3")
    );
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_is_not_stored_changes_nothing_and_the_next_one_works() {
    let (store, chat, ann, bob, room) = lab().await;
    let cyd = come(&chat, "cyd", Some(3)).await;
    let before = chat.hub().digest();
    let newest = store.newest().await.unwrap();
    store.is_full.store(true, Ordering::Relaxed);
    let name = RoomName::parse("#new").unwrap();
    let kicked = RoomMember::Account(account(2, "bob"));
    for (seat, change) in [
        (&ann, topic(&room, "lost")),
        (&ann, RoomChange::Create { name, password: None }),
        (
            &ann,
            RoomChange::Remove {
                room: room.number,
                who: kicked,
                reason: String::new(),
                banned: false,
                by: None,
            },
        ),
        (&ann, RoomChange::SetLevel(room.number, account(2, "bob"), Level::OPERATOR)),
        (&ann, RoomChange::Delete(room.number)),
        (&ann, RoomChange::Clear(room.number)),
        (&bob, RoomChange::Leave(room.number)),
        (&bob, RoomChange::SetDefault(Some(room.number))),
        (&cyd, RoomChange::Enter { room: room.number, shown: None }),
    ] {
        assert_eq!(wish(seat, change.clone()).await, Err(RoomRefusal::NotStored), "{change:?}");
    }
    assert_eq!(chat.hub().digest(), before);
    // What does not outlive the process needs no disk.
    let gus = come(&chat, "gus", None).await;
    enter(&gus, &room).await.unwrap();
    assert_eq!(told_of_rooms(&ann), ["+gus"]);
    drop(gus);
    round(&chat).await;
    assert_eq!((told_of_rooms(&ann), told_of_rooms(&cyd)), (vec!["-gus".into()], vec![]));
    assert_eq!(told_of_rooms(&bob), ["+gus", "-gus"]);
    assert_eq!(say_in(&bob, &room, "lost").await, Err(Code::NotStored));
    store.is_full.store(false, Ordering::Relaxed);
    assert_eq!(store.newest().await.unwrap(), newest);
    wish(&ann, topic(&room, "kept")).await.unwrap();
    say_in(&bob, &room, "said").await.unwrap();
    enter(&cyd, &room).await.unwrap();
    assert_eq!(told_of_rooms(&bob), ["#kept", "said", "+cyd"]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_may_have_been_stored_takes_no_number_from_the_next() {
    let (store, chat, ann, bob, room) = lab().await;
    let newest = store.newest().await.unwrap();
    store.is_unsure.store(true, Ordering::Relaxed);
    assert_eq!(wish(&ann, topic(&room, "maybe")).await, Err(RoomRefusal::NotStored));
    assert!(heard(&ann).is_empty() && heard(&bob).is_empty());
    store.is_unsure.store(false, Ordering::Relaxed);
    let slow = RoomChange::Set(room.number, RoomSetting::Slow(1));
    wish(&ann, slow).await.unwrap();
    say_in(&ann, &room, "said").await.unwrap();
    assert_eq!(store.newest().await.unwrap(), newest + 3);
    assert_eq!(told_of_rooms(&bob), ["said"]);
    // Another start finds what members were told.
    let again = opened::chat(Arc::new(Memory::default()));
    again.restore_rooms(&store.memory.rooms().await.unwrap(), &[]);
    let dan = come(&again, "dan", Some(4)).await;
    let settings = |chat: &Chat, seat: &Seat| {
        let view = chat.room_named(seat.handle().id(), &room.name).unwrap();
        view.definition.settings.clone()
    };
    assert_eq!(settings(&again, &dan), settings(&chat, &bob));
}

#[tokio::test(start_paused = true)]
async fn a_wish_between_two_posts_of_one_connection_comes_between_them() {
    let (_store, _chat, ann, bob, room) = lab().await;
    let (one, changed, two) = tokio::join!(
        say_in(&ann, &room, "one"),
        wish(&ann, topic(&room, "between")),
        say_in(&ann, &room, "two"),
    );
    assert!(one.is_ok() && changed.is_ok() && two.is_ok());
    assert_eq!(told_of_rooms(&bob), ["one", "#between", "two"]);
    assert_eq!(told_of_rooms(&ann), ["one", "#between", "two"]);
}

#[tokio::test(start_paused = true)]
async fn fifty_wishes_and_a_thousand_messages_at_once_are_one_rising_order() {
    let (store, chat, ann, bob, room) = lab().await;
    let other = create(&bob, "#other").await;
    heard(&bob);
    let before = store.newest().await.unwrap();
    let posts = (0..1_000).map(|number| {
        let (seat, room) = if number % 3 == 0 { (&bob, &other) } else { (&ann, &room) };
        async move { say_in(seat, room, &number.to_string()).await.unwrap() }.boxed_local()
    });
    let wishes = (0..50).map(|number| {
        let (ann, room) = (&ann, &room);
        async move { drop(wish(ann, topic(room, &number.to_string())).await.unwrap()) }
            .boxed_local()
    });
    // A wish behind every 20 messages.
    let mut all: Vec<_> = posts.collect();
    for (number, wish) in wishes.enumerate() {
        all.insert(number * 21 + 20, wish);
    }
    tokio::time::timeout(Duration::from_secs(3_600), join_all(all)).await.expect("no deadlock");
    assert_eq!(store.newest().await.unwrap(), before + 1_050, "each has a number of its own");
    for (seat, count) in [(&bob, 1_000), (&ann, 1_000 - 334)] {
        let frames = heard(seat);
        let list =
            |key| frames.iter().filter_map(move |frame: &Value| frame[key].as_array()).flatten();
        let ids: Vec<_> = list("IDS").map(|id| id.as_u64().unwrap()).collect();
        assert_eq!(ids.len(), count);
        assert!(ids.is_sorted_by(|one, next| one < next) && ids[0] > before);
        let topics: Vec<_> = list("ROOMS").filter_map(|room| room["TOPIC"].as_str()).collect();
        assert_eq!(topics, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
    }
    let stored = store.memory.rooms().await.unwrap();
    let lab = stored.iter().find_map(|record| match record {
        RoomRecord::Defined(definition) if definition.number == room.number => Some(definition),
        _ => None,
    });
    assert_eq!(&*lab.unwrap().settings.topic, "49");
    assert_eq!(chat.user_count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_wish_whose_member_leaves_meanwhile_is_granted_or_not_and_nobody_waits() {
    let (store, chat, ann, bob, room) = lab().await;
    let cyd = come(&chat, "cyd", Some(3)).await;
    let turn = store.rooms.lock().await;
    let mut entering = Box::pin(enter(&cyd, &room));
    assert!(entering.as_mut().now_or_never().is_none());
    is_asked(&store, 3).await;
    // The connection ends, and nobody waits for the answer any more.
    drop(entering);
    drop(cyd);
    drop(turn);
    round(&chat).await;
    // The account is a member, although its user is not here (RM-2).
    assert_eq!(told_of_rooms(&bob), ["+cyd"]);
    let members = chat.members_of(ann.handle().id(), room.number, None, 9).unwrap();
    let here: Vec<_> = members.iter().map(|one| (one.name.as_str(), one.online)).collect();
    assert_eq!(here, [("ann", true), ("bob", true), ("cyd", false)]);

    // Whoever has left before its turn wishes for nothing.
    let (dan, gus) = (come(&chat, "dan", Some(4)).await, come(&chat, "gus", None).await);
    heard(&ann);
    let asked = store.asked.load(Ordering::Relaxed);
    let gone = [dan.handle().id(), gus.handle().id()];
    drop((dan, gus));
    round(&chat).await;
    for member in gone {
        let change = RoomChange::Enter { room: room.number, shown: None };
        assert!(chat.change_room(RoomActor::Member(member), change).await.is_err());
    }
    assert_eq!(store.asked.load(Ordering::Relaxed), asked, "nothing was stored");
    assert!(told_of_rooms(&ann).is_empty());
    // A guest who is gone by the time that its wish is granted leaves no ghost.
    let gus = come(&chat, "gus", None).await;
    let mut entering = Box::pin(enter(&gus, &room));
    assert!(entering.as_mut().now_or_never().is_none());
    drop(entering);
    drop(gus);
    round(&chat).await;
    assert_eq!(told_of_rooms(&ann), ["+gus", "-gus"]);
    assert_eq!(chat.members_of(ann.handle().id(), room.number, None, 9).unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_happens_in_a_room_wakes_its_members_only() {
    let (_store, chat, ann, bob, room) = lab().await;
    let cyd = come(&chat, "cyd", Some(3)).await;
    let (base, _) = join(&chat, "base").await.unwrap();
    let other = create(&cyd, "#other").await;
    let all = [&ann, &bob, &cyd, &base];
    let woken = || all.map(|seat| seat.pending().now_or_never().is_some());
    woken();
    say_in(&ann, &room, "one").await.unwrap();
    assert_eq!(woken(), [true, true, false, false]);
    wish(&ann, topic(&room, "exercise 3")).await.unwrap();
    assert_eq!(woken(), [true, true, false, false]);
    say_in(&cyd, &other, "two").await.unwrap();
    assert_eq!(woken(), [false, false, true, false]);
    say(&ann, "to all").await.unwrap();
    assert_eq!(woken(), [true; 4]);
}
