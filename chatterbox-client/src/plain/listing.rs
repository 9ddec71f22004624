//! The list of what a word can become, as it is printed above the prompt.

use chatterbox_app::complete::Completion;
use unicode_width::UnicodeWidthStr as _;

/// So many candidates are listed.
const LISTED: usize = 50;

/// A longer name does not push the notes of the others away.
const NAME: usize = 24;

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
    use chatterbox_app::complete::Candidate;
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
