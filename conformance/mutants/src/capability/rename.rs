//! `rename`: a user changes name without leaving.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use crate::{
    chat::{Chat, Member},
    session::Session,
};

impl Session {
    /// Puts the present name in the place of the one before, as the sender of a message.
    pub(crate) async fn by_present_name(&self, own: &str, parts: &mut [Value]) {
        let f = &self.shared.faults;
        let chat = self.shared.chat.lock().await;
        let once = chat.member(self.connection).and_then(|member| member.once.as_deref());
        let Some(src) = parts.first_mut() else { return };
        if once.is_some() && src.as_str() == once && !f.acts(Fault::OldSrcRefused) {
            *src = json!(own);
        }
    }

    /// Takes the name that the user has got on another device.
    pub(crate) async fn learn_name(&mut self) {
        if !self.agreed.has("devices") || self.name.is_none() {
            return;
        }
        let chat = self.shared.chat.lock().await;
        if let Some(member) = chat.member(self.connection) {
            self.name = Some(member.name.clone());
        }
    }
}

impl Chat {
    /// Resolves a name to the user who has it now.
    pub(crate) fn present_name(&self, name: &str) -> String {
        let once = self.members.iter().find(|member| member.once.as_deref() == Some(name));
        match once {
            Some(member) if self.faults.acts(Fault::RenameKeepsRoute) => member.name.clone(),
            _ => name.to_owned(),
        }
    }

    /// Gives a member another name and tells everybody in their way.
    pub(crate) fn rename(&mut self, connection: u64, new: &str) {
        let f = self.faults.clone();
        let rosters = self.rosters();
        let Some(member) = self.member(connection).cloned() else { return };
        let old = member.name;
        for other in self.members.iter_mut().filter(|other| other.name == old) {
            let own = other.connection == connection;
            let device = other.agreed.has("devices") && member.agreed.has("devices");
            if !own && (!device || f.acts(Fault::DeviceNickAlone)) {
                continue;
            }
            new.clone_into(&mut other.name);
            other.once = Some(old.clone());
            if let Some(session) = self.sessions.get_mut(&other.token) {
                new.clone_into(&mut session.name);
            }
        }
        let renamed = json!({"USERS_RENAMED": Map::from_iter([(old.clone(), json!(new))])});
        let (left, joined) = (json!({"USERS_LEFT": [old]}), json!({"USERS_JOINED": [new]}));
        for member in &self.members {
            let own = member.connection == connection;
            if member.agreed.has("rename") && !f.acts(Fault::RenamedAsLeft) {
                if !(own && f.acts(Fault::RenamedUntoldToSelf)) {
                    member.outbox.send(&renamed);
                }
                if own || !f.acts(Fault::RenamedBothWays) {
                    continue;
                }
            }
            tell(member, &left, &joined, &self.faults);
        }
        if f.acts(Fault::RoomRenameTwice) {
            self.tell_rosters(&rosters, None);
        }
    }
}

/// The notices of a change of name for a client without `rename`.
fn tell(member: &Member, left: &Value, joined: &Value, f: &crate::Faults) {
    if f.acts(Fault::RenameHidden) {
        return;
    }
    let order = if f.acts(Fault::RenameJoinedFirst) { [joined, left] } else { [left, joined] };
    for notice in order {
        member.outbox.send(notice);
    }
}
