//! JUnit XML, in the form that the common continuous-integration tools accept: `testsuites`,
//! `testsuite`, `testcase`, with `failure`, `error` or `skipped` inside.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesText, Event},
};

use super::{CaseResult, Report, Totals, Trouble};
use crate::{cases, verdict::Verdict};

/// Renders a report.
///
/// # Errors
/// Never in practice: it is written into memory.
pub fn render(report: &Report) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let totals = Totals::of(&report.cases, report.header.strict);
    let runs = usize::from(report.trouble.is_some());
    writer
        .create_element("testsuites")
        .with_attribute(("name", "Chatterbox conformance"))
        .with_attribute(("tests", (report.cases.len() + runs).to_string().as_str()))
        .with_attribute(("failures", totals.failed.to_string().as_str()))
        .with_attribute(("errors", (open(&report.cases, report) + runs).to_string().as_str()))
        .with_attribute(("time", seconds(report.took_ms).as_str()))
        .write_inner_content(|writer| {
            if let Some(trouble) = &report.trouble {
                run(writer, report, trouble)?;
            }
            for (group, _, _) in cases::groups() {
                let cases = report.cases.iter().filter(|case| case.group == *group);
                let cases: Vec<CaseResult> = cases.cloned().collect();
                if !cases.is_empty() {
                    suite(writer, report, group, &cases)?;
                }
            }
            Ok(())
        })?;
    let body = String::from_utf8(writer.into_inner()).map_err(io::Error::other)?;
    Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}\n"))
}

/// The run itself as a test that went wrong: readers of a file without any error say that all is well.
fn run(writer: &mut Writer<Vec<u8>>, report: &Report, trouble: &Trouble) -> io::Result<()> {
    let counts = [("tests", "1"), ("failures", "0"), ("errors", "1"), ("skipped", "0")];
    let mut said = vec![trouble.what.as_str()];
    said.extend(trouble.hint.as_deref());
    if !report.output.trim().is_empty() {
        said.extend(["it printed:", report.output.trim_end()]);
    }
    let (line, said) = (legal(&trouble.line()), legal(&said.join("\n")));
    writer
        .create_element("testsuite")
        .with_attribute(("name", "run"))
        .with_attributes(counts)
        .write_inner_content(|writer| {
            writer
                .create_element("testcase")
                .with_attribute(("classname", "conformance"))
                .with_attribute(("name", "run"))
                .write_inner_content(|writer| {
                    writer
                        .create_element("error")
                        .with_attribute(("message", line.as_str()))
                        .write_text_content(BytesText::new(&said))?;
                    Ok(())
                })?;
            Ok(())
        })?;
    Ok(())
}

fn suite(
    writer: &mut Writer<Vec<u8>>,
    report: &Report,
    group: &str,
    cases: &[CaseResult],
) -> io::Result<()> {
    let totals = Totals::of(cases, report.header.strict);
    let skipped = cases.iter().filter(|case| skip_reason(case, report).is_some()).count();
    let took = cases.iter().map(|case| case.took_ms).sum();
    writer
        .create_element("testsuite")
        .with_attribute(("name", group))
        .with_attribute(("tests", cases.len().to_string().as_str()))
        .with_attribute(("failures", totals.failed.to_string().as_str()))
        .with_attribute(("errors", open(cases, report).to_string().as_str()))
        .with_attribute(("skipped", skipped.to_string().as_str()))
        .with_attribute(("time", seconds(took).as_str()))
        .write_inner_content(|writer| {
            for case in cases {
                testcase(writer, report, case)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn testcase(writer: &mut Writer<Vec<u8>>, report: &Report, case: &CaseResult) -> io::Result<()> {
    let took = seconds(case.took_ms);
    let class = format!("conformance.{}", case.group);
    let element = writer
        .create_element("testcase")
        .with_attribute(("classname", class.as_str()))
        .with_attribute(("name", case.id.as_str()))
        .with_attribute(("time", took.as_str()));
    let (tag, message) = match (&case.verdict, skip_reason(case, report)) {
        (_, Some(reason)) => ("skipped", reason),
        (Verdict::Fail(mismatch), None) => {
            ("failure", format!("expected {}; got {}", mismatch.expected, mismatch.actual))
        }
        (Verdict::Inconclusive { reason }, None) => ("error", reason.clone()),
        (Verdict::Blocked { by }, None) => ("error", format!("blocked by {by}")),
        _ => {
            element.write_empty()?;
            return Ok(());
        }
    };
    let message = legal(&message);
    element.write_inner_content(|writer| {
        let inner = writer.create_element(tag).with_attribute(("message", message.as_str()));
        if tag == "skipped" {
            inner.write_empty()?;
        } else {
            let more = format!(
                "{} ({} {})\n{}\n{}",
                case.title,
                case.clause,
                case.level,
                case.hint,
                report.repeat_command(&case.id)
            );
            inner.write_text_content(BytesText::new(&legal(&more)))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Why a case is shown as skipped, if it is: what never fails a run is no failure here either.
fn skip_reason(case: &CaseResult, report: &Report) -> Option<String> {
    let counts = case.counts(report.header.strict);
    match &case.verdict {
        Verdict::Observed { key, value } => Some(format!("observed: {key}: {value}")),
        Verdict::NotApplicable { reason } => Some(reason.clone()),
        Verdict::Fail(mismatch) if !case.is_failure(report.header.strict) => Some(format!(
            "a {} that does not fail the run: expected {}; got {}",
            case.level, mismatch.expected, mismatch.actual
        )),
        Verdict::Blocked { by } if !counts => Some(format!("blocked by {by}")),
        Verdict::Inconclusive { reason } if !counts => Some(reason.clone()),
        _ => None,
    }
}

fn open(cases: &[CaseResult], report: &Report) -> usize {
    cases.iter().filter(|case| case.is_open_question(report.header.strict)).count()
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Writes what XML 1.0 can't hold, or only as a reference, as `\u{..}`.
fn legal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t'
            | '\n'
            | ' '..='~'
            | '\u{A0}'..='\u{D7FF}'
            | '\u{E000}'..='\u{FFFD}'
            | '\u{10000}'.. => out.push(c),
            _ => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// Reads XML back event by event; for checks that a document is well-formed.
///
/// # Errors
/// When it is not.
pub fn check(text: &str) -> Result<usize, quick_xml::Error> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut elements = 0;
    loop {
        match reader.read_event()? {
            Event::Eof => return Ok(elements),
            Event::Start(_) | Event::Empty(_) => elements += 1,
            _ => {}
        }
    }
}
