//! A badge: how many of the MUST cases that apply pass, as a small SVG picture.

use super::{CaseResult, Report};
use crate::{clause::Level, verdict::Verdict};

/// Renders a report.
#[must_use]
pub fn render(report: &Report) -> String {
    let applies = |case: &&CaseResult| {
        case.level == Level::Must && !matches!(case.verdict, Verdict::NotApplicable { .. })
    };
    let must = report.cases.iter().filter(applies);
    let (passed, all) = must.fold((0, 0), |(passed, all), case| {
        (passed + usize::from(matches!(case.verdict, Verdict::Pass)), all + 1)
    });
    let colour = match report.exit_code() {
        0 => "#2a7f3f",
        1 => "#b3261e",
        _ => "#8a6100",
    };
    let text = if report.trouble.is_some() { "not run".into() } else { format!("{passed}/{all}") };
    let title = match &report.trouble {
        Some(_) => "the run did not come to its end".to_owned(),
        None => format!("{text} MUST cases pass"),
    };
    // Letters, digits and the slash are about 7 units wide at this size.
    let right = 20 + text.len() * 7;
    let width = 86 + right;
    let middle = 86 + right / 2;
    format!(
        concat!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="chatterbox: {text}">"##,
            r##"<title>chatterbox: {title}</title>"##,
            r##"<rect width="{width}" height="20" rx="3" fill="#444"/>"##,
            r##"<path d="M86 0h{edge}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{edge}z" fill="{colour}"/>"##,
            r##"<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">"##,
            r##"<text x="43" y="14">chatterbox</text><text x="{middle}" y="14">{text}</text></g></svg>"##,
            "\n"
        ),
        width = width,
        text = text,
        title = title,
        edge = right - 3,
        colour = colour,
        middle = middle
    )
}
