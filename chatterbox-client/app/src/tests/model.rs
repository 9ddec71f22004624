//! The model in single situations: what a person reaches by commands, what is asked of it, and that a hostile server can't make it
//! grow.

use chatterbox_proto::WireText;

use super::rooms::{lab, person, said, welcome, with_rooms};
use super::*;
use crate::model::{Attention, Body, Conversation, Delivery, Limits, Model, Older};

fn with_model() -> Options {
    Options { model: Some(Limits::USUAL), ..person() }
}

fn screen() -> Options {
    Options { all_rooms: true, echo_own: true, ..with_model() }
}

impl Scene {
    fn model(&self) -> &Model {
        self.app.model().unwrap()
    }

    fn at(&self, target: &str) -> Option<&Conversation> {
        self.model().conversation(&Target::parse(target, true))
    }

    fn intends(mut self, intent: Intent) -> Self {
        let effects = self.app.intend(intent, NOW);
        self.play(effects);
        self
    }

    fn alerts(&mut self) -> Vec<String> {
        let next = || self.app.take_alert();
        std::iter::from_fn(next).map(|alert| format!("{}: {}", alert.from, alert.text)).collect()
    }
}

fn texts(one: &Conversation) -> Vec<&str> {
    let speech = one.timeline.iter().filter_map(|item| match &item.body {
        Body::Speech(speech) => Some(speech.lines[0].as_str()),
        _ => None,
    });
    speech.collect()
}

#[test]
fn who_reads_line_by_line_reaches_all_of_it_by_commands() {
    let scene = with_rooms(with_model(), "ALL")
        .types("/mentions")
        .types("/links")
        .types("/search")
        .types("/search old")
        .gets(&said("#lab", 21, "see https://example.org/x, ANN."))
        .gets(&said("#lab", 22, "and (http://b.example/)"))
        .gets(&said("#talk", 23, "quiet \\u001b[2J"))
        .gets(&said("ann", 24, "psst"))
        .types("hello old bob")
        .types("/unread")
        .types("/mentions")
        .types("/search OLD")
        .types("/search nothing of this")
        .types("/room 2")
        .types("/links")
        .types("/room 4")
        .types("/unread")
        .types("/close @zoe")
        .types("/close 4")
        .types("/close #lab")
        .types("/room 9");
    insta::assert_snapshot!(scene.screen);
    assert_eq!(texts(scene.at("#lab").unwrap()).len(), 2, "what was unrolled is there once");
}

#[test]
fn a_command_of_the_server_comes_first_and_without_a_model_there_are_no_others() {
    let search = r#"{"COMMANDS": [{"NAME": "search", "ALIASES": [], "LEVEL": 0, "HELP": "Searches.", "EXAMPLE": "search x",
        "ARGUMENTS": [{"NAME": "text", "TYPE": "text", "OPTIONAL": false, "REST": true}]}], "PREFIX": "/"}"#;
    let scene = with_rooms(with_model(), "ALL").gets(search).types("/search old");
    assert!(scene.screen.contains("net| {\"COMMAND\""), "{}", scene.screen);
    for command in ["/mentions", "/search x", "/links", "/unread", "/close @bob"] {
        let scene = with_rooms(person(), "ALL").types(command);
        let name = command.split(' ').next().unwrap();
        assert_eq!(scene.shows(&format!("There is no command {name}.")), 1, "{}", scene.screen);
    }
    let help = |options| with_rooms(options, "ALL").types("/help").shows("/mentions ");
    assert_eq!((help(with_model()), help(person())), (1, 0));
}

#[test]
fn without_rooms_one_reads_a_user_too_and_what_is_said_to_all_is_there_once() {
    let heard =
        r#"{"MESSAGES": [["bob", "ALL", 1700000000, "ann?"], ["bob", "ALL", 1700000000, "ann?"]]}"#;
    let mut scene = Scene::new(with_model()).joined().types("/room @bob").gets(heard);
    assert_eq!(scene.at("ALL").unwrap().unread, 2);
    assert_eq!(scene.alerts().len(), 2);
    let mut scene = scene.types("/room ALL").gets(heard);
    assert_eq!(texts(scene.at("ALL").unwrap()).len(), 4);
    assert_eq!(scene.at("ALL").unwrap().unread, 0);
    assert_eq!((scene.shows("bob: ann?"), scene.alerts().len()), (4, 2));
}

#[test]
fn alerts_are_for_what_comes_now_and_concerns_the_user() {
    let mut scene = with_rooms(screen(), "ALL")
        .gets(&said("ALL", 21, "nothing"))
        .gets(&said("#lab", 22, "hi Ann"))
        .gets(&said("ann", 23, "psst"))
        .gets(&said("ann", 23, "psst"))
        .gets(r#"{"HISTORY": {"WITH": "ALL", "MESSAGES": [["bob", "ALL", 1, "ann"]], "IDS": [3], "MORE": false}}"#);
    assert_eq!(scene.alerts(), ["bob: hi Ann", "bob: psst"]);
    let lines = scene.model().mentions().map(|(_, mention)| mention.line.to_string());
    assert_eq!(lines.collect::<Vec<_>>(), ["hi Ann", "ann"], "the list has history as well");
}

#[test]
fn the_next_unread_one_is_a_mention_and_then_whatever_comes_next() {
    let scene = with_rooms(screen(), "ALL");
    assert_eq!(scene.model().next_unread(), None);
    let scene = scene.gets(&said("#lab", 21, "x")).gets(&said("#talk", 22, "x"));
    assert_eq!(scene.model().next_unread().unwrap().wire(), "#lab");
    let scene = scene.gets(&said("ann", 23, "x"));
    assert_eq!(scene.model().next_unread().unwrap().wire(), "bob");
    let totals = scene.model().totals();
    assert_eq!((totals.unread, totals.mentions), (3, 1));
    let scene = scene.intends(Intent::Open(Target::User("bob".to_owned())));
    assert_eq!(scene.model().next_unread().unwrap().wire(), "#lab");
    let scene = scene.intends(Intent::Open(Target::Room("#lab".to_owned())));
    assert_eq!(scene.model().next_unread().unwrap().wire(), "#talk");
}

#[test]
fn who_spoke_last_comes_first() {
    let users = r#"{"USERS_JOINED": ["cyd", "dan", "eve"]}"#;
    let says = |who: &str, id: u32| {
        format!(r#"{{"MESSAGES": [["{who}", "ALL", 1700000000, "x"]], "IDS": [{id}]}}"#)
    };
    let page = r#"{"HISTORY": {"WITH": "ALL", "MESSAGES": [["eve", "ALL", 1, "x"], ["bob", "ALL", 1, "x"]], "IDS": [3, 4], "MORE": false}}"#;
    let scene = with_rooms(screen(), "ALL")
        .gets(users)
        .gets(&says("dan", 21))
        .gets(&says("cyd", 22))
        .gets(&says("dan", 23))
        .gets(page)
        .types("own");
    let completed = |scene: &Scene| {
        let found = scene.app.complete("@", 1).candidates;
        found.into_iter().map(|one| one.text.trim_end().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(completed(&scene)[..4], ["@dan", "@cyd", "@bob", "@eve"]);
    let scene = scene.gets(r#"{"USERS_RENAMED": {"dan": "daniel"}}"#);
    assert_eq!(completed(&scene)[0], "@daniel");
}

#[test]
fn what_arrived_before_the_server_forgot_the_session_is_stored() {
    let back = welcome(
        r#""RESUMED": false, "MESSAGES": [["bob", "ALL", 1700000000, "old"], ["ann", "ALL", 1700000000, "one"]], "IDS": [17, 18], "ROOMS": []"#,
    );
    let scene =
        with_rooms(screen(), "ALL").types("one").types("two").loses(0).connects().gets(&back);
    let own = scene.at("ALL").unwrap().timeline.iter().filter_map(|item| match &item.body {
        Body::Speech(speech) if speech.own => Some(&speech.delivery),
        _ => None,
    });
    assert_eq!(own.collect::<Vec<_>>(), [&Delivery::Stored, &Delivery::OnItsWay]);
}

#[test]
fn another_room_of_the_same_name_begins_empty_and_a_room_keeps_its_number() {
    let other = lab(20, "").replace("\"NUMBER\": 12", "\"NUMBER\": 13");
    let scene = with_rooms(screen(), "ALL").gets(&said("#lab", 21, "ann: of the first one"));
    assert_eq!(scene.model().mentions().count(), 1);
    let scene = scene.gets(&format!(r#"{{"ROOMS": [{other}]}}"#));
    assert_eq!(texts(scene.at("#lab").unwrap()), [""; 0]);
    assert_eq!(scene.model().mentions().count(), 0);
    let mut model = Model::new(Limits::USUAL);
    model.room("#lab", 12, "");
    model.bring(&Target::Room("#lab".to_owned()));
    model.room("#labs", 12, "");
    assert_eq!(model.front().wire(), "#labs");
    assert_eq!(model.conversations().len(), 2);
}

#[test]
fn nothing_is_asked_for_that_would_find_no_room() {
    let limits = Limits { items: 150, ..Limits::USUAL };
    let mut scene = with_rooms(Options { model: Some(limits), ..screen() }, "ALL");
    for id in 100..160 {
        scene = scene.gets(&said("ALL", id, "x"));
    }
    let scene = scene.intends(Intent::Older(Target::Lobby));
    assert_eq!(scene.shows("\"HISTORY\""), 0, "60 and a page of 100 are more than 150");
    assert_ne!(scene.at("ALL").unwrap().older, Older::Asked);
}

#[test]
fn a_hostile_server_opens_no_more_than_there_is_room_for() {
    let mut model = Model::new(Limits::USUAL);
    let wire = |text: String| WireText::new(text);
    for number in 0..100_000_u64 {
        let room = if number % 2 == 0 { format!("#r{number}") } else { "ann".to_owned() };
        let message = Message {
            when: String::new(),
            time: 0,
            from: wire(format!("u{number}")),
            own: false,
            to: Some(wire(room)),
            in_room: number % 2 == 0,
            text: wire(format!("ann, {number}")),
            id: Some(number),
            taken: None,
            tag: None,
            quote: None,
            file: None,
            mentions: Vec::new(),
            mention: true,
            named: false,
            kind: MessageKind::Live,
            lock: Lock::Open,
        };
        model.apply(&Output::Message(message), "ann", NOW);
        model.apply(&Output::Joined(wire(format!("u{number}"))), "ann", NOW);
    }
    assert_eq!(model.conversations().len(), 1 + Limits::USUAL.rooms + Limits::USUAL.users);
    assert_eq!(model.conversations()[0].timeline.len(), 1, "a crowd is one item");
    assert_eq!(model.mentions().count(), 200);
    assert!(model.counts().0 < 1000);
}

#[test]
fn a_long_text_keeps_its_beginning() {
    let mut model = Model::new(Limits::USUAL);
    let text = "a\u{202e}".repeat(1 << 20);
    model.apply(&Output::Info(WireText::new(text)), "ann", NOW);
    model.apply(&Output::Error(WireText::new("\n".repeat(1 << 20))), "ann", NOW);
    assert!(model.counts().1 < 2 << 20, "{:?}", model.counts());
}

/// What is told of a conversation is what the user wants, until they want something else; whatever the screen.
#[test]
fn of_each_conversation_is_told_what_the_user_wants() {
    let mut scene = with_rooms(with_model(), "ALL");
    let mut id = 100;
    let mut hears = |scene: &mut Scene, room: &str, text: &str| {
        id += 1;
        let effects = scene.app.received(&said(room, id, text).into(), NOW);
        scene.play(effects);
        scene.alerts()
    };
    assert_eq!(hears(&mut scene, "#lab", "hello").len(), 0);
    let mut scene = scene.types("/room #lab").types("/notify all");
    assert!(scene.screen.ends_with("Of #lab you are told every message.\n"), "{}", scene.screen);
    assert_eq!(hears(&mut scene, "#lab", "hello"), ["bob: hello"]);
    assert_eq!(hears(&mut scene, "#talk", "hello").len(), 0);
    let mut scene = scene.types("/notify none");
    assert_eq!(hears(&mut scene, "#lab", "ann: look").len(), 0);
    assert_eq!(hears(&mut scene, "#talk", "ann: look").len(), 1);
    let scene = scene.types("/notify");
    assert_eq!(scene.shows("Of #lab you are told nothing."), 2, "{}", scene.screen);
    let mut scene = scene.types("/notify sometimes").types("/notify mentions");
    assert_eq!(scene.shows("/notify all, /notify mentions or /notify none."), 1);
    assert_eq!(hears(&mut scene, "#lab", "ann: look").len(), 1);
    let options = Options {
        attention: vec![(Target::Room("#LAB".to_owned()), Attention::All)],
        ..with_model()
    };
    let mut scene = with_rooms(options, "ALL");
    assert_eq!(hears(&mut scene, "#lab", "hello").len(), 1, "as the configuration has it");
}

#[test]
fn tries_that_fail_are_one_notice() {
    let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(600)));
    let options = Options { reconnect, ..screen() };
    let scene = Scene::negotiated(options).loses(0).loses(1).loses(2);
    let lost = |scene: &Scene| -> Vec<Vec<String>> {
        let items = scene.at("ALL").unwrap().timeline.iter();
        let notices = items.filter_map(|item| match &item.body {
            Body::Notice(_, lines) => Some(lines.iter().map(ToString::to_string).collect()),
            _ => None,
        });
        notices.filter(|lines: &Vec<String>| lines.concat().contains("trying again")).collect()
    };
    let once = lost(&scene);
    assert_eq!(once.len(), 1, "{once:?}");
    // It is that of the last try.
    let again = lost(&scene.loses(3));
    assert!(again.len() == 1 && again != once, "{again:?}");
}
