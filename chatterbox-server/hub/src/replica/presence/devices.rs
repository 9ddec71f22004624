//! Users and their devices: several connections of one account under one name (DV-1).

use std::collections::BTreeSet;

use chatterbox_proto::Username;

use super::{Devices, Person, Presence, Stale};
use crate::ids::MemberId;

impl Presence {
    /// The devices of those users whose first one is not the only one: nobody's, nearly always.
    pub(crate) fn of_several(&self) -> &Devices {
        &self.devices
    }

    /// Everybody once, by the first of their devices that is here.
    pub(crate) fn users(&self) -> impl Iterator<Item = (MemberId, &Person)> {
        self.people().filter(|(id, person)| self.is_first(*id, person.connection.user))
    }

    /// How many users are here.
    pub(crate) fn count(&self) -> usize {
        let others: usize = self.devices.values().map(|all| all.len().saturating_sub(1)).sum();
        self.people.len().saturating_sub(others)
    }

    fn is_first(&self, id: MemberId, user: MemberId) -> bool {
        self.devices.get(&user).is_none_or(|all| all.first() == Some(&id))
    }

    /// The number of the user that a member is a device of, or was, where nobody knows it any more.
    pub(crate) fn user(&self, id: MemberId) -> MemberId {
        self.people.get(&id).map_or(id, |person| person.connection.user)
    }

    /// The first device of a user that is here.
    pub(crate) fn first_of(&self, user: MemberId) -> Option<MemberId> {
        match self.devices.get(&user) {
            Some(all) => all.first().copied(),
            None => self.people.contains_key(&user).then_some(user),
        }
    }

    /// All devices of the user that a member is one of, itself included; just itself where nothing else is known.
    pub(crate) fn devices(&self, id: MemberId) -> impl Iterator<Item = MemberId> + '_ {
        // Nearly always there are none of anybody, and nobody has to be looked up.
        let user = (!self.devices.is_empty()).then(|| self.user(id));
        let all = user.and_then(|user| self.devices.get(&user));
        let alone = all.is_none().then_some(id);
        all.into_iter().flatten().copied().chain(alone)
    }

    /// The other devices of the user that a member is one of.
    pub(crate) fn other_devices(&self, id: MemberId) -> impl Iterator<Item = MemberId> + '_ {
        self.devices(id).filter(move |device| *device != id)
    }

    /// These, and all other devices of their users.
    pub(super) fn with_devices(&self, mut members: BTreeSet<MemberId>) -> BTreeSet<MemberId> {
        if !self.devices.is_empty() {
            let others: Vec<_> = members.iter().flat_map(|id| self.other_devices(*id)).collect();
            members.extend(others);
        }
        members
    }

    /// Takes a device from its user; gives the first of those that are left.
    pub(super) fn take_device(&mut self, id: MemberId, user: MemberId) -> Option<MemberId> {
        let all = self.devices.get_mut(&user)?;
        all.remove(&id);
        let first = all.first().copied();
        if first.is_none() || (first == Some(user) && all.len() == 1) {
            self.devices.remove(&user);
        }
        first
    }

    /// Replaces the own block list of a user, on all devices.
    pub(crate) fn set_blocked_of_user(&mut self, id: MemberId, blocked: &[Username]) -> Stale {
        let mut stale = Stale::default();
        let devices: Vec<_> = self.devices(id).collect();
        for device in devices {
            stale.extend(self.set_blocked(device, blocked.to_vec()));
        }
        stale
    }
}
