//! The hub against a naive model: every member sees exactly what happened while they were here, in one order.

use std::collections::HashMap;

use bytes::Bytes;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capabilities, Refusal, ServerFrame, limits};
use proptest::prelude::*;

use super::*;
use crate::delivery::{BATCH_BYTES, BATCH_EVENTS};
use crate::{Delivery, Filing, JoinError, JoinReply, JoinRequest, Laggards, MOVING};

mod blocks;
mod budget;
mod compressing;
mod devices;
mod elsewhere;
mod logins;
mod marks;
mod meta;
mod presence;
mod rings_and_runs;
mod room_accounts;
mod room_bounds;
mod room_hidden;
mod room_kit;
mod room_levels;
mod room_limit;
mod room_lobby;
mod room_model;
mod room_resuming;
mod room_sanctions;
mod room_shares;
mod room_states;
mod room_told;
mod rooms;
mod two_nodes;
mod views;
mod waiting_mail;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn hub() -> Hub {
    Hub::new(TimelineLimits::default(), Keep::default())
}

fn record(source: &str, recipient: Option<&str>, content: &str) -> Record {
    let destination =
        recipient.map_or(Destination::All, |recipient| Destination::User(name(recipient)));
    let entry = chatterbox_proto::Entry {
        source: source.into(),
        destination: recipient.unwrap_or("ALL").into(),
        timestamp: 1,
        content: content.into(),
    };
    Record {
        source: name(source),
        destination,
        json: entry.to_json().into(),
        arrived: 7,
        filing: Filing::default(),
        meta: None,
    }
}

fn apply(hub: &mut Hub, record: &Record) -> Wake {
    let id = hub.newest() + 1;
    hub.apply(id, record.clone())
}

impl Hub {
    /// A member of the base protocol.
    fn join(&mut self, name: &Username, info: &str) -> Result<JoinReply, JoinError> {
        self.admit(JoinRequest::base(name, info))
    }
}

/// Reserves room for a message of a sender whom nobody blocks, and gives it back at once.
fn reserve(hub: &mut Hub, to: &str, bytes: usize) -> Result<Username, Code> {
    let (recipient, name) = hub.reserve(MemberId(u64::MAX), &name(to), bytes)?;
    hub.release(recipient, bytes);
    Ok(name)
}

/// What a reader of one object is told, in the order of the norm (PB-2).
fn told(frame: ServerFrame) -> Vec<String> {
    let mut told = Vec::new();
    told.extend(frame.joined.iter().map(|name| format!("+{}", name.as_wire())));
    let keys = frame.keys.iter().flat_map(|keys| &keys.renamed);
    told.extend(keys.map(|(old, new)| format!("{}>{}", old.as_wire(), new.as_wire())));
    told.extend(frame.messages.into_iter().flatten().map(|entry| entry.content.into_owned()));
    told.extend(frame.left.iter().map(|name| format!("-{}", name.as_wire())));
    told.extend(frame.error.iter().map(|text| format!("!{}", text.as_wire())));
    told
}

fn read_frames<'a>(frames: impl IntoIterator<Item = &'a Bytes>) -> Vec<ServerFrame> {
    read_frames_as(Capabilities::NONE, frames)
}

/// Reads frames as somebody who agreed to these.
fn read_frames_as<'a>(
    agreed: Capabilities,
    frames: impl IntoIterator<Item = &'a Bytes>,
) -> Vec<ServerFrame> {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    let mut read = Vec::new();
    for frame in frames {
        decoder.push(frame);
        while let Some(body) = decoder.next_body().unwrap() {
            let (frame, notes) = ServerFrame::parse_as(&body, agreed).unwrap();
            assert_eq!(notes.into_vec(), [], "the server keeps to the norm");
            read.push(frame);
        }
    }
    assert_eq!(decoder.pending(), 0);
    read
}

fn take_all(hub: &mut Hub, id: MemberId) -> Vec<String> {
    let mut all = Vec::new();
    let agreed = hub.identity(id).and_then(|who| who.agreed).unwrap_or_default();
    loop {
        match hub.take(id) {
            Delivery::Frames { frames, .. } => {
                all.extend(read_frames_as(agreed, frames.frames()).into_iter().flat_map(told));
            }
            Delivery::UpToDate => return all,
            Delivery::Removed(why) => panic!("{why:?}"),
        }
    }
}

fn welcome_of(joined: &JoinReply) -> ServerFrame {
    let mut frames = read_frames(&joined.welcome.clone().assemble().unwrap());
    assert_eq!(frames.len(), 1);
    frames.pop().unwrap()
}

#[test]
fn a_refused_name_leaves_no_trace() {
    let mut hub = hub();
    let ann = hub.join(&name("ann"), "").unwrap();
    assert!(matches!(hub.join(&name("ANN"), ""), Err(JoinError::Refused(Refusal::Taken))));
    assert!(matches!(hub.take(ann.id), Delivery::UpToDate));
    assert_eq!(hub.members(), 1);
    // B12: what the refused connection does at its end must not touch the holder.
    assert_eq!(reserve(&mut hub, "Ann", 0).unwrap().as_str(), "ann");
}

#[test]
fn names_beyond_ascii_may_not_look_like_one_in_use() {
    let mut hub = hub();
    let scope = hub.join(&name("scope"), "").unwrap();
    let twin = name("ѕсоре");
    assert!(matches!(hub.join(&twin, ""), Err(JoinError::Refused(Refusal::LooksTaken))));
    let _ = hub.leave(scope.id);
    hub.join(&twin, "").unwrap();
    // An ASCII name is never refused for its look.
    hub.join(&name("scope"), "").unwrap();
    hub.join(&name("user1"), "").unwrap();
    hub.join(&name("userl"), "").unwrap();
}

#[test]
fn a_member_who_stops_reading_is_overtaken_alone() {
    let mut hub = Hub::new(TimelineLimits { events: 64, bytes: 1 << 20 }, Keep::default());
    let slow = hub.join(&name("slow"), "").unwrap().id;
    let fast = hub.join(&name("fast"), "").unwrap().id;
    take_all(&mut hub, slow);
    for number in 0..64 {
        let _ = apply(&mut hub, &record("fast", None, &number.to_string()));
        assert_eq!(take_all(&mut hub, fast), [number.to_string()]);
        assert_eq!(hub.evict_overtaken(0).overtaken, []);
    }
    let _ = apply(&mut hub, &record("fast", None, "one too many"));
    assert_eq!(hub.evict_overtaken(0), Laggards { overtaken: vec![slow], catching_up: false });
    assert!(matches!(hub.take(slow), Delivery::Removed(Removal::TooSlow)));
    assert_eq!(take_all(&mut hub, fast), ["one too many"]);
    assert_eq!(hub.leave(slow), Wake::AllSoon, "its connection has ended");
    assert_eq!(take_all(&mut hub, fast), ["-slow"]);
    assert_eq!(hub.leave(slow), Wake::Nobody, "gone is gone");
    assert_eq!(hub.removal(slow), None, "the connection has ended");
}

#[test]
fn only_those_who_are_reading_are_waited_for() {
    let mut hub = Hub::new(TimelineLimits { events: 64, bytes: 1 << 20 }, Keep::default());
    let slow = hub.join(&name("slow"), "").unwrap().id;
    for _ in 0..40 {
        let _ = apply(&mut hub, &record("fast", None, "x"));
    }
    assert!(hub.evict_overtaken(10).catching_up, "was just here");
    assert!(hub.evict_overtaken(10 + MOVING - 1).catching_up, "may be in the middle of a step");
    assert!(!hub.evict_overtaken(10 + MOVING).catching_up, "nothing moved since");
    hub.progressed(slow, 1, 1);
    assert!(hub.evict_overtaken(2 * MOVING).catching_up, "is in the middle of a batch");
    take_all(&mut hub, slow);
    assert!(!hub.evict_overtaken(2 * MOVING).catching_up, "has caught up");
}

#[test]
fn a_full_queue_refuses_senders_and_keeps_its_owner() {
    let mut hub = hub();
    let bob = hub.join(&name("bob"), "").unwrap().id;
    let whisper = record("ann", Some("bob"), "psst");
    let size = whisper.json.len();
    // Many may have reserved before one of them is stored.
    let mut reserved = 0;
    while hub.reserve(MemberId(u64::MAX), &name("bob"), size).is_ok() {
        reserved += 1;
        assert!(reserved < 100_000);
    }
    assert_eq!(reserve(&mut hub, "bob", 1), Err(Code::RecipientBusy));
    assert!(hub.has_room(bob, 1000), "what others send does not keep his own answers from him");
    // The last one could not be stored.
    for number in 1..=reserved {
        if number < reserved {
            let _ = apply(&mut hub, &whisper);
        }
        hub.release(bob, size);
    }
    assert!(reserve(&mut hub, "bob", size).is_ok(), "there is room for one more");
    let _ = apply(&mut hub, &whisper);
    assert_eq!(reserve(&mut hub, "bob", 1), Err(Code::RecipientBusy));
    assert_eq!(take_all(&mut hub, bob).len(), reserved);
    assert!(reserve(&mut hub, "bob", 1).is_ok());
    assert_eq!(hub.waiting(), 0);
}

#[test]
fn answers_that_are_not_read_leave_room_for_messages() {
    let mut hub = hub();
    let bob = hub.join(&name("bob"), "").unwrap().id;
    while hub.has_room(bob, 1000) {
        let _ = hub.tell(bob, Event::error(&"x".repeat(1000)));
        assert!(hub.waiting() < 1 << 20);
    }
    assert!(reserve(&mut hub, "bob", 1000).is_ok());
    // One event of any size fits an empty half.
    assert!(reserve(&mut hub, "bob", 10 << 20).is_ok());
    take_all(&mut hub, bob);
    assert!(hub.has_room(bob, 10 << 20));
}

#[test]
fn a_member_far_behind_gets_everything_in_bounded_batches() {
    let mut hub = hub();
    let bob = hub.join(&name("bob"), "").unwrap().id;
    let mut expected = Vec::new();
    for number in 0..5000 {
        let text = format!("{number}{}", "x".repeat(number % 300));
        let to = (number % 7 == 0).then_some("bob");
        let _ = apply(&mut hub, &record("ann", to, &text));
        expected.push(text);
    }
    let mut seen = Vec::new();
    while let Delivery::Frames { frames: batch, .. } = hub.take(bob) {
        assert!(batch.frames().iter().map(Bytes::len).sum::<usize>() < 2 * BATCH_BYTES);
        let before = seen.len();
        seen.extend(read_frames(batch.frames()).into_iter().flat_map(told));
        assert!(seen.len() - before <= BATCH_EVENTS);
    }
    assert_eq!(seen, expected);
}

#[test]
fn receivers_at_the_same_place_share_the_same_bytes() {
    let mut hub = hub();
    let ids: Vec<_> =
        ["a", "b", "c"].map(|text| hub.join(&name(text), "").unwrap().id).into_iter().collect();
    for id in &ids {
        take_all(&mut hub, *id);
    }
    let _ = apply(&mut hub, &record("a", None, "x"));
    let batches: Vec<_> = ids
        .iter()
        .map(|id| match hub.take(*id) {
            Delivery::Frames { frames, .. } => frames,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(
        batches.iter().all(|batch| batch.frames()[0].as_ptr() == batches[0].frames()[0].as_ptr())
    );
}

#[derive(Debug, Clone)]
enum Step {
    Join(usize),
    Leave(usize),
    Say(usize),
    Whisper(usize, usize),
    Tell(usize),
    Take(usize),
}

const NAMES: [&str; 5] = ["ann", "bob", "cyd", "dan", "eve"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..NAMES.len();
    let step = prop_oneof![
        1 => who.clone().prop_map(Step::Join),
        1 => who.clone().prop_map(Step::Leave),
        4 => who.clone().prop_map(Step::Say),
        2 => (who.clone(), who.clone()).prop_map(|(from, to)| Step::Whisper(from, to)),
        1 => who.clone().prop_map(Step::Tell),
        2 => who.prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..120)
}

/// What ought to be: a list per member, and one of everything said.
#[derive(Default)]
struct Model {
    expected: HashMap<usize, Vec<String>>,
    /// To whom, and what.
    said: Vec<(Option<usize>, String)>,
    order: Vec<usize>,
}

impl Model {
    fn tell_others(&mut self, who: usize, text: &str) {
        for (other, list) in &mut self.expected {
            if *other != who {
                list.push(text.to_owned());
            }
        }
    }
}

proptest! {
    #[test]
    fn everybody_sees_what_happened_while_here(steps in steps()) {
        let mut hub = hub();
        let mut model = Model::default();
        let mut ids: HashMap<usize, MemberId> = HashMap::new();
        for (number, step) in steps.into_iter().enumerate() {
            let text = number.to_string();
            match step {
                Step::Join(who) => {
                    let outcome = hub.join(&name(NAMES[who]), "hi");
                    prop_assert_eq!(outcome.is_ok(), !ids.contains_key(&who));
                    let Ok(joined) = outcome else { continue };
                    model.tell_others(who, &format!("+{}", NAMES[who]));
                    model.expected.insert(who, vec![]);
                    model.order.push(who);
                    let welcome = welcome_of(&joined);
                    prop_assert_eq!(welcome.accepted, Some(true));
                    let users: Vec<_> = welcome.user_list.unwrap();
                    let users: Vec<_> = users.iter().map(|user| user.as_wire()).collect();
                    let expected: Vec<_> = model.order.iter().map(|who| NAMES[*who]).collect();
                    prop_assert_eq!(users, expected);
                    let history: Vec<_> =
                        welcome.messages.unwrap().into_iter().map(|m| m.content.into_owned()).collect();
                    let expected: Vec<_> = model
                        .said
                        .iter()
                        .filter(|(to, _)| to.is_none_or(|to| to == who))
                        .map(|(_, text)| text.clone())
                        .collect();
                    prop_assert_eq!(history, expected);
                    ids.insert(who, joined.id);
                }
                Step::Leave(who) => {
                    let Some(id) = ids.remove(&who) else { continue };
                    let _ = hub.leave(id);
                    model.expected.remove(&who);
                    model.order.retain(|other| *other != who);
                    model.tell_others(who, &format!("-{}", NAMES[who]));
                }
                Step::Say(who) => {
                    let _ = apply(&mut hub, &record(NAMES[who], None, &text));
                    model.tell_others(usize::MAX, &text);
                    model.said.push((None, text));
                }
                Step::Whisper(from, to) => {
                    prop_assert_eq!(reserve(&mut hub, NAMES[to], 9).is_ok(), ids.contains_key(&to));
                    let _ = apply(&mut hub, &record(NAMES[from], Some(NAMES[to]), &text));
                    if let Some(list) = model.expected.get_mut(&to) {
                        list.push(text.clone());
                    }
                    model.said.push((Some(to), text));
                }
                Step::Tell(who) => {
                    let Some(id) = ids.get(&who) else { continue };
                    let _ = hub.tell(*id, Event::error(&text));
                    model.expected.get_mut(&who).unwrap().push(format!("!{text}"));
                }
                Step::Take(who) => {
                    let Some(id) = ids.get(&who) else { continue };
                    let expected = std::mem::take(model.expected.get_mut(&who).unwrap());
                    prop_assert_eq!(take_all(&mut hub, *id), expected);
                }
            }
        }
        for (who, id) in ids {
            prop_assert_eq!(take_all(&mut hub, id), model.expected.remove(&who).unwrap());
        }
    }
}

#[test]
fn what_a_name_looks_like_is_worked_out_once_for_all_that_the_hub_has() {
    let mut hub = hub();
    let wanted = Username::parse(&"\u{fdfa}".repeat(32)).unwrap();
    let request = JoinRequest::base(&wanted, "hi");
    let [known, ..] = wanted.looks();
    // The copies that the hub has are of this name, so nothing is worked out again when it comes or goes.
    assert!(std::ptr::eq(request.identity.name.looks()[0], known));
    let id = hub.admit(request).unwrap().id;
    assert!(std::ptr::eq(hub.name_of(id).unwrap().looks()[0], known));
    let _ = hub.leave(id);
}
