//! `devices`: several connections of one account under one name.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value};

use super::{agreed::Agreed, state::Standing};
use crate::chat::{Chat, Member};

/// So many devices of a user are here at most.
const MOST_DEVICES: usize = 5;

const TAKEN: (&str, &str) = ("taken", "somebody has that name");

impl Chat {
    /// The standing of whoever asks for a name in use: that of another device of the same user, if it is one.
    pub(crate) fn as_device(
        &mut self,
        name: &str,
        agreed: &Agreed,
        beside: &Map<String, Value>,
    ) -> Result<Standing, (&'static str, &'static str)> {
        let f = self.faults.clone();
        if f.acts(Fault::DeviceTaken) || !agreed.has("devices") {
            return Err(TAKEN);
        }
        let here: Vec<Member> =
            self.members.iter().filter(|member| member.name == name).cloned().collect();
        let speak = here.iter().all(|member| member.agreed.has("devices"));
        if here.is_empty() || !(speak || f.acts(Fault::DeviceOfNoOffer)) {
            return Err(TAKEN);
        }
        let standing = self.standing(name, agreed, beside);
        if f.acts(Fault::DeviceUnproven) {
            return Ok(standing.unwrap_or_default());
        }
        let standing = standing?;
        let own = standing.account();
        if own.is_none() || here.iter().any(|member| member.account.as_deref() != own) {
            return Err(TAKEN);
        }
        if here.len() >= MOST_DEVICES && !f.acts(Fault::DevicesUnlimited) {
            return Err(("too-many", "you are here often enough"));
        }
        Ok(standing)
    }
}
