//! Keeps out who is banned, and quiet who is muted: what is asked at joining, at `nick`, in rooms, and of every message.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    super::{accounts::skeleton, agreed::Agreed, state::Refusal},
    sanctions::{Kind, On, Sanction},
};
use crate::chat::{Chat, Joining, Member};

/// From this level on, somebody may be written to by who is muted.
const HEARS_APPEALS: u8 = 3;

impl Chat {
    /// Why somebody who asks for a name is kept out.
    pub(crate) fn kept_out(&self, name: &str, asks: &Joining) -> Option<&Sanction> {
        let f = &self.faults;
        let kinds: &'static [Kind] =
            if f.acts(Fault::KickForgotten) { &[Kind::Ban] } else { &[Kind::Ban, Kind::Kick] };
        let account = asks.standing.account();
        let resumes = asks.resumption.as_ref();
        let hits = |sanction: &&Sanction| {
            let kick = sanction.kind == Kind::Kick;
            if resumes.is_some() && kick && f.acts(Fault::KickResumable) {
                return false;
            }
            if resumes.is_some() && !kick && f.acts(Fault::BanResumable) {
                return false;
            }
            match &sanction.on {
                On::Account(own) => account == Some(own),
                On::Name(_) => account.is_none() && self.is_named(sanction, name),
                On::Session(token) => resumes.is_some_and(|old| old.token == *token),
                On::Connection(_) => false,
                On::Network { network, guests } => {
                    asks.address.is_some_and(|address| network.contains(address))
                        && !(*guests && account.is_some())
                }
            }
        };
        if f.has(Fault::BanNeverEnds) {
            let _ = f.acts(Fault::BanNeverEnds);
            let mut all = self.moderation.sanctions.iter().filter(|one| one.room.is_none());
            return all.find(|one| {
                (one.kind == Kind::Ban || (one.kind == Kind::Kick && one.holds())) && hits(one)
            });
        }
        self.moderation.holding(kinds, None).find(hits)
    }

    /// Whether a name is the one of a sanction, or looks like it.
    fn is_named(&self, sanction: &Sanction, name: &str) -> bool {
        let On::Name(key) = &sanction.on else { return false };
        let f = &self.faults;
        let folded = sanction.about.eq_ignore_ascii_case(name);
        if folded && sanction.about != name && f.acts(Fault::BanWithCase) {
            return false;
        }
        folded || (*key == skeleton(name) && !f.acts(Fault::BanLookalikesFree))
    }

    /// Whether a guest may take a name with `nick`.
    pub(crate) fn may_be_called(&self, name: &str) -> bool {
        let mut bans = self.moderation.holding(&[Kind::Ban], None);
        !bans.any(|ban| self.is_named(ban, name)) || self.faults.acts(Fault::BanShedByNick)
    }

    /// The refusal of a name, with its reason.
    pub(crate) fn exclusion(&self, sanction: &Sanction, agreed: &Agreed) -> Map<String, Value> {
        let f = &self.faults;
        let word = if sanction.kind == Kind::Kick { "kicked" } else { "banned" };
        let mut refusal = Map::new();
        refusal.insert("INFO".into(), json!(format!("You were {word}: {}", sanction.reason)));
        if !agreed.has("accounts") {
            return refusal;
        }
        refusal.insert("CODE".into(), json!(word));
        if sanction.kind == Kind::Kick || !f.acts(Fault::BanWithoutUntil) {
            refusal.insert("UNTIL".into(), json!(sanction.until));
        }
        refusal
    }

    /// Why somebody may not join a room.
    pub(in super::super) fn banned_from(&self, number: u64, member: &Member) -> Option<Refusal> {
        let name = skeleton(&member.name);
        let ban =
            self.moderation.holding(&[Kind::Ban], Some(number)).find(|ban| match &ban.on {
                On::Account(own) => member.account.as_ref() == Some(own),
                On::Session(token) => *token == member.token,
                On::Name(key) => member.account.is_none() && *key == name,
                On::Connection(_) | On::Network { .. } => false,
            })?;
        if self.faults.acts(Fault::BanRoomForgotten) {
            return None;
        }
        let refusal = Refusal::new("banned", "you are banned from that room");
        Some(Refusal { until: ban.until, ..refusal })
    }

    /// Why somebody may not say, set or invite anything in a scope.
    pub(crate) fn silenced(&self, member: &Member, room: Option<u64>) -> Option<Refusal> {
        let mute = self.mute_of(member, room)?;
        let until = mute.until.filter(|_| !self.faults.acts(Fault::MuteWithoutUntil));
        Some(Refusal { until, ..Refusal::new("muted", "you are muted") })
    }

    /// Why a message of somebody is refused whatever it says.
    pub(crate) fn hushed(&self, connection: u64, dest: &str) -> Option<Refusal> {
        let f = &self.faults;
        let member = self.member(connection)?;
        if dest.starts_with('#') {
            return self.silenced(member, self.rooms.find(dest, f));
        }
        let refusal = self.silenced(member, None)?;
        if dest == "ALL" {
            return Some(refusal);
        }
        let other = self.members.iter().find(|other| other.name == dest)?;
        if f.acts(Fault::MuteWhispersFree) {
            return None;
        }
        let hears = self.level_of(other.account.as_deref()) >= HEARS_APPEALS;
        (!hears || f.acts(Fault::MuteOfAppeals)).then_some(refusal)
    }
}
