//! What one connection may say when.

use super::{Claim, JoinedAction, JoinedSession, JoiningAction, JoiningSession};
use crate::capability::accounts::Proof;
use crate::capability::commands::CommandRequest;
use crate::capability::{Capability, Request};
use crate::client_frame::ClientFrame;
use crate::code::Code;
use crate::destination::Destination;
use crate::fault::Faults;
use crate::limits;
use crate::lookup_key::LookupKey;
use crate::name::Username;
use crate::refusal::Refusal;

fn session() -> JoiningSession {
    JoiningSession::new(limits::USERNAME_CHARS, Capability::EVERY.iter().copied().collect())
}

fn joined(name: &str) -> JoinedSession {
    let (session, actions) = session().accepted(Username::parse(name).unwrap(), None);
    assert_eq!(actions, []);
    session
}

fn listed(faults: &Faults) -> Vec<(Option<usize>, Code)> {
    faults.listed().iter().map(|fault| (fault.index, fault.code)).collect()
}

fn codes(actions: &[JoinedAction<'_>]) -> Vec<(Option<usize>, Code)> {
    let faults = actions.iter().map(|action| match action {
        JoinedAction::Error(faults) => listed(faults),
        _ => vec![],
    });
    faults.flatten().collect()
}

fn early_codes(actions: &[JoiningAction<'_>]) -> Vec<(Option<usize>, Code)> {
    let faults = actions.iter().map(|action| match action {
        JoiningAction::Error(faults) => listed(faults),
        _ => vec![],
    });
    faults.flatten().collect()
}

#[test]
fn a_name_is_claimed_and_messages_of_its_frame_wait_for_the_answer() {
    let mut session = session();
    let body = br#"{"MESSAGES": [["ann", "ALL", 1, "x"]], "USERNAME": "ann"}"#;
    let mut actions = session.receive(ClientFrame::parse(body));
    let Some(JoiningAction::Claim(claim)) = actions.pop() else { panic!() };
    let Claim {
        name,
        messages,
        agreed: None,
        proof: None,
        resume: None,
        recent: None,
        device: None,
    } = *claim
    else {
        panic!()
    };
    let (_, actions) = session.accepted(name, messages.clone());
    assert!(matches!(&actions[..], [JoinedAction::Post(postings)] if postings.len() == 1));

    let mut other = self::session();
    let actions = other.refused(Refusal::Taken, messages);
    assert_eq!(actions[0], JoiningAction::Refuse(Refusal::Taken));
    assert_eq!(early_codes(&actions), [(None, Code::NotJoined)]);
}

#[test]
fn b6_nothing_is_taken_before_joining() {
    let actions =
        session().receive(ClientFrame::parse(br#"{"MESSAGES": [["ann", "ALL", 1, "x"]]}"#)).len();
    assert_eq!(actions, 1);
}

#[test]
fn every_source_is_checked_not_just_the_first() {
    let body =
        br#"{"MESSAGES": [["ann", "ALL", 1, "x"], ["bob", "ALL", 1, "y"], ["ANN", "bob", 1, "z"],
        ["annie", "ALL", 1, "w"], 5, ["ann", "not a name", 1, "v"]]}"#;
    let actions = joined("ann").receive(ClientFrame::parse(body));
    let JoinedAction::Post(postings) = &actions[0] else { panic!() };
    assert_eq!(postings.iter().map(|p| p.index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(postings[1].entry.source, "ann", "delivered in the joined spelling");
    assert_eq!(
        postings[1].destination,
        Destination::User(LookupKey::from(&Username::parse("bob").unwrap()))
    );
    assert_eq!(
        codes(&actions),
        [
            (Some(1), Code::SourceNotYou),
            (Some(3), Code::SourceNotYou),
            (Some(4), Code::MessageNotList),
            (Some(5), Code::NoSuchUser),
        ]
    );
}

#[test]
fn a_second_name_is_an_error_and_its_messages_still_count() {
    let body = br#"{"USERNAME": "bob", "MESSAGES": [["ann", "ALL", 1, "x"]]}"#;
    let mut session = joined("ann");
    let actions = session.receive(ClientFrame::parse(body));
    assert_eq!(codes(&actions), [(None, Code::AlreadyJoined)]);
    assert!(matches!(&actions[1], JoinedAction::Post(_)));
    assert_eq!(session.name().as_str(), "ann");
}

#[test]
fn names_may_be_tried_a_few_times() {
    let mut session = session();
    for attempt in 1..=limits::NAME_TRIES {
        let actions = session.receive(ClientFrame::parse(br#"{"USERNAME": "a b"}"#));
        assert!(matches!(actions[0], JoiningAction::Refuse(Refusal::Name(_))));
        assert_eq!(actions.contains(&JoiningAction::Close), attempt == limits::NAME_TRIES);
    }
}

#[test]
fn a_faulty_frame_changes_nothing() {
    let mut session = joined("ann");
    for body in [&b"xyz"[..], b"[1]", b"{}", b"", b"{\"MESSAGES\": 5}", b"{\"USERNAME\": 5}"] {
        let actions = session.receive(ClientFrame::parse(body));
        assert!(
            matches!(&actions[..], [JoinedAction::Error(faults)] if faults.listed().len() == 1)
        );
    }
    assert_eq!(session.name().as_str(), "ann");
}

fn claim(body: &str) -> Result<Claim<'_>, Vec<(Option<usize>, Code)>> {
    let mut actions = session().receive(ClientFrame::parse(body.as_bytes()));
    match actions.pop() {
        Some(JoiningAction::Claim(claim)) if actions.is_empty() => Ok(*claim),
        other => Err(early_codes(&actions.into_iter().chain(other).collect::<Vec<_>>())),
    }
}

#[test]
fn an_offer_is_read_beside_the_name_in_any_order() {
    let claim = claim(
        r#"{"RESUME": {"AFTER": 7, "TOKEN": "t"}, "TOKEN": "k", "PING": {}, "USERNAME": "ann",
            "CAPABILITIES": "accounts/1 ids/2 x/1"}"#,
    )
    .unwrap();
    assert_eq!(claim.agreed.unwrap().to_string(), "accounts/1 ids/1");
    assert!(matches!(claim.proof, Some(Proof::Token(token)) if token.reveal() == "k"));
    let resume = claim.resume.unwrap();
    assert_eq!((resume.token.reveal(), resume.after), ("t", 7));
}

#[test]
fn what_was_not_offered_is_unknown() {
    let base = claim(r#"{"USERNAME": "ann", "PASSWORD": 5, "TOKEN": 6, "RESUME": 7, "RESUME": 8}"#);
    assert_eq!(base.unwrap().agreed, None);
    let other =
        claim(r#"{"USERNAME": "ann", "PASSWORD": 5, "RESUME": 7, "CAPABILITIES": "utf8/1"}"#);
    let other = other.unwrap();
    assert_eq!((other.proof, other.resume), (None, None));
    for body in [r#"{"PASSWORD": "x"}"#, r#"{"RESUME": {}}"#, r#"{"TAGS": []}"#, r#"{"PING": 1}"#] {
        assert_eq!(claim(body), Err(vec![(None, Code::NoKnownKey)]), "{body}");
    }
}

#[test]
fn a_malformed_offer_takes_no_name() {
    for (body, code) in [
        (r#"{"USERNAME": "ann", "CAPABILITIES": ["ids/1"]}"#, Code::BadOffer),
        (r#"{"USERNAME": "ann", "CAPABILITIES": "ids"}"#, Code::BadOffer),
        (r#"{"USERNAME": "ann", "CAPABILITIES": "", "CAPABILITIES": ""}"#, Code::DuplicateKey),
        (r#"{"CAPABILITIES": "ids/1"}"#, Code::OfferNotNow),
        (r#"{"USERNAME": "ann", "CAPABILITIES": "ids/1", "RESUME": "t"}"#, Code::BadResume),
        (
            r#"{"USERNAME": "ann", "CAPABILITIES": "ids/1", "RESUME": {"TOKEN": "t", "AFTER": -1}}"#,
            Code::BadResume,
        ),
        (r#"{"USERNAME": "ann", "CAPABILITIES": "accounts/1", "PASSWORD": 5}"#, Code::BadProof),
        (
            r#"{"USERNAME": "ann", "CAPABILITIES": "accounts/1", "PASSWORD": "p", "TOKEN": "t"}"#,
            Code::BadProof,
        ),
    ] {
        assert_eq!(claim(body), Err(vec![(None, code)]), "{body}");
    }
}

fn joined_with(words: &str) -> JoinedSession {
    let mut session = session();
    let body = format!(r#"{{"USERNAME": "ann", "CAPABILITIES": "{words}"}}"#);
    let Some(JoiningAction::Claim(claim)) =
        session.receive(ClientFrame::parse(body.as_bytes())).pop()
    else {
        panic!()
    };
    let (session, actions) = session.accepted(claim.name, None);
    assert_eq!(actions, []);
    session
}

fn received<'a>(session: &mut JoinedSession, body: &'a str) -> Vec<JoinedAction<'a>> {
    session.receive(ClientFrame::parse_as(body.as_bytes(), session.known()))
}

#[test]
fn an_offer_after_joining_changes_nothing() {
    for mut session in [joined("ann"), joined_with("ping/1")] {
        let before = session.agreed();
        for body in [r#"{"CAPABILITIES": "ids/1"}"#, r#"{"CAPABILITIES": 5, "MESSAGES": []}"#] {
            assert_eq!(codes(&received(&mut session, body)), [(None, Code::OfferNotNow)]);
        }
        let body = r#"{"CAPABILITIES": "ids/1", "USERNAME": "bob"}"#;
        assert_eq!(codes(&received(&mut session, body)), [(None, Code::AlreadyJoined)]);
        assert_eq!(session.agreed(), before);
    }
}

#[test]
fn tags_belong_to_their_messages() {
    let mut session = joined_with("ids/1");
    let body = r#"{"TAGS": ["a", null, "c", "d", "e"], "MESSAGES": [["ann", "ALL", 1, "x"], ["ann", "ALL", 1, "y"],
        ["bob", "ALL", 1, "z"], 5, ["ann", "ALL", 1, "w"]]}"#;
    let actions = received(&mut session, body);
    let [JoinedAction::Post(postings), JoinedAction::Error(faults)] = &actions[..] else {
        panic!("{actions:?}")
    };
    let tags: Vec<_> = postings.iter().map(|posting| posting.tag.as_deref()).collect();
    assert_eq!(tags, [Some("a"), None, Some("e")]);
    assert_eq!(
        faults.refused(),
        [("c".to_owned(), Code::SourceNotYou), ("d".to_owned(), Code::MessageNotList)]
    );
}

#[test]
fn a_frame_of_many_messages_is_read_a_few_at_a_time() {
    let mut session = joined_with("ids/1");
    let each: Vec<_> = (0..1000)
        .map(|index| match index % 4 {
            0 => r#"["bob", "ALL", 1, "x"]"#.to_owned(),
            1 => "5".to_owned(),
            _ => format!(r#"["ann", "ALL", 1, "{index}"]"#),
        })
        .collect();
    let tags: Vec<_> =
        (0..1000).map(|i| if i >= 900 { format!("\"t{i}\"") } else { "null".to_owned() }).collect();
    let body = format!(r#"{{"MESSAGES": [{}], "TAGS": [{}]}}"#, each.join(","), tags.join(","));
    let mut actions = session.receive(ClientFrame::parse_as(body.as_bytes(), session.known()));
    let Some(JoinedAction::ReadOn(mut unread)) = actions.pop() else { panic!("{actions:?}") };
    let Some(JoinedAction::Post(mut postings)) = actions.pop() else { panic!("{actions:?}") };
    assert!(actions.is_empty());
    while let Some(more) = session.read_on(&mut unread) {
        assert!(more.len() <= 32);
        postings.extend(more);
    }
    assert_eq!(postings.len(), 500);
    for posting in &postings {
        assert_eq!(posting.entry.content, posting.index.to_string());
        let tag = (posting.index >= 900).then(|| format!("t{}", posting.index));
        assert_eq!(posting.tag.as_deref(), tag.as_deref());
    }
    let faults = unread.into_faults();
    assert_eq!(faults.refused().len(), 50);
    let text = faults.text();
    assert!(text.starts_with("MESSAGES[0]: ") && text.ends_with("and 492 more"), "{text}");
}

#[test]
fn a_fault_behind_the_first_messages_still_refuses_the_whole_frame() {
    let mut session = joined_with("");
    let many = vec![r#"["ann", "ALL", 1, "x"]"#; 100].join(",");
    let deep = "[".repeat(40) + &"]".repeat(40);
    for (last, code) in [
        (r#"["ann", "ALL", 1, "\ud800"]"#, Code::NotJson),
        (&format!(r#"["ann", "ALL", 1, {deep}]"#), Code::TooDeep),
        (r#"["ann", "ALL", 1e999, "x"]"#, Code::NotJson),
        (r#"["ann" "ALL", 1, "x"]"#, Code::NotJson),
        ("", Code::NotJson),
    ] {
        let body = format!(r#"{{"MESSAGES": [{many}, {last}]}}"#);
        assert_eq!(codes(&received(&mut session, &body)), [(None, code)], "{last}");
    }
}

#[test]
fn malformed_tags_deliver_nothing() {
    let mut session = joined_with("ids/1");
    let many = vec!["\"t\""; limits::TAGS + 1].join(",");
    let messages = vec![r#"["ann", "ALL", 1, "x"]"#; limits::TAGS + 1].join(",");
    let long = "x".repeat(limits::TAG + 1);
    let one = r#"["ann", "ALL", 1, "x"]"#;
    for (tags, messages) in [
        ("5", one),
        ("[]", one),
        ("[5]", one),
        (r#"[""]"#, one),
        (&format!("[\"{long}\"]"), one),
        (r#"["a", "b"]"#, one),
        (&format!("[{many}]"), &messages),
    ] {
        let body = format!(r#"{{"MESSAGES": [{messages}], "TAGS": {tags}}}"#);
        let actions = received(&mut session, &body);
        assert!(
            !actions.iter().any(|action| matches!(action, JoinedAction::Post(_))),
            "{tags:.40}"
        );
        assert_eq!(codes(&actions), [(None, Code::BadTags)], "{tags:.40}");
    }
    assert_eq!(codes(&received(&mut session, r#"{"TAGS": []}"#)), [(None, Code::BadTags)]);
    // Where they were not agreed they are an unknown key.
    let body = format!(r#"{{"MESSAGES": [{one}], "TAGS": 5}}"#);
    assert!(matches!(received(&mut joined_with("ping/1"), &body)[..], [JoinedAction::Post(_)]));
}

#[test]
fn what_is_asked_for_is_judged_by_itself() {
    let mut session = joined_with("ids/1 ping/1 commands/1");
    let body = r#"{"PING": -5, "HISTORY": {"WITH": "ALL"}, "ANSWER": {"ID": "1", "TEXT": null},
        "COMMAND": {"ID": "2", "NAME": "users", "ARGS": ["x"]}, "PONG": 3}"#;
    let actions = received(&mut session, body);
    assert!(
        matches!(
            &actions[..],
            [
                JoinedAction::Request(Request::History(_)),
                JoinedAction::Request(Request::Command(CommandRequest::Call(_))),
                JoinedAction::Request(Request::Command(CommandRequest::Answer(_))),
                JoinedAction::Request(Request::Pong(3)),
                JoinedAction::Request(Request::Ping(-5))
            ]
        ),
        "{actions:?}"
    );
    for (body, code) in [
        (r#"{"PING": 1.5}"#, Code::BadPing),
        (r#"{"PONG": "1"}"#, Code::BadPing),
        (r#"{"PING": 9223372036854775808}"#, Code::BadPing),
        (r#"{"HISTORY": {}}"#, Code::BadHistory),
        (r#"{"HISTORY": {"WITH": "ALL", "BEFORE": 1, "AFTER": 2}}"#, Code::BadHistory),
        (r#"{"HISTORY": {"WITH": "ALL", "LIMIT": 0}}"#, Code::BadHistory),
        (r#"{"HISTORY": {"WITH": "ALL", "LIMIT": 501}}"#, Code::BadHistory),
        (r#"{"HISTORY": {"WITH": "ALL", "BEFORE": -1}}"#, Code::BadHistory),
        (r#"{"COMMAND": {"ID": "", "NAME": "x", "ARGS": []}}"#, Code::BadCommand),
        (r#"{"COMMAND": {"ID": "1", "NAME": "x", "ARGS": [5]}}"#, Code::BadCommand),
        (r#"{"COMMAND": {"ID": "1", "NAME": "x"}}"#, Code::BadCommand),
        (r#"{"ANSWER": {"ID": "1"}}"#, Code::BadAnswer),
        (r#"{"ANSWER": 5}"#, Code::BadAnswer),
    ] {
        assert_eq!(codes(&received(&mut session, body)), [(None, code)], "{body}");
    }
    let bomb = format!(
        r#"{{"COMMAND": {{"ID": "1", "NAME": "x", "ARGS": [{}"x"]}}}}"#,
        r#""x", "#.repeat(100_000)
    );
    assert_eq!(codes(&received(&mut session, &bomb)), [(None, Code::BadCommand)]);
}

#[test]
fn the_old_name_is_taken_for_a_while() {
    let mut session = joined_with("rename/1");
    session.renamed(Username::parse("bob").unwrap(), 10);
    session.renamed(Username::parse("cyd").unwrap(), 20);
    let said = |session: &mut JoinedSession, source: &str| {
        let body = format!(r#"{{"MESSAGES": [["{source}", "ALL", 1, "x"]]}}"#);
        match &session.receive(ClientFrame::parse_as(body.as_bytes(), session.known()))[..] {
            [JoinedAction::Post(postings)] => Ok(postings[0].entry.source.to_string()),
            other => Err(codes(other)),
        }
    };
    for source in ["ann", "Bob", "cyd"] {
        assert_eq!(said(&mut session, source), Ok("cyd".into()));
    }
    session.forget_names(10);
    assert!(said(&mut session, "ann").is_err() && said(&mut session, "bob").is_ok());
    session.forget_names(20);
    assert!(said(&mut session, "bob").is_err() && !session.has_former_names());
}

#[test]
fn a_destination_is_looked_up_and_not_judged() {
    // Each of these is refused as a name, at several times the cost of folding it; nobody is here under it.
    let mut session = joined("ann");
    for text in ["p\u{430}ypal", "\u{ff21}\u{ff2c}\u{ff2c}", "#a", &"\u{fdfa}".repeat(32)] {
        let body = format!(r#"{{"MESSAGES": [["ann", "{text}", 1, "x"]]}}"#);
        let actions = session.receive(ClientFrame::parse(body.as_bytes()));
        let [JoinedAction::Post(postings)] = &actions[..] else { panic!("{text}: {actions:?}") };
        let key = LookupKey::of(text, limits::USERNAME_CHARS).unwrap();
        assert_eq!(postings[0].destination, Destination::User(key));
    }
    for text in ["a b", "", &"\u{e9}".repeat(48 * limits::USERNAME_CHARS)] {
        let body = format!(r#"{{"MESSAGES": [["ann", "{text}", 1, "x"]]}}"#);
        let actions = session.receive(ClientFrame::parse(body.as_bytes()));
        assert_eq!(codes(&actions), [(Some(0), Code::NoSuchUser)]);
    }
}

#[test]
fn a_source_is_any_name_of_the_connection_in_any_spelling() {
    let mut session = joined("jörg");
    let names: Vec<_> = (0..8).map(|number| format!("straße{number}")).collect();
    for name in &names {
        session.renamed(Username::parse(name).unwrap(), u64::MAX);
    }
    for source in ["JO\u{308}RG", "STRASSE0", "stra\u{1e9e}e6", "Straße7"] {
        let body = format!(r#"{{"MESSAGES": [["{source}", "ALL", 1, "x"]]}}"#);
        let actions = session.receive(ClientFrame::parse(body.as_bytes()));
        let [JoinedAction::Post(postings)] = &actions[..] else { panic!("{source}: {actions:?}") };
        assert_eq!(postings[0].entry.source, "straße7");
    }
    let marks = format!("e{}", "\u{301}\u{316}".repeat(370));
    for source in ["jörg2", "strasse8", "jorg", "", &marks] {
        let body = format!(r#"{{"MESSAGES": [["{source}", "ALL", 1, "x"]]}}"#);
        let actions = session.receive(ClientFrame::parse(body.as_bytes()));
        assert_eq!(codes(&actions), [(Some(0), Code::SourceNotYou)]);
    }
}
