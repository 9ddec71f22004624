//! Whatever a member agreed to, it can tell the same story: views, renames, cut and resumed sessions against a naive
//! model.

use chatterbox_proto::capability::meta::Meta;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use chatterbox_proto::capability::utf8;
use chatterbox_proto::{Capabilities, Capability};

use super::*;
use crate::{
    AccountKey, Amendment, BlockLists, Identity, LoggedIn, Login, RecordMeta, Rename, Resuming,
    SessionKey, View,
};

#[derive(Debug, Clone)]
enum Step {
    /// With a view, and the number of messages of a short welcome.
    Join(usize, usize, Option<u16>),
    Leave(usize),
    /// Goes on with its session, on a connection that is still there or after its end.
    Resume(usize),
    Rename(usize, usize),
    Say(usize),
    Whisper(usize, usize),
    Announce,
    Take(usize),
}

const USERS: usize = 4;
const SPARE: [&str; 4] = ["spare", "other", "\u{e9}ve", "a\\\"b"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..USERS;
    let step = prop_oneof![
        2 => (who.clone(), 0..View::COUNT, prop::option::of(0..6_u16))
            .prop_map(|(who, view, recent)| Step::Join(who, view, recent)),
        1 => who.clone().prop_map(Step::Leave),
        2 => who.clone().prop_map(Step::Resume),
        2 => (who.clone(), 0..SPARE.len()).prop_map(|(who, name)| Step::Rename(who, name)),
        4 => who.clone().prop_map(Step::Say),
        2 => (who.clone(), who.clone()).prop_map(|(from, to)| Step::Whisper(from, to)),
        1 => Just(Step::Announce),
        2 => who.prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..100)
}

pub(super) fn agreed(view: usize) -> Capabilities {
    let text = [Capability::Ids, Capability::Rename, Capability::Utf8];
    let told = [Capability::Notices, Capability::Presence, Capability::Meta];
    let all = text.into_iter().chain(told);
    let bits = all.enumerate().filter(|(bit, _)| view >> bit & 1 == 1);
    bits.map(|(_, capability)| capability).collect()
}

/// One user, as it ought to be.
struct User {
    name: String,
    agreed: Capabilities,
    here: Option<MemberId>,
    key: Option<SessionKey>,
    /// What it is going to be told.
    expected: Vec<String>,
    /// The newest number that it has seen.
    last: Sequence,
}

#[derive(Default)]
struct Model {
    users: Vec<User>,
    /// Number, to which name, text.
    said: Vec<(Sequence, Option<String>, String)>,
}

impl Model {
    fn tell(&mut self, except: Option<usize>, text: &str) {
        for (place, user) in self.users.iter_mut().enumerate() {
            if user.here.is_some() && Some(place) != except {
                user.expected.push(text.to_owned());
            }
        }
    }

    fn is_taken(&self, name: &str) -> bool {
        self.users.iter().any(|user| user.here.is_some() && user.name == name)
    }

    /// The history of somebody, and whether older messages than the newest so many are left out.
    fn history(&self, name: &str, after: Sequence, newest: Option<u16>) -> (Vec<String>, bool) {
        let mine = self
            .said
            .iter()
            .filter(|(id, to, _)| *id > after && to.as_ref().is_none_or(|to| to == name));
        let mut all: Vec<_> = mine.map(|(id, _, text)| format!("#{id} {text}")).collect();
        let beyond = newest.map_or(0, |newest| all.len().saturating_sub(newest.into()));
        (all.split_off(beyond), beyond > 0)
    }
}

/// When a message was taken. The clock jumps.
fn time_of(id: Sequence) -> i64 {
    let time = 1_700_000_000 + i64::try_from(id).unwrap();
    match id % 5 {
        0 => -time,
        1 => i64::MAX - time,
        _ => time,
    }
}

/// Something goes with every third message.
fn meta_of(id: Sequence) -> Option<std::sync::Arc<RecordMeta>> {
    let mentions = ["\u{e9}ve".to_owned()];
    id.is_multiple_of(3).then(|| RecordMeta::new(Some(id), &mentions, None, None)).flatten()
}

fn said(id: Sequence, source: &str, recipient: Option<&str>, text: &str) -> Record {
    Record { arrived: time_of(id), meta: meta_of(id), ..record(source, recipient, text) }
}

/// What everybody is told, in both forms.
fn announcement(text: &str) -> Event {
    let tuple = record("x", None, text).json;
    let notice = NewNotice::new(NoticeCode::Announcement, text);
    Event::announcement(tuple, notice.to_json().into())
}

/// What a reader of frames is told; numbers are put before messages where they are known.
fn read_story<'a>(
    frames: impl IntoIterator<Item = &'a Bytes>,
    known: Capabilities,
    numbers: &Model,
) -> (Vec<String>, Sequence) {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    let (mut story, mut last) = (Vec::new(), 0);
    for frame in frames {
        decoder.push(frame);
        while let Some(body) = decoder.next_body().unwrap() {
            assert!(known.has(Capability::Utf8) || body.is_ascii());
            let (frame, notes) = ServerFrame::parse_as(&body, known).unwrap();
            assert_eq!(notes.into_vec(), []);
            let keys = frame.keys.unwrap_or_default();
            story.extend(frame.joined.iter().map(|name| format!("+{}", name.as_wire())));
            for (old, new) in &keys.renamed {
                story.extend([format!("-{}", old.as_wire()), format!("+{}", new.as_wire())]);
            }
            let messages = frame.messages.unwrap_or_default();
            assert_eq!(keys.ids.as_ref().map_or(messages.len(), Vec::len), messages.len());
            assert_eq!(keys.times.as_ref().map(Vec::len), keys.ids.as_ref().map(Vec::len));
            let anything = keys.meta.as_ref().is_none_or(|all| all.iter().any(Option::is_some));
            assert!(anything && (keys.meta.is_none() || known.has(Capability::Meta)));
            assert!(keys.meta.as_ref().is_none_or(|all| all.len() == messages.len()));
            for (place, entry) in messages.iter().enumerate() {
                if entry.content.starts_with("announced") {
                    assert!(!known.has(Capability::Notices));
                    assert!(keys.ids.as_ref().is_none_or(|ids| ids[place].is_none()));
                    assert!(keys.times.as_ref().is_none_or(|times| times[place].is_none()));
                    story.push(format!("* {}", entry.content));
                    continue;
                }
                let said = numbers.said.iter().find(|(.., text)| *text == entry.content).unwrap();
                if let Some(ids) = &keys.ids {
                    assert_eq!(ids[place], Some(said.0));
                }
                if known.has(Capability::Meta) {
                    let told = keys.meta.as_ref().and_then(|all| all[place].as_ref());
                    assert_eq!(told.is_some(), meta_of(said.0).is_some());
                    let is_right = |meta: &Meta| {
                        meta.reply == Some(said.0) && meta.mentions[0].as_wire() == "\u{e9}ve"
                    };
                    assert!(told.is_none_or(|meta| is_right(meta)));
                }
                if let Some(times) = &keys.times {
                    assert_eq!(times[place], Some(time_of(said.0)));
                }
                last = last.max(said.0);
                story.push(format!("#{} {}", said.0, entry.content));
            }
            for notice in &keys.notices {
                story.push(format!("* {}", notice.info.as_ref().unwrap().as_wire()));
            }
            story.extend(frame.left.iter().map(|name| format!("-{}", name.as_wire())));
        }
    }
    (story, last)
}

fn check_taken(hub: &mut Hub, model: &mut Model, who: usize) {
    let Some(id) = model.users[who].here else { return };
    let mut frames = Vec::new();
    while let Delivery::Frames { frames: some, .. } = hub.take(id) {
        frames.extend(some.frames().iter().cloned());
    }
    let (story, last) = read_story(&frames, model.users[who].agreed, model);
    let user = &mut model.users[who];
    assert_eq!(story, std::mem::take(&mut user.expected), "{}", user.agreed);
    user.last = user.last.max(last);
}

fn come(hub: &mut Hub, model: &mut Model, who: usize, resume: bool, recent: Option<u16>) {
    let user = &model.users[who];
    let (name_text, known) = (user.name.clone(), user.agreed);
    let wanted = name(&name_text);
    let key = user.key.filter(|_| resume);
    // A connection without numbers resumes nothing, whatever key its user still has of another one.
    let key = key.filter(|_| known.has(Capability::Ids));
    let resumes = key.is_some_and(|key| hub.resumable(key, &wanted).is_some());
    let replaces = resumes && user.here.is_some();
    let after = if resumes { user.last } else { 0 };
    let request = JoinRequest {
        identity: Identity {
            agreed: (!known.is_empty()).then_some(known),
            ..Identity::guest(wanted.clone())
        },
        extra: br#""CAPABILITIES": """#,
        resume: resume.then_some(Resuming { key, after: user.last, only: false }),
        random: 5,
        recent,
        ..JoinRequest::base(&wanted, "hi")
    };
    let taken = model.is_taken(&name_text) && !replaces;
    let joined = match hub.admit(request) {
        Ok(joined) => joined,
        Err(error) => return assert!(taken, "{error}"),
    };
    assert!(!taken);
    assert_eq!(joined.replaced, model.users[who].here.filter(|_| replaces));
    if !replaces {
        model.tell(Some(who), &format!("+{name_text}"));
    }
    let mut welcome = joined.welcome.assemble().unwrap();
    if known.has(Capability::Utf8) {
        // As whoever writes them does.
        for piece in &mut welcome {
            *piece = utf8::unescaped(piece).into_owned().into();
        }
    }
    // A session that goes on, and who offered nothing, get all of it.
    let recent = recent.filter(|_| !known.is_empty() && !resumes);
    let known = recent.map_or(known, |_| known.with(Capability::Recent));
    let read = ServerFrame::parse_as(&welcome.concat()[4..], known).unwrap().0;
    let keys = read.keys.unwrap_or_default();
    let mut here: Vec<_> = hub.users().map(|user| user.name.to_string()).collect();
    here.sort_unstable();
    let told: Vec<_> = keys.presence.iter().map(|user| user.name.as_wire().to_owned()).collect();
    let expected = if known.has(Capability::Presence) { here } else { Vec::new() };
    assert_eq!(told, expected, "everybody once (PR-1)");
    let (story, last) = read_story(&welcome, known, model);
    let (expected, more) = model.history(&name_text, after, recent);
    assert_eq!((story, keys.more), (expected, recent.map(|_| more)));
    assert_eq!(keys.resumed, (resume && known.has(Capability::Ids)).then_some(resumes));
    let user = &mut model.users[who];
    user.here = Some(joined.id);
    user.expected = Vec::new();
    user.last = user.last.max(last);
    user.key = keys.resume.and_then(|token| SessionKey::parse(token.as_wire()));
}

proptest! {
    #[test]
    fn everybody_tells_the_same_story(steps in steps()) {
        let mut hub = hub();
        let mut model = Model::default();
        for text in &NAMES[..USERS] {
            let (name, agreed) = ((*text).to_owned(), Capabilities::NONE);
            let user = User { name, agreed, here: None, key: None, expected: vec![], last: 0 };
            model.users.push(user);
        }
        for (number, step) in steps.into_iter().enumerate() {
            let text = format!("{number} \u{e9}\u{202e}\\\"");
            match step {
                Step::Join(who, view, recent) => {
                    if model.users[who].here.is_none() {
                        model.users[who].agreed = agreed(view);
                        model.users[who].last = 0;
                        come(&mut hub, &mut model, who, false, recent);
                    }
                }
                Step::Resume(who) => {
                    if model.users[who].key.is_some() {
                        come(&mut hub, &mut model, who, true, Some(1));
                    }
                }
                Step::Leave(who) => {
                    let Some(id) = model.users[who].here.take() else { continue };
                    let _ = hub.leave(id);
                    let left = format!("-{}", model.users[who].name);
                    model.users[who].expected.clear();
                    model.tell(None, &left);
                }
                Step::Rename(who, to) => {
                    let Some(id) = model.users[who].here else { continue };
                    let new = SPARE[to];
                    let old = model.users[who].name.clone();
                    let free = old == new || !model.is_taken(new);
                    let outcome = hub.rename(id, renamed(new));
                    prop_assert_eq!(outcome.is_ok(), free);
                    if free {
                        model.users[who].name = new.to_owned();
                        model.tell(None, &format!("-{old}"));
                        model.tell(None, &format!("+{new}"));
                    }
                }
                Step::Say(who) => {
                    let id = hub.newest() + 1;
                    let _ = apply(&mut hub, &said(id, &model.users[who].name, None, &text));
                    model.said.push((id, None, text.clone()));
                    model.tell(None, &format!("#{id} {text}"));
                }
                Step::Whisper(from, to) => {
                    let (from, to_name) = (model.users[from].name.clone(), model.users[to].name.clone());
                    let Ok(found) = reserve(&mut hub, &to_name, 9) else { continue };
                    prop_assert_eq!(found.as_str(), &to_name);
                    let id = hub.newest() + 1;
                    let _ = apply(&mut hub, &said(id, &from, Some(&to_name), &text));
                    model.said.push((id, Some(to_name.clone()), text.clone()));
                    let holder = model.users.iter_mut().find(|user| user.here.is_some() && user.name == to_name);
                    holder.unwrap().expected.push(format!("#{id} {text}"));
                }
                Step::Announce => {
                    let text = format!("announced {number}");
                    let _ = hub.announce(announcement(&text));
                    model.tell(None, &format!("* {text}"));
                }
                Step::Take(who) => check_taken(&mut hub, &mut model, who),
            }
        }
        for who in 0..USERS {
            check_taken(&mut hub, &mut model, who);
        }
    }
}

fn renamed(to: &str) -> Rename {
    Rename { name: name(to), owns: false, blocked_by: vec![], now: 0 }
}

#[test]
fn who_is_hidden_is_left_out_live_and_in_the_history() {
    let mut hub = hub();
    let lists = BlockLists::new(vec![name("BOB")], []);
    let ann = hub.join(&name("ann"), "").unwrap().id;
    let bob = hub.join(&name("bob"), "").unwrap().id;
    let cyd = hub.join(&name("cyd"), "").unwrap().id;
    for id in [ann, bob, cyd] {
        take_all(&mut hub, id);
    }
    hub.set_blocked(ann, lists.blocked().to_vec());
    for (from, text) in [("bob", "1"), ("cyd", "2"), ("bob", "3")] {
        let _ = apply(&mut hub, &record(from, None, text));
    }
    assert_eq!(take_all(&mut hub, ann), ["2"]);
    assert_eq!(take_all(&mut hub, cyd), ["1", "2", "3"]);
    assert_eq!(hub.reserve(bob, &name("ann"), 1).unwrap_err(), Code::Blocked);
    assert_eq!(hub.reserve(ann, &name("bob"), 1).unwrap_err(), Code::Blocked);
    assert!(hub.reserve(cyd, &name("ann"), 1).is_ok());
    let _ = hub.leave(bob);
    assert_eq!(take_all(&mut hub, ann), ["-bob"], "notices stay");
    let _ = hub.leave(ann);
    let wanted = name("ann");
    let request = JoinRequest {
        identity: Identity { agreed: Some(agreed(1)), ..Identity::guest(wanted.clone()) },
        extra: br#""CAPABILITIES": """#,
        lists,
        ..JoinRequest::base(&wanted, "")
    };
    let joined = hub.admit(request).unwrap();
    let welcome =
        ServerFrame::parse_as(&joined.welcome.assemble().unwrap().concat()[4..], agreed(1))
            .unwrap()
            .0;
    let said: Vec<_> = welcome.messages.unwrap().into_iter().map(|m| m.content).collect();
    assert_eq!((said, welcome.keys.unwrap().ids), (vec!["2".into()], Some(vec![Some(2)])));
}

#[test]
fn what_is_on_its_way_to_an_old_name_arrives() {
    let mut hub = hub();
    let ann = hub.join(&name("ann"), "").unwrap().id;
    take_all(&mut hub, ann);
    let to_ann = reserve(&mut hub, "ann", 5).unwrap();
    let _ = hub.rename(ann, renamed("bob")).unwrap();
    assert_eq!(
        reserve(&mut hub, to_ann.as_str(), 5),
        Err(Code::NoSuchUser),
        "nobody has it any more"
    );
    let _ = apply(&mut hub, &record("cyd", Some("ann"), "psst"));
    assert_eq!(take_all(&mut hub, ann), ["-ann", "+bob", "psst"]);
    // Whoever takes the name meanwhile is not told.
    reserve(&mut hub, "bob", 5).unwrap();
    let _ = hub.rename(ann, renamed("cyd")).unwrap();
    hub.tick(20_000);
    let _ = apply(&mut hub, &record("x", Some("bob"), "late"));
    assert_eq!(take_all(&mut hub, ann), ["-bob", "+cyd"]);
}

#[test]
fn a_session_whose_history_is_gone_starts_again() {
    let keep = Keep { messages: 10, bytes: 1 << 20 };
    let mut hub = Hub::new(TimelineLimits::default(), keep);
    let wanted = name("ann");
    let come = |hub: &mut Hub, resume| {
        let request = JoinRequest {
            identity: Identity { agreed: Some(agreed(1)), ..Identity::guest(wanted.clone()) },
            extra: br#""CAPABILITIES": """#,
            resume,
            ..JoinRequest::base(&wanted, "")
        };
        let joined = hub.admit(request).unwrap();
        let frame =
            ServerFrame::parse_as(&joined.welcome.assemble().unwrap().concat()[4..], agreed(1))
                .unwrap()
                .0;
        let keys = *frame.keys.unwrap();
        let key = SessionKey::parse(keys.resume.unwrap().as_wire());
        (joined.id, key, keys.resumed, frame.messages.unwrap().len())
    };
    let (first, key, resumed, _) = come(&mut hub, None);
    assert_eq!(resumed, None);
    for number in 0..50 {
        let _ = apply(&mut hub, &record("ann", None, &number.to_string()));
    }
    let session = hub.session(first).unwrap();
    hub.replica.note_tag(session, "tag", 50);
    let resume = |after| Some(Resuming { key, after, only: false });
    let (second, _, resumed, count) = come(&mut hub, resume(45));
    assert_eq!((resumed, count), (Some(true), 5));
    assert!(hub.removal(first) == Some(Removal::Resumed) && hub.name_of(first).is_none());
    let (third, _, resumed, count) = come(&mut hub, resume(1));
    assert_eq!((resumed, count), (Some(false), 10), "what was missed is not kept");
    assert!(hub.name_of(second).is_none());
    let session = hub.session(third).unwrap();
    assert_eq!(hub.known_tag(session, "tag"), Some(50), "but it is the same session");
    let _ = hub.leave(third);
    hub.tick(11 * 60 * 1000);
    let (_, _, resumed, _) = come(&mut hub, resume(45));
    assert_eq!(resumed, Some(false), "too late");
    let _ = hub.leave(first);
    assert_eq!(hub.removal(first), None, "the reason goes with the connection");
}

#[test]
fn a_session_that_was_logged_out_meanwhile_is_not_gone_on_with() {
    let mut hub = hub();
    let ann = name("ann");
    let login =
        |id, epoch| Some(LoggedIn { account: name("ann"), account_key: AccountKey { id, epoch } });
    let come = |hub: &mut Hub, account, resume| {
        let request = JoinRequest {
            identity: Identity {
                agreed: Some(agreed(1)),
                login: account,
                ..Identity::guest(ann.clone())
            },
            extra: br#""CAPABILITIES": """#,
            resume,
            ..JoinRequest::base(&ann, "hi")
        };
        let joined = hub.admit(request)?;
        let frame =
            ServerFrame::parse_as(&joined.welcome.assemble().unwrap().concat()[4..], agreed(1))
                .unwrap()
                .0;
        let keys = frame.keys.unwrap();
        let key = SessionKey::parse(keys.resume.unwrap().as_wire());
        Ok::<_, JoinError>((joined.id, key, keys.resumed))
    };
    let (member, key, _) = come(&mut hub, login(1, 0), None).unwrap();
    assert_eq!(
        hub.resumable(key.unwrap(), &ann),
        Some(login(1, 0)),
        "what the authenticator is asked"
    );
    // The authenticator has said yes by now, but that login is not there any more.
    for now in [None, login(1, 1), login(2, 0)] {
        let changed = Some(now.map_or(Login::Out, Login::In));
        hub.amend(member, Amendment { login: changed, ..Amendment::default() });
        let resume = |only| Some(Resuming { key, after: 0, only });
        let refused = come(&mut hub, login(1, 0), resume(true));
        assert!(matches!(refused, Err(JoinError::NotResumable)), "{refused:?}");
        let refused = come(&mut hub, login(1, 0), resume(false));
        assert!(matches!(refused, Err(JoinError::Refused(_))), "the name is in use: {refused:?}");
    }
    let _ = hub.leave(member);
    let resume = Some(Resuming { key, after: 0, only: false });
    let (_, _, resumed) = come(&mut hub, login(1, 0), resume).unwrap();
    assert_eq!(resumed, Some(false), "with a password it is an ordinary join");
}
