//! Another device of the same user says the same words (DV-2).

use super::*;

const AGREED: &str = "accounts/1 devices/1 ids/1";

/// The laptop of ann, who has another device.
fn laptop() -> ClientSession {
    let all = [Capability::Accounts, Capability::Devices, Capability::Ids];
    let mut session = ClientSession::offering(all.into_iter().collect());
    session.join("ann").unwrap();
    session.receive(welcome_with(AGREED, "").as_bytes());
    session
}

/// A copy of what ann says, and further keys of its frame.
fn copy(to: &str, time: i64, text: &str, id: u64, more: &str) -> String {
    format!(r#"{{"MESSAGES": [["ann", "{to}", {time}, "{text}"]], "IDS": [{id}]{more}}}"#)
}

/// The numbers of the messages that are shown, and the keys that are settled.
fn told(session: &mut ClientSession, frame: &str) -> Vec<String> {
    let events = session.receive(frame.as_bytes()).into_iter();
    let word = events.filter_map(|event| match event {
        Event::Message(message) => message.id.map(|id| id.to_string()),
        Event::Missed(message) => message.id.map(|id| format!("missed {id}")),
        Event::Stored { tag, .. } => Some(format!("stored {tag}")),
        Event::Rejected(refused) => Some(format!("refused {}", refused.tag.as_wire())),
        _ => None,
    });
    word.collect()
}

/// The connection is lost, and the next one goes on with the session or does not. Gives what is told and how many frames are sent again.
fn again(session: &mut ClientSession, lists: &str, resumed: bool) -> (Vec<String>, usize) {
    session.disconnected();
    session.resume(None).unwrap();
    let welcome = format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": [], {lists}, "CAPABILITIES": "{AGREED}", "RESUME": "x", "RESUMED": {resumed}}}"#
    );
    let told = told(session, &welcome);
    (told, session.resend().len())
}

#[test]
fn the_same_words_of_another_device_are_shown_behind_the_acknowledgement() {
    let mut session = laptop();
    session.say(Some("bob"), "ok", 100).unwrap();
    assert_eq!(told(&mut session, r#"{"ACKS": {"1": 7}}"#), ["stored 1"]);
    assert_eq!(told(&mut session, &copy("bob", 100, "ok", 8, "")), ["8"]);
    // No answer is left that would take the next one.
    assert_eq!(told(&mut session, &copy("bob", 101, "ok", 9, "")), ["9"]);
    // A welcome may hold what this device has said itself, of which no echo has come.
    let lists =
        r#""MESSAGES": [["ann", "bob", 100, "ok"], ["ann", "bob", 102, "ok"]], "IDS": [7, 10]"#;
    assert_eq!(again(&mut session, lists, true), (vec!["missed 10".to_owned()], 0));
}

#[test]
fn the_same_words_of_another_device_are_shown_once_it_is_known_which_are_the_own_ones() {
    for to in ["bob", "ALL", "#lab"] {
        let mut session = laptop();
        session.say((to != "ALL").then_some(to), "ok", 100).unwrap();
        // This may be the echo, where the server has one.
        assert_eq!(told(&mut session, &copy(to, 100, "ok", 7, "")), [""; 0]);
        assert_eq!(told(&mut session, r#"{"ACKS": {"1": 8}}"#), ["stored 1", "7"]);
        // The echo in the frame of its acknowledgement.
        session.say((to != "ALL").then_some(to), "ok", 100).unwrap();
        let echo = copy(to, 100, "ok", 9, r#", "ACKS": {"2": 9}"#);
        assert_eq!(told(&mut session, &echo), ["stored 2"]);
        // The echo, and the same of another device, both before it.
        session.say((to != "ALL").then_some(to), "ok", 100).unwrap();
        for id in [10, 11] {
            assert_eq!(told(&mut session, &copy(to, 100, "ok", id, "")), [""; 0]);
        }
        assert_eq!(told(&mut session, r#"{"ACKS": {"3": 10}}"#), ["stored 3", "11"]);
    }
}

#[test]
fn the_same_words_of_another_device_are_shown_where_the_own_ones_are_refused() {
    let mut session = laptop();
    session.say(Some("bob"), "ok", 100).unwrap();
    assert_eq!(told(&mut session, &copy("bob", 100, "ok", 7, "")), [""; 0]);
    let refused = r#"{"REFUSED": {"1": {"CODE": "blocked", "ERROR": "no"}}}"#;
    assert_eq!(told(&mut session, refused), ["refused 1", "7"]);
    assert_eq!(told(&mut session, &copy("bob", 100, "ok", 8, "")), ["8"]);
}

/// The words of another device do not make the own ones arrive.
#[test]
fn what_was_not_acknowledged_is_sent_again_though_another_device_has_said_the_same() {
    let mut session = laptop();
    session.say(Some("bob"), "ok", 100).unwrap();
    session.say(Some("bob"), "no", 101).unwrap();
    assert_eq!(told(&mut session, &copy("bob", 90, "ok", 7, "")), [""; 0]);
    // A session that goes on learns it from the answers.
    let nothing = r#""MESSAGES": [], "IDS": []"#;
    assert_eq!(again(&mut session, nothing, true), (Vec::new(), 1));
    // Of one that does not the sender's clock decides, for what came before and for what the welcome has.
    let lists = r#""MESSAGES": [["ann", "bob", 90, "ok"], ["ann", "bob", 101, "no"], ["ann", "bob", 95, "ok"]], "IDS": [7, 8, 9]"#;
    let (told, frames) = again(&mut session, lists, false);
    assert_eq!(told, ["7", "missed 9"]);
    assert_eq!((frames, session.unanswered()), (1, 1), "the first; the other one is stored");
    assert!(session.awaits("1"));
}

/// What stands on a page that fills a gap was shown when it was typed, or not at all.
#[test]
fn a_page_has_what_another_device_has_said() {
    let page = |id| Message {
        source: wire("ann"),
        recipient: Some(wire("#lab")),
        timestamp: 100,
        content: wire("ok"),
        id: Some(id),
        taken: None,
        meta: None,
    };
    let mut session = laptop();
    session.say(Some("#lab"), "ok", 100).unwrap();
    assert!(!session.is_of_other_device(&page(7)) && !session.is_of_other_device(&page(8)));
    assert_eq!(told(&mut session, r#"{"ACKS": {"1": 8}}"#), ["stored 1", "7"]);
    assert!(!session.is_of_other_device(&page(8)) && session.is_of_other_device(&page(9)));
    assert!(!agreed_to("ids/1", "").is_of_other_device(&page(9)));
}

#[test]
fn without_devices_the_echo_is_known_by_its_words() {
    let mut session = agreed_to("ids/1", "");
    session.say(None, "hi", 100).unwrap();
    assert_eq!(told(&mut session, &copy("ALL", 999, "hi", 7, "")), [""; 0]);
    assert_eq!(told(&mut session, r#"{"ACKS": {"1": 7}}"#), ["stored 1"]);
    // Nothing waits for an echo that comes no more (ID-4).
    session.say(Some("bob"), "psst", 100).unwrap();
    assert_eq!(told(&mut session, r#"{"ACKS": {"2": 8}}"#), ["stored 2"]);
    assert_eq!(session.sent.unechoed(), 0);
    assert_eq!(told(&mut session, &copy("bob", 999, "psst", 9, "")), ["9"]);
}
