//! The verdict of a case.

use conformance_kit::escape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most characters of either side of a mismatch that are kept.
const LONGEST_SIDE: usize = 2_000;

/// Why a case failed: what should have been, and what was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mismatch {
    /// What the clause demands here.
    pub expected: String,
    /// What the subject did; escaped.
    pub actual: String,
    /// Something was waited for and did not come: a slow machine can be the reason, as it can't be
    /// for something wrong that did come.
    #[serde(default)]
    pub missing: bool,
}

/// What a case concludes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The clause holds.
    Pass,
    /// The clause is broken.
    Fail(Mismatch),
    /// The norm leaves it open; this is what the subject does.
    Observed {
        /// A short stable description of what was looked at.
        key: String,
        /// What the subject does.
        value: String,
    },
    /// A case that this one rests on did not pass.
    Blocked {
        /// Which one.
        by: String,
    },
    /// The case makes no sense for this subject or these options.
    NotApplicable {
        /// Why.
        reason: String,
    },
    /// Something that is not the case's business went wrong; never counted as a pass.
    Inconclusive {
        /// What.
        reason: String,
    },
}

/// How a case ends: `Err` is a verdict that was reached early, by `?`.
pub type Outcome = Result<Verdict, Verdict>;

impl Verdict {
    /// A failure by what came; both sides are escaped and cut.
    #[must_use]
    pub fn fail(expected: impl AsRef<str>, actual: impl AsRef<str>) -> Self {
        Self::mismatch(expected.as_ref(), actual.as_ref(), false)
    }

    /// A failure by what did not come in time.
    #[must_use]
    pub fn missing(expected: impl AsRef<str>, actual: impl AsRef<str>) -> Self {
        Self::mismatch(expected.as_ref(), actual.as_ref(), true)
    }

    fn mismatch(expected: &str, actual: &str, missing: bool) -> Self {
        let cut = |text| escape::shorten(&escape::visible(text), LONGEST_SIDE);
        Self::Fail(Mismatch { expected: cut(expected), actual: cut(actual), missing })
    }

    /// What a subject does where the norm is open.
    #[must_use]
    pub fn observed(key: &str, value: impl AsRef<str>) -> Self {
        Self::Observed {
            key: key.to_owned(),
            value: escape::shorten(&escape::visible(value.as_ref()), LONGEST_SIDE),
        }
    }

    /// Neither proved nor disproved.
    #[must_use]
    pub fn inconclusive(reason: impl AsRef<str>) -> Self {
        Self::Inconclusive {
            reason: escape::shorten(&escape::visible(reason.as_ref()), LONGEST_SIDE),
        }
    }

    /// Not a question for this subject.
    #[must_use]
    pub fn not_applicable(reason: impl AsRef<str>) -> Self {
        Self::NotApplicable { reason: escape::visible(reason.as_ref()) }
    }

    /// Passes when it holds, fails otherwise.
    #[must_use]
    pub fn check(holds: bool, expected: impl AsRef<str>, actual: impl AsRef<str>) -> Self {
        if holds { Self::Pass } else { Self::fail(expected, actual) }
    }

    /// Passes when what was waited for came, fails otherwise.
    #[must_use]
    pub fn came(it_did: bool, expected: impl AsRef<str>, actual: impl AsRef<str>) -> Self {
        if it_did { Self::Pass } else { Self::missing(expected, actual) }
    }

    /// Whether time alone could have made a difference: something did not come, or nothing could be
    /// concluded.
    #[must_use]
    pub const fn is_about_time(&self) -> bool {
        match self {
            Self::Fail(mismatch) => mismatch.missing,
            Self::Inconclusive { .. } | Self::Blocked { .. } => true,
            _ => false,
        }
    }

    /// Whether others may rest on this.
    #[must_use]
    pub const fn carries(&self) -> bool {
        matches!(self, Self::Pass | Self::Observed { .. } | Self::NotApplicable { .. })
    }

    /// One word for lists.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Observed { .. } => "observed",
            Self::Blocked { .. } => "blocked",
            Self::NotApplicable { .. } => "not-applicable",
            Self::Inconclusive { .. } => "inconclusive",
        }
    }
}
