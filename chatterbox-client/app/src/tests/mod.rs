//! Situations of a session, each as the screen that results from it.

mod ahead;
mod commands;
mod completing;
mod encrypted;
mod files;
mod files_world;
mod gaps;
mod hostile;
mod lost;
mod marks;
mod model;
mod model_world;
mod negotiated;
mod opening;
mod presence;
mod replying;
mod rooms;
mod terminal;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::{Capability, Code};
use jiff::tz::TimeZone;

use crate::app::{WINDOW, WINDOW_OF_PIPES};
use crate::*;

/// 2023-11-14 22:13:20 UTC.
const NOW: i64 = 1_700_000_000;

struct Scene {
    app: App,
    options: Options,
    screen: String,
}

impl Scene {
    fn new(options: Options) -> Self {
        let app = App::new(options.clone(), TimeFormatter::new(TimeZone::UTC));
        let mut scene = Self { app, options, screen: String::new() };
        let effects = scene.app.start();
        scene.play(effects);
        scene
    }

    fn pipes() -> Self {
        Self::new(Options { echo_own: true, ..Options::default() })
    }

    fn play(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Show(output) = &effect {
                self.app.shown(output, NOW);
            }
            let line = match effect {
                Effect::Show(line) if !line.is_line() && !self.options.json => continue,
                Effect::Show(line) => {
                    let mark = if line.stream() == Stream::Error { "err| " } else { "out| " };
                    mark.to_owned() + &line.text()
                }
                Effect::Send(frame) => {
                    let mut decoder = Decoder::new(1 << 20);
                    decoder.push(&frame);
                    let body = decoder.next_body().unwrap().unwrap();
                    format!("net| {}", String::from_utf8(body.to_vec()).unwrap())
                }
                Effect::Leave => "end| leave".to_owned(),
                Effect::GiveUp(GiveUpReason::NoName) => "end| give up".to_owned(),
                Effect::GiveUp(reason) => format!("end| give up: {reason:?}"),
                Effect::Remember(line) => format!("key| {line}"),
                Effect::StoreToken { name, token } => {
                    format!("dir| {name}: {}", token.as_ref().map_or("none", |t| t.reveal()))
                }
                Effect::Redial(wait) => format!("net| dial in {} ms", wait.as_millis()),
                Effect::Disconnect(why) => format!("net| hang up: {why}"),
                Effect::ConnectionLost => "end| over".to_owned(),
                Effect::Pong(number) => format!("pong| {number}"),
                Effect::DescribeLink => "err| -- (the link)".to_owned(),
            };
            self.screen.push_str(&line);
            self.screen.push('\n');
        }
    }

    /// With a server that speaks everything, and has these commands.
    fn negotiated(options: Options) -> Self {
        let offer = crate::spoken();
        let mut scene = Self::new(Options { offer, ..options })
            .types("ann")
            .gets(
                r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [["bob", "ALL", 1700000000, "old"]], "IDS": [17],
                    "CAPABILITIES": "accounts/1 commands/1 ids/1 ping/1 rename/1 utf8/1", "RESUME": "session", "ACCOUNT": {"LEVEL": 0}}"#,
            )
            .gets(COMMANDS);
        scene.screen.clear();
        scene
    }

    fn types(mut self, text: &str) -> Self {
        let wanted = self.app.input_mode();
        let effects = self.app.typed(text, wanted, NOW);
        self.play(effects);
        self
    }

    /// A line that was begun when something else was wanted.
    fn types_for(mut self, wanted: InputMode, text: &str) -> Self {
        let effects = self.app.typed(text, wanted, NOW);
        self.play(effects);
        self
    }

    fn cancels(mut self) -> Self {
        let effects = self.app.cancelled(self.app.input_mode());
        self.play(effects);
        self
    }

    fn loses(mut self, at: u64) -> Self {
        let effects = self.app.connection_lost(
            "the server closed the connection",
            Duration::from_secs(at),
            0,
        );
        self.play(effects);
        self
    }

    fn connects(mut self) -> Self {
        let effects = self.app.reconnected();
        self.play(effects);
        self
    }

    fn gets(mut self, body: &str) -> Self {
        let mut effects = self.app.received(&body.to_owned().into(), NOW);
        loop {
            self.play(effects);
            if !self.app.has_more() {
                return self;
            }
            effects = self.app.more(NOW);
        }
    }

    fn joined(self) -> Self {
        let mut scene = self
            .types("ann")
            .gets(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": []}"#);
        scene.screen.clear();
        scene
    }
}

const COMMANDS: &str = r#"{"PREFIX": "/", "COMMANDS": [
    {"NAME": "help", "ALIASES": ["h"], "ARGUMENTS": [], "HELP": "Shows help.", "EXAMPLE": "help", "LEVEL": 0},
    {"NAME": "register", "ALIASES": ["p"], "ARGUMENTS": [{"NAME": "password", "TYPE": "secret", "OPTIONAL": true, "REST": false}],
     "HELP": "Makes your name yours.", "EXAMPLE": "register", "LEVEL": 0},
    {"NAME": "nick", "ALIASES": [], "ARGUMENTS": [{"NAME": "name", "TYPE": "text", "OPTIONAL": false, "REST": false}],
     "HELP": "Changes your name.", "EXAMPLE": "nick annie", "LEVEL": 1},
    {"NAME": "block", "ALIASES": ["ignore"], "ARGUMENTS": [{"NAME": "users", "TYPE": "users", "OPTIONAL": false, "REST": true}],
     "HELP": "Hides users.", "EXAMPLE": "block eve", "LEVEL": 1},
    {"NAME": "users", "ALIASES": [], "ARGUMENTS": [{"NAME": "--all", "TYPE": "text", "OPTIONAL": true, "REST": false}],
     "HELP": "Shows who is here.", "EXAMPLE": "users", "LEVEL": 0},
    {"NAME": "logout", "ALIASES": [], "ARGUMENTS": [], "HELP": "Ends this login.", "EXAMPLE": "logout", "LEVEL": 1}]}"#;

#[test]
fn a_refused_name_is_asked_for_again() {
    let scene = Scene::pipes()
        .types("")
        .types("bob")
        .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "This name is already in use."}"#)
        .types("/name cyd")
        .gets(r#"{"USERNAME_ACCEPTED": false}"#)
        .types("/users")
        .types("/name")
        .types(" ann ")
        .gets(
            r#"{"USERNAME_ACCEPTED": true, "INFO": "Welcome!", "USER_LIST": ["bob", "ann"],
                "MESSAGES": [["bob", "ALL", 1600000000, "anybody here?"], ["bob", "ann", 1700000000, "psst"]]}"#,
        )
        .types("/name")
        .types("/name zoe");
    insta::assert_snapshot!(scene.screen, @r#"
    err| -- A name is needed first.
    net| {"USERNAME": "bob"}
    out| ! the server refused the name bob: This name is already in use.
    net| {"USERNAME": "cyd"}
    out| ! the server refused the name cyd: it gives no reason
    err| -- The server tells who is here once you have joined.
    err| -- You have no name yet.
    net| {"USERNAME": "ann"}
    out| [2020-09-13 12:26] bob: anybody here?
    out| [22:13] bob -> ann: psst
    out| * you are ann
    out| * server: Welcome!
    out| * here: bob, ann
    err| -- You are ann.
    err| -- A name stays for the whole connection.
    "#);
}

#[test]
fn what_is_typed_is_sent_and_through_pipes_shown_once() {
    let scene = Scene::pipes()
        .joined()
        .types("hello")
        .gets(r#"{"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}"#)
        .types("@bob psst")
        .gets(r#"{"MESSAGES": [["ann", "bob", 1700000000, "psst"]]}"#)
        .types("@ALL everybody")
        .types("//slash")
        .types("/nonsense \u{1b}[2J")
        .types("@bob")
        .types("   ")
        .types("/help")
        .types("/users")
        .types("/quit");
    insta::assert_snapshot!(scene.screen, @r#"
    net| {"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}
    out| [22:13] ann: hello
    net| {"MESSAGES": [["ann", "bob", 1700000000, "psst"]]}
    out| [22:13] ann -> bob: psst
    net| {"MESSAGES": [["ann", "ALL", 1700000000, "everybody"]]}
    out| [22:13] ann: everybody
    net| {"MESSAGES": [["ann", "ALL", 1700000000, "/slash"]]}
    out| [22:13] ann: /slash
    err| -- There is no command /nonsense. /help lists them; //text sends a text that starts with a slash.
    err| -- Nothing was sent: it takes a text after @bob.
    err| -- text          say it to everybody
    err| -- @NAME text    say it to NAME only
    err| -- //text        say /text; in the same way @@text
    err| -- /users        who is here
    err| -- /name         under which name you are here
    err| -- /help [NAME]  this, or how a command is used; /help all: every command
    err| -- /quit         leave (so do Ctrl-D and Ctrl-C)
    err| -- also          /connection
    out| * here: bob, ann
    end| leave
    "#);
}

#[test]
fn on_a_terminal_own_lines_are_not_repeated() {
    let scene = Scene::new(Options::default()).joined().types("hello").types("@bob psst");
    insta::assert_snapshot!(scene.screen, @r#"
    net| {"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}
    net| {"MESSAGES": [["ann", "bob", 1700000000, "psst"]]}
    "#);
}

#[test]
fn everything_that_happens_is_shown_in_its_order() {
    let scene = Scene::pipes()
        .joined()
        .gets(
            r#"{"USERS_LEFT": ["bob"], "ERROR": "nobody by that name is here", "INFO": "maintenance at noon",
                "USERS_JOINED": ["cyd"], "MESSAGES": [["cyd", "ALL", 1700000000, "hi"], ["cyd", "ann", 1699900000, "psst"]]}"#,
        )
        .gets(r#""a bare string""#)
        .types("/users");
    insta::assert_snapshot!(scene.screen, @r"
    out| * cyd joined
    out| [22:13] cyd: hi
    out| [2023-11-13 18:26] cyd -> ann: psst
    out| * bob left
    out| * server: maintenance at noon
    out| ! server: nobody by that name is here
    out| ! server: a bare string
    out| * here: ann, cyd
    ");
}

#[test]
fn nothing_from_the_wire_acts_on_the_screen() {
    let scene = Scene::pipes().types("ann").gets(
        r#"{"USERNAME_ACCEPTED": true, "INFO": "\u001b[2J\u202e", "USER_LIST": ["\u001b]0;x\u0007"],
            "MESSAGES": [["\nbob", "a\rnn", 99999999999999, "one\n[22:13] bob: forged"]], "ERROR": "\u009b31m",
            "USERS_JOINED": ["\u0000"], "USERS_LEFT": ["\u0000"], "\u001b[1m": 1}"#,
    );
    let escapes = scene.screen.chars().filter(|c| c.is_control() && *c != '\n').count();
    assert_eq!(escapes, 0);
    insta::assert_snapshot!(scene.screen, @r#"
    net| {"USERNAME": "ann"}
    out| [??:??] \nbob -> a\rnn: one\n[22:13] bob: forged
    out| * you are ann
    out| * server: \u{1b}[2J\u{202e}
    out| * here: \u{1b}]0;x\u{7}
    out| * \u{0} joined
    out| * \u{0} left
    out| ! server: \u{9b}31m
    "#);
}

#[test]
fn deviations_are_reported_when_asked_for_or_when_something_is_lost() {
    let play = |strict| {
        Scene::new(Options { strict, ..Options::default() })
            .types("ann")
            .gets(r#"{"USERNAME_ACCEPTED": "true"}"#)
            .gets(r#"{"USERS_JOINED": "bob"}"#)
            .gets(r#"{"USERS_LEFT": ["zoe"], "X": 1}"#)
            .gets(r#"{"MESSAGES": [["bob", "ALL", "1700000000", "hi"], ["bob"]]}"#)
            .gets("xyz")
            .screen
    };
    insta::assert_snapshot!(play(false), @r#"
    net| {"USERNAME": "ann"}
    out| * you are ann
    out| * here: nobody else
    out| * bob joined
    out| [22:13] bob: hi
    err| -- the server deviates: what came as a message is none
    err| -- the server deviates: the body is not valid JSON
    "#);
    insta::assert_snapshot!(play(true), @r#"
    net| {"USERNAME": "ann"}
    out| * you are ann
    out| * here: nobody else
    err| -- the server deviates: USERNAME_ACCEPTED is text, not a boolean
    err| -- the server deviates: the welcome has no USER_LIST
    err| -- the server deviates: the welcome has no MESSAGES
    out| * bob joined
    err| -- the server deviates: USERS_JOINED is one string, not a list
    err| -- the server deviates: unknown key X
    err| -- the server deviates: zoe left without having been there
    out| [22:13] bob: hi
    err| -- the server deviates: the time of a message is not an integer
    err| -- the server deviates: what came as a message is none
    err| -- the server deviates: the body is not valid JSON
    "#);
}

#[test]
fn a_given_name_that_is_refused_through_pipes_ends_it() {
    let scene = |interactive| {
        let username = Some("bob".to_owned());
        Scene::new(Options { username, interactive, ..Options::default() })
            .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "taken"}"#)
    };
    insta::assert_snapshot!(scene(false).screen, @r#"
    net| {"USERNAME": "bob"}
    out| ! the server refused the name bob: taken
    end| give up
    "#);
    let again = scene(true);
    assert_eq!(again.app.input_mode(), InputMode::Name);
    assert!(again.app.was_refused() && !again.screen.contains("give up"));
}

#[test]
fn an_error_in_place_of_an_answer_asks_again_and_a_late_answer_counts() {
    let scene = Scene::pipes().types("ann").gets(r#"{"ERROR": "what?"}"#);
    assert_eq!(scene.app.input_mode(), InputMode::Name);
    let scene = scene.gets(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#);
    assert_eq!((scene.app.input_mode(), scene.app.me()), (InputMode::Chat, Some("ann")));
}

/// It comes before the name is sent, or after it: which one is a race.
#[test]
fn a_server_without_a_place_ends_it_whatever_the_name() {
    for code in [Code::ServerFull, Code::TooManyConnections] {
        for (username, interactive) in
            [(None, false), (None, true), (Some("ann"), false), (Some("ann"), true)]
        {
            let username = username.map(str::to_owned);
            let scene = || {
                Scene::new(Options {
                    username: username.clone(),
                    interactive,
                    ..Options::default()
                })
            };
            let error = format!(r#"{{"ERROR": "{} (IV-1)"}}"#, code.text());
            for scene in [scene().gets(&error), scene().types("ann").gets(&error)] {
                assert!(scene.screen.ends_with("end| give up: TurnedAway\n"), "{}", scene.screen);
            }
        }
    }
    let joined =
        Scene::pipes().joined().gets(&format!(r#"{{"ERROR": "{}"}}"#, Code::ServerFull.text()));
    assert!(!joined.screen.contains("give up"), "{}", joined.screen);
}

#[test]
fn a_long_list_of_users_is_cut_in_the_welcome_only() {
    let names: Vec<_> = (0..120).map(|n| format!("\"user{n}\"")).collect();
    let scene = Scene::pipes().types("ann").gets(&format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": [{}], "MESSAGES": []}}"#,
        names.join(", ")
    ));
    assert!(scene.screen.ends_with("user99, and 20 more\n"), "{}", scene.screen);
    assert!(scene.types("/users").screen.ends_with("user118, user119\n"));
}

#[test]
fn the_echo_of_the_last_message_settles_the_session() {
    let scene = Scene::pipes().joined();
    assert!(!scene.app.is_settled());
    let scene = scene.types("a").types("b");
    let scene = scene.gets(r#"{"MESSAGES": [["ann", "ALL", 1, "a"]]}"#);
    assert!(!scene.app.is_settled());
    let scene = scene.gets(r#"{"MESSAGES": [["ann", "ALL", 1, "b"]]}"#);
    assert!(scene.app.is_settled());
}
