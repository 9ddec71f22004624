//! Removes somebody from the chat, and tells everybody concerned.

use conformance_kit::clock;
use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use super::{
    super::{notices::close_with, state::Party},
    words::Order,
};
use crate::chat::{Chat, Member};

impl Chat {
    /// Ends all connections of somebody with this word, the end of it, and the seconds after which they may come back.
    pub(super) fn remove(
        &mut self,
        target: &Member,
        order: &Order<'_>,
        (code, until, retry): (&'static str, Option<i64>, Option<i64>),
    ) {
        let f = self.faults.clone();
        let party = target.party();
        let all = self.members.iter().filter(|member| member.party() == party);
        let mut all: Vec<Member> = all.cloned().collect();
        if all.len() > 1 && code == "kicked" && f.acts(Fault::DeviceKickAlone) {
            all.truncate(1);
        }
        for member in all {
            let untold = (code == "kicked" && f.acts(Fault::KickUntold))
                || (code == "banned" && f.acts(Fault::BanUntold));
            if !untold {
                let text = format!("You were {code}: {}", order.reason());
                let retry = retry.filter(|_| !f.acts(Fault::KickRetryMissing));
                say_why(
                    &member,
                    &f,
                    &text,
                    &json!({"CODE": code, "INFO": text, "UNTIL": until, "RETRY": retry}),
                );
            }
            if code == "kicked" && f.acts(Fault::KickConnectionStays) {
                continue;
            }
            member.outbox.close();
            if f.acts(Fault::KickHidden) {
                self.slip_away(&member);
            } else {
                self.leave(member.connection);
            }
        }
        if !order.silent {
            self.tell_of_removal(&target.name, order, code, until);
        }
    }

    /// Lets a member go of whom base clients hear nothing.
    fn slip_away(&mut self, member: &Member) {
        self.members.retain(|other| other.connection != member.connection);
        for other in self.members.iter().filter(|other| other.agreed.offered()) {
            other.outbox.send(&json!({"USERS_LEFT": [member.name]}));
        }
    }

    fn tell_of_removal(&self, name: &str, order: &Order<'_>, code: &str, until: Option<i64>) {
        if self.faults.acts(Fault::KickUnexplained) {
            return;
        }
        let text = format!("{name} was {code} by {}: {}", order.member.name, order.reason());
        let notice = json!({"CODE": code, "NAME": name, "BY": order.member.name,
            "INFO": order.reason(), "UNTIL": until});
        for member in &self.members {
            if member.agreed.has("notices") {
                member.outbox.send(&json!({"NOTICES": [notice]}));
            } else {
                member.outbox.send(&of_server(member, "ALL", &text));
            }
        }
    }

    /// Tells somebody who is here, and those who look after the place, that somebody is muted.
    pub(super) fn tell_of_mute(&self, order: &Order<'_>, until: Option<i64>) {
        if self.faults.acts(Fault::MuteUntold) {
            return;
        }
        let Some(target) = order.subject.and_then(|name| self.here(name)) else { return };
        let room = order.room.and_then(|room| self.rooms.get(room)).map(|room| room.name.clone());
        let notice = json!({"CODE": "muted", "NAME": target.name, "BY": order.member.name,
            "ROOM": room, "INFO": order.reason(), "UNTIL": until});
        if target.agreed.has("notices") {
            target.outbox.send(&json!({"NOTICES": [notice]}));
        } else {
            target.outbox.error("you are muted");
        }
    }

    /// The users who come from the address of a member.
    pub(super) fn neighbours(&self, member: &Member) -> usize {
        let mut parties: Vec<Party> = Vec::new();
        let near = self.members.iter().filter(|other| other.address == member.address);
        for party in near.map(Member::party) {
            if !parties.contains(&party) {
                parties.push(party);
            }
        }
        parties.len()
    }
}

fn say_why(member: &Member, f: &crate::Faults, text: &str, closed: &Value) {
    if member.agreed.has("notices") {
        close_with(&member.outbox, f, text, closed);
    } else {
        member.outbox.error(text);
    }
}

/// A message of the server, which has no id.
pub(super) fn of_server(member: &Member, dest: &str, text: &str) -> Value {
    let message = json!(["SERVER", dest, clock::unix_seconds(), text]);
    if member.agreed.has("ids") {
        json!({"MESSAGES": [message], "IDS": [null], "TIMES": [null]})
    } else {
        json!({"MESSAGES": [message]})
    }
}
