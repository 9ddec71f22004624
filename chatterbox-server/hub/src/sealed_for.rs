//! Which device a connection is: what is encrypted for single devices each of them is told alone (MT-1).

use chatterbox_proto::capability::meta::DeviceId;

use crate::hub::Hub;
use crate::ids::MemberId;

impl Hub {
    /// Notes which device the connection of a member is: from here on it is told what is encrypted for that one. Whoever has said none
    /// is told no encrypted text at all.
    pub fn set_device(&mut self, id: MemberId, device: DeviceId) {
        if let Some(member) = self.members.get_mut(&id) {
            member.extras().device = Some(device);
        }
    }

    /// Which device the connection of a member is, if it has said so.
    pub fn device_of(&self, id: MemberId) -> Option<&DeviceId> {
        self.members.get(&id)?.extras.as_ref()?.device.as_ref()
    }
}
