//! Whose history it is.

use crate::filing::Party;
use crate::identity::Identity;
use crate::own_device::OwnDevice;

/// Whose history is cut out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader {
    /// To whom the private messages are.
    pub(crate) parties: Vec<Party>,
    /// The number of the sender ([`crate::filing::Sender::number`]) whose private messages they get as well, if they speak of
    /// devices.
    pub(crate) sender: Option<i64>,
    /// Which device their connection is, for what is encrypted for single ones.
    pub(crate) device: Option<OwnDevice>,
}

impl Reader {
    /// Somebody who is here, with what their account has sent.
    pub(crate) fn of(identity: &Identity) -> Self {
        let sender = identity.login.as_ref().map(|login| login.account_key.id);
        Self { parties: identity.parties(), sender, device: None }
    }
}

impl From<Vec<Party>> for Reader {
    fn from(parties: Vec<Party>) -> Self {
        Self { parties, sender: None, device: None }
    }
}
