//! The trait of the stores of moderation.

use std::fmt::Debug;

use chatterbox_hub::{RoomNumber, Sanction, SanctionId, StoreCommand};

use crate::moderation::audit::{AuditEntry, AuditFilter};
use crate::moderation::new_sanction::NewSanction;
use crate::moderation::report::{NewReport, Report, ReportFilter};

/// The sanctions that may hold at a time.
pub const SANCTIONS: usize = 10_000;

/// The entries of the audit log that are read at a time.
pub const AUDIT_PAGE: usize = 1_000;

/// The reports that may be open at a time.
pub const OPEN_REPORTS: usize = 1_000;

/// Those of them that may come from one network.
pub const OPEN_REPORTS_FROM: usize = 100;

/// Those of them that may be about one user.
pub const OPEN_REPORTS_ABOUT: usize = 50;

/// The reports that are kept, open or not; the oldest that was dealt with is removed for a new one.
pub const REPORTS: usize = 10_000;

/// The age at which a report is forgotten, open or not, in seconds.
pub const REPORT_AGE: i64 = 90 * 24 * 60 * 60;

/// The old entries, or reports, that are removed at a time: others write to the same database, and wait meanwhile.
pub const FORGOTTEN: usize = 1_000;

/// Why a store failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModerationError {
    /// There are as many of them as there may be.
    #[error("there are too many of them already")]
    TooMany,
    /// There is no room.
    #[error("bans, mutes and the audit log can't be written: the disk is full")]
    Full,
    /// The disk does not do what it is asked for.
    #[error(
        "bans, mutes and the audit log can't be read or written: the disk takes no more, or fails: a limit on the size of files (ulimit -f), or a fault"
    )]
    Disk,
    /// The store failed.
    #[error("bans, mutes and the audit log can't be read or written: {0}")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The nodes that have this in common don't agree on anything at the moment. Nobody knows whether it is going to be stored.
    #[error(
        "bans, mutes and the audit log can't be changed now: the nodes of this chat have to agree, and the engine does not answer"
    )]
    Undecided,
    /// The store is closed.
    #[error("bans, mutes and the audit log are closed")]
    Closed,
}

/// A store of sanctions, the audit log and reports. Every call is atomic: it did all, or nothing.
///
/// Of an [`AuditEntry`] that is written, the store ignores the number and assigns the next one. What concerns a moment uses the time of the
/// entry.
pub trait ModerationStore: Send + Debug {
    /// What all nodes write down when the chat has done what this entry is about, where the chat is of several nodes. Whoever moderates
    /// does not store it before then: what is refused is not written down.
    fn written_when_done(&self, _audit: &AuditEntry) -> Option<StoreCommand> {
        None
    }

    /// Writes down an act, and the sanctions that it imposes, in this order. Numbers of sanctions are never used again.
    ///
    /// # Errors
    /// [`ModerationError::TooMany`] when more than [`SANCTIONS`] would hold; others.
    fn impose(
        &mut self,
        audit: &AuditEntry,
        sanctions: &[NewSanction],
    ) -> Result<Vec<SanctionId>, ModerationError>;

    /// Writes down an act, and removes the sanctions that it lifts. Those that are not there any more don't matter.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn lift(&mut self, audit: &AuditEntry, ids: &[SanctionId]) -> Result<(), ModerationError>;

    /// Writes down an act that imposes and lifts nothing.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn note(&mut self, audit: &AuditEntry) -> Result<(), ModerationError>;

    /// The sanctions that hold, in the order of their numbers. Of guests only the name is known.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn sanctions(&mut self, now: i64) -> Result<Vec<Sanction>, ModerationError>;

    /// Removes the sanctions that don't hold any more.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn forget_ended(&mut self, now: i64) -> Result<(), ModerationError>;

    /// Removes the sanctions of a room.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn forget_room(&mut self, room: RoomNumber) -> Result<(), ModerationError>;

    /// Removes the sanctions on an account.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn forget_account(&mut self, account: i64) -> Result<(), ModerationError>;

    /// Removes the sanctions of all rooms and accounts that are not there any more: somebody may have removed them while no server
    /// ran.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn forget_orphans(&mut self) -> Result<(), ModerationError>;

    /// Entries of the audit log, the newest first.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn audit(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, ModerationError>;

    /// Removes entries of the audit log that are older than this, [`FORGOTTEN`] at most; nothing else removes one. Returns whether there
    /// may be more of them.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn forget_audit(&mut self, before: i64) -> Result<bool, ModerationError>;

    /// Keeps a report. Returns its number.
    ///
    /// # Errors
    /// [`ModerationError::TooMany`] when [`OPEN_REPORTS`] are open; others.
    fn report(&mut self, new: &NewReport) -> Result<i64, ModerationError>;

    /// Reports, the newest first.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn reports(&mut self, filter: ReportFilter) -> Result<Vec<Report>, ModerationError>;

    /// The report of a number, if it is still kept.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn report_of(&mut self, number: i64) -> Result<Option<Report>, ModerationError>;

    /// Writes down that somebody closes a report, and closes it. Returns whether it was open; otherwise nothing is written.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn close_report(&mut self, audit: &AuditEntry, number: i64) -> Result<bool, ModerationError>;

    /// Removes reports that are older than this, [`FORGOTTEN`] at most. Returns whether there may be more of them.
    ///
    /// # Errors
    /// [`ModerationError`].
    fn forget_reports(&mut self, before: i64) -> Result<bool, ModerationError>;
}
