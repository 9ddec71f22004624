//! The sequence diagrams of failing cases: a few of them word for word, and that any timeline at all is
//! drawn within bounds and without a character that acts on a screen.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may be blunt"
)]

use conformance_kit::{
    escape,
    trace::{Event, Kind},
    wire::prefix::Prefix,
};
use conformance_suite::{
    CaseResult, Report, cases,
    clause::Level,
    report::{
        Header, console,
        format::Format,
        points::Rubric,
        sequence::{self, Diagram, What, diagram, svg, text},
    },
    verdict::Verdict,
};
use proptest::prelude::*;

/// Builds a timeline, a millisecond for each event.
#[derive(Default)]
struct Story(Vec<Event>);

impl Story {
    fn bytes(mut self, role: &str, kind: Kind, bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(2_048)];
        self.push(role, kind, bytes.len(), head, escape::bytes(head, 2_048));
        self
    }

    fn says(mut self, role: &str, kind: Kind, text: &str) -> Self {
        self.push(role, kind, 0, &[], escape::visible(text));
        self
    }

    fn sent(self, role: &str, body: &str) -> Self {
        self.bytes(role, Kind::Sent, &Prefix::NETWORK.frame(body.as_bytes()))
    }

    fn got(self, role: &str, body: &str) -> Self {
        self.bytes(role, Kind::Received, &Prefix::NETWORK.frame(body.as_bytes()))
    }

    fn joins(self, role: &str) -> Self {
        let welcome =
            "{\"USERNAME_ACCEPTED\": true, \"INFO\": \"hi\", \"USER_LIST\": [], \"MESSAGES\": []}";
        self.says(role, Kind::Opened, "127.0.0.1:5000 with TLSv1.3")
            .sent(role, &format!("{{\"USERNAME\":\"{role}1234\"}}"))
            .got(role, welcome)
    }

    fn push(&mut self, role: &str, kind: Kind, length: usize, head: &[u8], text: String) {
        let at = 5_000 + 1_000 * u64::try_from(self.0.len()).unwrap();
        let hex = head.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.push(Event { at, connection: role.to_owned(), kind, length, hex, text });
    }

    fn failed(self, id: &str, expected: &str, actual: &str) -> CaseResult {
        let case = cases::find(id).unwrap();
        let mut result = CaseResult::new(case, true, Verdict::fail(expected, actual));
        result.timeline = self.0;
        result
    }
}

fn drawn(case: &CaseResult) -> String {
    let lines = text::lines(&diagram(case).unwrap());
    lines.into_iter().map(|line| line.text + "\n").collect()
}

#[test]
fn a_message_that_never_came() {
    let case = Story::default()
        .joins("ann")
        .joins("bob")
        .got("ann", "{\"USERS_JOINED\": [\"somebody of another case\"]}")
        .got("ann", "{\"USERS_JOINED\": [\"bob1234\"]}")
        .sent("ann", "{\"MESSAGES\":[[\"ann1234\",\"ALL\",1700000000,\"text x\"]]}")
        .says("bob", Kind::Missing, "bob gets the message \"text x\"")
        .says("ann", Kind::Closed, "the suite closes the connection")
        .says("bob", Kind::Closed, "the suite closes the connection")
        .joins("health")
        .failed("bcast.all-others", "bob gets the message \"text x\"", "bob got nothing");
    insta::assert_snapshot!(drawn(&case));
    let page = svg::render(&diagram(&case).unwrap(), &case.id).into_string();
    insta::assert_snapshot!(page.replace("><", ">\n<"));
    let left_out = diagram(&case).unwrap().left_out;
    assert_eq!(left_out.len(), 2, "{left_out:?}");
}

#[test]
fn frames_are_told_apart_whatever_the_reads_are() {
    let two = [
        Prefix::NETWORK.frame(b"{\"b\": 1, \"a\": 2}"),
        Prefix::NETWORK.frame(b"{\"ERROR\": \"x\"}"),
    ];
    let name = Prefix::NETWORK.frame(b"{\"USERNAME\":\"ann1234\"}");
    let mut story = Story::default().says("ann", Kind::Opened, "127.0.0.1:5000 with TLSv1.3");
    story = story.bytes("ann", Kind::Sent, &name[..2]).bytes("ann", Kind::Sent, &name[2..]);
    story =
        story.bytes("ann", Kind::Received, &two[0][..4]).bytes("ann", Kind::Received, &two[0][4..]);
    story = story.bytes("ann", Kind::Sent, &two.concat());
    story = story.bytes("ann", Kind::Received, &two.concat());
    for byte in &name {
        story = story.bytes("ann", Kind::Sent, &[*byte]);
    }
    story = story.bytes("ann", Kind::Received, &two[1][..9]);
    let case = story.says("ann", Kind::Closed, "the server closed the connection").failed(
        "framing.bytewise",
        "ann is accepted",
        "ann got half a frame",
    );
    insta::assert_snapshot!(drawn(&case));
}

#[test]
fn a_client_stands_left_and_what_it_shows_is_told() {
    let case = Story::default()
        .says("client", Kind::Opened, "python3 client.py localhost 4000")
        .says("server", Kind::Opened, "TCP from 127.0.0.1:50000")
        .says("client", Kind::Note, "the user: Give the name ann1234")
        .got("server", "{\"USERNAME\": \"ann1234\"}")
        .sent("server", "{\"ERROR\":\"mistake t1\"}")
        .says("client", Kind::Missing, "the client shows \"t1\", the text of ERROR")
        .says("client", Kind::Note, "the screen: name: ann1234 | users: []")
        .failed(
            "c.recv.error",
            "the client shows \"t1\", the text of ERROR",
            "the client shows nothing",
        );
    insta::assert_snapshot!(drawn(&case));
}

#[test]
fn many_frames_and_lanes_are_folded() {
    let mut story = Story::default();
    for user in 0..20 {
        story = story.joins(&format!("user{user}"));
    }
    for n in 0..60 {
        story =
            story.got("user3", &format!("{{\"MESSAGES\": [[\"user1\", \"ALL\", 1, \"{n}\"]]}}"));
    }
    let case = story.says("user17", Kind::Missing, "message 12").failed(
        "conc.20x20",
        "each message once",
        "message 12 is missing",
    );
    let drawing = diagram(&case).unwrap();
    assert!(drawing.lanes.len() <= 6 && drawing.lanes.iter().any(|lane| lane.role == "user17"));
    insta::assert_snapshot!(drawn(&case));
}

#[test]
fn the_frame_that_broke_the_rule_is_never_folded_away() {
    let mut story = Story::default();
    for user in ["ann", "bob", "carl", "dora"] {
        story = story.joins(user).got("ann", &format!("{{\"USERS_JOINED\": [\"{user}1234\"]}}"));
    }
    story = story.got("carl", "{\"MESSAGES\": [[\"bob1234\", \"ALL\", 1, \"text f0rged\"]]}");
    for n in 0..30 {
        story =
            story.sent("ann", &format!("{{\"MESSAGES\": [[\"ann1234\", \"ALL\", 1, \"{n}\"]]}}"));
        story =
            story.got("dora", &format!("{{\"MESSAGES\": [[\"ann1234\", \"ALL\", 1, \"{n}\"]]}}"));
    }
    let case = story.failed(
        "src.spoof",
        "carl does not get the forged message",
        "carl got \"text f0rged\"",
    );
    let lines = drawn(&case);
    assert!(lines.contains("<===========|  {\"MESSAGES\": [[\"bob1234\""), "{lines}");
    assert!(lines.contains("54 more frames") && !lines.contains("USERS_JOINED"), "{lines}");
    // It came: nothing stayed away that a dashed line could stand for.
    assert!(!lines.contains("- -"), "{lines}");
    let steps = diagram(&case).unwrap().steps;
    let forged = |what: &What| matches!(what, What::Frame(frame) if frame.telling);
    assert_eq!(steps.iter().filter(|step| forged(&step.what)).count(), 1, "{steps:?}");
}

#[test]
fn what_was_expected_is_dashed_though_nothing_was_waited_for() {
    let case = Story::default()
        .joins("ann")
        .joins("thief")
        .says("thief", Kind::Closed, "the suite closes the connection")
        .failed("join.taken", "{\"USERNAME_ACCEPTED\": false} for a name in use", "thief got true");
    let steps = diagram(&case).unwrap().steps;
    let last = steps.last().unwrap();
    assert!(matches!(&last.what, What::Expected(text) if text.contains("false")), "{steps:?}");
    assert_eq!(last.lane, Some(1), "the lane that the mismatch names");
}

#[test]
fn without_a_timeline_there_is_no_picture() {
    assert_eq!(diagram(&Story::default().failed("join.taken", "a", "b")), None);
}

fn report(cases: Vec<CaseResult>) -> Report {
    Report {
        header: Header {
            suite: "0.0.0".into(),
            edition: "golden".into(),
            target: "localhost:5000".into(),
            address: "127.0.0.1:5000".into(),
            seed: 1,
            strict: false,
            started: 1_700_000_000,
            command: "conformance --target localhost:5000".into(),
        },
        cases,
        took_ms: 0,
        bugs: Vec::new(),
        trouble: None,
        stale: Vec::new(),
        output: String::new(),
    }
}

fn failing(id: &str) -> CaseResult {
    Story::default().joins("ann").failed(id, "something else", "this")
}

#[test]
fn an_exception_of_the_program_comes_before_advice_about_the_protocol() {
    let mut case = failing("join.taken");
    case.printed =
        "Traceback (most recent call last):\n  File \"server.py\", line 7, in handle\n    \
        src, dest, time, text = message\nValueError: not enough \u{1b}[31mvalues\n::warning::x\n"
            .to_owned();
    let report = report(vec![case]);
    let page = anstream::adapter::strip_str(&console::render(&report)).to_string();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text:?} in {page}"));
    assert!(place("program   ValueError: not enough \\u{1b}[31mvalues") < place("  often "));
    assert!(
        page.contains("| ValueError") && page.contains("look at its exceptions first"),
        "{page}"
    );
    let html = Format::Html.render(&report, &Rubric::default()).unwrap();
    assert!(html.find("<dt>Program</dt>").unwrap() < html.find("<dt>Often</dt>").unwrap());
    assert!(!html.contains('\u{1b}'), "{html}");
}

#[test]
fn a_complaint_of_the_program_is_shown_in_a_line() {
    let mut case = failing("framing.split-header");
    case.printed = "listening\nerror unpack requires a buffer of 4 bytes\n".to_owned();
    let page = console::render(&report(vec![case]));
    assert!(
        page.contains("  program   printed meanwhile: error unpack requires a buffer"),
        "{page}"
    );
}

#[test]
fn only_a_few_failures_fill_the_terminal_and_those_that_count_first() {
    let mut ids: Vec<&str> = cases::server_cases()
        .filter(|case| case.level == Level::Must && case.extension.is_none())
        .take(6)
        .map(|case| case.id)
        .collect();
    ids.insert(0, "users.no-dup");
    let report = report(ids.iter().map(|id| failing(id)).collect());
    let page = anstream::adapter::strip_str(&console::render(&report)).to_string();
    assert_eq!(page.matches("ann   server").count(), 5, "{page}");
    let should = page.find("\nusers.no-dup").unwrap();
    let next = page[should..].find("again").unwrap();
    assert!(
        !page[should..should + next].contains("ann   server"),
        "a SHOULD takes no place of a MUST"
    );
    assert!(
        page.contains("2 more failures have a picture of what happened: --only ID shows one"),
        "{page}"
    );
    let html = Format::Html.render(&report, &Rubric::default()).unwrap();
    assert_eq!(html.matches("<svg").count(), 7, "the page shows all of them");
}

#[test]
fn the_page_shows_json_as_it_came() {
    let case = Story::default().got("ann", "{\"b\": 1, \"a\":2}").failed(
        "join.taken",
        "something else",
        "this",
    );
    let html = Format::Html.render(&report(vec![case]), &Rubric::default()).unwrap();
    assert!(html.contains("[length 15] {&quot;b&quot;: 1, &quot;a&quot;:2}"), "{html}");
}

fn kind() -> impl Strategy<Value = Kind> {
    let kinds = [Kind::Opened, Kind::Sent, Kind::Received, Kind::Closed, Kind::Missing, Kind::Note];
    prop::sample::select(kinds.to_vec())
}

/// Bytes as subjects send them, and as nobody should.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let frame =
        "(\\{\"(USERS_JOINED|MESSAGES|USERNAME|X)\": ?(\\[.{0,20}\\]|\".{0,9}\")\\}|.{0,40})";
    prop_oneof![
        frame.prop_map(|body: String| Prefix::NETWORK.frame(body.as_bytes())),
        frame.prop_map(|body: String| {
            let bytes = Prefix::NETWORK.frame(body.as_bytes());
            bytes[..bytes.len() / 2].to_vec()
        }),
        prop::collection::vec(any::<u8>(), 0..40),
        Just(vec![0xFF; 4]),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let role = prop_oneof!["(ann|bob|client|server|health|greeting)", "user[0-9]{1,2}", ".{0,30}"];
    let parts =
        (any::<u64>(), role, kind(), wire(), 0_usize..100_000, "(the suite .{0,20}|.{0,200})");
    parts.prop_map(|(at, connection, kind, bytes, more, text)| {
        let is_bytes = matches!(kind, Kind::Sent | Kind::Received);
        // A length that is not that of the bytes: of a piece that was cut, or of a report that lies.
        let length = if more % 3 == 0 { more } else { bytes.len() };
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (length, hex) = if is_bytes { (length, hex) } else { (0, String::new()) };
        Event { at, connection, kind, length, hex, text }
    })
}

/// The number of lines that stand one below the other in the drawing.
fn bounded(drawing: &Diagram) {
    assert!(drawing.steps.len() <= 41, "{} steps", drawing.steps.len());
    assert!(drawing.lanes.len() <= 6, "{} lanes", drawing.lanes.len());
    assert!(
        drawing.steps.iter().all(|step| step.lane.is_none_or(|lane| lane < drawing.lanes.len()))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_timeline_is_drawn(
        id in prop::sample::select(vec!["bcast.all-others", "c.recv.error"]),
        timeline in prop::collection::vec(event(), 1..120),
        expected in ".{0,80}",
    ) {
        let mut case = Story::default().failed(id, &expected, "\u{1b}[31m");
        case.timeline = timeline;
        let drawing = diagram(&case).unwrap();
        bounded(&drawing);
        let lines = text::lines(&drawing);
        prop_assert!(lines.len() <= 14, "{} lines", lines.len());
        for line in &lines {
            prop_assert!(!line.text.contains('\n') && escape::visible(&line.text) == line.text, "{:?}", line.text);
            let width = unicode_width::UnicodeWidthStr::width(line.text.as_str());
            prop_assert!(width <= 106, "{width}: {}", line.text);
        }
        let page = svg::render(&drawing, id).into_string();
        prop_assert!(escape::visible_lines(&page) == page);
        prop_assert!(page.len() < 300_000, "{} bytes", page.len());
        // Well-formed, and with no element but those of the drawing.
        let mut reader = quick_xml::Reader::from_str(&page);
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                    let known = ["div", "svg", "title", "desc", "g", "text", "path", "circle", "p"];
                    prop_assert!(known.contains(&name.as_str()), "<{name}>");
                    for attribute in tag.attributes() {
                        let key = attribute.unwrap().key;
                        prop_assert!(!key.as_ref().starts_with(b"on") && !key.as_ref().ends_with(b"href"));
                    }
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        prop_assert_eq!(sequence::subject(id) == "client", drawing.subject_is_first());
    }
}
