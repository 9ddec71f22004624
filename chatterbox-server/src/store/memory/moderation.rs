//! Sanctions, the audit log and reports that live as long as the process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chatterbox_hub::{RoomNumber, Sanction, SanctionId, SanctionSubject};

use crate::moderation::{
    AUDIT_PAGE, About, AuditEntry, AuditFilter, AuditRoom, Closed, FORGOTTEN, ModerationError,
    ModerationStore, NewReport, NewSanction, OPEN_REPORTS, REPORTS, Report, ReportFilter,
    SANCTIONS,
};

/// The entries of the audit log that are kept: it ends with the process anyway, and memory is not a disk.
const ENTRIES: usize = 10_000;

/// What is kept of moderation, in memory.
#[derive(Debug, Default)]
pub struct Memory {
    sanctions: BTreeMap<SanctionId, Sanction>,
    /// The oldest first.
    entries: VecDeque<AuditEntry>,
    reports: BTreeMap<i64, Report>,
    /// Those of them that are open.
    open: BTreeSet<i64>,
    /// The greatest numbers that were ever assigned.
    newest_sanction: i64,
    newest_entry: i64,
    newest_report: i64,
}

impl Memory {
    fn write(&mut self, audit: &AuditEntry) {
        self.newest_entry += 1;
        self.entries.push_back(AuditEntry { id: self.newest_entry, ..audit.clone() });
        if self.entries.len() > ENTRIES {
            self.entries.pop_front();
        }
    }
}

/// Takes one of what is left, if there is one.
fn take_one(left: &mut usize) -> bool {
    let is_one = *left > 0;
    *left = left.saturating_sub(1);
    is_one
}

/// The subject as it is after a restart.
fn kept(subject: &SanctionSubject) -> SanctionSubject {
    match subject {
        SanctionSubject::Guest { name, .. } => {
            SanctionSubject::Guest { name: name.clone(), session: None, member: None }
        }
        other => other.clone(),
    }
}

impl ModerationStore for Memory {
    fn impose(
        &mut self,
        audit: &AuditEntry,
        sanctions: &[NewSanction],
    ) -> Result<Vec<SanctionId>, ModerationError> {
        let hold = self.sanctions.values().filter(|sanction| sanction.holds(audit.at)).count();
        if hold.saturating_add(sanctions.len()) > SANCTIONS {
            return Err(ModerationError::TooMany);
        }
        self.forget_ended(audit.at)?;
        self.write(audit);
        let mut ids = Vec::with_capacity(sanctions.len());
        for sanction in sanctions {
            self.newest_sanction += 1;
            let id = SanctionId(self.newest_sanction);
            let sanction = Sanction { subject: kept(&sanction.subject), ..sanction.with_id(id) };
            self.sanctions.insert(id, sanction);
            ids.push(id);
        }
        Ok(ids)
    }

    fn lift(&mut self, audit: &AuditEntry, ids: &[SanctionId]) -> Result<(), ModerationError> {
        self.write(audit);
        for id in ids {
            self.sanctions.remove(id);
        }
        Ok(())
    }

    fn note(&mut self, audit: &AuditEntry) -> Result<(), ModerationError> {
        self.write(audit);
        Ok(())
    }

    fn sanctions(&mut self, now: i64) -> Result<Vec<Sanction>, ModerationError> {
        Ok(self.sanctions.values().filter(|sanction| sanction.holds(now)).cloned().collect())
    }

    fn forget_ended(&mut self, now: i64) -> Result<(), ModerationError> {
        self.sanctions.retain(|_, sanction| sanction.holds(now));
        Ok(())
    }

    fn forget_room(&mut self, room: RoomNumber) -> Result<(), ModerationError> {
        self.sanctions.retain(|_, sanction| sanction.room != Some(room));
        Ok(())
    }

    fn forget_account(&mut self, account: i64) -> Result<(), ModerationError> {
        self.sanctions.retain(|_, sanction| match &sanction.subject {
            SanctionSubject::Account(of) => of.id != account,
            _ => true,
        });
        Ok(())
    }

    /// Rooms and accounts are removed by nobody but the one process.
    fn forget_orphans(&mut self) -> Result<(), ModerationError> {
        Ok(())
    }

    fn audit(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, ModerationError> {
        let wanted = |entry: &&AuditEntry| {
            let in_room = filter.room.as_ref().is_none_or(|wanted| {
                entry.room.as_ref().is_some_and(|room| match wanted {
                    AuditRoom::Number(number) => room.number == *number,
                    AuditRoom::Name(name) => room.name == *name,
                })
            });
            let about = entry.about.as_ref().map(About::key);
            in_room
                && filter.before.is_none_or(|before| entry.id < before)
                && filter.about.as_ref().is_none_or(|key| about.as_ref() == Some(key))
                && filter.by.as_ref().is_none_or(|key| entry.by_key() == *key)
        };
        let limit = match filter.limit {
            0 => AUDIT_PAGE,
            limit => limit.min(AUDIT_PAGE),
        };
        Ok(self.entries.iter().rev().filter(wanted).take(limit).cloned().collect())
    }

    fn forget_audit(&mut self, before: i64) -> Result<bool, ModerationError> {
        let mut left = FORGOTTEN;
        self.entries.retain(|entry| entry.at >= before || !take_one(&mut left));
        Ok(left == 0)
    }

    fn report(&mut self, new: &NewReport) -> Result<i64, ModerationError> {
        if self.open.len() >= OPEN_REPORTS {
            return Err(ModerationError::TooMany);
        }
        if self.reports.len() >= REPORTS {
            let mut closed = self.reports.values().filter(|report| report.closed.is_some());
            let oldest = closed.next().map(|report| report.number);
            oldest.and_then(|number| self.reports.remove(&number));
        }
        self.newest_report += 1;
        let number = self.newest_report;
        self.open.insert(number);
        self.reports.insert(number, Report { number, what: new.clone(), closed: None });
        Ok(number)
    }

    fn reports(&mut self, filter: ReportFilter) -> Result<Vec<Report>, ModerationError> {
        let wanted = |report: &&Report| {
            let room = report.what.room.as_ref().map(|room| room.number);
            (filter.closed_too || report.closed.is_none())
                && filter.room.is_none_or(|wanted| room == Some(wanted))
                && filter.before.is_none_or(|before| report.number < before)
        };
        let limit = match filter.limit {
            0 => OPEN_REPORTS,
            limit => limit.min(OPEN_REPORTS),
        };
        Ok(self.reports.values().rev().filter(wanted).take(limit).cloned().collect())
    }

    fn report_of(&mut self, number: i64) -> Result<Option<Report>, ModerationError> {
        Ok(self.reports.get(&number).cloned())
    }

    fn close_report(&mut self, audit: &AuditEntry, number: i64) -> Result<bool, ModerationError> {
        if !self.open.remove(&number) {
            return Ok(false);
        }
        self.write(audit);
        if let Some(report) = self.reports.get_mut(&number) {
            report.closed = Some(Closed { by: audit.by.clone(), at: audit.at });
        }
        Ok(true)
    }

    fn forget_reports(&mut self, before: i64) -> Result<bool, ModerationError> {
        let mut left = FORGOTTEN;
        self.reports.retain(|_, report| report.what.at >= before || !take_one(&mut left));
        self.open.retain(|number| self.reports.contains_key(number));
        Ok(left == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moderation::Act;

    #[test]
    fn holds_the_contract() {
        crate::moderation::contract::holds(Memory::default);
    }

    #[test]
    fn the_log_does_not_fill_the_memory() {
        let mut store = Memory::default();
        for at in 0..=i64::try_from(ENTRIES).unwrap() {
            store.note(&AuditEntry::new(at, "ann", Act::Kick)).unwrap();
        }
        assert_eq!(store.entries.len(), ENTRIES);
        assert_eq!(store.audit(&AuditFilter::default()).unwrap()[0].id, 10_001);
    }
}
