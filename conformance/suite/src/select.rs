//! `--only` and `--skip`: which cases run.

use globset::{Glob, GlobMatcher};
use thiserror::Error;

use crate::{
    case::{Case, Judged, Row},
    clause,
};

/// A pattern for ids, groups, levels or clauses, with globs.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    matcher: GlobMatcher,
}

/// Why a selection is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Not a glob.
    #[error("{0:?} is no pattern: {1}")]
    Glob(String, globset::Error),
    /// It matches nothing.
    #[error("{0:?} matches no case, group, level or clause; see `conformance list`")]
    Nothing(String),
}

impl Pattern {
    /// Reads patterns separated by commas.
    ///
    /// # Errors
    /// When one of them is no glob.
    pub fn parse_list(texts: &[String]) -> Result<Vec<Self>, SelectError> {
        let parts = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(|part| {
                let glob = Glob::new(&part.to_ascii_lowercase())
                    .map_err(|error| SelectError::Glob(part.to_owned(), error))?;
                Ok(Self { text: part.to_owned(), matcher: glob.compile_matcher() })
            })
            .collect()
    }

    /// Whether a case is meant by its id, its group or its extension.
    #[must_use]
    pub fn names(&self, case: &Row) -> bool {
        [case.id, case.group()]
            .into_iter()
            .chain(case.extension)
            .any(|word| self.matcher.is_match(word))
    }

    /// Whether a case is meant.
    #[must_use]
    pub fn matches(&self, case: &Row) -> bool {
        let area = case.clause.split('-').next().unwrap_or_default();
        let level = case.level.to_string();
        [case.id, case.group(), case.clause, area, level.as_str()]
            .into_iter()
            .chain(case.extension)
            .any(|word| self.matcher.is_match(word.to_ascii_lowercase()))
    }
}

/// A case of a run, and whether it was asked for or only runs because another needs it.
pub type Selected<J> = (&'static Case<J>, bool);

/// The cases to run, and for each whether it was asked for or only runs because another needs it.
///
/// # Errors
/// When a pattern is malformed or matches nothing.
pub fn select<J: Judged>(
    all: &[&'static Case<J>],
    only: &[String],
    skip: &[String],
) -> Result<Vec<Selected<J>>, SelectError> {
    let (only, skip) = (Pattern::parse_list(only)?, Pattern::parse_list(skip)?);
    for pattern in only.iter().chain(&skip) {
        let known = all.iter().any(|case| pattern.matches(case))
            || clause::CLAUSES.iter().any(|c| c.id.eq_ignore_ascii_case(&pattern.text));
        if !known || !all.iter().any(|case| pattern.matches(case)) {
            return Err(SelectError::Nothing(pattern.text.clone()));
        }
    }
    let skipped = |case: &Row| skip.iter().any(|pattern| pattern.matches(case));
    let asked = |case: &Row| {
        !skipped(case) && (only.is_empty() || only.iter().any(|pattern| pattern.matches(case)))
    };
    let mut wanted: Vec<&str> = all.iter().filter(|case| asked(case)).map(|case| case.id).collect();
    let mut at = 0;
    while let Some(id) = wanted.get(at).copied() {
        let needs = all
            .iter()
            .filter(|case| case.id == id)
            .flat_map(|case| case.needs.iter().chain(case.excuses));
        let more: Vec<_> = needs.filter(|need| !wanted.contains(need)).copied().collect();
        wanted.extend(more);
        at += 1;
    }
    Ok(all
        .iter()
        .filter(|case| wanted.contains(&case.id) && !skipped(case))
        .map(|case| (*case, asked(case)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;

    fn chosen(only: &[&str], skip: &[&str]) -> Result<Vec<(&'static str, bool)>, SelectError> {
        let all: Vec<_> = cases::server_cases().collect();
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let cases = select(&all, &own(only), &own(skip))?;
        Ok(cases.into_iter().map(|(case, asked)| (case.id, asked)).collect())
    }

    #[test]
    fn everything_by_default() {
        assert_eq!(chosen(&[], &[]).unwrap().len(), cases::server_cases().count());
    }

    #[test]
    fn what_a_case_needs_runs_too() {
        let cases = chosen(&["join.taken"], &[]).unwrap();
        assert!(cases.contains(&("join.taken", true)) && cases.contains(&("join.accept", false)));
    }

    #[test]
    fn groups_levels_clauses_and_globs() {
        assert!(chosen(&["leave"], &[]).unwrap().contains(&("leave.rst", true)));
        assert!(chosen(&["should"], &["conc"]).unwrap().iter().all(|(id, _)| *id != "conc.churn"));
        assert!(chosen(&["FR-4"], &[]).unwrap().contains(&("framing.coalesced", true)));
        assert!(chosen(&["fr"], &[]).unwrap().contains(&("framing.bytewise", true)));
        assert!(chosen(&["*.sp*,inv"], &[]).unwrap().contains(&("framing.split-body", true)));
    }

    #[test]
    fn a_pattern_without_a_match_is_an_error() {
        for pattern in ["framng", "MD-1", "[", "x,join"] {
            assert!(chosen(&[pattern], &[]).is_err(), "{pattern}");
        }
    }
}
