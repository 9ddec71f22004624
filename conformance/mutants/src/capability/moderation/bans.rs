//! Bans, from the server and from rooms.

use conformance_kit::clock;
use conformance_suite::fault::Fault;

use super::{
    super::{
        accounts::skeleton,
        state::{Party, Refusal, Reply},
    },
    commands::Step,
    sanctions::{Kind, Network, On},
    words::{FORBIDDEN, NO_SUCH_USER, Order},
};
use crate::chat::{Chat, Member};

const LOCKS_OUT: Refusal = Refusal::new("would-lock-out", "it would hit who is not below you");
/// Seconds for which guests from the address of a banned one stay out.
const NEIGHBOURS_OUT: i64 = 3_600;
/// With more users at one address it is not the guest's alone.
const SHARED: usize = 5;

impl Chat {
    /// `ban <user|address> [duration] [--silent] [guests] [reason...]`
    pub(super) fn ban(&mut self, order: &Order<'_>) -> Step {
        let subject = match order.subject() {
            Ok(subject) => subject,
            Err(refusal) => return refusal.into(),
        };
        match Network::parse(subject) {
            Some(network) => self.ban_network(order, network),
            None => self.ban_user(order, subject).unwrap_or_else(Refusal::into).into(),
        }
    }

    fn ban_user(&mut self, order: &Order<'_>, name: &str) -> Result<Reply, Refusal> {
        let f = self.faults.clone();
        let target = self.party_of(name);
        let above = target.as_ref().is_some_and(|target| !self.is_below(order, target));
        if above && !f.acts(Fault::BanRankIgnored) {
            return Err(LOCKS_OUT);
        }
        let until = order.until(None);
        let line = order.line(self, "ban", until);
        self.write_down(line);
        let here = self.here(name).cloned();
        if here.is_none() && f.acts(Fault::BanOfWhoIsHere) {
            return Ok(Reply::done("banned"));
        }
        let on = match target {
            Some(Party::Account(_)) if f.acts(Fault::BanByNick) => vec![On::Name(skeleton(name))],
            Some(Party::Account(own)) => vec![On::Account(own)],
            Some(Party::Guest(token)) => vec![On::Session(token), On::Name(skeleton(name))],
            None => vec![On::Name(skeleton(name))],
        };
        for on in on {
            self.moderation.impose(order.sanction(Kind::Ban, on, until));
        }
        if let Some(guest) = here.as_ref().filter(|member| member.account.is_none()) {
            self.ban_neighbours(order, guest);
        }
        if let Some(member) = &here {
            self.remove(member, order, ("banned", until, None));
        }
        Ok(Reply::done("banned"))
    }

    /// Keeps guests from the address of a banned one out, if few come from there.
    fn ban_neighbours(&mut self, order: &Order<'_>, guest: &Member) {
        let shared = self.neighbours(guest) > SHARED;
        if shared && !self.faults.acts(Fault::BanLocksOutGuests) {
            return;
        }
        let Some(network) = Network::parse(&guest.address.to_string()) else { return };
        let until = Some(clock::unix_seconds().saturating_add(NEIGHBOURS_OUT));
        let on = On::Network { network, guests: true };
        self.moderation.impose(order.sanction(Kind::Ban, on, until));
    }

    fn ban_network(&mut self, order: &Order<'_>, network: Network) -> Step {
        let f = self.faults.clone();
        let own = self.level_of(order.member.account.as_deref());
        if own < 4 {
            return FORBIDDEN.into();
        }
        if network.is_wide() && own < 5 && !f.acts(Fault::BanWideTaken) {
            return FORBIDDEN.into();
        }
        let hit: Vec<Member> = self
            .members
            .iter()
            .filter(|member| network.contains(member.address))
            .filter(|member| !order.guests || member.account.is_none())
            .cloned()
            .collect();
        let not_below = hit.iter().any(|member| self.level_of(member.account.as_deref()) >= own);
        if not_below && !f.acts(Fault::BanLocksOut) {
            return LOCKS_OUT.into();
        }
        if !hit.is_empty() && order.answer.is_none() && !f.acts(Fault::BanAddressUnasked) {
            return Step::Asks(format!("It would end {} connections. Do it?", hit.len()));
        }
        if order.answer.is_some_and(|answer| answer != "yes") {
            return Refusal::new("cancelled", "as you wish").into();
        }
        let until = order.until(None);
        let line = order.line(self, "ban", until);
        self.write_down(line);
        let on = On::Network { network, guests: order.guests };
        self.moderation.impose(order.sanction(Kind::Ban, on, until));
        let others = hit.iter().filter(|member| member.connection != order.member.connection);
        for member in others {
            self.remove(member, order, ("banned", until, None));
        }
        Reply::done("banned").into()
    }

    /// `ban-from <room> <user> [duration] [reason...]`
    pub(super) fn ban_from(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let name = order.subject()?;
        let target = self.party_of(name).ok_or(NO_SUCH_USER)?;
        let number = order.room.ok_or(NO_SUCH_USER)?;
        if !self.is_below(order, &target) {
            return Err(FORBIDDEN);
        }
        let until = order.until(None);
        let line = order.line(self, "ban-from", until);
        self.write_down(line);
        let on = match &target {
            Party::Account(own) => vec![On::Account(own.clone())],
            Party::Guest(token) => {
                vec![On::Session(token.clone()), On::Name(skeleton(name))]
            }
        };
        for on in on {
            self.moderation.impose(order.sanction(Kind::Ban, on, until));
        }
        let before = self.rosters();
        let (by, reason) = (order.member.name.clone(), order.reason());
        self.end_membership(number, &target, ("banned", Some(&by), &reason));
        self.tell_rosters(&before, None);
        let here = self.here(name).cloned();
        if let Some(member) = here
            && self.faults.acts(Fault::BanRoomFromChat)
        {
            self.remove(&member, order, ("banned", until, None));
        }
        Ok(Reply::done("banned from it"))
    }

    /// `unban <user|address|number> [room]`
    pub(super) fn unban(&mut self, order: &Order<'_>) -> Result<Reply, Refusal> {
        let subject = order.subject()?;
        let all = &self.moderation.sanctions;
        let numbered = subject.parse::<u64>().ok();
        let numbered = numbered.and_then(|number| all.iter().find(|one| one.number == number));
        let about = numbered.map_or_else(|| subject.to_owned(), |one| one.about.clone());
        let line = order.line(self, "unban", None);
        self.write_down(line);
        if !self.faults.acts(Fault::BanLiftedInVain) {
            self.moderation.sanctions.retain(|sanction| {
                let same = sanction.about.eq_ignore_ascii_case(&about);
                sanction.kind == Kind::Mute || !same || sanction.room != order.room
            });
        }
        Ok(Reply::done("not banned any more"))
    }
}
