//! What members of one node get from another: private messages, notices, the end of a mute, another level, their session.

use std::sync::Mutex;

use chatterbox_hub::{
    AccountKey, Amendment, Delivery, Identity, JoinRequest, Level, LoggedIn, Proposal, Resuming,
    SessionKey,
};
use chatterbox_proto::Capabilities;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};

use super::*;
use crate::chat::handle::{Seat, resolve};
use crate::chat::posts::Held;
use crate::chat::reserved::Reserved;

fn user(text: &str) -> Username {
    Username::parse(text).unwrap()
}

/// Somebody with all capabilities that matter here, a guest or with an account of this level.
fn request(name: &Username, level: Option<Level>, resume: Option<Resuming>) -> JoinRequest<'_> {
    let account_key = AccountKey { id: 1, epoch: 0 };
    let login = level.map(|_| LoggedIn { account: name.clone(), account_key });
    let agreed = Capabilities::parse_offer("ids/1 rename/1 commands/1 notices/1").ok();
    let level = level.unwrap_or_default();
    JoinRequest {
        identity: Identity { login, level, agreed, ..Identity::guest(name.clone()) },
        extra: br#""X": 1"#,
        random: 7,
        resume,
        ..JoinRequest::base(name, "Hi")
    }
}

async fn come(node: &TestNode, name: &str, level: Option<Level>) -> (Seat, SessionKey) {
    let name = user(name);
    let (seat, welcomed) = Seat::join(&node.chat, request(&name, level, None)).await.unwrap();
    (seat, session(&welcomed.welcome.concat()))
}

fn session(welcome: &[u8]) -> SessionKey {
    let welcome: serde_json::Value = serde_json::from_slice(&welcome[4..]).unwrap();
    SessionKey::parse(welcome["RESUME"].as_str().unwrap()).unwrap()
}

/// All that waits for a member, as text.
fn read(seat: &Seat) -> String {
    let mut all = Vec::new();
    while let Delivery::Frames { frames, .. } = seat.take() {
        all.extend(frames.frames().concat());
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Says something to one user, as a connection does.
async fn whisper(node: &TestNode, by: &Seat, to: &str, text: &str) -> Result<(), Code> {
    let handle = by.handle();
    let mut reserved = Reserved::default();
    let to: Destination<Username, chatterbox_proto::RoomName> = Destination::User(user(to));
    let (destination, filing) = resolve(&handle, &to, text, text.len(), &mut reserved)?;
    let source = handle.name().unwrap();
    let json = format!(r#"["{source}", "x", 1, "{text}"]"#).into();
    let record = Record { source, destination, json, arrived: 1, filing, meta: None };
    let held: Held = reserved.into();
    node.chat.post(handle.id(), vec![record], held, None, None).await?.all()
}

#[tokio::test(start_paused = true)]
async fn private_messages_reach_a_member_of_another_node_unless_one_blocks_the_other() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = come(&one, "ann", None).await;
    let (bob, _) = come(&two, "bob", None).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(whisper(&one, &ann, "Bob", "psst").await, Ok(()));
    settled(&kit, &[&one, &two]).await;
    assert!(read(&bob).contains("psst"));
    assert!(!read(&ann).contains("psst"));
    bob.handle().set_blocked(vec![user("ann")]).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(whisper(&one, &ann, "bob", "psst").await, Err(Code::Blocked));
    assert_eq!(whisper(&two, &bob, "ann", "psst").await, Err(Code::Blocked));
    bob.handle().set_blocked(Vec::new()).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(whisper(&one, &ann, "bob", "again").await, Ok(()));
    drop(bob);
    round(&two).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(whisper(&one, &ann, "bob", "gone").await, Err(Code::NoSuchUser));
    same(&[&one, &two]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_not_written_to_from_another_node_either() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = come(&one, "ann", None).await;
    let (bob, _) = come(&two, "bob", None).await;
    settled(&kit, &[&one, &two]).await;
    let mut said = 0;
    let refused = loop {
        match whisper(&one, &ann, "bob", "psst").await {
            Ok(()) => said += 1,
            Err(code) => break code,
        }
        settled(&kit, &[&one, &two]).await;
        // What a node has to say goes with its next group.
        round(&two).await;
        settled(&kit, &[&one, &two]).await;
    };
    assert_eq!((refused, said), (Code::RecipientBusy, 512), "half of the queue");
    assert_eq!(read(&bob).matches("psst").count(), 512);
    round(&two).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(whisper(&one, &ann, "bob", "psst").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_reaches_whom_it_is_for_at_every_node() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = come(&one, "ann", None).await;
    let (bob, _) = come(&two, "bob", None).await;
    let (mod_two, _) = come(&two, "mo", Some(Level::MODERATOR)).await;
    let (base, _) = two.join("base").await.unwrap();
    settled(&kit, &[&one, &two]).await;
    let all = [&ann, &bob, &mod_two, &base];
    all.iter().for_each(|seat| drop(read(seat)));
    one.chat.announce_in(None, "tea is ready");
    let notice = NewNotice::new(NoticeCode::Report, "look at this");
    one.chat.tell_staff(None, Level::MODERATOR, &notice);
    one.chat.tell_report(None, &user("mo"), &NewNotice::new(NoticeCode::Report, "of mo"));
    let level = NewNotice::new(NoticeCode::Level, "only you");
    one.chat.tell_notice(bob.handle().id(), &level);
    one.chat.tell_notice(base.handle().id(), &level);
    round(&one).await;
    settled(&kit, &[&one, &two]).await;
    let told = all.map(read);
    for told in &told {
        assert_eq!(told.matches("tea is ready").count(), 1, "{told}");
    }
    let has = |text: &str| told.each_ref().map(|told| told.contains(text));
    assert_eq!(has("look at this"), [false, false, true, false]);
    assert_eq!(has("of mo"), [false; 4], "not whom it is about");
    assert_eq!(has("only you"), [false, true, false, true]);
    assert!(told[3].contains(r#""ERROR": "only you""#), "{}", told[3]);
}

#[tokio::test(start_paused = true)]
async fn another_level_counts_and_is_followed_at_the_node_of_the_member() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (bob, _) = come(&two, "bob", Some(Level::USER)).await;
    settled(&kit, &[&one, &two]).await;
    let followed: [Arc<Mutex<Vec<MemberId>>>; 2] = Default::default();
    for (node, followed) in [&one, &two].into_iter().zip(&followed) {
        let followed = Arc::clone(followed);
        node.chat.watch_amended(Box::new(move |member| followed.lock().unwrap().push(member)));
    }
    let id = bob.handle().id();
    let amendment = Amendment { level: Some(Level::ADMIN), ..Amendment::default() };
    assert!(one.chat.amend(id, amendment).await, "may do something else now");
    settled(&kit, &[&one, &two]).await;
    assert_eq!(bob.handle().identity().unwrap().level, Level::ADMIN);
    let followed = followed.map(|followed| followed.lock().unwrap().clone());
    assert_eq!(followed, [vec![], vec![id]], "where it is");
}

#[tokio::test(start_paused = true)]
async fn a_mute_for_flooding_can_be_ended_at_another_node() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (bob, _) = come(&two, "bob", None).await;
    settled(&kit, &[&one, &two]).await;
    let id = bob.handle().id();
    let number = two.chat.speaker(id, &[]).unwrap().number;
    while two.chat.flood().muted(number).is_none() {
        let _ = two.chat.flood().refused(number);
    }
    assert!(two.chat.muted_until(id, None).is_some());
    assert!(one.chat.is_muted_for_flood(id), "it can't know, so it may be ended");
    one.chat.pardon(id);
    round(&one).await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(two.chat.muted_until(id, None), None);
}

#[tokio::test(start_paused = true)]
async fn a_session_goes_on_at_a_node_that_lags_and_nobody_notices() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (cyd, _) = come(&two, "cyd", None).await;
    two.link.cut(true);
    let (ann, key) = come(&one, "ann", None).await;
    let acks = say(&one, ann.handle().id(), "ann", "before").await;
    assert!(acks.is_ok());
    let name = user("ann");
    assert_eq!(two.chat.resumable(key, &name), None, "it has not heard of it");
    let resumes = async {
        assert!(two.chat.catch_up().await);
        two.chat.resumable(key, &name)
    };
    let mend = async {
        tokio::task::yield_now().await;
        two.link.cut(false);
    };
    assert_eq!(tokio::join!(resumes, mend).0, Some(None));
    let resuming = Resuming { key: Some(key), after: 0, only: true };
    let request = request(&name, None, Some(resuming));
    let (again, welcomed) = Seat::join(&two.chat, request).await.unwrap();
    let welcome = String::from_utf8_lossy(&welcomed.welcome.concat()).into_owned();
    assert!(welcome.contains("before") && welcome.contains(r#""RESUMED": true"#), "{welcome}");
    settled(&kit, &[&one, &two]).await;
    drop(ann);
    round(&one).await;
    settled(&kit, &[&one, &two]).await;
    let told = read(&cyd);
    assert_eq!(told.matches("ann").count(), 2, "joined once, said something once: {told}");
    assert!(!told.contains("USERS_LEFT"), "{told}");
    assert_eq!(again.handle().name(), Some(name));
    same(&[&one, &two]);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_node_that_can_not_catch_up_does_not_wait_for_ever() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    one.link.cut(true);
    assert!(!one.chat.catch_up().await);
    one.link.cut(false);
    assert!(one.chat.catch_up().await);
    // Of a node that is alone nobody waits for anything.
    let alone = crate::chat::opened::chat(Arc::new(Memory::default()));
    assert_eq!(alone.catch_up().now_or_never(), Some(true));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_bounded() {
    let kit = Kit::new();
    let one = kit.node("one").await;
    one.link.cut(true);
    // One group is under way, and does not come round.
    let under_way = one.chat.change(Proposal::Crowded(Vec::new()));
    let mut under_way = std::pin::pin!(under_way);
    assert!(under_way.as_mut().now_or_never().is_none());
    for _ in 0..10_000 {
        one.chat.announce_in(None, "tea");
    }
    one.link.cut(false);
    under_way.await.unwrap();
    round(&one).await;
    let groups = kit.engine.groups();
    let all = groups.iter().flat_map(|decided| &decided.group.proposals);
    let told = all.filter(|proposal| matches!(proposal, Proposal::Tell(_))).count();
    assert!((1..=512).contains(&told), "{told}");
}
