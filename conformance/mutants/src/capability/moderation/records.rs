//! Moderation as data: the levels of accounts, sanctions, the audit log and the reports.

use std::collections::BTreeMap;

use conformance_kit::clock;

use super::sanctions::{Kind, Sanction};

#[derive(Debug, Default)]
pub(crate) struct Moderation {
    /// The levels of accounts that have another one than 1.
    pub(super) levels: BTreeMap<String, u8>,
    pub(super) sanctions: Vec<Sanction>,
    /// The greatest number of a sanction.
    last: u64,
    pub(super) audit: Vec<Line>,
    pub(super) reports: Vec<Report>,
    pub(super) last_report: u64,
}

/// One line of the audit log.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) at: i64,
    pub(super) by: String,
    pub(super) act: &'static str,
    pub(super) name: String,
    pub(super) room: Option<String>,
    pub(super) reason: String,
    pub(super) until: Option<i64>,
}

#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) by: String,
    pub(super) room: Option<String>,
    pub(super) id: Option<u64>,
    pub(super) text: Option<String>,
    pub(super) reason: String,
    pub(super) at: i64,
}

impl Moderation {
    /// Imposes a sanction; the number in it is given here.
    pub(super) fn impose(&mut self, sanction: Sanction) {
        self.last += 1;
        self.sanctions.push(Sanction { number: self.last, ..sanction });
    }

    /// Those that hold, of these kinds, in this scope.
    pub(super) fn holding(
        &self,
        kinds: &'static [Kind],
        room: Option<u64>,
    ) -> impl Iterator<Item = &Sanction> {
        let fits = move |sanction: &&Sanction| {
            kinds.contains(&sanction.kind) && sanction.room == room && sanction.holds()
        };
        self.sanctions.iter().filter(fits)
    }
}

impl Line {
    pub(super) fn new(by: &str, act: &'static str, name: &str) -> Self {
        Self {
            at: clock::unix_seconds(),
            by: by.to_owned(),
            act,
            name: name.to_owned(),
            room: None,
            reason: String::new(),
            until: None,
        }
    }
}
