//! Files messages under who sends them, and to whom, at the moment.

// An address is a number here; nothing of the network is used.
use core::net::IpAddr;
use std::hash::{BuildHasher as _, Hash};

use chatterbox_proto::Username;
use chatterbox_proto::session::Destination;

use crate::filing::Sender;
use crate::guard::{network, site};
use crate::hub::Hub;
use crate::identity::Identity;
use crate::ids::MemberId;
use crate::record::Record;

impl Hub {
    /// Files messages of a member under who it is now.
    pub fn file_from(&self, sender: MemberId, records: &mut [Record]) {
        let identity = self.identity(sender);
        let whose = identity.map(|identity| self.sender_of(identity));
        for record in records {
            // One that is gone already has its name left.
            record.filing.sender = whose.unwrap_or_else(|| self.guest(&record.source, None));
            if let (Destination::User(_), Some(identity)) = (&record.destination, identity) {
                record.filing.from = Some(identity.party());
            }
        }
    }

    pub(crate) fn sender_of(&self, identity: &Identity) -> Sender {
        let guest = || self.guest(&identity.name, identity.address);
        match &identity.login {
            Some(login) => Sender { number: login.account_key.id, ..guest() },
            None => guest(),
        }
    }

    fn guest(&self, name: &Username, address: Option<IpAddr>) -> Sender {
        let network = address.map(network);
        let number = self.stands_for(&(name.key(), network)) | i64::MIN;
        // Who has one network of a site commonly has all of them.
        Sender { number, origin: address.map(|address| self.stands_for(&site(address))) }
    }

    fn stands_for(&self, what: &impl Hash) -> i64 {
        self.sender_hasher.hash_one(what).cast_signed()
    }
}

#[cfg(test)]
mod tests;
