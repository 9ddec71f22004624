//! Several connections of one account under one name (DV-1, DV-2).

use std::collections::BTreeMap;

use chatterbox_proto::{Capabilities, Capability};

mod cut_off;

use super::*;
use crate::freezing::tests::thawed;
use crate::{
    AccountChange, AccountChangeKind, AccountKey, Amendment, BlockLists, Group, Identity,
    Incarnation, Level, LoggedIn, Login, Party, Proposal, ReadIn, Rename, Resuming, Say,
    SessionKey, Up,
};

const DEVICES: &[Capability] =
    &[Capability::Accounts, Capability::Devices, Capability::Ids, Capability::Rename];
const ALONE: &[Capability] = &[Capability::Accounts, Capability::Ids, Capability::Rename];

fn account(id: i64, text: &str) -> Option<LoggedIn> {
    Some(LoggedIn { account: name(text), account_key: AccountKey { id, epoch: 0 } })
}

fn ann() -> Option<LoggedIn> {
    account(7, "ann")
}

/// A device that has come in.
struct Device {
    id: MemberId,
    welcome: ServerFrame,
    session: Option<SessionKey>,
}

fn come_as(
    hub: &mut Hub,
    text: &str,
    login: Option<LoggedIn>,
    speaks: &[Capability],
    resume: Option<(SessionKey, u64)>,
) -> Result<Device, JoinError> {
    let resume = resume.map(|(key, after)| Resuming { key: Some(key), after, only: false });
    come_with(hub, text, login, speaks, resume)
}

fn come_with(
    hub: &mut Hub,
    text: &str,
    login: Option<LoggedIn>,
    speaks: &[Capability],
    resume: Option<Resuming>,
) -> Result<Device, JoinError> {
    let agreed: Capabilities = speaks.iter().copied().collect();
    let level = if login.is_some() { Level::USER } else { Level::GUEST };
    let (since, agreed_to) = (i64::try_from(hub.now).unwrap(), Some(agreed));
    let identity =
        Identity { login, level, since, agreed: agreed_to, ..Identity::guest(name(text)) };
    let request = JoinRequest {
        identity,
        extra: br#""CAPABILITIES": """#,
        resume,
        random: 5,
        ..JoinRequest::base(&name(text), "hi")
    };
    let reply = hub.admit(request)?;
    let welcome = reply.welcome.assemble().unwrap().concat();
    let welcome = ServerFrame::parse_as(&welcome[4..], agreed).unwrap().0;
    let token = welcome.keys.as_ref().and_then(|keys| keys.resume.clone());
    let session = token.and_then(|token| SessionKey::parse(token.as_wire()));
    Ok(Device { id: reply.id, welcome, session })
}

fn come(hub: &mut Hub, text: &str, login: Option<LoggedIn>) -> Device {
    come_as(hub, text, login, DEVICES, None).unwrap()
}

fn refused(hub: &mut Hub, text: &str, login: Option<LoggedIn>, speaks: &[Capability]) -> Refusal {
    match come_as(hub, text, login, speaks, None) {
        Err(JoinError::Refused(refusal)) => refusal,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("let in"),
    }
}

/// Says something as one device does; gives its number.
fn say(hub: &mut Hub, by: MemberId, to: Option<&str>, text: &str) -> u64 {
    let number = hub.newest() + 1;
    let source = hub.name_of(by).unwrap().clone();
    let mut records = [record(source.as_str(), to, text)];
    let to = to.and_then(|to| hub.find(&name(to)).map(|(_, identity)| identity.party()));
    records[0].filing.to = to;
    hub.file_from(by, &mut records);
    let [record] = records;
    let say = Say { member: by, number, tag: None, record };
    let applied = hub.step(Incarnation::default(), Proposal::Say(say), None);
    assert!(applied.outcome.is_ok(), "{applied:?}");
    number
}

/// What waits for a device, as it is written.
fn written(hub: &mut Hub, id: MemberId) -> String {
    let mut all = String::new();
    while let Delivery::Frames { frames, .. } = hub.take(id) {
        frames.frames().iter().for_each(|frame| all += &String::from_utf8_lossy(frame));
    }
    all
}

fn users(welcome: &ServerFrame) -> Vec<&str> {
    welcome.user_list.iter().flatten().map(|name| name.as_wire()).collect()
}

fn texts(welcome: &ServerFrame) -> Vec<&str> {
    welcome.messages.iter().flatten().map(|entry| &*entry.content).collect()
}

#[test]
fn a_second_device_is_the_same_user_and_nobody_notices() {
    let mut hub = hub();
    let bob = hub.join(&name("bob"), "").unwrap().id;
    hub.tick(5);
    let one = come(&mut hub, "ann", ann());
    assert_eq!(take_all(&mut hub, bob), ["+ann"]);
    hub.tick(9);
    let two = come(&mut hub, "ANN", ann());
    assert_eq!(users(&two.welcome), ["bob", "ann"], "one entry, as it is spelt");
    assert_eq!((take_all(&mut hub, bob), take_all(&mut hub, one.id)), (vec![], vec![]));
    assert_eq!((hub.members(), hub.users().count()), (2, 2));
    assert_eq!(hub.identity(two.id).map(|who| who.since), Some(5), "since the user is here");
    // Whichever goes first: the name is in use until the last one has gone.
    let _ = hub.leave(one.id);
    assert_eq!(take_all(&mut hub, bob), [""; 0]);
    assert_eq!(refused(&mut hub, "ann", None, ALONE), Refusal::Taken);
    let three = come(&mut hub, "ann", ann());
    assert_eq!(users(&three.welcome), ["bob", "ann"]);
    let _ = hub.leave(two.id);
    assert_eq!(hub.who(&name("ann")), Some(three.id));
    let _ = hub.leave(three.id);
    assert_eq!(take_all(&mut hub, bob), ["-ann"]);
    assert_eq!((hub.who(&name("ann")), hub.members()), (None, 1));
}

#[test]
fn without_the_account_or_without_devices_at_both_ends_the_name_is_taken() {
    let mut hub = hub();
    let one = come(&mut hub, "ann", ann());
    for (login, speaks) in [(None, DEVICES), (account(8, "eve"), DEVICES), (ann(), ALONE)] {
        assert_eq!(refused(&mut hub, "ann", login, speaks), Refusal::Taken);
    }
    let base = hub.join(&name("ann"), "");
    assert!(matches!(base, Err(JoinError::Refused(Refusal::Taken))));
    let _ = hub.leave(one.id);
    come_as(&mut hub, "ann", ann(), ALONE, None).unwrap();
    assert_eq!(refused(&mut hub, "ann", ann(), DEVICES), Refusal::Taken);
}

#[test]
fn there_are_five_at_most() {
    let mut hub = hub();
    let all: Vec<_> = (0..limits::DEVICES).map(|_| come(&mut hub, "ann", ann())).collect();
    assert_eq!(refused(&mut hub, "ann", ann(), DEVICES), Refusal::TooManyDevices);
    // One that resumes takes the place of its own connection, and is none more.
    let again = all[1].session.map(|key| (key, 0));
    let again = come_as(&mut hub, "ann", ann(), DEVICES, again).unwrap();
    assert!(hub.removal(all[1].id).is_some() && hub.removal(all[0].id).is_none());
    assert_eq!(refused(&mut hub, "ann", ann(), DEVICES), Refusal::TooManyDevices);
    let _ = hub.leave(again.id);
    come(&mut hub, "ann", ann());
}

#[test]
fn each_device_has_every_private_message_once() {
    let mut hub = hub();
    let (one, two) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    let (bob, rob) = (account(8, "bob"), account(8, "bob"));
    let (bob, rob) = (come(&mut hub, "bob", bob), come(&mut hub, "bob", rob));
    let all = [one.id, two.id, bob.id, rob.id];
    for id in all {
        take_all(&mut hub, id);
    }
    let told = |hub: &mut Hub| all.map(|id| take_all(hub, id));
    say(&mut hub, one.id, Some("bob"), "hi");
    let hi = || vec!["hi".to_owned()];
    assert_eq!(told(&mut hub), [vec![], hi(), hi(), hi()], "not to the one that said it");
    say(&mut hub, two.id, Some("ann"), "hi");
    let (first, second, ..) = (take_all(&mut hub, one.id), take_all(&mut hub, two.id));
    assert_eq!((first, second), (hi(), vec![]));
    say(&mut hub, two.id, None, "hi");
    assert_eq!(told(&mut hub), [hi(), hi(), hi(), hi()]);
    // What goes to who is not here comes to the sender's other devices all the same.
    let _ = (hub.leave(bob.id), hub.leave(rob.id));
    for id in [one.id, two.id] {
        take_all(&mut hub, id);
    }
    say(&mut hub, one.id, Some("bob"), "hi");
    assert_eq!((take_all(&mut hub, one.id), take_all(&mut hub, two.id)), (vec![], hi()));
}

#[test]
fn welcomes_and_resumes_have_what_the_user_sent_privately() {
    let mut hub = hub();
    come(&mut hub, "bob", account(8, "bob"));
    let one = come(&mut hub, "ann", ann());
    say(&mut hub, one.id, Some("bob"), "a");
    let last = say(&mut hub, one.id, None, "b");
    say(&mut hub, one.id, Some("bob"), "c");
    say(&mut hub, one.id, Some("ann"), "d");
    let two = come(&mut hub, "ann", ann());
    assert_eq!(texts(&two.welcome), ["a", "b", "c", "d"], "and each once");
    let _ = hub.leave(two.id);
    say(&mut hub, one.id, Some("bob"), "e");
    let again = two.session.map(|key| (key, last));
    let again = come_as(&mut hub, "ann", ann(), DEVICES, again).unwrap();
    assert_eq!(again.welcome.keys.as_ref().and_then(|keys| keys.resumed), Some(true));
    assert_eq!(texts(&again.welcome), ["c", "d", "e"]);
    let _ = (hub.leave(one.id), hub.leave(again.id));
    let alone = come_as(&mut hub, "ann", ann(), ALONE, None).unwrap();
    assert_eq!(
        texts(&alone.welcome),
        ["b", "d"],
        "who does not speak of devices has no more than before"
    );
}

#[test]
fn a_session_is_not_resumed_over_private_messages_that_are_not_kept_any_more() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep { messages: 64, bytes: 1 << 20 });
    come(&mut hub, "bob", account(8, "bob"));
    let (one, two) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    let last = say(&mut hub, one.id, None, "b");
    let _ = hub.leave(two.id);
    for _ in 0..64 {
        say(&mut hub, one.id, Some("bob"), "x");
    }
    let again = two.session.map(|key| (key, last));
    let again = come_as(&mut hub, "ann", ann(), DEVICES, again).unwrap();
    assert_eq!(again.welcome.keys.as_ref().and_then(|keys| keys.resumed), Some(false));
}

#[test]
fn a_name_a_list_and_being_away_are_of_all_devices() {
    let mut hub = hub();
    let eve = come(&mut hub, "eve", None);
    let (one, two) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    hub.set_blocked(two.id, vec![name("eve")]);
    for id in [one.id, two.id] {
        assert_eq!(hub.blocked(id), [name("eve")]);
        assert!(hub.filter(id).hidden.contains(&name("eve")));
    }
    let late = come(&mut hub, "ann", ann());
    assert_eq!(hub.blocked(late.id), [name("eve")], "whatever was read of it before");
    hub.set_blocked(one.id, Vec::new());
    assert!(hub.filter(late.id).is_empty());
    // A list of somebody else concerns each device, not the first alone.
    hub.set_blocked(eve.id, vec![name("ann")]);
    for id in [one.id, two.id, late.id] {
        assert!(hub.shared_filter(id).hidden.contains(&name("eve")));
    }
    hub.set_blocked(eve.id, Vec::new());
    hub.set_away(two.id, Some("lunch"));
    let away = |hub: &Hub, id| hub.identity(id).unwrap().away.as_deref().map(str::to_owned);
    assert_eq!(away(&hub, one.id).as_deref(), Some("lunch"));
    let again = come(&mut hub, "ann", ann());
    assert_eq!(away(&hub, again.id).as_deref(), Some("lunch"), "who comes is as they are");
    say(&mut hub, one.id, None, "back");
    assert_eq!(away(&hub, two.id), None, "a message of any of them ends it");
    let _ = hub.leave(one.id);
    for id in [eve.id, two.id] {
        take_all(&mut hub, id);
    }
    let rename = Rename { name: name("annie"), owns: false, blocked_by: vec![], now: 0 };
    let applied = hub.step(Incarnation::default(), Proposal::Rename(two.id, rename), None);
    assert_eq!(applied.renamed, [two.id, late.id, again.id]);
    assert_eq!(take_all(&mut hub, eve.id), ["ann>annie"], "once");
    assert_eq!(hub.name_of(late.id), Some(&name("annie")));
    assert_eq!(hub.who(&name("ann")), None);
    let _ = hub.leave(late.id);
    let key = late.session.map(|key| (key, 0));
    let late = come_as(&mut hub, "annie", ann(), DEVICES, key).unwrap();
    assert_eq!(late.welcome.keys.as_ref().and_then(|keys| keys.resumed), Some(true));
    assert_eq!(take_all(&mut hub, eve.id), [""; 0], "and the others see nothing of it");
}

#[test]
fn a_device_that_logs_out_can_not_be_resumed_and_the_others_stay() {
    let mut hub = hub();
    let (one, two) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    hub.amend(one.id, Amendment { login: Some(Login::Out), ..Amendment::default() });
    assert_eq!((hub.name_of(one.id), hub.who(&name("ann"))), (None, Some(two.id)), "at once");
    // The answer to its command comes to it all the same.
    assert!(hub.removal(one.id).is_none());
    let _ = hub.tell(one.id, Event::error("bye"));
    assert_eq!(take_all(&mut hub, one.id), ["!bye"]);
    let _ = hub.leave(one.id);
    assert_eq!(hub.resumable(one.session.unwrap(), &name("ann")), None);
    assert!(hub.identity(two.id).unwrap().login.is_some());
    let kind = AccountChangeKind::LoginsEnded { epoch: 1, spared: Some(two.id) };
    come(&mut hub, "ann", ann());
    let ended = hub.change_account(&AccountChange { account: 7, name: name("ann"), kind });
    assert_eq!((ended.len(), hub.members()), (1, 1), "the others are logged out elsewhere");
    assert_eq!(hub.who(&name("ann")), Some(two.id));
}

#[test]
fn it_is_enough_that_one_device_has_room() {
    let mut hub = hub();
    let (one, two) = (come(&mut hub, "ann", ann()), come(&mut hub, "ann", ann()));
    come(&mut hub, "bob", account(8, "bob"));
    let bob = hub.who(&name("bob")).unwrap();
    // The second one reads, the first does not.
    let mut said = 0;
    while hub.removal(one.id).is_none() {
        let (to, _) = hub.reserve(bob, &name("ann"), 5).unwrap();
        say(&mut hub, bob, Some("ann"), "x");
        hub.release(to, 5);
        said += 1;
        assert!(said < 10_000);
        take_all(&mut hub, two.id);
    }
    let _ = hub.leave(one.id);
    // Where nobody reads, the sender has to wait, as for one.
    come(&mut hub, "ann", ann());
    let full = loop {
        match hub.reserve(bob, &name("ann"), 5) {
            Ok((to, _)) => {
                say(&mut hub, bob, Some("ann"), "x");
                hub.release(to, 5);
            }
            Err(code) => break code,
        }
        said += 1;
        assert!(said < 20_000);
    };
    assert_eq!(full, Code::RecipientBusy);
}

#[test]
fn devices_at_two_nodes_are_one_user() {
    let mut nodes = [1, 2].map(|life| {
        let mut hub = hub();
        hub.serves(Incarnation(life));
        hub
    });
    let mut numbers = BTreeMap::from([(1, 0), (2, 0)]);
    let mut place = 0;
    let mut offer = |nodes: &mut [Hub; 2], from: u64, proposal: Proposal| {
        let number = numbers.get_mut(&from).unwrap();
        *number += 1;
        let from = Incarnation(from);
        let mut group = Group { from, number: *number, proposals: vec![proposal] };
        place += 1;
        group.number_by_place(place);
        let mut who = None;
        for (hub, life) in nodes.iter_mut().zip([1, 2]) {
            assert!(hub.begin(&group, 0));
            let greeting = crate::Greeting {
                info: "",
                extra: br#""X": 1"#,
                after: None,
                recent: None,
                marks: &[],
                device: None,
                zstd: false,
                secrets: Default::default(),
            };
            let greeting = Some(greeting).filter(|_| Incarnation(life) == from);
            let applied = hub.step(from, group.proposals[0].clone(), greeting);
            if let Ok(crate::Outcome::Welcomed(reply)) = applied.outcome {
                who = Some(reply.id);
            }
        }
        assert_eq!(nodes[0].digest(), nodes[1].digest());
        who
    };
    for life in [1, 2] {
        offer(&mut nodes, life, Proposal::Up(Up::default()));
    }
    let join = |text: &str, login| {
        let identity = Identity {
            login,
            level: Level::USER,
            agreed: Some(DEVICES.iter().copied().chain([Capability::Marks]).collect()),
            ..Identity::guest(name(text))
        };
        let lists = BlockLists::default();
        let request = JoinRequest { identity, lists, ..JoinRequest::base(&name(text), "") };
        Proposal::Join(Box::new(request.into_parts().0))
    };
    let bob = offer(&mut nodes, 1, join("bob", account(8, "bob"))).unwrap();
    let one = offer(&mut nodes, 1, join("ann", ann())).unwrap();
    let two = offer(&mut nodes, 2, join("ann", ann())).unwrap();
    assert_eq!(take_all(&mut nodes[0], bob), ["+ann"]);
    let whisper = |by: MemberId, from: &str, to: &str, party| {
        let mut record = record(from, Some(to), "psst");
        record.filing.to = Some(party);
        Proposal::Say(Say { member: by, number: 0, tag: None, record })
    };
    offer(&mut nodes, 2, whisper(two, "ann", "bob", Party::Account(8)));
    assert_eq!(take_all(&mut nodes[0], bob), ["psst"]);
    assert_eq!(take_all(&mut nodes[0], one), ["psst"]);
    assert_eq!(take_all(&mut nodes[1], two), [""; 0]);
    offer(&mut nodes, 1, whisper(bob, "bob", "ann", Party::Account(7)));
    assert_eq!(take_all(&mut nodes[0], one), ["psst"]);
    assert_eq!(take_all(&mut nodes[1], two), ["psst"]);
    thawed(&nodes[0].replica);
    // What is read at one node is told at the other, and to nobody else.
    let record = record("bob", None, "to all");
    offer(&mut nodes, 1, Proposal::Say(Say { member: bob, number: 0, tag: None, record }));
    for (node, id) in [(0, bob), (0, one), (1, two)] {
        assert!(written(&mut nodes[node], id).contains("to all"));
    }
    let newest = nodes[0].newest();
    nodes[0].read_up_to(one, ReadIn::Lobby, u64::MAX);
    let marks = nodes[0].take_marks();
    assert!(marks.iter().any(|mark| (mark.by, mark.upto) == (one, newest)), "{marks:?}");
    offer(&mut nodes, 1, Proposal::Read(marks));
    let told = written(&mut nodes[1], two);
    assert!(told.contains("READ") && told.contains(&newest.to_string()), "{told}");
    assert_eq!((written(&mut nodes[0], bob), written(&mut nodes[0], one)), Default::default());
    // A node that ends takes its devices with it, and no more.
    offer(&mut nodes, 2, Proposal::Down(Incarnation(1)));
    assert_eq!(nodes[1].who(&name("ann")), Some(two));
    assert_eq!(take_all(&mut nodes[1], two), ["-bob"]);
}
