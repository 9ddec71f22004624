//! Sanctions, the audit log and reports that are read in the database of this node, and changed on all nodes alike.

use std::sync::Arc;

use chatterbox_hub::{RoomNumber, Sanction, SanctionId, StoreCommand};

use crate::moderation::{
    AuditEntry, AuditFilter, ModerationError, ModerationStore, NewReport, NewSanction, Report,
    ReportFilter,
};
use crate::store::shared::answer::Answer;
use crate::store::shared::asking::{Asking, Undecided};
use crate::store::shared::command::{Command, written};
use crate::store::shared::written::{WrittenAudit, WrittenReport, WrittenSanction};
use crate::store::sqlite::SqliteModeration;

/// What is stored of moderation in a cluster, as one node has it.
#[derive(Debug)]
pub struct Shared {
    /// Only reads.
    reader: SqliteModeration,
    asking: Arc<Asking>,
}

impl From<Undecided> for ModerationError {
    fn from(Undecided: Undecided) -> Self {
        Self::Undecided
    }
}

impl Shared {
    pub(super) const fn new(reader: SqliteModeration, asking: Arc<Asking>) -> Self {
        Self { reader, asking }
    }

    fn ask(&self, command: Command) -> Result<Answer, ModerationError> {
        match self.asking.ask(command)? {
            Answer::TooMany => Err(ModerationError::TooMany),
            answer => Ok(answer),
        }
    }

    fn change(&self, command: Command) -> Result<bool, ModerationError> {
        match self.ask(command)? {
            Answer::Changed(it, _) => Ok(it),
            _ => Err(unexpected()),
        }
    }
}

/// The answer to another question: a fault of this program.
fn unexpected() -> ModerationError {
    ModerationError::Store("the answer is none to this question".into())
}

impl ModerationStore for Shared {
    fn written_when_done(&self, audit: &AuditEntry) -> Option<StoreCommand> {
        written(&WrittenAudit::of(audit))
    }

    fn impose(
        &mut self,
        audit: &AuditEntry,
        sanctions: &[NewSanction],
    ) -> Result<Vec<SanctionId>, ModerationError> {
        let audit = WrittenAudit::of(audit);
        let sanctions = sanctions.iter().map(WrittenSanction::of).collect();
        match self.ask(Command::Impose { audit, sanctions })? {
            Answer::Imposed(ids) => Ok(ids),
            _ => Err(unexpected()),
        }
    }

    fn lift(&mut self, audit: &AuditEntry, ids: &[SanctionId]) -> Result<(), ModerationError> {
        let ids = ids.iter().map(|SanctionId(id)| *id).collect();
        self.ask(Command::Lift { audit: WrittenAudit::of(audit), ids }).map(drop)
    }

    fn note(&mut self, audit: &AuditEntry) -> Result<(), ModerationError> {
        self.ask(Command::Note(WrittenAudit::of(audit))).map(drop)
    }

    fn sanctions(&mut self, now: i64) -> Result<Vec<Sanction>, ModerationError> {
        self.reader.sanctions(now)
    }

    fn forget_ended(&mut self, now: i64) -> Result<(), ModerationError> {
        self.ask(Command::ForgetEnded(now)).map(drop)
    }

    fn forget_room(&mut self, RoomNumber(room): RoomNumber) -> Result<(), ModerationError> {
        self.ask(Command::ForgetRoom(room)).map(drop)
    }

    fn forget_account(&mut self, account: i64) -> Result<(), ModerationError> {
        self.ask(Command::ForgetAccount(account)).map(drop)
    }

    fn forget_orphans(&mut self) -> Result<(), ModerationError> {
        self.ask(Command::ForgetOrphans).map(drop)
    }

    fn audit(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, ModerationError> {
        self.reader.audit(filter)
    }

    fn forget_audit(&mut self, before: i64) -> Result<bool, ModerationError> {
        self.change(Command::ForgetAudit(before))
    }

    fn report(&mut self, new: &NewReport) -> Result<i64, ModerationError> {
        match self.ask(Command::Report(WrittenReport::of(new)))? {
            Answer::Number(number) => Ok(number),
            _ => Err(unexpected()),
        }
    }

    fn reports(&mut self, filter: ReportFilter) -> Result<Vec<Report>, ModerationError> {
        self.reader.reports(filter)
    }

    fn report_of(&mut self, number: i64) -> Result<Option<Report>, ModerationError> {
        self.reader.report_of(number)
    }

    fn close_report(&mut self, audit: &AuditEntry, number: i64) -> Result<bool, ModerationError> {
        self.change(Command::CloseReport { audit: WrittenAudit::of(audit), number })
    }

    fn forget_reports(&mut self, before: i64) -> Result<bool, ModerationError> {
        self.change(Command::ForgetReports(before))
    }
}
