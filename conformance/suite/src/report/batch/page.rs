//! The table of a batch for a browser, with a link to the report of each submission.

use conformance_kit::{escape::visible, page::STYLE};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::results::{Batch, Outcome, Submission};

/// Renders the page. It stands beside the folders of the submissions.
#[must_use]
pub fn page(batch: &Batch) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "Conformance of " (batch.submissions.len()) " submissions" }
                style { (PreEscaped(STYLE)) "td { overflow-wrap: anywhere; } td code, td.number { white-space: nowrap; }" }
            }
            body {
                h1 { "Conformance of " (batch.submissions.len()) " submissions" }
                p.meta { "Started with " code { (visible(&batch.command)) } ", suite " (batch.suite) }
                div.scroll { table.cases {
                    thead { tr {
                        th { "submission" } th { "points" } th { "MUST passed" } th { "failed" } th { "open" }
                        th { "first failing" } th { "seconds" } th { "remarks" }
                    } }
                    tbody { @for one in &batch.submissions { (row(one)) } }
                } }
                h2 { "What each ran in" }
                ul { @for line in &batch.sandbox { li { (visible(line)) } } }
            }
        }
    }
    .into_string()
}

fn row(one: &Submission) -> Markup {
    let class = match (one.outcome, one.must_failed + one.must_open) {
        (Outcome::Judged, 0) => "pass",
        (Outcome::Judged, _) => "fail",
        _ => "open",
    };
    html! {
        tr {
            td.word.(class) {
                @if one.outcome == Outcome::NotJudged { (visible(&one.name)) } @else {
                    a href=(link(&one.name)) { (visible(&one.name)) }
                }
            }
            @if one.outcome == Outcome::NotJudged { td { "-" } td {} td {} td {} } @else {
                td.number { (one.points) " of " (one.of) }
                td { (one.must_passed) } td { (one.must_failed) } td { (one.must_open) }
            }
            td { @if let Some(id) = &one.first_failed { code { (visible(id)) } } }
            td { (one.took_ms / 1_000) "." (one.took_ms % 1_000 / 100) }
            td { (visible(&one.remarks.join("; "))) }
        }
    }
}

/// The report of a submission, as a relative address that no name can turn into another.
fn link(name: &str) -> String {
    let mut out = String::from("./");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out + "/report.html"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        assert_eq!(link("javascript:x"), "./javascript%3Ax/report.html");
        assert_eq!(link("a/../b \"c\""), "./a%2F..%2Fb%20%22c%22/report.html");
        let one = Submission::not_judged("<script>", "", vec!["<b>".to_owned()]);
        let page = page(&Batch {
            suite: String::new(),
            command: String::new(),
            sandbox: Vec::new(),
            started: 0,
            submissions: vec![one],
        });
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
    }
}
