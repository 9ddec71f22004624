//! `expectations.toml`: failures that are known. An entry that does not fit any more is stale, and
//! a stale entry fails the run: a list of excuses must not outlive its reasons.

use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use super::Report;
use crate::{cases, verdict::Verdict};

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// One entry for each known failure.
    #[serde(default)]
    pub expect: Vec<Expectation>,
}

/// A failure that is known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The case.
    pub id: String,
    /// Why it is all right that it fails, for now.
    pub reason: String,
    /// A part of what the report says; another failure of the same case is not meant.
    #[serde(default)]
    pub message: Option<String>,
    /// The last day on which it is all right, as `2026-12-31`.
    #[serde(default)]
    pub until: Option<String>,
}

/// Why a file is no list of expectations.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExpectError {
    /// Not TOML of the right shape.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// A day that is none.
    #[error("{0:?} is no day such as 2026-12-31")]
    Day(String),
    /// A case that is none.
    #[error("there is no case {0:?}")]
    Case(String),
}

impl Expectations {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is malformed or names no case.
    pub fn parse(text: &str) -> Result<Self, ExpectError> {
        let file: Self = toml::from_str(text)?;
        for entry in &file.expect {
            if cases::find(&entry.id).is_none() {
                return Err(ExpectError::Case(entry.id.clone()));
            }
            if let Some(day) = &entry.until {
                day.parse::<Date>().map_err(|_| ExpectError::Day(day.clone()))?;
            }
        }
        Ok(file)
    }

    /// Marks known failures in a report, and writes down what is stale. `now` is in seconds since
    /// 1970-01-01 UTC.
    pub fn apply(&self, report: &mut Report, now: i64) {
        let today = jiff::Timestamp::from_second(now)
            .map(|now| now.to_zoned(jiff::tz::TimeZone::UTC).date())
            .unwrap_or_default();
        for entry in &self.expect {
            let Some(case) = report.cases.iter_mut().find(|case| case.id == entry.id) else {
                // What did not run says nothing about its entry.
                continue;
            };
            let late = entry.until.as_ref().and_then(|day| day.parse::<Date>().ok());
            let stale = match &case.verdict {
                _ if late.is_some_and(|last| today > last) => "it has expired".to_owned(),
                Verdict::Fail(mismatch) => match &entry.message {
                    Some(part) if !mismatch.actual.contains(part.as_str()) => {
                        format!("it fails for another reason than {part:?}")
                    }
                    _ => {
                        case.known = Some(entry.reason.clone());
                        continue;
                    }
                },
                Verdict::Blocked { .. } | Verdict::Inconclusive { .. } => continue,
                other => format!("the outcome is {}", other.word()),
            };
            report.stale.push(format!("{}: {stale} ({})", entry.id, entry.reason));
        }
    }
}
