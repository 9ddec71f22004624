//! Sanctions, the audit log and reports in the database of the messages, through a connection of their own.
//!
//! An act and what it imposes or lifts is one transaction: after a crash in the middle of it, or on a full disk, everything is as it
//! was before. Whoever runs `chatterbox-server bans` or `audit` beside a server has another connection, and only reads.

use std::path::{Path, PathBuf};

use chatterbox_hub::{RoomNumber, Sanction, SanctionId, Sequence};
use chatterbox_proto::RoomName;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row};

use crate::moderation::{
    AuditEntry, AuditFilter, ModerationError, ModerationStore, NewReport, NewSanction,
    OPEN_REPORTS, Report, ReportFilter, SANCTIONS,
};
use crate::store::sqlite::commands::{self, Connected};
use crate::store::sqlite::database::open_shared;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::row::{self, signed};
use crate::store::sqlite::writing::Writing;
use crate::store::sqlite::{audit, reports, sanctions};

/// What is stored of moderation, in a database.
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the database of a folder, whether a server is using it or not; it is made or migrated when none is.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let (connection, path) = open_shared(folder)?;
        let prepare = || {
            // Who was banned stays banned, whatever happens to the power. Addresses and messages that are forgotten are overwritten.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "secure_delete", true)?;
            connection.pragma_update(None, "trusted_schema", false)
        };
        prepare().map_err(|error| OpenError::database(&path, error))?;
        Ok(Self { connection, path })
    }

    /// The name of a room, if it is there.
    ///
    /// # Errors
    /// [`ModerationError`].
    pub fn room_name(&self, room: RoomNumber) -> Result<Option<RoomName>, ModerationError> {
        let mut select =
            self.connection.prepare_cached("SELECT name FROM rooms WHERE number = ?")?;
        let name = |row: &Row<'_>| Ok(RoomName::stored(&row::text(row, 0)?.unwrap_or_default()));
        Ok(select.query_row([signed(room.0)], name).optional()?)
    }

    fn writing(&mut self) -> Result<Writing<'_>, rusqlite::Error> {
        Writing::begin(&mut self.connection)
    }

    /// Carries the command of a number out.
    ///
    /// # Errors
    /// Those of the function, and of the database; nothing was done then.
    pub(crate) fn carry_out<T, E: From<rusqlite::Error>>(
        &mut self,
        number: Sequence,
        function: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        commands::carry_out(self, number, function)
    }

    /// Writes down an act, and sanctions that have their numbers: whoever has imposed them has judged them.
    pub(crate) fn keep_imposed(
        &mut self,
        audit: &AuditEntry,
        imposed: &[Sanction],
    ) -> Result<(), ModerationError> {
        let transaction = self.writing()?;
        sanctions::forget_ended(&transaction, audit.at)?;
        audit::write(&transaction, audit)?;
        for sanction in imposed {
            let new = NewSanction::of(sanction);
            sanctions::insert(&transaction, Some(sanction.id), &new)?;
        }
        Ok(transaction.commit()?)
    }
}

impl Connected for Sqlite {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl From<rusqlite::Error> for ModerationError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            _ => Self::Store(error.into()),
        }
    }
}

impl ModerationStore for Sqlite {
    fn impose(
        &mut self,
        audit: &AuditEntry,
        sanctions: &[NewSanction],
    ) -> Result<Vec<SanctionId>, ModerationError> {
        let transaction = self.writing()?;
        let hold = sanctions::count(&transaction, audit.at)?;
        if hold.saturating_add(sanctions.len()) > SANCTIONS {
            return Err(ModerationError::TooMany);
        }
        sanctions::forget_ended(&transaction, audit.at)?;
        audit::write(&transaction, audit)?;
        let mut ids = Vec::with_capacity(sanctions.len());
        for sanction in sanctions {
            ids.push(sanctions::insert(&transaction, None, sanction)?);
        }
        transaction.commit()?;
        Ok(ids)
    }

    fn lift(&mut self, audit: &AuditEntry, ids: &[SanctionId]) -> Result<(), ModerationError> {
        let transaction = self.writing()?;
        audit::write(&transaction, audit)?;
        for id in ids {
            sanctions::remove(&transaction, *id)?;
        }
        Ok(transaction.commit()?)
    }

    fn note(&mut self, audit: &AuditEntry) -> Result<(), ModerationError> {
        let transaction = self.writing()?;
        audit::write(&transaction, audit)?;
        Ok(transaction.commit()?)
    }

    fn sanctions(&mut self, now: i64) -> Result<Vec<Sanction>, ModerationError> {
        Ok(sanctions::read(&self.connection, now)?)
    }

    fn forget_ended(&mut self, now: i64) -> Result<(), ModerationError> {
        Ok(sanctions::forget_ended(&self.connection, now)?)
    }

    fn forget_room(&mut self, room: RoomNumber) -> Result<(), ModerationError> {
        Ok(sanctions::forget_room(&self.connection, room)?)
    }

    fn forget_account(&mut self, account: i64) -> Result<(), ModerationError> {
        Ok(sanctions::forget_account(&self.connection, account)?)
    }

    fn forget_orphans(&mut self) -> Result<(), ModerationError> {
        Ok(sanctions::forget_orphans(&self.connection)?)
    }

    fn audit(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, ModerationError> {
        Ok(audit::read(&self.connection, filter)?)
    }

    fn forget_audit(&mut self, before: i64) -> Result<bool, ModerationError> {
        Ok(audit::forget(&self.connection, before)?)
    }

    fn report(&mut self, new: &NewReport) -> Result<i64, ModerationError> {
        let transaction = self.writing()?;
        if reports::count_open(&transaction)? >= OPEN_REPORTS {
            return Err(ModerationError::TooMany);
        }
        let number = reports::insert(&transaction, new)?;
        transaction.commit()?;
        Ok(number)
    }

    fn reports(&mut self, filter: ReportFilter) -> Result<Vec<Report>, ModerationError> {
        Ok(reports::read(&self.connection, filter)?)
    }

    fn report_of(&mut self, number: i64) -> Result<Option<Report>, ModerationError> {
        Ok(reports::find(&self.connection, number)?)
    }

    fn close_report(&mut self, audit: &AuditEntry, number: i64) -> Result<bool, ModerationError> {
        let transaction = self.writing()?;
        audit::write(&transaction, audit)?;
        if !reports::close(&transaction, number, &audit.by, audit.at)? {
            return Ok(false);
        }
        transaction.commit()?;
        Ok(true)
    }

    fn forget_reports(&mut self, before: i64) -> Result<bool, ModerationError> {
        Ok(reports::forget(&self.connection, before)?)
    }
}

#[cfg(test)]
mod tests;
