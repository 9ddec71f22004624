//! Situations of a session, each as the screen that results from it.

mod commands;
mod lost;
mod negotiated;

use chatterbox_proto::frame::Decoder;
use jiff::tz::TimeZone;

use super::output::Stream;
use super::*;

/// 2023-11-14 22:13:20 UTC.
const NOW: i64 = 1_700_000_000;

struct Stage {
    app: App,
    screen: String,
}

impl Stage {
    fn new(options: Options) -> Self {
        let mut stage =
            Self { app: App::new(options, Clock::new(TimeZone::UTC)), screen: String::new() };
        let effects = stage.app.start();
        stage.play(effects);
        stage
    }

    fn pipes() -> Self {
        Self::new(Options { repeat_own: true, ..Options::default() })
    }

    fn play(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let line = match effect {
                Effect::Show(line) => {
                    let mark = if line.stream() == Stream::Error { "err| " } else { "out| " };
                    mark.to_owned() + &line.text(false)
                }
                Effect::Send(frame) => {
                    let mut decoder = Decoder::new(1 << 20);
                    decoder.push(&frame);
                    let body = decoder.next_body().unwrap().unwrap();
                    format!("net| {}", String::from_utf8(body.to_vec()).unwrap())
                }
                Effect::Leave => "end| leave".to_owned(),
                Effect::GiveUp(Reason::NoName) => "end| give up".to_owned(),
                Effect::GiveUp(reason) => format!("end| give up: {reason:?}"),
                Effect::Remember(line) => format!("key| {line}"),
                Effect::Hold(line) => format!("key| held: {line}"),
                Effect::Keep { name, token } => {
                    format!("dir| {name}: {}", token.as_ref().map_or("none", |t| t.reveal()))
                }
                Effect::Redial(wait) => format!("net| dial in {} ms", wait.as_millis()),
                Effect::HangUp(why) => format!("net| hang up: {why}"),
                Effect::Over => "end| over".to_owned(),
            };
            self.screen.push_str(&line);
            self.screen.push('\n');
        }
    }

    /// With a server that speaks everything, and has these commands.
    fn negotiated(options: Options) -> Self {
        let offer = Capability::EVERY.iter().copied().collect();
        let mut stage = Self::new(Options { offer, ..options })
            .types("ann")
            .gets(
                r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [["bob", "ALL", 1700000000, "old"]], "IDS": [17],
                    "CAPABILITIES": "accounts/1 commands/1 ids/1 ping/1 rename/1 utf8/1", "RESUME": "session", "ACCOUNT": {"LEVEL": 0}}"#,
            )
            .gets(COMMANDS);
        stage.screen.clear();
        stage
    }

    fn types(mut self, text: &str) -> Self {
        let wanted = self.app.wants();
        let effects = self.app.typed(text, wanted, NOW);
        self.play(effects);
        self
    }

    /// A line that was begun when something else was wanted.
    fn types_for(mut self, wanted: Wants, text: &str) -> Self {
        let effects = self.app.typed(text, wanted, NOW);
        self.play(effects);
        self
    }

    fn cancels(mut self) -> Self {
        let effects = self.app.cancelled(self.app.wants());
        self.play(effects);
        self
    }

    fn loses(mut self, at: u64) -> Self {
        let effects = self.app.lost("the server closed the connection", Duration::from_secs(at), 0);
        self.play(effects);
        self
    }

    fn connects(mut self) -> Self {
        let effects = self.app.connected();
        self.play(effects);
        self
    }

    fn gets(mut self, body: &str) -> Self {
        let effects = self.app.received(body.as_bytes(), NOW);
        self.play(effects);
        self
    }

    fn joined(self) -> Self {
        let mut stage = self
            .types("ann")
            .gets(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": []}"#);
        stage.screen.clear();
        stage
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
    let stage = Stage::pipes()
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
    insta::assert_snapshot!(stage.screen, @r#"
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
    let stage = Stage::pipes()
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
    insta::assert_snapshot!(stage.screen, @r#"
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
    err| -- /users        who is here
    err| -- /name         under which name you are here
    err| -- /quit         leave (so do Ctrl-D and Ctrl-C)
    err| -- //text        say a text that starts with a slash (@@text: with an @)
    out| * here: bob, ann
    end| leave
    "#);
}

#[test]
fn on_a_terminal_own_lines_are_not_repeated() {
    let stage = Stage::new(Options::default()).joined().types("hello").types("@bob psst");
    insta::assert_snapshot!(stage.screen, @r#"
    net| {"MESSAGES": [["ann", "ALL", 1700000000, "hello"]]}
    net| {"MESSAGES": [["ann", "bob", 1700000000, "psst"]]}
    "#);
}

#[test]
fn everything_that_happens_is_shown_in_its_order() {
    let stage = Stage::pipes()
        .joined()
        .gets(
            r#"{"USERS_LEFT": ["bob"], "ERROR": "nobody by that name is here", "INFO": "maintenance at noon",
                "USERS_JOINED": ["cyd"], "MESSAGES": [["cyd", "ALL", 1700000000, "hi"], ["cyd", "ann", 1699900000, "psst"]]}"#,
        )
        .gets(r#""a bare string""#)
        .types("/users");
    insta::assert_snapshot!(stage.screen, @r"
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
    let stage = Stage::pipes().types("ann").gets(
        r#"{"USERNAME_ACCEPTED": true, "INFO": "\u001b[2J\u202e", "USER_LIST": ["\u001b]0;x\u0007"],
            "MESSAGES": [["\nbob", "a\rnn", 99999999999999, "one\n[22:13] bob: forged"]], "ERROR": "\u009b31m",
            "USERS_JOINED": ["\u0000"], "USERS_LEFT": ["\u0000"], "\u001b[1m": 1}"#,
    );
    let escapes = stage.screen.chars().filter(|c| c.is_control() && *c != '\n').count();
    assert_eq!(escapes, 0);
    insta::assert_snapshot!(stage.screen, @r#"
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
        Stage::new(Options { strict, ..Options::default() })
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
    err| -- the server deviates: MESSAGES[1] is not a message (T4-1)
    err| -- the server deviates: the body is not valid JSON (JS-1)
    "#);
    insta::assert_snapshot!(play(true), @r#"
    net| {"USERNAME": "ann"}
    out| * you are ann
    out| * here: nobody else
    err| -- the server deviates: USERNAME_ACCEPTED is text, not a boolean (AC-1)
    err| -- the server deviates: the welcome has no USER_LIST (UL-1)
    err| -- the server deviates: the welcome has no MESSAGES (HI-1)
    out| * bob joined
    err| -- the server deviates: USERS_JOINED is one string, not a list (UJ-1)
    err| -- the server deviates: unknown key X (BN-1)
    err| -- the server deviates: zoe left without having been there (UX-2)
    out| [22:13] bob: hi
    err| -- the server deviates: the time of MESSAGES[0] is not an integer (TS-1)
    err| -- the server deviates: MESSAGES[1] is not a message (T4-1)
    err| -- the server deviates: the body is not valid JSON (JS-1)
    "#);
}

#[test]
fn a_given_name_that_is_refused_through_pipes_ends_it() {
    let stage = |ask_again| {
        let username = Some("bob".to_owned());
        Stage::new(Options { username, ask_again, ..Options::default() })
            .gets(r#"{"USERNAME_ACCEPTED": false, "INFO": "taken"}"#)
    };
    insta::assert_snapshot!(stage(false).screen, @r#"
    net| {"USERNAME": "bob"}
    out| ! the server refused the name bob: taken
    end| give up
    "#);
    let again = stage(true);
    assert_eq!(again.app.wants(), Wants::Name);
    assert!(again.app.was_refused() && !again.screen.contains("give up"));
}

#[test]
fn an_error_in_place_of_an_answer_asks_again_and_a_late_answer_counts() {
    let stage = Stage::pipes().types("ann").gets(r#"{"ERROR": "what?"}"#);
    assert_eq!(stage.app.wants(), Wants::Name);
    let stage = stage.gets(r#"{"USERNAME_ACCEPTED": true, "USER_LIST": [], "MESSAGES": []}"#);
    assert_eq!((stage.app.wants(), stage.app.me()), (Wants::Talk, Some("ann")));
}

#[test]
fn a_long_list_of_users_is_cut_in_the_welcome_only() {
    let names: Vec<_> = (0..120).map(|n| format!("\"user{n}\"")).collect();
    let stage = Stage::pipes().types("ann").gets(&format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": [{}], "MESSAGES": []}}"#,
        names.join(", ")
    ));
    assert!(stage.screen.ends_with("user99, and 20 more\n"), "{}", stage.screen);
    assert!(stage.types("/users").screen.ends_with("user118, user119\n"));
}

#[test]
fn the_echo_of_the_last_message_settles_the_session() {
    let stage = Stage::pipes().joined();
    assert!(!stage.app.is_settled());
    let stage = stage.types("a").types("b");
    let stage = stage.gets(r#"{"MESSAGES": [["ann", "ALL", 1, "a"]]}"#);
    assert!(!stage.app.is_settled());
    let stage = stage.gets(r#"{"MESSAGES": [["ann", "ALL", 1, "b"]]}"#);
    assert!(stage.app.is_settled());
}
