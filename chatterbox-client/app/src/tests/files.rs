//! Files that are sent and fetched, on a disk that the test plays (FI-1 to FI-7).

use chatterbox_proto::capability::meta::Digest;

use super::*;

const AGREED: &str = "accounts/1 files/1 ids/1 meta/1 ping/1 rename/1";

fn options() -> Options {
    let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(10)));
    Options { echo_own: true, reconnect, ..Options::default() }
}

/// Joined where the server keeps files of 1,000 bytes at most.
fn agreed(options: Options) -> Scene {
    let offer = crate::spoken();
    let mut scene = Scene::new(Options { offer, ..options }).types("ann").gets(&format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["bob", "ann"], "MESSAGES": [], "IDS": [], "RESUME": "session",
            "LIMITS": {{"FILE": 1000, "CHUNK": 4}}, "CAPABILITIES": "{AGREED}", "ACCOUNT": {{"LEVEL": 1}}}}"#
    ));
    scene.screen.clear();
    scene
}

/// The message of somebody with a file.
fn announced(id: u64, from: &str, to: &str, name: &str) -> String {
    format!(
        r#"{{"MESSAGES": [["{from}", "{to}", 1700000000, "look"]], "IDS": [{id}], "META": [{{"FILE": {{"FILE": "Qx{id}",
            "NAME": "{name}", "SIZE": 6, "SHA256": "{}", "UNTIL": 1700003600}}}}]}}"#,
        "07".repeat(32)
    )
}

impl Scene {
    fn work(&mut self) -> Option<FileWork> {
        self.app.file_work(true)
    }

    fn hears(mut self, news: FileNews) -> Self {
        let effects = self.app.file_news(news, NOW);
        self.play(effects);
        self
    }

    /// A file of this size was opened.
    fn opens(mut self, id: u64, size: u64) -> Self {
        let work = self.work();
        assert!(matches!(work, Some(FileWork::Open { id: of, .. }) if of == id), "{work:?}");
        let name = "notes.txt".to_owned();
        self.hears(FileNews::Opened { id, name, size, sha256: Digest([7; 32]) })
    }

    fn creates(mut self, id: u64) -> Self {
        let work = self.work();
        assert!(matches!(work, Some(FileWork::Create { id: of, .. }) if of == id), "{work:?}");
        self.hears(FileNews::Created { id })
    }

    fn count_of(&self, part: &str) -> usize {
        self.screen.lines().filter(|line| line.contains(part)).count()
    }
}

#[test]
fn a_file_is_sent_and_then_said() {
    let mut scene = agreed(options()).types(r#"/send "~/my notes.txt" look  here"#);
    let open = FileWork::Open { id: 1, path: "~/my notes.txt".to_owned(), most: Some(1000) };
    assert_eq!(scene.work(), Some(open));
    assert_eq!(scene.work(), None);
    let name = "my notes.txt".to_owned();
    scene = scene.hears(FileNews::Opened { id: 1, name, size: 6, sha256: Digest([7; 32]) });
    let put = r#"net| {"FILE_PUT": {"ID": "f1.1", "TO": "ALL", "NAME": "my notes.txt", "SIZE": 6, "SHA256": "0707"#;
    assert!(scene.screen.contains(put), "{}", scene.screen);
    scene = scene.gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "CREDIT": 4}}"#);
    assert_eq!(scene.app.file_work(false), None, "a message waits");
    assert_eq!(scene.work(), Some(FileWork::Read { id: 1, at: 0, bytes: 4 }));
    scene = scene.hears(FileNews::Read { id: 1, at: 0, data: b"abcd".to_vec() });
    assert_eq!(scene.work(), None, "the credit is used up");
    assert_eq!(
        scene.count_of(r#"{"FILE_CHUNK": {"FILE": "Qx7", "AT": 0, "DATA": "YWJjZA=="}}"#),
        1
    );
    scene = scene.gets(r#"{"FILE_CREDIT": {"FILE": "Qx7", "UPTO": 6}}"#);
    assert_eq!(scene.work(), Some(FileWork::Read { id: 1, at: 4, bytes: 2 }));
    scene = scene.hears(FileNews::Read { id: 1, at: 4, data: b"ef".to_vec() });
    assert_eq!(scene.count_of("MESSAGES"), 0, "nothing is announced that is not there");
    scene.screen.clear();
    scene = scene.gets(r#"{"FILE": {"FILE": "Qx7", "DONE": true, "UNTIL": 1700003600}}"#);
    let said = r#"net| {"MESSAGES": [["ann", "ALL", 1700000000, "look  here"]], "TAGS": ["1"], "META": [{"FILE": "Qx7"}]}"#;
    assert_eq!(scene.count_of(said), 1, "{}", scene.screen);
    assert_eq!(
        scene.count_of("* with a file: my notes.txt, 6 bytes, until 23:13"),
        1,
        "{}",
        scene.screen
    );
    assert_eq!(scene.work(), Some(FileWork::Drop { id: 1 }));
    assert!(!scene.app.has_transfers() && scene.app.failures() == 0);
    // It can be fetched by its number, as soon as it has one.
    let scene = scene.gets(r#"{"ACKS": {"1": 30}}"#).types("/save 30").creates(2);
    assert_eq!(
        scene.count_of(r#"{"FILE_GET": {"ID": "f2.1", "FILE": "Qx7", "AT": 0, "CREDIT": 6}}"#),
        1
    );
}

#[test]
fn whoever_says_nothing_beside_a_file_says_its_name() {
    let scene = agreed(options())
        .types("/send notes.txt")
        .opens(1, 0)
        .gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "CREDIT": 0}}"#)
        .gets(r#"{"FILE": {"FILE": "Qx7", "DONE": true}}"#);
    assert_eq!(scene.count_of(r#""[file: notes.txt, 0 bytes]"]"#), 1, "{}", scene.screen);
}

#[test]
fn an_upload_goes_on_after_a_cut_and_its_message_is_said_once_it_is_there() {
    let mut scene = agreed(options())
        .types("/send notes.txt hi")
        .opens(1, 6)
        .gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "CREDIT": 6}}"#);
    assert!(matches!(scene.work(), Some(FileWork::Read { at: 0, .. })));
    scene = scene.loses(0).hears(FileNews::Read { id: 1, at: 0, data: b"abcd".to_vec() });
    assert_eq!((scene.count_of("FILE_CHUNK"), scene.work()), (0, None));
    let back = format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "RESUMED": true,
            "LIMITS": {{"CHUNK": 4}}, "CAPABILITIES": "{AGREED}"}}"#
    );
    scene = scene.connects().gets(&back);
    assert_eq!(scene.count_of(r#"{"FILE_PUT": {"ID": "f1.2""#), 1, "{}", scene.screen);
    // The answer to what was asked before the cut means nothing any more.
    scene = scene.gets(r#"{"FILE": {"ID": "f1.1", "CODE": "busy"}}"#);
    scene = scene.gets(r#"{"FILE": {"ID": "f1.2", "FILE": "Qx7", "AT": 4, "CREDIT": 6}}"#);
    assert_eq!(scene.work(), Some(FileWork::Read { id: 1, at: 4, bytes: 2 }));
    scene = scene
        .hears(FileNews::Read { id: 1, at: 4, data: b"ef".to_vec() })
        .gets(r#"{"FILE": {"FILE": "Qx7", "DONE": true}}"#);
    assert_eq!(scene.count_of(r#""hi"]]"#), 1, "{}", scene.screen);
}

#[test]
fn a_message_shows_its_file_and_how_it_is_fetched() {
    let person = Options { interactive: true, ..options() };
    let mut app = agreed(person).app;
    let body = announced(30, "bob", "ALL", "../\\u202enotes.pdf");
    let effects = app.received(&body.into(), NOW);
    let shown = effects.into_iter().filter_map(|effect| match effect {
        Effect::Show(output) => Some(crate::words::whole(output.into_terminal_spans())),
        _ => None,
    });
    assert_eq!(
        shown.collect::<String>(),
        "[22:13] bob: look\n        \u{2913} _notes.pdf, 6 bytes, until 23:13; /save 30"
    );
}

#[test]
fn a_file_is_fetched_checked_and_told() {
    let mut scene =
        agreed(options()).gets(&announced(30, "bob", "ALL", "a.txt")).types("/save last ~/there/");
    let work = scene.work();
    let path = Some("~/there/".to_owned());
    assert_eq!(work, Some(FileWork::Create { id: 1, name: SafeName::of("a.txt"), path }));
    scene = scene.hears(FileNews::Created { id: 1 });
    assert_eq!(
        scene.count_of(r#"{"FILE_GET": {"ID": "f1.1", "FILE": "Qx30", "AT": 0, "CREDIT": 6}}"#),
        1
    );
    scene = scene
        .gets(
            r#"{"FILE": {"ID": "f1.1", "FILE": "Qx30", "AT": 0, "SIZE": 6, "UNTIL": 1700003600}}"#,
        )
        .gets(r#"{"FILE_CHUNK": {"FILE": "Qx30", "AT": 0, "DATA": "YWJjZA=="}}"#);
    assert_eq!(scene.work(), Some(FileWork::Write { id: 1, data: b"abcd".to_vec() }));
    scene = scene
        .gets(r#"{"FILE_CHUNK": {"FILE": "Qx30", "AT": 4, "DATA": "ZWY="}}"#)
        .gets(r#"{"FILE": {"FILE": "Qx30", "DONE": true}}"#)
        .hears(FileNews::Written { id: 1, bytes: 4 });
    assert_eq!(scene.work(), Some(FileWork::Write { id: 1, data: b"ef".to_vec() }));
    scene = scene.hears(FileNews::Written { id: 1, bytes: 2 });
    let finish = FileWork::Finish { id: 1, sha256: Digest([7; 32]) };
    assert_eq!(scene.work(), Some(finish));
    let path = "/home/ann/there/a\u{1b} (2).txt".to_owned();
    scene = scene.hears(FileNews::Finished { id: 1, path });
    let told =
        r"err| -- a.txt is saved as /home/ann/there/a\u{1b} (2).txt; it is what was announced";
    assert!(scene.screen.ends_with(&format!("{told}\n")), "{}", scene.screen);
    assert_eq!(scene.app.failures(), 0);
}

#[test]
fn files_are_found_in_the_conversation_in_front() {
    let scene = agreed(Options { model: Some(crate::model::Limits::USUAL), ..options() })
        .gets(&announced(30, "bob", "ALL", "a.txt"))
        .gets(&announced(31, "bob", "ann", "b.txt"))
        .gets(&announced(32, "ann", "ALL", "c.txt"));
    let token = |line: &str, scene: Scene| {
        let mut scene = scene.types(line);
        match scene.work() {
            Some(FileWork::Create { name, .. }) => Some(name.to_string()),
            _ => None,
        }
    };
    // Each is fetched in a session of its own.
    let again = |line: &str| {
        let scene = agreed(Options { model: Some(crate::model::Limits::USUAL), ..options() })
            .gets(&announced(30, "bob", "ALL", "a.txt"))
            .gets(&announced(31, "bob", "ann", "b.txt"))
            .gets(&announced(32, "ann", "ALL", "c.txt"));
        token(line, scene)
    };
    assert_eq!(token("/save", scene).as_deref(), Some("a.txt"), "own ones are not the last");
    assert_eq!(again("/save 31").as_deref(), Some("b.txt"));
    assert_eq!(again("/save b.txt").as_deref(), Some("b.txt"));
    assert_eq!(again("/save 33"), None);
    assert_eq!(again("/save other.txt"), None);
}

#[test]
fn what_can_not_be_done_says_why_and_counts() {
    for (fault, words) in [
        (FileFault::Missing, "there is no such file"),
        (
            FileFault::TooLarge { size: 2000, most: 1000 },
            "it has 2 KiB, and the server takes 1000 bytes",
        ),
        (FileFault::Full, "the disk is full"),
        (FileFault::Other("\u{1b}".to_owned()), "\\u{1b}"),
    ] {
        let mut scene = agreed(options()).types("/send notes.txt");
        scene.work();
        let scene = scene.hears(FileNews::Failed { id: 1, why: fault });
        assert_eq!(scene.count_of("err| -- notes.txt was not sent: "), 1, "{}", scene.screen);
        assert!(scene.screen.contains(words), "{}", scene.screen);
        assert_eq!((scene.app.failures(), scene.app.moved()), (1, None));
    }
    let refused = r#"{"FILE": {"ID": "f1.1", "CODE": "no-space", "INFO": "your files\u001b would take too much",
        "SPACE": {"OF": "account", "MOST": 2048, "LEFT": 1024}}}"#;
    let scene = agreed(options()).types("/send notes.txt").opens(1, 6).gets(refused);
    let told = r"err| -- notes.txt was not sent: your files\u{1b} would take too much (1 KiB left of 2 KiB)";
    assert_eq!(scene.count_of(told), 1, "{}", scene.screen);
    for line in ["/send", "/send \"x", "/save", "/save last x", "/cancel"] {
        let scene = agreed(options()).types(line);
        assert_eq!((scene.app.failures(), scene.count_of("err|")), (1, 1), "{}", scene.screen);
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_not_for_ever() {
    let mut scene = agreed(options()).types("/send notes.txt").opens(1, 6);
    for asked in 1..=10 {
        assert_eq!(scene.count_of(&format!(r#""ID": "f1.{asked}""#)), 1, "{}", scene.screen);
        scene = scene.gets(&format!(r#"{{"FILE": {{"ID": "f1.{asked}", "CODE": "busy"}}}}"#));
        let effects = scene.app.progress(Duration::ZERO, NOW + 1);
        assert!(effects.is_empty(), "it waits");
        let effects = scene.app.progress(Duration::ZERO, NOW + 3 * asked);
        scene.play(effects);
    }
    assert_eq!(scene.app.failures(), 1);
}

#[test]
fn a_restricted_program_touches_no_file() {
    let scene = agreed(Options { restricted: true, ..options() })
        .gets(&announced(30, "bob", "ALL", "a.txt"))
        .types("/send notes.txt")
        .types("/save 30");
    assert_eq!(scene.count_of("files are neither read nor written here"), 2, "{}", scene.screen);
    assert!(!scene.app.has_transfers());
}

#[test]
fn without_files_these_are_no_commands() {
    for line in ["/send notes.txt", "/save", "/cancel"] {
        let scene = Scene::negotiated(Options { interactive: true, ..options() }).types(line);
        assert_eq!(scene.count_of("There is no command"), 1, "{}", scene.screen);
    }
}

#[test]
fn two_run_at_a_time_and_each_can_be_given_up() {
    let scene = agreed(options())
        .types("/send 1.txt")
        .types("/send 2.txt")
        .types("/send 3.txt")
        .opens(1, 6)
        .opens(2, 6);
    let mut scene = scene.gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "CREDIT": 4}}"#);
    assert!(matches!(scene.work(), Some(FileWork::Read { id: 1, .. })));
    assert_eq!(scene.work(), None, "the third one waits");
    scene = scene.types("/cancel");
    for number in 1..=3 {
        assert_eq!(
            scene.count_of(&format!("err| -- /cancel {number}: sending ")),
            1,
            "{}",
            scene.screen
        );
    }
    scene.screen.clear();
    scene = scene.types("/cancel 1");
    assert_eq!(scene.count_of(r#"net| {"FILE_STOP": {"FILE": "Qx7"}}"#), 1, "{}", scene.screen);
    assert_eq!(scene.count_of("was not sent: you have given it up"), 1, "{}", scene.screen);
    assert_eq!(scene.work(), Some(FileWork::Drop { id: 1 }));
    // What was on its way is nobody's.
    scene = scene
        .hears(FileNews::Read { id: 1, at: 0, data: b"abcd".to_vec() })
        .gets(r#"{"FILE_CREDIT": {"FILE": "Qx7", "UPTO": 6}}"#)
        .gets(r#"{"FILE": {"FILE": "Qx7", "DONE": true}}"#);
    assert_eq!((scene.count_of("FILE_CHUNK"), scene.count_of("MESSAGES")), (0, 0));
    let scene = scene.opens(3, 6);
    assert_eq!(scene.count_of(r#"{"FILE_PUT": {"ID": "f3.1""#), 1, "{}", scene.screen);
}

#[test]
fn what_a_server_sends_beyond_what_was_announced_is_not_taken() {
    for frame in [
        r#"{"FILE_CHUNK": {"FILE": "Qx30", "AT": 0, "DATA": "YWJjZGVmZw=="}}"#,
        r#"{"FILE_CHUNK": {"FILE": "Qx30", "AT": 1, "DATA": "YQ=="}}"#,
        r#"{"FILE_CHUNK": {"FILE": "Qx30", "AT": 0, "DATA": "?"}}"#,
        r#"{"FILE": {"FILE": "Qx30", "DONE": true}}"#,
        r#"{"FILE_STOP": {"FILE": "Qx30"}}"#,
        r#"{"FILE": {"FILE": "Qx30", "CODE": "expired"}}"#,
    ] {
        let mut scene = agreed(options())
            .gets(&announced(30, "bob", "ALL", "a.txt"))
            .types("/save")
            .creates(1)
            .gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx30", "AT": 0, "SIZE": 6}}"#)
            .gets(frame);
        assert_eq!(
            scene.count_of("err| -- a.txt was not fetched: "),
            1,
            "{frame}: {}",
            scene.screen
        );
        assert_eq!(scene.work(), Some(FileWork::Drop { id: 1 }), "{frame}");
    }
    let scene = agreed(options())
        .gets(&announced(30, "bob", "ALL", "a.txt"))
        .types("/save")
        .creates(1)
        .gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx30", "AT": 0, "SIZE": 7}}"#);
    assert_eq!(scene.count_of("a.txt was not fetched"), 1, "another file: {}", scene.screen);
    // A chunk of something that nobody has asked for.
    let scene =
        agreed(options()).gets(r#"{"FILE_CHUNK": {"FILE": "Qx9", "AT": 0, "DATA": "YQ=="}}"#);
    assert_eq!(scene.screen, "");
}

#[test]
fn programs_are_told_how_far_a_file_is_and_which_one_a_message_has() {
    let mut scene = agreed(Options { json: true, ..options() })
        .types("/send notes.txt")
        .opens(1, 6)
        .gets(r#"{"FILE": {"ID": "f1.1", "FILE": "Qx7", "AT": 0, "CREDIT": 6}}"#);
    scene.work();
    scene = scene.hears(FileNews::Read { id: 1, at: 0, data: b"abcd".to_vec() });
    let told = |app: &mut App, seconds| {
        let effects = app.progress(Duration::from_secs(seconds), NOW);
        let lines = effects.iter().filter_map(|effect| match effect {
            Effect::Show(output) => Some(output.json()),
            _ => None,
        });
        lines.collect::<Vec<_>>()
    };
    let line = r#"{"event": "file", "number": 1, "name": "notes.txt", "direction": "out", "size": 6, "done": 4, "state": "moving", "rate": null, "left": null, "path": null, "text": null}"#;
    assert_eq!(told(&mut scene.app, 1), [line]);
    assert!(told(&mut scene.app, 2).is_empty(), "nothing has moved");
    let body = announced(30, "bob", "ALL", "a\\u001b.txt");
    let effects = scene.app.received(&body.into(), NOW);
    let lines = effects.iter().filter_map(|effect| match effect {
        Effect::Show(output) => Some(output.json()),
        _ => None,
    });
    let file = format!(
        r#""file": {{"name": "a\u001b.txt", "size": 6, "sha256": "{}", "until": 1700003600}}"#,
        "07".repeat(32)
    );
    assert!(lines.collect::<String>().contains(&file));
}
