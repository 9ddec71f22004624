//! Which device a connection is: what is encrypted for single devices each of them is told alone (MT-1, EE-4).

use chatterbox_proto::Capability;
use chatterbox_proto::capability::e2ee::KeysLow;
use chatterbox_proto::capability::meta::DeviceId;

use crate::event::Event;
use crate::hub::Hub;
use crate::identity::LoggedIn;
use crate::ids::MemberId;
use crate::own_device::OwnDevice;
use crate::record::Sequence;
use crate::wake::Wake;

impl Hub {
    /// Notes which device the connection of a member is: from here on it is told what is encrypted for that one. Whoever has said none
    /// is told no encrypted text at all.
    pub fn set_device(&mut self, id: MemberId, device: OwnDevice) {
        if let Some(member) = self.members.get_mut(&id) {
            let known = member.extras().device.take();
            // What it has said meanwhile may not be written yet.
            let done = known.filter(|known| known.device == device.device).map_or(0, |k| k.done);
            let done = device.done.max(done);
            member.extras().device = Some(OwnDevice { done, ..device });
        }
    }

    /// Which device the connection of a member is, if it has said so.
    pub fn device_of(&self, id: MemberId) -> Option<&OwnDevice> {
        self.members.get(&id)?.extras.as_ref()?.device.as_ref()
    }

    /// Notes that the device of a member has read and stored what was encrypted for it, up to a message that is there. Gives the
    /// device and the number of that message, where it is news.
    pub fn keys_done(&mut self, id: MemberId, up_to: Sequence) -> Option<(DeviceId, Sequence)> {
        // Of messages that are not there yet nothing can be read.
        let up_to = up_to.min(self.newest());
        let own = self.members.get_mut(&id)?.extras.as_mut()?.device.as_mut()?;
        if up_to <= own.done {
            return None;
        }
        own.done = up_to;
        Some((own.device.clone(), up_to))
    }

    /// Tells the connections of this node that are a device of an account that few of its one-time keys are left (EE-2). One that has no
    /// room for it is told nothing: it does not read, and hears how many there are when it publishes.
    pub fn tell_low(&mut self, account: &LoggedIn, low: &KeysLow, wakes: &mut Vec<Wake>) {
        let is_it = |id: &MemberId| {
            let is_agreed = self.identity(*id).and_then(|who| who.agreed);
            is_agreed.is_some_and(|agreed| agreed.has(Capability::E2ee))
                && self.device_of(*id).is_some_and(|own| own.device == low.device)
        };
        let members: Vec<_> = self.logged_in(account).map(|(id, _)| id).filter(is_it).collect();
        let event = Event::own(low.to_object());
        for id in members {
            if self.has_room(id, event.size()) {
                wakes.push(self.tell(id, event.clone()));
            }
        }
    }
}
