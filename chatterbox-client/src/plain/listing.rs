//! The list of what a word can become, as it is printed above the prompt.

use chatterbox_app::complete::{Candidate, Completion};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// So many candidates are listed.
const LISTED: usize = 50;

/// A longer name does not push the notes of the others away.
const NAME: usize = 24;

/// What all candidates begin with.
pub(super) fn common(candidates: &[Candidate]) -> &str {
    let Some((first, others)) = candidates.split_first() else { return "" };
    let shared = |other: &Candidate| {
        let pairs = first.text.graphemes(true).zip(other.text.graphemes(true));
        pairs.take_while(|(one, two)| one == two).map(|(one, _)| one.len()).sum::<usize>()
    };
    let end = others.iter().map(shared).min().unwrap_or(first.text.len());
    first.text.get(..end).unwrap_or_default()
}

/// The rows of the list.
pub(super) fn listed(completion: &Completion) -> Vec<String> {
    let mut rows: Vec<_> = completion.about.iter().map(ToString::to_string).collect();
    let candidates = &completion.candidates;
    let widths = candidates.iter().map(|candidate| candidate.shown.as_str().width());
    let wide = widths.max().unwrap_or(0).min(NAME);
    for candidate in candidates.iter().take(LISTED) {
        let blanks = wide.saturating_sub(candidate.shown.as_str().width());
        let row = format!("{}{}  {}", candidate.shown, " ".repeat(blanks), candidate.note);
        rows.push(row.trim_end().to_owned());
    }
    if let more @ 1.. = candidates.len().saturating_sub(LISTED) {
        rows.push(format!("and {more} more"));
    }
    rows
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::ScreenText;

    use super::*;

    fn candidates(names: &[&str]) -> Vec<Candidate> {
        let candidate = |name: &&str| Candidate {
            text: format!("{name} "),
            shown: ScreenText::new(name),
            note: ScreenText::new("somebody"),
        };
        names.iter().map(candidate).collect()
    }

    #[test]
    fn what_is_certain_is_what_all_begin_with() {
        for (names, expected) in [
            (&["anna", "annika"][..], "ann"),
            (&["bob"], "bob "),
            (&["e\u{301}a", "eb"], ""),
            (&["x", "y"], ""),
            (&[], ""),
        ] {
            assert_eq!(common(&candidates(names)), expected);
        }
    }

    #[test]
    fn notes_stand_under_each_other_and_a_long_list_is_cut() {
        let about = vec![ScreenText::new("/nick name")];
        let completion =
            Completion {
                candidates: candidates(&["bob", "世世"]), about, ..Completion::default()
            };
        assert_eq!(listed(&completion), ["/nick name", "bob   somebody", "世世  somebody"]);
        let many: Vec<_> = (0..60).map(|number| format!("u{number}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let rows = listed(&Completion { candidates: candidates(&many), ..Completion::default() });
        assert_eq!((rows.len(), rows.last().map(String::as_str)), (51, Some("and 10 more")));
    }
}
