//! `--report FORMAT=FILE`: which formats there are, and how a report becomes each of them.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{
    Report, badge, classroom, gradescope, html, json, junit, markdown, points::Rubric, tap,
};

/// A format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The whole report; `replay` reads it.
    Json,
    /// For continuous integration.
    Junit,
    /// For a browser.
    Html,
    /// For test harnesses.
    Tap,
    /// For pull requests.
    Markdown,
    /// For Gradescope.
    Gradescope,
    /// For GitHub Classroom.
    Classroom,
    /// For a README.
    Badge,
}

impl Format {
    /// Every format with the word that names it.
    pub const ALL: [(&'static str, Self); 8] = [
        ("json", Self::Json),
        ("junit", Self::Junit),
        ("html", Self::Html),
        ("tap", Self::Tap),
        ("md", Self::Markdown),
        ("gradescope", Self::Gradescope),
        ("classroom", Self::Classroom),
        ("badge", Self::Badge),
    ];

    /// Renders a report.
    ///
    /// # Errors
    /// When a text can't be encoded; never for a report of this suite.
    pub fn render(self, report: &Report, rubric: &Rubric) -> std::io::Result<String> {
        Ok(match self {
            Self::Json => json::render(report)?,
            Self::Junit => junit::render(report)?,
            Self::Html => html::render(report),
            Self::Tap => tap::render(report),
            Self::Markdown => markdown::render(report),
            Self::Gradescope => gradescope::render(report, rubric)?,
            Self::Classroom => classroom::render(report, rubric)?,
            Self::Badge => badge::render(report),
        })
    }
}

/// A format and the file that it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The format.
    pub format: Format,
    /// The file: a regular one is replaced in one step, its owner and mode stay, and a link leads to
    /// its target. A pipe or a device is written to, and `-` is standard output.
    pub file: PathBuf,
}

/// Why a text is no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputError;

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = Format::ALL.iter().map(|(word, _)| *word).collect();
        write!(f, "FORMAT=FILE, with one of {}", words.join(", "))
    }
}

impl std::error::Error for OutputError {}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let (word, file) = text.split_once('=').ok_or(OutputError)?;
        let format = Format::ALL.iter().find(|(name, _)| *name == word).ok_or(OutputError)?.1;
        if file.is_empty() {
            return Err(OutputError);
        }
        Ok(Self { format, file: file.into() })
    }
}
