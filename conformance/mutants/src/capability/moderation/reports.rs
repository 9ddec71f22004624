//! Reports: the text comes from what the server keeps, so nobody can make it up.

use conformance_kit::clock;
use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::state::{Refusal, Reply},
    listing::table,
    records::Report,
    words::{MISSING, NO_SUCH_USER, Order},
};
use crate::{
    chat::{Chat, Member},
    entry::Entry,
};

const NO_SUCH_MESSAGE: Refusal =
    Refusal::new("no-such-message", "there is no message of that number that you can read");

impl Chat {
    /// `report <user> [id] [reason...]`
    pub(super) fn report(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let f = self.faults.clone();
        let name = order.subject()?;
        self.party_of(name).ok_or(NO_SUCH_USER)?;
        let id = order.rest.first().and_then(|word| word.parse::<u64>().ok());
        let reason = order.rest.get(usize::from(id.is_some())..).unwrap_or_default().join(" ");
        let entry = match id {
            None => None,
            Some(id) => match self.readable(&order.member, id) {
                Some(entry) => Some(entry),
                None if f.acts(Fault::ReportOfForeignId) => None,
                None => return Err(NO_SUCH_MESSAGE),
            },
        };
        let text = entry.and_then(|entry| entry.parts.get(3)?.as_str().map(str::to_owned));
        let room = entry.map(|entry| entry.dest()).filter(|dest| dest.starts_with('#'));
        let made_up = f.acts(Fault::ReportTextMadeUp);
        let report = Report {
            number: self.moderation.last_report + 1,
            name: name.to_owned(),
            by: order.member.name.clone(),
            room: room.map(str::to_owned),
            id,
            text: if made_up { Some(reason.clone()) } else { text },
            reason,
            at: clock::unix_seconds(),
        };
        let number = report.number;
        self.moderation.last_report = number;
        self.moderation.reports.push(report);
        Ok(Reply::done("somebody will look at it").with(json!({"NUMBER": number})))
    }

    /// A message that somebody can read.
    fn readable(&self, member: &Member, id: u64) -> Option<&Entry> {
        let party = member.party();
        let own = |entry: &&Entry| {
            entry.id == id
                && [entry.src(), entry.dest()].iter().any(|at| *at == "ALL" || *at == member.name)
        };
        let lobby = self.history.iter().find(own);
        lobby.or_else(|| self.rooms.kept_for(&party, id))
    }

    /// `reports`
    pub(super) fn list_reports(&self) -> Reply {
        let reports = self.moderation.reports.iter();
        let rows: Vec<Value> = reports
            .map(|one| {
                json!([
                    one.number, one.name, one.by, one.room, one.id, one.text, one.reason, one.at
                ])
            })
            .collect();
        let columns = ["NUMBER", "NAME", "BY", "ROOM", "ID", "TEXT", "REASON", "AT"];
        Reply::done("here they are").with(table(&columns, &rows))
    }

    /// `close-report <number>`
    pub(super) fn close_report(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let number: u64 = order.subject()?.parse().map_err(|_| MISSING)?;
        let reports = &mut self.moderation.reports;
        let before = reports.len();
        reports.retain(|report| report.number != number);
        if reports.len() == before {
            return Err(Refusal::new("failed", "there is no such report"));
        }
        Ok(Reply::done("closed"))
    }
}
