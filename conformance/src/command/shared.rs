//! What several commands take on their command line, and read.
#![allow(clippy::disallowed_methods, reason = "the edge: the one place that reads files")]

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use conformance_suite::report::{format::Output, points::Rubric, write};

#[derive(Debug, Args)]
pub(crate) struct Reports {
    /// Write a report: json, junit, html, tap, md, gradescope, classroom or badge; - is standard output.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_delimiter = ',')]
    pub(crate) outputs: Vec<Output>,
    /// Points by group (TOML).
    #[arg(long, value_name = "FILE")]
    pub(crate) rubric: Option<PathBuf>,
}

/// Wrong usage, as sysexits.h has it.
pub(crate) const USAGE: u8 = 64;

impl Reports {
    /// Whether a report goes to standard output, so that nothing else can.
    pub(crate) fn take_standard_output(&self) -> bool {
        self.on_standard_output() > 0
    }

    /// How many go there; one behind the other would be none.
    pub(crate) fn on_standard_output(&self) -> usize {
        self.outputs.iter().filter(|output| write::is_standard_output(&output.file)).count()
    }
}

pub(crate) fn rubric(reports: &Reports) -> anyhow::Result<Rubric> {
    anyhow::ensure!(reports.on_standard_output() <= 1, "only one report can go to standard output");
    reports.rubric.as_deref().map_or_else(|| Ok(Rubric::default()), rubric_in)
}

pub(crate) fn rubric_in(file: &Path) -> anyhow::Result<Rubric> {
    let rubric: Rubric =
        toml::from_str(&read(file)?).with_context(|| format!("{} is no rubric", file.display()))?;
    for group in rubric.groups.keys() {
        let known = conformance_suite::cases::groups().any(|(id, _, _)| id == group);
        anyhow::ensure!(known, "{}: there is no group {group:?}", file.display());
    }
    Ok(rubric)
}

/// A command for `--spawn`, if the server that it starts can be found.
pub(crate) fn startable(command: &str) -> anyhow::Result<String> {
    anyhow::ensure!(
        command.contains("{port}"),
        "the command of --spawn holds no {{port}}, so the server would not listen where the suite looks for it: \
         --spawn 'python3 server.py {{host}} -p {{port}}'"
    );
    Ok(command.to_owned())
}

pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))
}

pub(crate) fn scale(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "a number, such as 2 or 0.5".to_owned())?;
    if (0.05..=100.0).contains(&factor) { Ok(factor) } else { Err("from 0.05 to 100".to_owned()) }
}

pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix('h'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 3_600),
        (None, Some(number)) => (number, 60),
        (None, None) => (text.strip_suffix('s').unwrap_or(text), 1),
    };
    let number: u32 = number.parse().map_err(|_| "a time, such as 8m, 90s or 4h".to_owned())?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_factors() {
        assert_eq!(duration("8m"), Ok(Duration::from_secs(480)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("4h"), Ok(Duration::from_secs(14_400)));
        assert!(duration("soon").is_err() && scale("0").is_err() && scale("nan").is_err());
    }
}
