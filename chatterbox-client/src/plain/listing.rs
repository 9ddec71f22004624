//! The list of what a word can become, as it is printed above the prompt.

use chatterbox_app::complete::Completion;
use unicode_width::UnicodeWidthStr as _;

/// So many candidates are listed.
const LISTED: usize = 50;

/// More than so many are listed without what they mean: it would not fit a screen, and nobody would listen to it.
const EXPLAINED: usize = 12;

/// A longer name does not push the notes of the others away.
const NAME: usize = 24;

/// The rows of the list.
pub(super) fn listed(completion: &Completion) -> Vec<String> {
    let mut rows: Vec<_> = completion.about.iter().map(ToString::to_string).collect();
    let candidates = &completion.candidates;
    if candidates.len() > EXPLAINED {
        let names: Vec<_> = candidates.iter().take(LISTED).map(|one| one.shown.as_str()).collect();
        rows.push(names.join("  "));
        if let more @ 1.. = candidates.len().saturating_sub(LISTED) {
            rows.push(format!("and {more} more"));
        }
        return rows;
    }
    let widths = candidates.iter().map(|candidate| candidate.shown.as_str().width());
    let wide = widths.max().unwrap_or(0).min(NAME);
    for candidate in candidates {
        let blanks = wide.saturating_sub(candidate.shown.as_str().width());
        let row = format!("{}{}  {}", candidate.shown, " ".repeat(blanks), candidate.note);
        rows.push(row.trim_end().to_owned());
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
        assert_eq!((rows.len(), rows.last().map(String::as_str)), (2, Some("and 10 more")));
        assert!(rows[0].starts_with("u0  u1  u2") && rows[0].ends_with("u49"), "{rows:?}");
    }
}
