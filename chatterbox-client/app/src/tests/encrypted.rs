//! Encrypted private messages, with something that stands for the keys: what goes over the wire and what is shown.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chatterbox_proto::capability::e2ee::{KeysAnswer, KeysLow, SENTENCE};
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, Sealed, SealedFor};

use super::*;

/// "Encrypts" for one device of bob, and opens what says `open` in its entry.
#[derive(Debug, Default)]
struct Keys {
    /// What was told, in order.
    told: Arc<Mutex<Vec<String>>>,
    agreed: bool,
    next: u64,
}

impl Keys {
    fn note(&self, what: impl Into<String>) {
        self.told.lock().unwrap().push(what.into());
    }

    fn said(&mut self, to: &str, text: &str, reply: Option<Id>) -> Vec<Sealing> {
        if !self.agreed {
            let why = "there is no encryption".to_owned();
            let (to, text) = (to.into(), text.into());
            return vec![Sealing::NotSent { to, text, reply, why }];
        }
        self.next += 1;
        let device = |name| DeviceId::parse(name).unwrap();
        let entry = SealedFor { device: device("d7"), kind: 1, body: "AAAA".into() };
        let sealed = Sealed { from: device("d2"), to: vec![entry] };
        let (to, text) = (to.to_owned(), text.to_owned());
        vec![Sealing::Say { ticket: self.next, to, text, reply, sealed, verified: true }]
    }
}

impl Encryption for Keys {
    fn name_chosen(&mut self, name: &str) -> Result<Option<DeviceId>, String> {
        if name == "broken" { Err("a broken file".into()) } else { Ok(DeviceId::parse("d2")) }
    }

    fn joined(&mut self, me: &str, is_agreed: bool, _: i64) -> Vec<Sealing> {
        self.agreed = is_agreed;
        self.note(format!("joined {me} {is_agreed}"));
        Vec::new()
    }

    fn lost(&mut self) {
        self.note("lost");
    }

    fn renamed(&mut self, me: &str) {
        self.note(format!("renamed {me}"));
    }

    fn is_called(&mut self, old: &str, new: &str) {
        self.note(format!("{old} is called {new}"));
    }

    fn is_on(&self, name: &str) -> bool {
        name == "bob"
    }

    fn waiting(&self) -> usize {
        0
    }

    fn say(&mut self, to: &str, text: &str, reply: Option<Id>, _: i64) -> Vec<Sealing> {
        self.said(to, text, reply)
    }

    fn sent(&mut self, ticket: u64, tag: Option<&str>) {
        self.note(format!("sent {ticket} {}", tag.is_some()));
    }

    fn stored(&mut self, _: &str, id: Id) {
        self.note(format!("stored {id}"));
    }

    fn rejected(&mut self, _: &str, code: &str, _: i64) -> Option<Vec<Sealing>> {
        (code == "devices-changed").then(|| self.said("bob", "again", None))
    }

    fn answered(&mut self, answer: &KeysAnswer, _: i64) -> Vec<Sealing> {
        self.note(format!("answered {}", answer.id.as_wire()));
        vec![
            Sealing::Opened { ticket: 1, lock: text("later", false) },
            Sealing::Opened { ticket: 9, lock: text("nobody waits", false) },
            Sealing::Tell { text: "LOUD".into(), loud: true },
            Sealing::Tell { text: "quiet".into(), loud: false },
        ]
    }

    fn low(&mut self, low: &KeysLow, _: i64) -> Vec<Sealing> {
        self.note(format!("low {}", low.count));
        Vec::new()
    }

    fn open(&mut self, message: SealedMessage<'_>, _: i64) -> (Opened, Vec<Sealing>) {
        let opened = match message.sealed.and_then(|sealed| sealed.to.first()) {
            None => Opened::Now(Opening::Unreadable("nothing in it".into())),
            Some(entry) if &*entry.body == "later" => Opened::Later(1),
            Some(entry) if &*entry.body == "mine" => {
                let (text, reply) = ("mine".into(), None);
                Opened::Now(Opening::Text { text, reply, verified: false, own: true })
            }
            Some(entry) => Opened::Now(text(&format!("[{}]\u{1b}", entry.body), entry.kind == 0)),
        };
        (opened, Vec::new())
    }

    fn frame_is_over(&mut self, _: i64) -> Vec<Sealing> {
        Vec::new()
    }

    fn wish(&mut self, wish: KeysWish<'_>, _: i64) -> Vec<Sealing> {
        vec![Sealing::Tell { text: format!("{wish:?}"), loud: false }]
    }
}

fn text(text: &str, verified: bool) -> Opening {
    Opening::Text { text: text.into(), reply: Some(1), verified, own: false }
}

const WELCOME: &str = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann", "bob"], "MESSAGES": [], "IDS": [], "RESUME": "t",
    "CAPABILITIES": "accounts/1 e2ee/1 ids/1 meta/1", "ACCOUNT": {"LEVEL": 1}}"#;

/// A scene with keys, and what they are told.
fn scene(options: Options, name: &str) -> (Scene, Arc<Mutex<Vec<String>>>) {
    let offer = Capability::EVERY.iter().copied().collect();
    let mut scene = Scene::new(Options { offer, echo_own: true, ..options });
    let keys = Keys::default();
    let told = keys.told.clone();
    scene.app = scene.app.with_encryption(Box::new(keys));
    (scene.types(name), told)
}

#[test]
fn the_wire_has_the_fixed_sentence_and_the_screen_the_text() {
    let (scene, told) = scene(Options::default(), "ann");
    assert!(
        scene.screen.contains("e2ee/1") && scene.screen.contains(r#""DEVICE": "d2""#),
        "{}",
        scene.screen
    );
    let mut scene = scene.gets(WELCOME);
    scene.screen.clear();
    let scene = scene.types("@bob the secret").types("@cyd in the clear").types("to everybody");
    let sent: Vec<_> = scene.screen.lines().filter(|line| line.starts_with("net|")).collect();
    assert!(
        sent[0].contains(SENTENCE)
            && sent[0].contains(r#""META": [{"E2EE": {"FROM": "d2", "TO": {"d7": [1, "AAAA"]}}}]"#),
        "{sent:?}"
    );
    assert!(!sent[0].contains("secret") && sent[1].contains("in the clear") && sent.len() == 3);
    assert!(scene.screen.contains("out| [22:13] ann -> bob (encrypted, verified): the secret\n"));
    assert!(scene.screen.contains("out| [22:13] ann -> cyd: in the clear\n"));
    let scene = scene.gets(r#"{"KEYS_LOW": {"DEVICE": "d2", "COUNT": 9}}"#);
    drop(scene);
    assert_eq!(*told.lock().unwrap(), ["joined ann true", "sent 1 true", "low 9"]);
}

#[test]
fn no_file_goes_to_whom_one_encrypts_with() {
    let model = Some(crate::model::Limits::USUAL);
    let (scene, _) = scene(Options { interactive: true, model, ..Options::default() }, "ann");
    let mut scene = scene.gets(&WELCOME.replace("e2ee/1 ", "e2ee/1 files/1 "));
    scene.screen.clear();
    let scene = scene.types("/room @bob").types("/send notes.txt hello");
    let why = "Nothing was sent: what is said to @bob is encrypted, and a file would not be.";
    assert!(scene.screen.contains(why), "{}", scene.screen);
    assert!(scene.app.transfers().is_empty());
}

#[test]
fn what_comes_is_shown_with_its_lock_and_what_waits_when_its_keys_are_there() {
    let (scene, _) = scene(Options::default(), "ann");
    let mut scene = scene.gets(WELCOME);
    scene.screen.clear();
    let message = |id: u32, meta: &str| {
        format!(
            r#"{{"MESSAGES": [["bob", "ann", 1700000000, "{SENTENCE}"]], "IDS": [{id}], "META": [{meta}]}}"#
        )
    };
    let sealed = |kind: u8, body: &str| {
        format!(r#"{{"E2EE": {{"FROM": "d7", "TO": {{"d2": [{kind}, "{body}"]}}}}}}"#)
    };
    let scene = scene
        .gets(&message(1, &sealed(1, "one")))
        .gets(&message(2, &sealed(0, "two")))
        .gets(&message(3, &sealed(0, "later")))
        .gets(&message(4, "null"))
        // Nobody encrypts for everybody.
        .gets(&format!(r#"{{"MESSAGES": [["bob", "ALL", 1700000000, "{SENTENCE}"]], "IDS": [5]}}"#))
        .gets(r#"{"KEYS": {"ID": "k1", "USERS": {}}}"#);
    let expected = format!(
        "out| [22:13] bob -> ann (encrypted): [one]\\u{{1b}}\n\
         out| [22:13] bob -> ann (encrypted, verified): [two]\\u{{1b}}\n\
         out| [22:13] bob -> ann (encrypted, unreadable): [can't be read: nothing in it]\n\
         out| [22:13] bob: {SENTENCE}\n\
         out| [22:13] bob -> ann (encrypted): later\n\
         err| -- LOUD\n\
         err| -- quiet\n"
    );
    assert_eq!(scene.screen, expected);
}

#[test]
fn nothing_is_sent_in_the_clear_where_there_is_no_encryption() {
    for welcome in [
        WELCOME.replace("e2ee/1 ", ""),
        WELCOME.replace(r#""LEVEL": 1"#, r#""LEVEL": 0"#),
        r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#.to_owned(),
    ] {
        let (scene, told) = scene(Options::default(), "ann");
        let mut scene = scene.gets(&welcome);
        scene.screen.clear();
        let scene = scene.types("@bob the secret");
        assert_eq!(
            scene.screen,
            "err| -- NOT SENT to bob: there is no encryption. It was: the secret\n"
        );
        assert_eq!(scene.app.failures(), 1);
        assert_eq!(told.lock().unwrap()[0], "joined ann false");
    }
}

#[test]
fn an_answer_that_was_not_sent_stands_there_as_one() {
    let model = Some(crate::model::Limits::USUAL);
    let (scene, _) = scene(Options { interactive: true, model, ..Options::default() }, "ann");
    let scene = scene
        .gets(&WELCOME.replace("e2ee/1 ", ""))
        .gets(r#"{"MESSAGES": [["bob", "ann", 1700000000, "shall we?"]], "IDS": [17]}"#)
        .types("/room @bob")
        .types("/reply last at five")
        .types("no answer");
    for text in ["/reply 17 at five", "no answer"] {
        let line = format!("err| -- NOT SENT to bob: there is no encryption. It was: {text}\n");
        assert!(scene.screen.contains(&line), "{line}{}", scene.screen);
    }
}

/// Its keys know whose it is, also where this run of the program has never heard the name.
#[test]
fn an_encrypted_message_of_an_earlier_name_is_an_own_one() {
    let model = Some(crate::model::Limits::USUAL);
    let (scene, _) = scene(Options { interactive: true, model, ..Options::default() }, "ann");
    let message = |id: u32, body: &str| {
        format!(
            r#"{{"MESSAGES": [["annie", "bob", 1700000000, "{SENTENCE}"]], "IDS": [{id}],
                "META": [{{"E2EE": {{"FROM": "d9", "TO": {{"d2": [1, "{body}"]}}}}}}]}}"#
        )
    };
    let scene = scene.gets(WELCOME).gets(&message(5, "mine")).gets(&message(6, "theirs"));
    let is_there = |name: &str| {
        let target = Target::User(name.to_owned());
        scene.app.model().is_some_and(|model| model.conversation(&target).is_some())
    };
    assert!(is_there("bob") && is_there("annie"), "one is own, of the other nothing is known");
    let scene = scene.gets(&message(7, "mine"));
    let model = scene.app.model().unwrap();
    let with_bob = model.conversation(&Target::User("bob".to_owned())).unwrap();
    let said = with_bob.timeline.iter();
    let said = said.filter(|item| matches!(item.body, crate::model::Body::Speech(_)));
    assert_eq!((said.count(), with_bob.unread), (2, 0));
}

/// The idempotency key of the message that was sent last.
fn tag_of_last(scene: &Scene) -> String {
    let sent = scene.screen.lines().rev().find_map(|line| line.split(r#""TAGS": [""#).nth(1));
    sent.unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn what_was_refused_because_of_its_devices_is_encrypted_again() {
    let (scene, told) = scene(Options::default(), "ann");
    let mut scene = scene.gets(WELCOME).types("@bob one");
    let tag = tag_of_last(&scene);
    scene.screen.clear();
    let scene = scene.gets(&format!(
        r#"{{"REFUSED": {{"{tag}": {{"CODE": "devices-changed", "ERROR": "others now"}}}}, "ERROR": "others now"}}"#
    ));
    assert!(
        scene.screen.contains(SENTENCE)
            && scene.screen.contains("ann -> bob (encrypted, verified): again"),
        "{}",
        scene.screen
    );
    assert!(!scene.screen.contains("others now"), "nothing is left to be told: {}", scene.screen);
    assert_eq!(scene.app.failures(), 0);
    assert_eq!(told.lock().unwrap().last().unwrap(), "sent 2 true");
    // Where another message is refused for good beside it, the user is told.
    let again = tag_of_last(&scene);
    let mut scene = scene.types("@cyd hi");
    let other = tag_of_last(&scene);
    scene.screen.clear();
    let scene = scene.gets(&format!(
        r#"{{"REFUSED": {{"{again}": {{"CODE": "devices-changed", "ERROR": "others now"}},
            "{other}": {{"CODE": "blocked", "ERROR": "no"}}}}, "ERROR": "others now; no"}}"#
    ));
    assert!(scene.screen.contains("others now; no"), "{}", scene.screen);
}

#[test]
fn the_command_for_private_messages_says_nothing_to_whom_is_encrypted_with() {
    let (scene, _) = scene(Options::default(), "ann");
    let commands = r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "msg", "ALIASES": ["w"], "ARGUMENTS": [
        {"NAME": "user", "TYPE": "user", "OPTIONAL": false, "REST": false},
        {"NAME": "text", "TYPE": "text", "OPTIONAL": false, "REST": true}],
        "HELP": "Says something to one user only.", "EXAMPLE": "msg bob hi", "LEVEL": 0}]}"#;
    let welcome = WELCOME.replace("accounts/1", "accounts/1 commands/1");
    let mut scene = scene.gets(&welcome).gets(commands);
    for line in ["/msg bob psst", "/w @bob psst"] {
        scene.screen.clear();
        scene = scene.types(line);
        assert!(!scene.screen.contains("net|"), "{}", scene.screen);
        assert!(scene.screen.contains("is encrypted"), "{}", scene.screen);
    }
    // To others it is sent as ever.
    assert!(scene.types("/msg cyd hi").screen.contains(r#""ARGS": ["cyd", "hi"]"#));
}

#[test]
fn who_has_another_name_is_told_to_the_keys() {
    let (scene, told) = scene(Options::default(), "ann");
    let welcome = WELCOME.replace("ids/1", "ids/1 rename/1");
    let _scene = scene.gets(&welcome).gets(r#"{"USERS_RENAMED": {"bob": "bobby"}}"#);
    assert!(told.lock().unwrap().contains(&"bob is called bobby".to_owned()));
}

#[test]
fn keys_that_can_not_be_used_are_told_loudly() {
    let (scene, _) = scene(Options::default(), "broken");
    assert!(
        scene.screen.contains("err| -- YOUR KEYS CAN'T BE USED: a broken file."),
        "{}",
        scene.screen
    );
    assert!(!scene.screen.contains("DEVICE"));
}

#[test]
fn commands_say_whom_they_are_about_and_a_recovery_code_is_not_remembered() {
    let model = Some(crate::model::Limits::USUAL);
    let options = Options { interactive: true, model, ..Options::default() };
    let (scene, _) = scene(options, "ann");
    let mut scene = scene.gets(WELCOME);
    scene.screen.clear();
    let scene = scene
        .types("/encrypt on")
        .types("/encrypt on @bob")
        .types("/encrypt maybe")
        .types("/verify bob yes")
        .types("/devices")
        .types("/recovery AAAA BBBB")
        .types("/room @bob")
        .types("/encrypt off")
        .types("/verify")
        .types("/verify yes");
    for line in [
        "err| -- Whom? /encrypt on|off [@NAME]",
        r#"err| -- Encrypt { name: "bob", on: true }"#,
        "err| -- /encrypt on|off [@NAME]",
        r#"err| -- Verify { name: "bob", confirmed: true }"#,
        "err| -- Devices",
        "key| /recovery\n",
        r#"err| -- Recovery("AAAA BBBB")"#,
        r#"err| -- Encrypt { name: "bob", on: false }"#,
        r#"err| -- Verify { name: "bob", confirmed: false }"#,
    ] {
        assert!(scene.screen.contains(line), "{line}\n{}", scene.screen);
    }
    assert!(!scene.screen.contains("key| /recovery A"));
    assert!(scene.app.secret_arguments().contains(&("/recovery".to_owned(), 1)));
    assert_eq!(scene.app.prompt().as_str(), "(encrypted) @bob");
}

#[test]
fn without_keys_nothing_is_offered_and_the_sentence_is_a_text() {
    let offer = Capability::EVERY.iter().copied().collect();
    let scene = Scene::new(Options { offer, ..Options::default() }).types("ann");
    assert!(!scene.screen.contains("e2ee"), "{}", scene.screen);
    let welcome: Bytes = WELCOME.replace("e2ee/1 ", "").into();
    let scene = scene.gets(std::str::from_utf8(&welcome).unwrap());
    let scene = scene.gets(&format!(
        r#"{{"MESSAGES": [["bob", "ann", 1700000000, "{SENTENCE}"]], "IDS": [1]}}"#
    ));
    assert!(scene.screen.ends_with(&format!("bob -> ann: {SENTENCE}\n")), "{}", scene.screen);
    assert!(scene.types("/devices").screen.contains("There is no command /devices"));
}
