//! What users report to those who keep order (MO-11).

use chatterbox_hub::{RoomRef, Sequence};

use crate::moderation::bounded_text::{Label, Reason, ReportText};
use chatterbox_hub::RoomNumber;

/// A report that has no number yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// The name of who reports.
    pub reporter: Label,
    /// The number of their account.
    pub reporter_account: Option<i64>,
    /// The name of whom they report.
    pub subject: Label,
    /// The id of the message that they report.
    pub message: Option<Sequence>,
    /// Its text, as the server had it.
    pub text: Option<ReportText>,
    /// Where it was said; `None` is the lobby, or between two users.
    pub room: Option<RoomRef>,
    /// Why.
    pub reason: Reason,
    /// When it was reported, in seconds since 1970 UTC.
    pub at: i64,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number, which is never used again.
    pub number: i64,
    /// What was reported.
    pub what: NewReport,
    /// By whom it was dealt with, if it was.
    pub closed: Option<Closed>,
}

/// How a report has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The name of who has closed it.
    pub by: Label,
    /// When, in seconds since 1970 UTC.
    pub at: i64,
}

/// Which reports are asked for; the default is all that are open, as many as there can be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportFilter {
    /// Those of one room; `None` is everywhere.
    pub room: Option<RoomNumber>,
    /// Those that were dealt with, too.
    pub closed_too: bool,
    /// Those before the one of this number.
    pub before: Option<i64>,
    /// At most so many, the newest; 0 is [`super::OPEN_REPORTS`], and so is more than that.
    pub limit: usize,
}
