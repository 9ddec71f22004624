//! The tables of moderation: bans, the audit log.

use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::state::Reply,
    sanctions::{Kind, On},
    words::Order,
};
use crate::chat::Chat;

/// From this level on, addresses are shown.
const SEES_ADDRESSES: u8 = 4;

/// A table as clients can show it without knowing the command.
pub(super) fn table(columns: &[&str], rows: &[Value]) -> Value {
    json!({"COLUMNS": columns, "ROWS": rows})
}

impl Chat {
    /// `banned-users [room]`
    pub(super) fn list_bans(&self, order: &Order<'_>) -> Reply {
        let f = &self.faults;
        let level = self.level_of(order.member.account.as_deref());
        let shown = level >= SEES_ADDRESSES || f.acts(Fault::AddressesShown);
        let room = order.room.and_then(|room| self.rooms.get(room));
        let scope = room.map_or("server", |room| &room.name);
        let bans = self.moderation.holding(&[Kind::Ban], order.room);
        let bare = f.acts(Fault::BansListedBare);
        let rows: Vec<Value> = bans
            .map(|ban| {
                let hidden = matches!(ban.on, On::Network { .. }) && !shown;
                let value = if hidden { Value::Null } else { json!(ban.about) };
                let by = if bare { Value::Null } else { json!(ban.by) };
                json!([ban.number, ban.on.word(), value, scope, by, ban.until, ban.reason])
            })
            .collect();
        let columns = ["NUMBER", "KIND", "VALUE", "SCOPE", "BY", "UNTIL", "REASON"];
        Reply::done("here they are").with(table(&columns, &rows))
    }

    /// `audit [user] [room]`
    pub(super) fn list_audit(&self, order: &Order<'_>) -> Reply {
        let room = order.room.and_then(|room| self.rooms.get(room)).map(|room| room.name.as_str());
        let lines = self.moderation.audit.iter().rev().filter(|line| {
            let about = order.subject.is_none_or(|name| line.name == name || line.by == name);
            about && (room.is_none() || line.room.as_deref() == room)
        });
        let rows: Vec<Value> = lines
            .take(1_000)
            .map(|line| {
                json!([line.at, line.by, line.act, line.name, line.room, line.reason, line.until])
            })
            .collect();
        let columns = ["AT", "BY", "ACT", "NAME", "ROOM", "REASON", "UNTIL"];
        Reply::done("here it is").with(table(&columns, &rows))
    }
}
