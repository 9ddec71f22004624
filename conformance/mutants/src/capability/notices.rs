//! `notices`: what a user should know and did not ask for, and why a connection ends.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{agreed::Agreed, state::Party};
use crate::{chat::Chat, faults::Faults, outbox::Outbox};

/// Sends the last frame of a connection.
pub(crate) fn last_words(outbox: &Outbox, agreed: &Agreed, f: &Faults, code: &str, text: &str) {
    let replaced = code == "replaced";
    let told = agreed.has("notices") || f.acts(Fault::ClosedToEverybody);
    if !told || (replaced && f.acts(Fault::ReplacedWithoutClosed)) {
        return outbox.error(text);
    }
    let retry = if replaced && f.acts(Fault::ReplacedRetries) { json!(1) } else { Value::Null };
    let closed = json!({"CODE": code, "INFO": text, "UNTIL": null, "RETRY": retry});
    close_with(outbox, f, text, &closed);
}

/// The same with everything that CLOSED says.
pub(super) fn close_with(outbox: &Outbox, f: &Faults, text: &str, closed: &Value) {
    if f.acts(Fault::ClosedOvertakes) {
        outbox.send(&json!({"CLOSED": closed}));
        return outbox.error(text);
    }
    outbox.send(&json!({"ERROR": text, "CLOSED": closed}));
}

impl Chat {
    /// Tells somebody of an invitation to a room, or that there is none any more.
    pub(super) fn notify(&self, party: &Party, code: &str, room: &str, by: &str) {
        if self.faults.acts(Fault::InvitationUntold) {
            return;
        }
        let notice = Map::from_iter([
            ("CODE".to_owned(), json!(code)),
            ("ROOM".to_owned(), json!(room)),
            ("BY".to_owned(), json!(by)),
            ("INFO".to_owned(), json!(format!("{by}: {code}, {room}"))),
        ]);
        for member in self.members.iter().filter(|member| member.party() == *party) {
            if member.agreed.has("notices") && member.agreed.has("rooms") {
                member.outbox.send(&json!({"NOTICES": [notice]}));
            }
        }
    }
}
