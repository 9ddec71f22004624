//! The table of a batch for a spreadsheet (RFC 4180). Names come from strangers: a cell that a spreadsheet
//! would take for a formula begins with an apostrophe instead.

use conformance_kit::escape::visible;

use super::results::{Batch, Outcome};

/// Renders the table.
#[must_use]
pub fn csv(batch: &Batch) -> String {
    let heads = [
        "submission",
        "outcome",
        "points",
        "of",
        "must_passed",
        "must_failed",
        "must_open",
        "should_failed",
        "first_failed",
        "seconds",
        "remarks",
    ];
    let mut out = row(heads.map(str::to_owned));
    for one in &batch.submissions {
        let outcome = match one.outcome {
            Outcome::Judged => "judged",
            Outcome::CutShort => "cut short",
            Outcome::NotJudged => "not judged",
        };
        out.push_str(&row([
            one.name.clone(),
            outcome.to_owned(),
            one.points.to_string(),
            one.of.to_string(),
            one.must_passed.to_string(),
            one.must_failed.to_string(),
            one.must_open.to_string(),
            one.should_failed.to_string(),
            one.first_failed.clone().unwrap_or_default(),
            format!("{}.{}", one.took_ms / 1_000, one.took_ms % 1_000 / 100),
            one.remarks.join("; "),
        ]));
    }
    out
}

fn row(cells: [String; 11]) -> String {
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

fn cell(text: &str) -> String {
    let mut text = visible(text);
    // Spreadsheets skip blanks before they look for a formula.
    if text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) {
        text.insert(0, '\'');
    }
    if text.contains(['"', ',', '\n', '\r', ';', '\'']) || text.trim() != text {
        text = format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "|cmd", "%x"] {
            let cell = cell(hostile);
            let seen = cell.trim_matches('"').trim_start();
            assert!(
                seen.starts_with('\'') || seen.starts_with('\\'),
                "{hostile:?} became {cell:?}"
            );
        }
        assert_eq!(cell("ann, \"bob\""), "\"ann, \"\"bob\"\"\"");
        assert_eq!(cell("12.5"), "12.5");
        assert!(!cell("a\nb").contains('\n'));
    }
}
