//! What is offered where, and that nothing hostile is.

use std::sync::Arc;

use chatterbox_proto::capability::commands::{Argument, ArgumentType, Command};
use proptest::prelude::*;

use super::*;
use crate::commands::Catalogue;
use crate::own::Has;

fn argument(name: &str, kind: ArgumentType) -> Argument {
    Argument::new(name, kind)
}

fn optional(name: &str, kind: ArgumentType) -> Argument {
    Argument { optional: true, ..argument(name, kind) }
}

fn command(name: &str, aliases: &[&str], arguments: Vec<Argument>) -> Command {
    Command {
        name: name.to_owned(),
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        arguments,
        help: format!("what {name} does"),
        example: String::new(),
        level: 0,
        confirm: false,
        demo: name == "test",
    }
}

fn catalogue(prefix: &str) -> Catalogue {
    use ArgumentType::*;
    let rest = |argument| Argument { rest: true, ..argument };
    let setting = Argument {
        help: "what to change".to_owned(),
        values: ["limit", "length", "talk"].map(str::to_owned).to_vec(),
        ..argument("setting", Text)
    };
    let all = Argument { values: vec!["--all".to_owned()], ..optional("--all", Text) };
    let commands = vec![
        command(
            "mute",
            &[],
            vec![
                argument("user", User),
                optional("duration", Duration),
                optional("room", Room),
                rest(optional("reason", Text)),
            ],
        ),
        command("unmute", &[], vec![argument("user", User), optional("room", Room)]),
        command("msg", &["dm", "w"], vec![argument("user", User), rest(argument("text", Text))]),
        command("block", &["ignore"], vec![rest(argument("users", Users))]),
        command("passwd", &[], vec![argument("old", Secret), argument("new", Secret)]),
        command("join", &[], vec![argument("room", Room), optional("password", Secret)]),
        command(
            "set-room",
            &[],
            vec![argument("room", Room), setting, rest(optional("value", Text))],
        ),
        command(
            "set-perm",
            &[],
            vec![argument("user", User), argument("level", Integer), optional("room", Room)],
        ),
        command("disable-command", &[], vec![argument("command", Command)]),
        command("users", &[], vec![all, optional("after", Text)]),
        command("test", &[], vec![]),
        command("logout", &[], vec![]),
    ];
    Catalogue::new(commands, Some(prefix))
}

fn vocabulary() -> Vocabulary {
    Vocabulary {
        users: ["bob", "Anna", "böb", "mallory"].map(str::to_owned).to_vec(),
        rooms: ["#lab", "#lounge"].map(str::to_owned).to_vec(),
        catalogue: Some(Arc::new(catalogue("/"))),
        has: Has {
            history: true,
            rooms: true,
            meta: true,
            files: true,
            model: true,
            encryption: false,
        },
    }
}

/// The candidates at the bar, in the order in which they are given.
fn texts(vocabulary: &Vocabulary, line: &str) -> Vec<String> {
    let (before, behind) = line.split_once('|').unwrap_or((line, ""));
    let completion = vocabulary.complete(&format!("{before}{behind}"), before.len());
    completion.candidates.into_iter().map(|candidate| candidate.text).collect()
}

#[test]
fn words_are_completed_by_where_they_stand() {
    let vocabulary = vocabulary();
    for (line, expected) in [
        // Names in a text.
        ("bo", &["bob: "][..]),
        ("BÖ", &["böb: "]),
        ("ask an", &["Anna "]),
        ("ask a| please", &["Anna"]),
        ("@b", &["@bob ", "@böb "]),
        ("@A", &["@Anna ", "@ALL "]),
        ("ask @a", &["@Anna "]),
        ("one\ntwo @ma", &["@mallory "]),
        ("@@bo", &[]),
        ("#l", &["#lab ", "#lounge "]),
        ("see #la", &["#lab "]),
        ("##la", &[]),
        ("", &[]),
        ("hello ", &[]),
        ("frob", &[]),
        // Commands: exact, then those that begin so, then those that have it in them.
        ("/m", &["/mentions", "/msg ", "/mute "]),
        ("/mute", &["/mute ", "/unmute "]),
        ("/dm", &["/msg "]),
        ("/US", &["/users "]),
        ("/hi", &["/history "]),
        ("/room", &["/room ", "/set-room "]),
        ("/log", &["/logout"]),
        ("/te", &["/test"]),
        ("//mu", &[]),
        (" /mu", &[]),
        ("say /mu", &[]),
        // Arguments of the server's commands.
        ("/msg ", &["bob ", "Anna ", "böb ", "mallory "]),
        ("/msg @b", &["@bob ", "@böb "]),
        ("/msg b|  hi", &["bob", "böb"]),
        ("/msg bob ask ma", &["mallory "]),
        ("/msg bob see #lo", &["#lounge "]),
        ("/block bob m", &["mallory "]),
        ("/mute mallory ", &["10m ", "1h ", "1d ", "7d ", "forever ", "#lab ", "#lounge ", "ALL "]),
        ("/mute mallory 15", &["15s ", "15m ", "15h ", "15d "]),
        ("/mute mallory #l", &["#lab ", "#lounge "]),
        ("/mute mallory 10m lo", &["#lounge "]),
        ("/mute mallory 10m #lab @b", &["@bob ", "@böb "]),
        ("/unmute mallory l", &["#lab", "#lounge"]),
        ("/set-room lab l", &["limit ", "length "]),
        ("/set-perm bob ", &[]),
        ("/set-perm bob 3 ", &["#lab", "#lounge", "ALL"]),
        ("/disable-command pass", &["passwd"]),
        ("/disable-command /pass", &["/passwd"]),
        ("/users -", &["--all "]),
        ("/frobnicate b", &[]),
        // Nothing is ever said where a secret is typed.
        ("/passwd ", &[]),
        ("/passwd b", &[]),
        ("/passwd x b", &[]),
        ("/join #lab b", &[]),
        // Arguments of our own.
        ("/help pass", &["passwd"]),
        ("/help /pas", &["/passwd"]),
        ("/room @b", &["@bob", "@böb"]),
        ("/room lo", &["#lounge"]),
        ("/history b", &["bob ", "böb "]),
        ("/close b", &["@bob", "@böb"]),
        ("/notify n", &["none"]),
        ("/search bo", &[]),
        ("/history bob 1", &[]),
        ("/name b", &[]),
    ] {
        assert_eq!(texts(&vocabulary, line), expected, "{line:?}");
    }
}

#[test]
fn a_popup_says_what_is_typed_now() {
    let vocabulary = vocabulary();
    let about = |line: &str| -> Vec<String> {
        let about = vocabulary.complete(line, line.len()).about;
        about.iter().map(ToString::to_string).collect()
    };
    assert!(about("/mut").is_empty() && about("hello bo").is_empty());
    assert_eq!(
        about("/set-room #lab "),
        [
            "/set-room ROOM SETTING [VALUE...]",
            "SETTING: what to change",
            "one of limit, length, talk"
        ]
    );
    let mute = "/mute USER [DURATION] [ROOM] [REASON...]";
    assert_eq!(about("/mute eve "), [mute, "DURATION: 30s, 10m, 2h, 7d or forever"]);
    assert_eq!(about("/mute eve loud"), [mute]);
    assert_eq!(about("/logout "), ["/logout", "what logout does"]);
    assert_eq!(about("/passwd hush"), ["/passwd OLD NEW"]);
    assert_eq!(
        about("/room "),
        ["/room NAME", "lines go to #NAME, @NAME or ALL; alone: what is unread"]
    );

    let list = vocabulary.complete("/mut", 4);
    let shown: Vec<_> =
        list.candidates.iter().map(|one| format!("{}  {}", one.shown, one.note)).collect();
    assert_eq!(
        shown,
        [
            "/mute USER [DURATION] [ROOM] [REASON...]  what mute does",
            "/unmute USER [ROOM]  what unmute does"
        ]
    );
    assert_eq!((list.from, list.to), (0, 4));
}

#[test]
fn the_prefix_is_that_of_the_server() {
    let mut vocabulary = vocabulary();
    for (prefix, line, expected) in [
        ("!", "!mut", &["!mute ", "!unmute "][..]),
        ("!", "!!mu", &[]),
        ("!", "!qu", &[]),
        ("!", "/qu", &["/quit"]),
        ("!", "/mu", &[]),
        ("!", "/mute b", &["bob ", "böb "]),
        ("!", "/help mut", &["mute", "unmute"]),
        ("//", "//mut", &["//mute ", "//unmute "]),
        ("//", "/qu", &["/quit"]),
    ] {
        vocabulary.catalogue = Some(Arc::new(catalogue(prefix)));
        assert_eq!(texts(&vocabulary, line), expected, "{prefix} {line:?}");
    }
    vocabulary = Vocabulary { users: vec!["bob".to_owned()], ..Vocabulary::default() };
    assert_eq!(texts(&vocabulary, "/"), ["/connection", "/help ", "/name", "/quit", "/users "]);
    assert!(texts(&vocabulary, "#l").is_empty() && texts(&vocabulary, "/room ").is_empty());
    assert_eq!(texts(&vocabulary, "@"), ["@bob ", "@ALL "]);
}

#[test]
fn nobody_is_bothered_with_names_at_each_word() {
    let vocabulary = vocabulary();
    let offered = |line: &str| vocabulary.offer(line, line.len()).candidates.len();
    assert_eq!((offered("b"), offered("ask b"), offered("/msg bob b")), (0, 0, 0));
    assert_eq!((offered("@b"), offered("ask @b"), offered("/msg b"), offered("/ms")), (2, 2, 2, 1));
}

#[test]
fn the_common_beginning_is_inserted_where_it_is_more_than_was_typed() {
    let vocabulary = vocabulary();
    for (line, common) in [
        ("bo", Some("bob: ")),
        ("#", Some("#l")),
        ("#l", None),
        ("/mu", Some("/mute ")),
        ("/set", Some("/set-")),
        ("/set-r", Some("/set-room ")),
        ("/x", None),
        ("/perm", Some("/set-perm ")),
        ("@", None),
    ] {
        let completion = vocabulary.complete(line, line.len());
        assert_eq!(completion.common_prefix(), common, "{line}");
    }
    let bobs =
        Vocabulary { users: vec!["Bobby".to_owned(), "bobo".to_owned()], ..Vocabulary::default() };
    assert_eq!(bobs.complete("b", 1).common_prefix(), Some("Bob"));
    assert_eq!(bobs.complete("bob", 3).common_prefix(), None);
}

#[test]
fn a_name_that_would_become_something_else_is_not_offered() {
    let users = [
        "bob hi\n/quit",
        "bo\u{1b}[2J",
        "bo\u{202e}b",
        "",
        "bo\u{200b}b",
        &"bo".repeat(99),
        "bo\u{a0}b",
    ];
    let hostile = vec![
        command("bo x", &[], vec![]),
        command("bo\u{7}", &[], vec![]),
        command("", &[], vec![]),
    ];
    let vocabulary = Vocabulary {
        users: users.map(str::to_owned).to_vec(),
        rooms: vec!["#bo x".to_owned(), "#bo\u{9b}".to_owned()],
        catalogue: Some(Arc::new(Catalogue::new(hostile, None))),
        has: Has { rooms: true, ..Has::default() },
    };
    for line in ["bo", "@bo", "#", "/bo", "/help bo", "/room "] {
        let found = texts(&vocabulary, line);
        assert!(found.iter().all(|text| text == "ALL"), "{line} {found:?}");
    }
}

#[test]
fn a_crowd_gives_no_more_than_a_list_takes() {
    let users = (0..2_000).map(|number| format!("bob{number:04}")).collect();
    let vocabulary = Vocabulary { users, ..Vocabulary::default() };
    let found = texts(&vocabulary, "@bob1");
    assert_eq!((found.len(), found.first().map(String::as_str)), (50, Some("@bob1000 ")));
    assert_eq!(texts(&vocabulary, "@bob1999"), ["@bob1999 "]);
}

proptest! {
    /// Whatever is typed: the part that is replaced is the word before the cursor, and candidates are safe and of one line.
    #[test]
    fn a_completion_is_of_the_word_before_the_cursor(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "/", "@", "#", " ", "\n", "b", "bob", "mute", "msg", "users", "--all", "10", "m", "help", "room", "世", "\u{301}", "\u{1b}", "passwd", "!",
        ]), 0..8),
        cursor in 0..30_usize,
        prefix in prop::sample::select(vec!["/", "!", "//"]),
    ) {
        let vocabulary = Vocabulary { catalogue: Some(Arc::new(catalogue(prefix))), ..vocabulary() };
        let line = pieces.concat();
        for completion in [vocabulary.complete(&line, cursor), vocabulary.offer(&line, cursor)] {
            if line.is_char_boundary(cursor) {
                prop_assert_eq!(completion.to, cursor);
                let word = &line[completion.from..completion.to];
                prop_assert!(!word.contains(char::is_whitespace));
                prop_assert!(line[..completion.from].chars().next_back().is_none_or(char::is_whitespace));
            } else {
                prop_assert!(completion.is_empty());
            }
            prop_assert!(completion.candidates.len() <= 50);
            for candidate in &completion.candidates {
                prop_assert!(!candidate.text.trim_end().contains(char::is_whitespace));
            }
            prop_assert_eq!(vocabulary.complete(&line, cursor), vocabulary.complete(&line, cursor));
        }
    }
}
