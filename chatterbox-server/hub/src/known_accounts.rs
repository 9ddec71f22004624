//! The accounts of which a hub knows something, for whoever has to find those among them that are not there any more.

use std::collections::BTreeMap;

use chatterbox_proto::Username;

use crate::hub::Hub;
use crate::replica::rooms::definition::{AccountRef, RoomMember};
use crate::replica::rooms::record::RoomRecord;

impl Hub {
    /// The accounts that somebody is logged in with, those that rooms have something of, and those to whom something private was said,
    /// by number. Where only the number is known, the name is made up of it.
    pub fn known_accounts(&self) -> Vec<AccountRef> {
        let mut known = BTreeMap::new();
        let mut note = |account: AccountRef| {
            known.entry(account.id).or_insert(account);
        };
        self.users().filter_map(|user| user.login.as_ref()).for_each(|login| note(login.into()));
        for fact in self.room_facts() {
            match fact {
                RoomRecord::Defined(room) => room.owner.into_iter().for_each(&mut note),
                RoomRecord::Entered { who: RoomMember::Account(account), .. }
                | RoomRecord::Left { who: RoomMember::Account(account), .. }
                | RoomRecord::Invited { who: RoomMember::Account(account), .. }
                | RoomRecord::LevelSet { account, .. } => note(account),
                _ => {}
            }
        }
        for id in self.history.accounts() {
            if let Ok(name) = Username::parse(&format!("account{id}")) {
                note(AccountRef { id, name });
            }
        }
        known.into_values().collect()
    }
}
