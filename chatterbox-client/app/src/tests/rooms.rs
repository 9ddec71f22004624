//! Rooms: which one is in front, what is told of the others, what was missed in them.

use super::*;

const AGREED: &str =
    "accounts/1 commands/1 ids/1 notices/1 ping/1 recent/1 rename/1 rooms/1 utf8/1";

pub(super) fn lab(last: u32, rest: &str) -> String {
    format!(
        r##"{{"ROOM": "#lab", "NUMBER": 12, "OWNER": "prof", "LEVEL": 1, "TOPIC": "exercise 3", "DESCRIPTION": "questions",
            "ROSTER": true, "COUNT": 3, "USERS": ["ann", "bob", "prof"], "STAFF": {{"prof": 4}}, "LIMIT": 0, "TALK": 0, "SLOW": 0,
            "LENGTH": 4000, "KEEP": "all", "SHOW": "all", "FLAGS": ["password"], "LAST": {last}, "FLOOR": 0{rest}}}"##
    )
}

const TALK: &str = r##"{"ROOM": "#talk", "NUMBER": 3, "ROSTER": false, "COUNT": 700, "LEVEL": 0, "TOPIC": "", "TALK": 0, "KEEP": 100, "LAST": 0}"##;

const ROOM_COMMANDS: &str = r#"{"PREFIX": "/", "COMMANDS": [
    {"NAME": "join", "ALIASES": ["j"], "ARGUMENTS": [{"NAME": "room", "TYPE": "room", "OPTIONAL": false, "REST": false}],
     "HELP": "Joins a room.", "EXAMPLE": "join #lab", "LEVEL": 0},
    {"NAME": "leave", "ALIASES": [], "ARGUMENTS": [{"NAME": "room", "TYPE": "room", "OPTIONAL": true, "REST": false}],
     "HELP": "Leaves a room.", "EXAMPLE": "leave", "LEVEL": 0},
    {"NAME": "set-room", "ALIASES": [], "CONFIRM": true, "ARGUMENTS": [
        {"NAME": "room", "TYPE": "room", "OPTIONAL": false, "REST": false, "HELP": "which one"},
        {"NAME": "setting", "TYPE": "text", "OPTIONAL": false, "REST": false, "HELP": "what is changed", "VALUES": ["hidden", "talk"]},
        {"NAME": "value", "TYPE": "text", "OPTIONAL": false, "REST": true}],
     "HELP": "Changes a room.", "EXAMPLE": "set-room #lab talk 2", "LEVEL": 1}]}"#;

pub(super) fn welcome(rest: &str) -> String {
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "CAPABILITIES": "{AGREED}", "RESUME": "session", {rest}}}"#
    )
}

pub(super) fn person() -> Options {
    let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(60)));
    Options { interactive: true, recent: Some(200), reconnect, ..Options::default() }
}

pub(super) fn pipes() -> Options {
    Options { interactive: false, echo_own: true, recent: None, ..person() }
}

/// In #lab, which is their default, and in #talk.
pub(super) fn with_rooms(options: Options, default: &str) -> Scene {
    let offer = crate::spoken();
    let rooms = format!(
        r#""MESSAGES": [["bob", "ALL", 1700000000, "old"]], "IDS": [17], "TIMES": [1700000005], "MORE": false, "DEFAULT": "{default}",
            "ROOMS": [{{"ROOM": "ALL", "TOPIC": "", "TALK": 0, "SLOW": 0, "FLOOR": 0}}, {}, {TALK}]"#,
        lab(20, "")
    );
    let mut scene = Scene::new(Options { offer, ..options })
        .types("ann")
        .gets(&welcome(&rooms))
        .gets(ROOM_COMMANDS);
    scene.screen.clear();
    scene
}

impl Scene {
    fn prompt(&self) -> String {
        self.app.prompt().to_string()
    }

    /// A frame that comes so many seconds later.
    fn gets_at(mut self, seconds: i64, body: &str) -> Self {
        let mut effects = self.app.received(&body.to_owned().into(), NOW + seconds);
        loop {
            self.play(effects);
            if !self.app.has_more() {
                return self;
            }
            effects = self.app.more(NOW + seconds);
        }
    }

    pub(super) fn shows(&self, part: &str) -> usize {
        self.screen.matches(part).count()
    }
}

pub(super) fn resumed(last: u32) -> String {
    let newest =
        format!(r##"["bob", "#lab", 1700000000, "m{last}"], ["cyd", "ALL", 1700000000, "hi"]"##);
    welcome(&format!(
        r#""RESUMED": true, "MESSAGES": [{newest}], "IDS": [{last}, {}], "ROOMS": [{}, {TALK}]"#,
        last + 1,
        lab(last, r#", "GAP": true"#)
    ))
}

pub(super) fn said(room: &str, id: u32, text: &str) -> String {
    format!(r#"{{"MESSAGES": [["bob", "{room}", 1700000000, "{text}"]], "IDS": [{id}]}}"#)
}

#[test]
fn a_person_is_in_one_room_at_a_time() {
    let scene = with_rooms(person(), "ALL");
    assert_eq!(scene.prompt(), "ann");
    let scene = scene.gets(&said("#lab", 21, "one")).gets(&said("ALL", 22, "to all"));
    let scene = scene.types("#LAB an answer").types("/room lab");
    assert_eq!(scene.prompt(), "#lab");
    let scene = scene
        .types("hello")
        .types("##lab is full")
        .types("@ALL to everybody")
        .types("@bob psst")
        .gets(r##"{"ROOM_USERS_JOINED": {"#lab": ["cyd"], "#talk": ["dan"]}, "MESSAGES": [["cyd", "#lab", 1700000011, "me too"]], "IDS": [30]}"##)
        .gets(r##"{"ROOMS": [{"ROOM": "#lab", "NUMBER": 12, "TOPIC": "exercise 4", "SLOW": 5}], "USERS_JOINED": ["zoe"], "ROOM_USERS_LEFT": {"#lab": ["bob"]}}"##)
        .gets_at(9, &said("ALL", 31, "quiet here"))
        .gets_at(10, &said("#talk", 32, "x"))
        .types("#talk")
        .types("#nowhere hi")
        .types("/room")
        .types("/room ALL");
    assert_eq!(scene.prompt(), "ann");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn the_default_of_the_welcome_is_in_front_from_the_start() {
    let scene = with_rooms(person(), "#lab");
    assert_eq!(scene.prompt(), "#lab");
    let scene = scene.types("hi");
    assert!(scene.screen.contains(r##"["ann", "#lab", 1700000000, "hi"]"##), "{}", scene.screen);
    assert_eq!(with_rooms(person(), "#elsewhere").prompt(), "ann");
}

#[test]
fn the_rooms_of_the_welcome_are_told() {
    let offer = crate::spoken();
    let rooms = format!(
        r##""INFO": "hi", "MESSAGES": [["bob", "ALL", 1700000000, "old"]], "IDS": [17], "MORE": true, "DEFAULT": "#lab",
            "SERVER": {{"NAME": "the lab", "BANNER": "be kind\n\nand brief"}}, "ROOMS": [{}, {TALK}]"##,
        lab(20, "")
    );
    let scene = Scene::new(Options { offer, ..person() }).types("ann").gets(&welcome(&rooms));
    insta::assert_snapshot!(scene.screen);
}

/// The rest of what is unread is told when it is time, or when a line is entered.
#[test]
fn what_is_unread_is_told_in_one_line() {
    let mut scene = with_rooms(person(), "ALL");
    for id in 21..40 {
        scene = scene.gets(&said("#lab", id, "x"));
    }
    assert_eq!(scene.screen, "err| * unread: #lab 1 (/room #lab)\n");
    scene = scene.types("hello");
    assert!(scene.screen.ends_with("err| * unread: #lab 19 (/room #lab)\n"), "{}", scene.screen);
    scene = scene.gets_at(60, &said("#talk", 41, "y"));
    assert!(scene.screen.ends_with("#lab 19, #talk 1 (/room #lab)\n"), "{}", scene.screen);
    scene = scene.types("/room #lab");
    assert_eq!(scene.shows("#lab <bob> x"), 19, "{}", scene.screen);
    assert_eq!(scene.shows("#talk <bob>"), 0);
}

#[test]
fn through_pipes_and_with_all_rooms_everything_is_shown() {
    for options in [pipes(), Options { all_rooms: true, ..person() }] {
        let scene = with_rooms(options, "#lab")
            .gets(&said("#talk", 21, "x"))
            .gets(&said("ALL", 22, "y"))
            .gets(r##"{"ROOM_USERS_JOINED": {"#lab": ["cyd"]}, "USERS_JOINED": ["zoe"]}"##);
        for part in ["#talk <bob> x", "] bob: y", "* #lab: cyd joined", "* zoe joined"] {
            assert_eq!(scene.shows(part), 1, "{part}: {}", scene.screen);
        }
        assert_eq!(scene.shows("unread"), 0);
    }
}

/// Line by line a room that one enters is told, and comes to the front when one says so; a screen shows it.
#[test]
fn on_a_full_screen_a_room_that_one_enters_comes_to_the_front() {
    let new = r##"{"ROOMS": [{"ROOM": "#new", "NUMBER": 40, "LEVEL": 0, "TOPIC": "", "ROSTER": true, "COUNT": 1, "USERS": ["ann"], "TALK": 0, "KEEP": 100, "LAST": 0}]}"##;
    for (full_screen, front) in [(true, "#new"), (false, "ann")] {
        let scene = with_rooms(Options { full_screen, ..person() }, "ALL");
        assert_eq!(scene.types("/join new").gets(new).prompt(), front);
        // A room that somebody else has put the user into does not take the screen.
        let scene = with_rooms(Options { full_screen, ..person() }, "ALL");
        assert_eq!(scene.gets(new).prompt(), "ann");
    }
}

#[test]
fn a_room_that_is_asked_for_comes_to_the_front_and_no_other() {
    let new = r##"{"ROOMS": [{"ROOM": "#New", "NUMBER": 50, "LAST": 0, "COUNT": 1, "ROSTER": true, "USERS": ["ann"]}]}"##;
    let scene = with_rooms(person(), "ALL").types("/room new");
    assert!(scene.screen.contains(r##""join", "ARGS": ["#new"]"##), "{}", scene.screen);
    assert_eq!(scene.prompt(), "ann");
    assert_eq!(scene.gets(new).prompt(), "#New");
    // What was refused is not wanted any more, and who only joins stays where they are.
    let refused = r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "full", "ERROR": "no place"}}"#;
    let scene = with_rooms(person(), "ALL").types("/room new").gets(refused).gets(new);
    assert_eq!(scene.prompt(), "ann");
    let scene = with_rooms(person(), "ALL").types("/join new").gets(new);
    assert_eq!((scene.prompt().as_str(), scene.shows("/room #New brings it")), ("ann", 1));
}

/// What was meant for a room must not be said to everybody, nor to others who have the room's name now.
#[test]
fn a_line_for_a_room_goes_nowhere_else() {
    let gone = r##"{"ROOMS_LEFT": [{"ROOM": "#lab", "NUMBER": 12, "CODE": "kicked", "BY": "prof", "INFO": "spam"}]}"##;
    let scene = with_rooms(person(), "#lab").gets(gone).types("a secret of ours");
    assert_eq!((scene.shows("net| "), scene.shows("Nothing was sent")), (0, 1), "{}", scene.screen);
    assert_eq!(scene.shows("removed by prof (spam)"), 1);
    assert_eq!(scene.prompt(), "#lab");
    let another = r##"{"ROOMS": [{"ROOM": "#lab", "NUMBER": 60, "LAST": 0}]}"##;
    let scene = scene.gets(another).types("another secret");
    assert_eq!(scene.shows("net| "), 0, "{}", scene.screen);
    let scene = scene.types("/room #lab").types("hello");
    assert_eq!(scene.shows(r##""#lab", 1700000000, "hello""##), 1);
    // A server without rooms leaves the way back.
    let without = r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "CAPABILITIES": "ids/1", "RESUMED": false, "MESSAGES": [], "IDS": []}"#;
    let scene =
        scene.loses(0).connects().gets(without).types("lost").types("/room ALL").types("found");
    assert_eq!((scene.shows("\"lost\""), scene.shows("\"found\"")), (0, 1), "{}", scene.screen);
}

#[test]
fn a_command_is_about_the_room_in_front() {
    let scene = with_rooms(person(), "#lab")
        .types("/leave")
        .types("/leave #talk")
        .types("/room ALL")
        .types("/leave");
    let calls: Vec<_> =
        scene.screen.lines().filter_map(|line| line.split("\"ARGS\": ").nth(1)).collect();
    assert_eq!(calls, [r##"["#lab"]}}"##, r##"["#talk"]}}"##, r#"["ALL"]}}"#]);
}

#[test]
fn help_says_what_there_is_to_choose_from() {
    let scene =
        with_rooms(pipes(), "ALL").types("/help set-room").types("/help room").types("/help");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn history_is_that_of_the_room_in_front() {
    let scene = with_rooms(pipes(), "#lab")
        .types("/history 2")
        .gets(r##"{"HISTORY": {"WITH": "#lab", "MESSAGES": [["bob", "#lab", 1600000000, "m7"], ["zoe", "#lab", 1600000001, "m8"]], "IDS": [7, 8], "MORE": true}}"##)
        .types("/history 2")
        .gets(r##"{"HISTORY": {"WITH": "#lab", "MESSAGES": [], "IDS": [], "MORE": false}}"##)
        .types("/history #TALK")
        .gets(r##"{"HISTORY": {"WITH": "#talk", "MESSAGES": [], "IDS": [], "MORE": false, "CODE": "not-a-member"}}"##)
        .types("/history ALL 5");
    insta::assert_snapshot!(scene.screen);
}

#[test]
fn a_server_that_does_not_want_us_back_is_not_tried() {
    let closed = |code: &str, retry: &str| {
        let closed = format!(
            r#"{{"ERROR": "x", "CLOSED": {{"CODE": "{code}", "INFO": "x", "RETRY": {retry}}}}}"#
        );
        with_rooms(person(), "ALL").gets(&closed).loses(0)
    };
    for (code, closing) in [
        ("replaced", "Replaced"),
        ("logout", "LoggedOut"),
        ("kicked", "Kicked"),
        ("banned", "Banned"),
        ("protocol", "Protocol"),
        ("zzz", "Other"),
    ] {
        let scene = closed(code, "null");
        assert!(
            scene.screen.ends_with(&format!("end| give up: Closed({closing})\n")),
            "{}",
            scene.screen
        );
        assert_eq!(scene.shows("x\n"), 1, "it is told once: {}", scene.screen);
    }
    let scene = closed("shutdown", "5");
    assert!(scene.screen.ends_with("net| dial in 5000 ms\n"), "{}", scene.screen);
    assert!(scene.loses(5).screen.ends_with(" in 500 ms\n"), "only the first try waits for it");
    assert!(
        closed("shutdown", "61").screen.ends_with("end| over\n"),
        "longer than it would be tried"
    );
    assert!(closed("slow", "\"soon\"").screen.ends_with(" in 250 ms\n"));
    // Who has logged out wanted it.
    let logout = r#"{"PREFIX": "/", "COMMANDS": [{"NAME": "logout", "ALIASES": [], "ARGUMENTS": [], "HELP": "", "EXAMPLE": "", "LEVEL": 1}]}"#;
    let scene = with_rooms(person(), "ALL").gets(logout).types("/logout").gets(
        r#"{"RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "bye"}, "CLOSED": {"CODE": "logout", "INFO": "bye", "RETRY": null}}"#,
    );
    assert!(scene.loses(0).screen.ends_with("end| over\n"));
}

#[test]
fn a_short_welcome_is_asked_for_and_says_that_there_is_more() {
    let offer = crate::spoken();
    let scene = |options| Scene::new(Options { offer, ..options }).types("ann");
    assert_eq!(scene(person()).shows(r#""RECENT": 200}"#), 1);
    assert_eq!(scene(pipes()).shows("RECENT"), 0);
    let recent = Options { recent: Some(3), ..pipes() };
    assert_eq!(scene(recent).shows(r#""RECENT": 3}"#), 1);
    let more = welcome(r#""MESSAGES": [["bob", "ALL", 1, "old"]], "IDS": [17], "MORE": true"#);
    assert_eq!(scene(person()).gets(&more).shows("There are older messages: /history"), 1);
    let none = more.replace("\"MORE\": true", "\"MORE\": false");
    assert_eq!(scene(person()).gets(&none).shows("older messages"), 0);
    // A base server does not know it, and gets no key of it.
    let base = Scene::new(Options { recent: Some(200), interactive: true, ..Options::default() });
    assert_eq!(base.types("ann").screen, "key| ann\nnet| {\"USERNAME\": \"ann\"}\n");
}

#[test]
fn what_a_user_should_know_is_one_line_each() {
    let notices = r##"{"NOTICES": [
        {"CODE": "announcement", "INFO": "maintenance at noon"},
        {"CODE": "invited", "INFO": "", "ROOM": "#new", "BY": "prof", "UNTIL": 1700604800},
        {"CODE": "uninvited", "INFO": "", "ROOM": "#new", "BY": "prof"},
        {"CODE": "muted", "ROOM": "#lab", "BY": "prof", "UNTIL": 1700000600, "INFO": "spam"},
        {"CODE": "level", "INFO": "You have level 3 now.", "BY": "prof"},
        {"CODE": "shutdown", "INFO": "in a minute", "WAIT": 60},
        {"CODE": "something-new", "INFO": "who knows", "ROOM": "#lab", "NAME": "bob"}]}"##;
    insta::assert_snapshot!(with_rooms(person(), "ALL").gets(notices).screen);
}

#[test]
fn who_is_too_fast_is_told_when_to_try_again() {
    let scene = with_rooms(person(), "#lab").types("x").gets(
        r#"{"ERROR": "slow mode (RM-15)", "REFUSED": {"1": {"CODE": "slow-mode", "ERROR": "slow mode", "WAIT": 9}}}"#,
    );
    assert!(
        scene.screen.ends_with("-- It may be said in 9 s.\nout| ! server: slow mode\n"),
        "{}",
        scene.screen
    );
}

#[test]
fn b1_nothing_of_rooms_notices_and_banners_acts_on_the_screen() {
    let bad = r"\u001b[2J\u202e\n[22:13] bob: forged\u0007\u009b";
    let offer = crate::spoken();
    let room = |number: u32| {
        format!(
            r##"{{"ROOM": "#r{bad}{number}", "NUMBER": {number}, "TOPIC": "{bad}", "DESCRIPTION": "{bad}", "OWNER": "{bad}", "ROSTER": true,
                "USERS": ["{bad}"], "STAFF": {{"{bad}": 2}}, "FLAGS": ["{bad}"], "LAST": 1, "KEEP": "all", "COUNT": 1}}"##
        )
        // A name with white space can be no room.
        .replace(r"\n[22:13] bob: forged", "")
    };
    for options in [person(), pipes(), Options { json: true, ..pipes() }] {
        let json = options.json;
        let name = r"#r\u001b[2J\u202e\u0007\u009b1";
        let mut scene = Scene::new(Options { offer, ..options }).types("ann").gets(&welcome(&format!(
            r#""MESSAGES": [], "IDS": [], "DEFAULT": "{name}", "ROOMS": [{}], "SERVER": {{"NAME": "{bad}", "BANNER": "{bad}"}}"#,
            room(1)
        )));
        assert!(scene.app.prompt().as_str().starts_with("#r\\u{1b}"), "{}", scene.app.prompt());
        for body in [
            format!(
                r#"{{"ROOMS": [{}], "MESSAGES": [["{bad}", "{name}", 1, "{bad}"], ["b", "{name}", 2, "x"]], "IDS": [5, 6]}}"#,
                room(2)
            ),
            format!(r#"{{"ROOMS": [{{"ROOM": "{name}", "NUMBER": 1, "TOPIC": "{bad}"}}]}}"#),
            format!(
                r#"{{"ROOM_USERS_JOINED": {{"{name}": ["x{bad}"]}}, "ROOM_USERS_LEFT": {{"{name}": ["x{bad}"]}}}}"#
            ),
            format!(
                r#"{{"NOTICES": [{{"CODE": "{bad}", "INFO": "{bad}", "ROOM": "{bad}", "NAME": "{bad}", "BY": "{bad}"}},
                {{"CODE": "invited", "INFO": "{bad}", "ROOM": "{bad}", "BY": "{bad}"}}, {{"CODE": "muted", "INFO": "{bad}", "BY": "{bad}"}},
                {{"CODE": "announcement", "INFO": "{bad}"}}]}}"#
            ),
            format!(
                r##"{{"HISTORY": {{"WITH": "#{bad}", "MESSAGES": [], "IDS": [], "MORE": false, "CODE": "{bad}"}}}}"##
            ),
            format!(
                r#"{{"ROOMS_LEFT": [{{"ROOM": "{name}", "NUMBER": 1, "CODE": "kicked", "BY": "{bad}", "INFO": "{bad}"}}]}}"#
            ),
            format!(r#"{{"CLOSED": {{"CODE": "{bad}", "INFO": "{bad}", "RETRY": null}}}}"#),
        ] {
            let mut effects = scene.app.received(&body.into(), NOW);
            while scene.app.has_more() {
                effects.extend(scene.app.more(NOW));
            }
            if json {
                for effect in effects {
                    let Effect::Show(output) = effect else { continue };
                    let line = output.json();
                    assert!(line.is_ascii() && !line.contains(char::is_control), "{line}");
                    serde_json::from_str::<serde_json::Value>(&line).unwrap();
                }
            } else {
                scene.play(effects);
            }
        }
        for line in ["hello", "#x hi", "/room", "/room x", "/history"] {
            scene = scene.types(line);
        }
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        let shown = scene.screen.lines().filter(|line| !line.starts_with("net|"));
        for line in shown {
            assert!(!line.contains(acts), "{line:?}");
            assert!(!line.starts_with("out| [22:13] bob: forged"), "{line:?}");
        }
        // The second line of an output begins like the first.
        let begins = |line: &str| line.get(3..5) == Some("| ") || line.starts_with("* ");
        assert!(scene.screen.lines().all(begins), "{}", scene.screen);
    }
}

#[test]
fn for_programs_every_room_is_an_object() {
    let mut scene = with_rooms(Options { json: true, ..pipes() }, "#lab");
    let mut lines = Vec::new();
    let mut note = |effects: Vec<Effect>| {
        for effect in effects {
            if let Effect::Show(output) = effect {
                lines.push(output.json());
            }
        }
    };
    for body in [
        r##"{"ROOMS": [{"ROOM": "#new", "NUMBER": 50, "LAST": 0, "COUNT": 1, "ROSTER": true, "USERS": ["ann"], "KEEP": "off", "SHOW": "joined"}],
            "RESULT": {"ID": "1", "OK": true, "CODE": "ok", "INFO": "You are in #new."}}"##,
        r##"{"ROOMS": [{"ROOM": "#lab", "NUMBER": 12, "TOPIC": "t"}, {"ROOM": "ALL", "SLOW": 3}]}"##,
        r##"{"ROOM_USERS_JOINED": {"#lab": ["cyd"]}, "MESSAGES": [["cyd", "#lab", 1, "me too"]], "IDS": [30], "TIMES": [7], "ROOM_USERS_LEFT": {"#lab": ["bob"]}}"##,
        r##"{"NOTICES": [{"CODE": "muted", "ROOM": "#lab", "BY": "prof", "UNTIL": 1700000600, "INFO": "spam"}]}"##,
        r##"{"REFUSED": {"1": {"CODE": "slow-mode", "ERROR": "e", "WAIT": 9}}}"##,
        r##"{"ROOMS_LEFT": [{"ROOM": "#new", "NUMBER": 50, "CODE": "left", "BY": null, "INFO": ""}]}"##,
        r#"{"ERROR": "e", "CLOSED": {"CODE": "shutdown", "INFO": "i", "RETRY": 5}}"#,
    ] {
        if body.contains("REFUSED") {
            let effects = scene.app.typed("hi", InputMode::Chat, NOW);
            note(effects);
        }
        note(scene.app.received(&body.into(), NOW));
    }
    note(scene.app.typed("/room ALL", InputMode::Chat, NOW));
    note(scene.app.typed("/room lab", InputMode::Chat, NOW));
    note(scene.app.connection_lost("gone", Duration::ZERO, 0));
    note(scene.app.reconnected());
    let effects = scene.app.received(&resumed(90).into(), NOW);
    note(effects);
    for line in &lines {
        assert!(line.is_ascii(), "{line}");
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    insta::assert_snapshot!(lines.join("\n"));
}

/// Only a text that is a message for the conversation in front is measured here.
#[test]
fn what_the_server_takes_of_a_message_is_known_for_the_front() {
    let scene = with_rooms(person(), "#lab");
    let most = |text: &str| scene.app.most_of(text);
    assert_eq!(
        (most("hello"), most("//quit"), most("##lab")),
        (Some(4000), Some(4001), Some(4001))
    );
    for text in ["", "@bob hi", "#talk hi", "@ALL hi", "/quit", "@bob"] {
        assert_eq!(most(text), None, "{text}");
    }
    let scene = scene.types("/room ALL");
    assert_eq!(scene.app.most(), None, "nothing was announced");
    let scene = scene.types("/room #talk");
    assert_eq!(scene.app.most(), None, "{}", scene.screen);
    let offer = crate::spoken();
    let scene = Scene::new(Options { offer, ..person() })
        .types("ann")
        .gets(&welcome(r#""MESSAGES": [], "IDS": [], "LIMITS": {"CONTENT": 500, "FRAME": 9000}"#));
    assert_eq!(scene.app.most(), Some(500));
}
