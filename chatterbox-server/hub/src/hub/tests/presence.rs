//! Who is away: told together to those who agreed to it, and nothing to the others (PR-1, PR-2).

use chatterbox_proto::{Capabilities, Capability};

use super::*;
use crate::{Identity, Resuming, SessionKey, View};

/// Somebody who came at this time and speaks these.
fn come(hub: &mut Hub, text: &str, since: i64, speaks: &[Capability]) -> (MemberId, ServerFrame) {
    resume(hub, text, since, speaks, None)
}

fn resume(
    hub: &mut Hub,
    text: &str,
    since: i64,
    speaks: &[Capability],
    key: Option<SessionKey>,
) -> (MemberId, ServerFrame) {
    let agreed: Capabilities = speaks.iter().copied().collect();
    let request = JoinRequest {
        identity: Identity { since, agreed: Some(agreed), ..Identity::guest(name(text)) },
        extra: br#""CAPABILITIES": """#,
        resume: key.map(|key| Resuming { key: Some(key), after: 0, only: false }),
        random: 5,
        ..JoinRequest::base(&name(text), "hi")
    };
    let reply = hub.admit(request).unwrap();
    let welcome = reply.welcome.assemble().unwrap().concat();
    (reply.id, ServerFrame::parse_as(&welcome[4..], agreed).unwrap().0)
}

/// What a member is told as JSON, object for object.
fn objects(hub: &mut Hub, id: MemberId) -> Vec<String> {
    let mut all = Vec::new();
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    while let Delivery::Frames { frames, .. } = hub.take(id) {
        frames.frames().iter().for_each(|frame| decoder.push(frame));
    }
    while let Some(body) = decoder.next_body().unwrap() {
        all.push(String::from_utf8(body.to_vec()).unwrap().trim_end().to_owned());
    }
    all
}

const PRESENCE: &[Capability] = &[Capability::Presence, Capability::Ids, Capability::Rename];

#[test]
fn a_welcome_says_of_everybody_since_when_and_whether_they_are_away() {
    let mut hub = hub();
    hub.join(&name("bob"), "").unwrap();
    let (ann, _) = come(&mut hub, "ann", 5, &[]);
    hub.set_away(ann, Some("lunch"));
    let (_, welcome) = come(&mut hub, "cyd", 7, PRESENCE);
    let told: Vec<_> = welcome.keys.unwrap().presence;
    let told: Vec<_> = told
        .iter()
        .map(|user| {
            (user.name.as_wire(), user.since, user.away.as_ref().map(|away| away.as_wire()))
        })
        .collect();
    assert_eq!(
        told,
        [("ann", Some(5), Some("lunch")), ("bob", Some(0), None), ("cyd", Some(7), None)]
    );
    let (_, welcome) = come(&mut hub, "dan", 8, &[Capability::Ids]);
    assert_eq!(welcome.keys.unwrap().presence, [], "who did not agree to it");
}

#[test]
fn changes_are_told_together_every_two_seconds_and_to_nobody_else() {
    let mut hub = hub();
    hub.tick(100);
    let (ann, _) = come(&mut hub, "ann", 5, &[Capability::Commands]);
    let base = hub.join(&name("bob"), "").unwrap().id;
    let (cyd, _) = come(&mut hub, "cyd", 7, PRESENCE);
    for id in [ann, base, cyd] {
        objects(&mut hub, id);
    }
    hub.set_away(ann, Some("lunch"));
    hub.set_away(base, Some(""));
    assert_eq!(objects(&mut hub, cyd), [""; 0], "it is told when the time has come");
    assert_eq!(hub.tell_presence(), Wake::AllSoon);
    let both =
        r#"{"PRESENCE": {"ann": {"SINCE": 5, "AWAY": "lunch"}, "bob": {"SINCE": 0, "AWAY": ""}}}"#;
    assert_eq!(objects(&mut hub, cyd), [both]);
    // Ten changes of one user are one.
    for _ in 0..5 {
        hub.set_away(ann, None);
        hub.set_away(ann, Some("tea"));
    }
    hub.set_away(ann, None);
    hub.tick(2_099);
    assert_eq!(hub.tell_presence(), Wake::Nobody, "not before two seconds are over");
    hub.tick(2_100);
    assert_eq!(hub.tell_presence(), Wake::AllSoon);
    assert_eq!(objects(&mut hub, cyd), [r#"{"PRESENCE": {"ann": {"SINCE": 5, "AWAY": null}}}"#]);
    hub.tick(12_100);
    assert_eq!(hub.tell_presence(), Wake::Nobody, "nothing has changed");
    for id in [ann, base] {
        assert_eq!(objects(&mut hub, id), [""; 0], "who did not agree to it sees nothing");
    }
    // Nobody is told of who has gone; and many are told less often.
    hub.set_away(ann, Some("x"));
    let _ = hub.leave(ann);
    assert_eq!(hub.tell_presence(), Wake::Nobody);
    for number in 0..500 {
        hub.join(&name(&format!("u{number}")), "").unwrap();
    }
    objects(&mut hub, cyd);
    hub.set_away(base, None);
    assert_eq!(hub.tell_presence(), Wake::AllSoon);
    hub.set_away(base, Some("x"));
    hub.tick(22_099);
    assert_eq!(hub.tell_presence(), Wake::Nobody, "above 500 it is every ten seconds");
    hub.tick(22_100);
    assert_eq!(hub.tell_presence(), Wake::AllSoon);
}

#[test]
fn a_message_ends_it_and_a_session_that_goes_on_does_not() {
    let mut hub = hub();
    let (ann, welcome) = come(&mut hub, "ann", 5, PRESENCE);
    let token = welcome.keys.unwrap().resume.unwrap();
    let key = SessionKey::parse(token.as_wire());
    let (bob, _) = come(&mut hub, "bob", 6, PRESENCE);
    let away = |hub: &Hub, id| hub.identity(id).unwrap().away.as_deref().map(str::to_owned);
    hub.set_away(ann, Some("lunch"));
    // On a connection that is still there, unseen by the others; then after its end.
    let (second, _) = resume(&mut hub, "ann", 50, PRESENCE, key);
    assert_eq!(away(&hub, second).as_deref(), Some("lunch"));
    assert_eq!(hub.identity(second).unwrap().since, 5, "nobody saw her go");
    let _ = hub.tell_presence();
    let told = objects(&mut hub, bob);
    assert!(told.last().unwrap().contains(r#""ann": {"SINCE": 5, "AWAY": "lunch"}"#), "{told:?}");
    let _ = hub.leave(second);
    let (third, _) = resume(&mut hub, "ann", 60, PRESENCE, key);
    assert_eq!(away(&hub, third).as_deref(), Some("lunch"));
    hub.tick(5_000);
    let _ = hub.tell_presence();
    let told = objects(&mut hub, bob);
    assert!(told.last().unwrap().contains(r#""ann": {"SINCE": 60, "AWAY": "lunch"}"#), "{told:?}");
    // A new session is of somebody who is here.
    let _ = hub.leave(third);
    let (fourth, _) = come(&mut hub, "ann", 70, PRESENCE);
    assert_eq!(away(&hub, fourth), None);
    hub.set_away(fourth, Some("x"));
    let say = crate::Say { member: fourth, number: 1, tag: None, record: record("ann", None, "m") };
    let applied = hub.step(Default::default(), crate::Proposal::Say(say), None);
    assert!(applied.outcome.is_ok());
    assert_eq!(away(&hub, fourth), None, "whoever writes is here");
    hub.tick(9_000);
    assert_eq!(hub.tell_presence(), Wake::AllSoon);
    let told = objects(&mut hub, bob);
    assert!(told.last().unwrap().contains(r#""ann": {"SINCE": 70, "AWAY": null}"#), "{told:?}");
}

#[test]
fn one_telling_is_bounded_and_what_is_left_comes_with_the_next() {
    let mut hub = hub();
    let (reader, _) = come(&mut hub, "reader", 1, PRESENCE);
    let words = "\u{1f634}".repeat(200);
    for number in 0..40 {
        let id = hub.join(&name(&format!("u{number}")), "").unwrap().id;
        hub.set_away(id, Some(&words));
    }
    objects(&mut hub, reader);
    let mut tellings = 0;
    let mut known = 0;
    while hub.tell_presence() != Wake::Nobody {
        let told = objects(&mut hub, reader).concat();
        assert!(told.len() < 40 * 1024, "{}", told.len());
        known += told.matches("SINCE").count();
        tellings += 1;
        hub.tick(hub.now + 2_000);
    }
    assert!(known == 40 && tellings > 2, "{known} in {tellings}");
    assert_eq!(View::all().count(), View::COUNT);
}
