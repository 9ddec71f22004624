//! Points: what a rubric makes of a report. Only MUST gives points, and nothing that rests on the
//! letter of the assignment alone.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{CaseResult, Report};
use crate::{clause::Level, verdict::Verdict};

/// How points are given; read from `rubric.toml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rubric {
    /// Points by group; a group that is not named gives none. Without any, every case gives one.
    #[serde(default)]
    pub groups: BTreeMap<String, Group>,
}

/// The points of one group.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// For the whole group.
    pub points: f64,
    /// Whether a part of the group gives a part of the points.
    #[serde(default)]
    pub mode: Mode,
}

/// How a group that passed in part is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every case gives its share.
    #[default]
    Partial,
    /// One failure takes all points of the group.
    AllOrNothing,
}

/// The points of one case.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    /// The case.
    pub case: &'a CaseResult,
    /// The points that it got.
    pub score: f64,
    /// The points that it could get.
    pub most: f64,
}

/// Gives points to every case that can have some.
#[must_use]
pub fn points<'a>(report: &'a Report, rubric: &Rubric) -> Vec<Points<'a>> {
    let gives = |case: &&CaseResult| {
        case.level == Level::Must
            && !case.literal
            && !matches!(case.verdict, Verdict::NotApplicable { .. })
    };
    let cases: Vec<&CaseResult> = report.cases.iter().filter(gives).collect();
    let passed = |case: &CaseResult| matches!(case.verdict, Verdict::Pass);
    let mut out = Vec::new();
    for case in &cases {
        let group: Vec<_> = cases.iter().filter(|other| other.group == case.group).collect();
        let (most, whole) = if rubric.groups.is_empty() {
            (1.0, false)
        } else {
            let Some(rule) = rubric.groups.get(&case.group) else { continue };
            // No group has so many cases that an f64 would lose count.
            let share = u32::try_from(group.len()).unwrap_or(u32::MAX);
            (rule.points / f64::from(share.max(1)), rule.mode == Mode::AllOrNothing)
        };
        let earned = passed(case) && (!whole || group.iter().all(|other| passed(other)));
        out.push(Points { case, score: if earned { most } else { 0.0 }, most });
    }
    out
}

/// The points that were reached, and the most that were possible.
#[must_use]
pub fn sum(points: &[Points<'_>]) -> (f64, f64) {
    let round = |value: f64| (value * 100.0).round() / 100.0;
    (round(points.iter().map(|p| p.score).sum()), round(points.iter().map(|p| p.most).sum()))
}
