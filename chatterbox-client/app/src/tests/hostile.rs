//! A server that wants to harm its client, and secrets at the wrong moment.

use super::*;

const SECRET: &str = r#"{"PROMPT": {"ID": "1", "TEXT": "Choose a password:", "SECRET": true}}"#;

fn terminal() -> Scene {
    Scene::negotiated(Options { interactive: true, ..Options::default() })
}

fn pipes() -> Scene {
    Scene::negotiated(Options { echo_own: true, ..Options::default() })
}

impl Scene {
    fn says(mut self, text: &str) -> Self {
        let effects = self.app.typed_text(text, InputMode::Chat, NOW);
        self.play(effects);
        self
    }

    fn count(&self, part: &str) -> usize {
        self.screen.lines().filter(|line| line.contains(part)).count()
    }
}

/// With so many messages in its history.
fn welcome(messages: usize) -> String {
    let message = |number| format!(r#"["bob", "ALL", 1, "<{number}>"]"#);
    let messages: Vec<_> = (0..messages).map(message).collect();
    format!(
        r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [{}]}}"#,
        messages.join(", ")
    )
}

#[test]
fn f16_a_person_is_shown_the_newest_part_of_a_welcome_and_a_program_all() {
    let person = |messages| {
        let options = Options { interactive: true, ..Options::default() };
        Scene::new(options).types("ann").gets(&welcome(messages))
    };
    let scene = person(1200);
    assert_eq!((scene.count("bob: <"), scene.count("bob: <999>")), (200, 0), "{}", scene.screen);
    assert!(scene.screen.contains("-- 1000 older messages are not shown here; "));
    assert!(scene.screen.contains("bob: <1000>\n") && scene.screen.contains("bob: <1199>\n"));
    let scene = person(200);
    assert_eq!((scene.count("bob: <"), scene.count("not shown")), (200, 0), "{}", scene.screen);
    let scene = Scene::pipes().types("ann").gets(&welcome(1200));
    assert_eq!((scene.count("bob: <"), scene.count("not shown")), (1200, 0));
}

/// What waits to be shown is what takes memory; the session makes more only when that was shown.
#[test]
fn f16_a_frame_is_worked_off_part_by_part() {
    let mut scene = Scene::pipes().types("ann");
    let mut effects = scene.app.received(&welcome(5000).into(), NOW);
    let mut longest = effects.len();
    while scene.app.has_more() {
        effects = scene.app.more(NOW);
        longest = longest.max(effects.len());
    }
    assert!(longest <= 100, "{longest}");
    // Long texts count by their bytes.
    let long = "x".repeat(100_000);
    let messages = vec![format!(r#"["bob", "ALL", 1, "{long}"]"#); 10];
    let frame = format!(r#"{{"MESSAGES": [{}]}}"#, messages.join(", "));
    assert_eq!(scene.app.received(&frame.into(), NOW).len(), 1);
}

#[test]
fn f25_questions_without_end_leave_the_user_alone() {
    let mut scene = terminal();
    for number in 0..20_000 {
        scene = scene.gets(&format!(
            r#"{{"PROMPT": {{"ID": "i{number}", "TEXT": "pw{number}?", "SECRET": true}}}}"#
        ));
    }
    assert!(scene.screen.lines().count() <= 3, "{}", scene.screen.len());
    for mode in [InputMode::Chat, scene.app.input_mode()] {
        let effects = scene.app.typed("/quit", mode, NOW);
        assert_eq!(effects, [Effect::Leave], "{mode:?}");
    }
    // As many questions are open as one can take back.
    let mut open = 0;
    while let mode @ InputMode::Reply(_) = scene.app.input_mode() {
        open += 1;
        assert!(open <= 16);
        scene.app.cancelled(mode);
    }
}

#[test]
fn f25_what_was_typed_while_a_secret_was_asked_for_is_never_said() {
    let never = |scene: Scene| {
        assert!(!scene.screen.contains("hunter2"), "{}", scene.screen);
        assert_eq!(scene.count("not sent") + scene.count("Nothing was sent"), 1);
        scene
    };
    // A line for the chat that is entered beside the question, as one line or several.
    never(terminal().types("/register").gets(SECRET).types_for(InputMode::Chat, "hunter2"));
    never(terminal().types("/register").gets(SECRET).says("hunter2\nhunter2"));
    // An answer whose question is over.
    let asked = terminal().types("/register").gets(SECRET);
    let mode = asked.app.input_mode();
    let over = r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "timeout", "ERROR": "too late"}}"#;
    never(asked.gets(over).types_for(mode, "hunter2"));
}

/// The line for the chat comes back when a server takes its time to ask.
#[test]
fn f25_a_secret_that_is_typed_before_it_is_asked_for_is_not_said() {
    let mut scene = terminal().types("/register");
    scene.app.stop_waiting(NOW);
    assert_eq!(scene.app.input_mode(), InputMode::Chat);
    let scene = scene.types("hunter2");
    assert!(!scene.screen.contains("hunter2"), "{}", scene.screen);
    let mut pasted = terminal().types("/register");
    pasted.app.stop_waiting(NOW);
    let pasted = pasted.says("hunter2\n2");
    assert!(!pasted.screen.contains("hunter2"), "{}", pasted.screen);
    let scene = scene.types("hello");
    assert!(
        scene.screen.contains(r#""hello"]"#),
        "the user was told, and goes on: {}",
        scene.screen
    );
}

#[test]
fn a_line_end_behind_a_secret_is_dropped_and_one_inside_is_no_secret() {
    for scene in [terminal(), pipes()] {
        let scene = scene.types("/register").gets(SECRET).types("correct horse\n");
        assert!(scene.screen.contains(r#""TEXT": "correct horse"}"#), "{}", scene.screen);
    }
    let asked = terminal().types("/register").gets(SECRET).types("correct\nhorse");
    assert!(!asked.screen.contains("ANSWER"), "{}", asked.screen);
    assert!(matches!(asked.app.input_mode(), InputMode::Reply(_)), "it is asked for still");
    // Through pipes the next line would be taken for it.
    let asked = pipes().types("/register").gets(SECRET).types("correct\u{2028}horse");
    assert!(asked.screen.contains(r#"{"ANSWER": {"ID": "1", "TEXT": null}}"#), "{}", asked.screen);
    assert_eq!(asked.app.failures(), 1);

    let registered = r#"{"USERNAME_ACCEPTED": false, "INFO": "no", "CODE": "registered"}"#;
    let offer = crate::spoken();
    let options = Options { interactive: true, offer, ..Options::default() };
    let scene = Scene::new(options).types("ann").gets(registered).types("correct horse\r\n");
    assert!(scene.screen.contains(r#""PASSWORD": "correct horse""#), "{}", scene.screen);
}

/// Whoever pastes a command and what it asks for has not meant the chat.
#[test]
fn a_text_of_several_lines_is_one_message_unless_one_of_them_may_be_a_secret() {
    let scene = terminal().says("one\n\n two\n/name");
    assert!(scene.screen.contains(r#""one\n\n two\n/name"]"#), "{}", scene.screen);
    for text in ["/register\nhush", "one\n/REGISTER hush\n", "/p\nx"] {
        let scene = terminal().says(text);
        assert_eq!(scene.count("Nothing was sent"), 1, "{text}: {}", scene.screen);
        assert!(!scene.screen.contains("MESSAGES"), "{text}: {}", scene.screen);
    }
}

#[test]
fn lines_that_are_not_sent_or_refused_are_counted_once() {
    let refused = r#"{"ERROR": "no", "REFUSED": {"1": {"CODE": "no-such-user", "ERROR": "no"}}}"#;
    let failed = r#"{"RESULT": {"ID": "1", "OK": false, "CODE": "forbidden", "ERROR": "no"}}"#;
    for (scene, count) in [
        (pipes().gets(r#"{"ERROR": "unasked"}"#), 0),
        (pipes().types("hello").gets(r#"{"ACKS": {"1": 18}}"#), 0),
        (pipes().types("@zoe hm").gets(refused), 1),
        (pipes().types("@zoe"), 1),
        (pipes().types("/block eve").gets(failed), 1),
        (pipes().types("/nonsense"), 1),
        (Scene::pipes().joined().types("hello").gets(r#"{"ERROR": "no"}"#), 1),
        (Scene::pipes().joined().types("/nonsense"), 1),
    ] {
        assert_eq!(scene.app.failures(), count, "{}", scene.screen.get(..500).unwrap_or_default());
    }
}

proptest::proptest! {
    /// A cell of a screen holds a whole grapheme, and is written whenever it changes.
    #[test]
    fn no_grapheme_is_long(picks in proptest::collection::vec((0..PILES.len(), 1..60_usize), 1..20)) {
        use unicode_segmentation::UnicodeSegmentation as _;
        let text: String = picks.iter().map(|(pick, times)| PILES[*pick].repeat(*times)).collect();
        let shown = chatterbox_proto::ScreenText::new(&text);
        let longest = shown.as_str().graphemes(true).map(|one| one.chars().count()).max();
        proptest::prop_assert!(longest <= Some(40), "{longest:?} in {text:?}");
    }
}

/// What graphemes are made of.
const PILES: &[&str] = &[
    "a",
    "\u{e9}",
    "\u{301}",
    "\u{93e}",
    "\u{915}\u{94d}",
    "\u{915}\u{94d}\u{93c}",
    "\u{915}",
    "\u{200d}",
    "\u{1f468}\u{200d}",
    "\u{1f468}",
    "\u{1f3fb}",
    "\u{1100}",
    "\u{1161}",
    "\u{11a8}",
    "\u{ac00}",
    "\u{600}",
    "\u{e33}",
    "\u{1f1e6}",
    "\u{20e3}",
    "\u{fe0f}",
    "\u{200c}",
];
