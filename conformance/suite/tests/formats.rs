//! What the readers of JUnit XML and of Gradescope's results insist on, rule by rule: a run with
//! every outcome for every case, and a subject that puts its worst into each text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may be blunt")]

use std::collections::{BTreeMap, BTreeSet};

use conformance_suite::{
    CaseResult, Report, cases,
    report::{
        Header,
        format::Format,
        points::{Rubric, points, sum},
    },
    verdict::Verdict,
};
use quick_xml::{Reader, XmlVersion, events::Event};
use serde_json::Value;

const HOSTILE: &str = "\u{1b}[31m]]></failure><testcase name=\"x\"/>&amp;\u{0}\u{ffff}\n::set-output \
    name=grade::100 {\"score\": 100, \"tests\": []}";

/// Every case for servers; the outcomes take turns, shifted by `turn`.
fn report(turn: usize) -> Report {
    let outcomes = [
        Verdict::Pass,
        Verdict::fail(HOSTILE, HOSTILE),
        Verdict::inconclusive(HOSTILE),
        Verdict::Blocked { by: "join.accept".into() },
        Verdict::observed("a habit", HOSTILE),
        Verdict::not_applicable(HOSTILE),
    ];
    let result = |(n, case): (usize, &'static conformance_suite::server::Case)| {
        let verdict = outcomes[(n + turn) % outcomes.len()].clone();
        let mut result = CaseResult::new(case, true, verdict);
        result.took_ms = 1_000 + u64::try_from(n).unwrap();
        result
    };
    Report {
        header: Header {
            suite: "0.0.0".into(),
            edition: "test".into(),
            target: HOSTILE.into(),
            address: "127.0.0.1:5000".into(),
            seed: 1,
            strict: turn.is_multiple_of(2),
            started: 1_700_000_000,
            command: format!("conformance --spawn '{HOSTILE}'"),
        },
        cases: cases::server_cases().enumerate().map(result).collect(),
        took_ms: 123_456,
        bugs: Vec::new(),
        stale: Vec::new(),
        output: HOSTILE.into(),
        trouble: None,
    }
}

/// An element of JUnit XML as the Jenkins schema (junit-10.xsd) has it: who may hold it, which
/// attributes it must have, and which it may have.
type Rule =
    (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const JUNIT: &[Rule] = &[
    ("testsuites", &[""], &[], &["name", "time", "tests", "failures", "disabled", "errors"]),
    (
        "testsuite",
        &["testsuites"],
        &["name", "tests"],
        &[
            "failures",
            "errors",
            "time",
            "disabled",
            "skipped",
            "timestamp",
            "hostname",
            "id",
            "package",
        ],
    ),
    ("testcase", &["testsuite"], &["name", "classname"], &["assertions", "time", "status"]),
    ("failure", &["testcase"], &[], &["type", "message"]),
    ("error", &["testcase"], &[], &["type", "message"]),
    ("skipped", &["testcase"], &[], &["type", "message"]),
];

/// How many cases came out how; in the order tests, failures, errors, skipped.
type Counts = [usize; 4];

const COUNTED: [&str; 4] = ["tests", "failures", "errors", "skipped"];

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// What XML 1.0 can hold; a carriage return is legal and never ours.
fn legal(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(c, '\t' | '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    })
}

/// Reads JUnit XML as strictly as the schema, and more: the counts have to add up.
fn junit(text: &str) -> Result<Counts, String> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<(String, BTreeMap<String, String>)> = Vec::new();
    let (mut suite, mut whole) = (Counts::default(), Counts::default());
    let (mut names, mut outcomes) = (BTreeSet::new(), 0);
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let empty = matches!(event, Event::Empty(_));
        let ends = match event {
            Event::Start(element) | Event::Empty(element) => {
                let name = String::from_utf8_lossy(element.name().as_ref()).into_owned();
                let parent = open.last().map_or("", |(name, _)| name.as_str());
                let rule = JUNIT.iter().find(|rule| rule.0 == name);
                let (_, parents, required, allowed) = rule.ok_or(format!("<{name}>"))?;
                ensure(parents.contains(&parent), || format!("<{name}> inside <{parent}>"))?;
                let mut attributes = BTreeMap::new();
                for attribute in element.attributes() {
                    let attribute = attribute.map_err(|error| error.to_string())?;
                    let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
                    let value = attribute
                        .normalized_value(XmlVersion::Implicit1_0)
                        .map_err(|e| e.to_string())?;
                    let known = required.contains(&key.as_str()) || allowed.contains(&key.as_str());
                    ensure(known, || format!("{key} of <{name}>"))?;
                    ensure(legal(&value), || format!("{key} holds {value:?}"))?;
                    attributes.insert(key, value.into_owned());
                }
                let missing = required.iter().find(|key| !attributes.contains_key(**key));
                ensure(missing.is_none(), || format!("<{name}> without {missing:?}"))?;
                let time = attributes.get("time").is_none_or(|time| time.parse::<f64>().is_ok());
                ensure(time, || format!("the time of <{name}>"))?;
                match name.as_str() {
                    "testsuite" => suite = Counts::default(),
                    "testcase" => {
                        outcomes = 0;
                        suite[0] += 1;
                        let id = (attributes.get("classname").cloned(), attributes["name"].clone());
                        ensure(names.insert(id), || format!("twice: {attributes:?}"))?;
                    }
                    _ => {}
                }
                if let Some(kind) = ["failure", "error", "skipped"].iter().position(|k| *k == name)
                {
                    suite[kind + 1] += 1;
                    outcomes += 1;
                    ensure(outcomes == 1, || "two outcomes in one case".to_owned())?;
                }
                open.push((name, attributes));
                empty
            }
            Event::End(_) => true,
            Event::Text(text) => {
                let text = text.decode().map_err(|error| error.to_string())?;
                ensure(legal(&text), || format!("the text {text:?}"))?;
                let parent = open.last().map_or("", |(name, _)| name.as_str());
                let holds_text = parent == "failure" || parent == "error";
                ensure(holds_text || text.trim().is_empty(), || format!("{text:?} in <{parent}>"))?;
                false
            }
            // `&lt;` and its like, and no entity of the document's own.
            Event::GeneralRef(name) => {
                let name = name.decode().map_err(|error| error.to_string())?;
                let known = ["lt", "gt", "amp", "quot", "apos"].contains(&name.as_ref());
                ensure(known, || format!("&{name};"))?;
                false
            }
            Event::Decl(_) => false,
            Event::Eof => break,
            other => return Err(format!("{other:?}")),
        };
        if ends {
            let (name, attributes) = open.pop().ok_or("too many ends")?;
            let counts = match name.as_str() {
                "testsuite" => suite,
                "testsuites" => whole,
                _ => continue,
            };
            for (key, count) in COUNTED.iter().zip(counts) {
                let said = attributes.get(*key);
                let right = said.is_none_or(|said| *said == count.to_string());
                ensure(right, || format!("<{name}> says {key}={said:?}, and there are {count}"))?;
            }
            if name == "testsuite" {
                whole.iter_mut().zip(suite).for_each(|(sum, count)| *sum += count);
            }
        }
    }
    ensure(open.is_empty(), || format!("{open:?} stays open"))?;
    Ok(whole)
}

#[test]
fn junit_is_what_the_schema_allows() {
    for turn in 0..6 {
        let report = report(turn);
        let text = Format::Junit.render(&report, &Rubric::default()).unwrap();
        let [tests, failures, errors, skipped] = junit(&text).unwrap();
        assert_eq!(tests, report.cases.len());
        assert_eq!(failures, report.totals().failed);
        assert!(errors > 0 && skipped > 0 && failures + errors + skipped < tests, "turn {turn}");
        assert!(legal(&text), "turn {turn}");
    }
}

#[test]
fn the_check_of_junit_notices_what_is_wrong() {
    let good = "<testsuites tests=\"1\" failures=\"1\"><testsuite name=\"a\" tests=\"1\" errors=\"0\">\
        <testcase name=\"b\" classname=\"c\" time=\"0.1\"><failure message=\"m\">x &lt; y</failure></testcase>\
        </testsuite></testsuites>";
    assert_eq!(junit(good), Ok([1, 1, 0, 0]));
    for (old, new) in [
        ("tests=\"1\"", "tests=\"2\""),
        ("failures=\"1\"", "failures=\"0\""),
        ("errors=\"0\"", "errors=\"1\""),
        (" classname=\"c\"", ""),
        ("time=\"0.1\"", "time=\"soon\""),
        ("time=\"0.1\"", "colour=\"red\""),
        ("message=\"m\"", "message=\"&#27;\""),
        ("x &lt; y", "\u{1b}"),
        ("x &lt; y", "&other;"),
        ("x &lt; y", "<b/>"),
        ("x &lt; y", "<![CDATA[x]]>"),
        ("</failure>", "</failure><skipped/>"),
        ("</testcase>", "</testcase><testcase name=\"b\" classname=\"c\"/>"),
        ("</testcase>", "</testcase>text"),
        ("</testsuites>", ""),
    ] {
        let broken = good.replacen(old, new, 1);
        assert!(broken != good && junit(&broken).is_err(), "not noticed: {broken}");
    }
}

const VISIBILITIES: [&str; 4] = ["hidden", "after_due_date", "after_published", "visible"];
const FORMATS: [&str; 5] = ["text", "html", "simple_format", "md", "ansi"];
const KEYS: [&str; 9] = [
    "score",
    "execution_time",
    "output",
    "output_format",
    "test_output_format",
    "test_name_format",
    "visibility",
    "stdout_visibility",
    "tests",
];
const TEST_KEYS: [&str; 10] = [
    "score",
    "max_score",
    "status",
    "name",
    "name_format",
    "number",
    "output",
    "output_format",
    "tags",
    "visibility",
];

/// A field of an object, when it is there, holds one of these words.
fn one_of(object: &Value, key: &str, words: &[&str]) {
    let value = &object[key];
    assert!(value.is_null() || words.contains(&value.as_str().unwrap()), "{key} is {value}");
}

fn known_keys(object: &Value, keys: &[&str]) {
    for key in object.as_object().unwrap().keys() {
        assert!(keys.contains(&key.as_str()), "{key} is no field that Gradescope documents");
    }
}

/// The rules of Gradescope's page on `results.json`, and ours: nothing above the maximum.
fn gradescope(text: &str, report: &Report, rubric: &Rubric) {
    let document: Value = serde_json::from_str(text).unwrap();
    known_keys(&document, &KEYS);
    assert!(document["execution_time"].is_u64() && document["output"].is_string());
    one_of(&document, "visibility", &VISIBILITIES);
    one_of(&document, "stdout_visibility", &VISIBILITIES);
    for key in ["output_format", "test_output_format", "test_name_format"] {
        // Everything else can carry markup, and so something of the subject's.
        one_of(&document, key, &["text"]);
        one_of(&document, key, &FORMATS);
    }
    let (mut names, mut total) = (BTreeSet::new(), 0.0);
    let tests = document["tests"].as_array().unwrap();
    for test in tests {
        known_keys(test, &TEST_KEYS);
        let (score, most) = (test["score"].as_f64().unwrap(), test["max_score"].as_f64().unwrap());
        assert!(0.0 <= score && score <= most, "{test}");
        total += score;
        assert!(names.insert(test["name"].as_str().unwrap()), "twice: {}", test["name"]);
        one_of(test, "status", &["passed", "failed"]);
        one_of(test, "visibility", &VISIBILITIES);
        one_of(test, "output_format", &["text"]);
        one_of(test, "name_format", &["text"]);
        assert!(test["number"].is_string() && test["output"].is_string());
        assert!(test["tags"].as_array().unwrap().iter().all(Value::is_string));
    }
    let (score, most) = sum(&points(report, rubric));
    let said = document["score"].as_f64().unwrap();
    assert!((said - score).abs() < 1e-9 && score <= most, "{said} of {most}, and {score} earned");
    // Thousandths of a point are rounded away in each test.
    let slack = 0.005 + 0.0005 * f64::from(u32::try_from(tests.len()).unwrap());
    assert!((said - total).abs() <= slack, "{said} on top, {total} in the tests");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn gradescope_gets_what_it_documents() {
    let rubric: Rubric = toml::from_str(
        "[groups.framing]\npoints = 25\n[groups.join]\npoints = 15\nmode = \"all-or-nothing\"\n\
         [groups.errors]\npoints = 0\n",
    )
    .unwrap();
    for turn in 0..6 {
        let report = report(turn);
        for rubric in [&Rubric::default(), &rubric] {
            let text = Format::Gradescope.render(&report, rubric).unwrap();
            gradescope(&text, &report, rubric);
        }
    }
}
