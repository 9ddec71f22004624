//! Presence as it is written: the people, what the roster has beside them, and how the user list lies in pieces. The index of
//! block lists follows from the people; who is a device of whom is written apart from it, where anybody has several.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chatterbox_proto::json;
use serde::{Deserialize, Serialize, Serializer};

use super::{Connection, Devices, Person, Presence};
use crate::block_lists::BlockLists;
use crate::identity::Identity;
use crate::ids::{MemberId, SessionId};
use crate::replica::block_index::BlockIndex;
use crate::replica::proposal::Incarnation;
use crate::replica::roster::Roster;
use crate::replica::user_list::UserList;

/// What is written of a person: their name as JSON follows from it.
#[derive(Serialize, Deserialize)]
struct Frozen<I, L> {
    identity: I,
    node: Incarnation,
    session: Option<SessionId>,
    hold: u64,
    lists: Option<L>,
}

/// Without who is a device of whom.
impl Serialize for Presence {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { people, devices: _, roster, list, blocks: _ } = self;
        let people = people.iter().map(|(id, person)| {
            let Person { identity, name_json: _, connection, lists } = &**person;
            let Connection { node, session, hold, user: _ } = *connection;
            (id, Frozen { identity, node, session, hold, lists: lists.as_deref() })
        });
        (people.collect::<Vec<_>>(), roster, list.layout()).serialize(to)
    }
}

/// What was read of it.
#[derive(Deserialize)]
pub(crate) struct FrozenPresence {
    people: Vec<(MemberId, Frozen<Identity, Arc<BlockLists>>)>,
    roster: Roster,
    layout: Vec<(MemberId, usize)>,
}

impl FrozenPresence {
    /// The presence of which this was written, with the devices of those users whose first one is not the only one; `None` if
    /// they do not fit together.
    pub(crate) fn with_devices(self, devices: Devices) -> Option<Presence> {
        let Self { people: frozen, mut roster, layout } = self;
        let several = devices.iter().all(|(user, all)| {
            let follow = all.first().is_some_and(|first| first >= user);
            follow && (all.len() > 1 || !all.contains(user))
        });
        let users = devices.iter().flat_map(|(user, all)| all.iter().map(move |id| (*id, *user)));
        let users: BTreeMap<MemberId, MemberId> = users.collect();
        let each_once = users.len() == devices.values().map(BTreeSet::len).sum::<usize>();
        if !several || !each_once {
            return None;
        }
        let is_of =
            |user: MemberId, id: MemberId| devices.get(&user).is_some_and(|all| all.contains(&id));
        let (mut people, mut names) = (BTreeMap::new(), BTreeMap::new());
        let mut blocks = BlockIndex::default();
        for (id, Frozen { identity, node, session, hold, lists }) in frozen {
            let user = users.get(&id).copied().unwrap_or(id);
            let name_json = json::string(identity.name.as_str());
            match roster.who(&identity.name) {
                None if names.insert(user, name_json.clone()).is_none() => {
                    roster.take(&identity.name, id);
                }
                Some(first) if is_of(user, first) && is_of(user, id) => {}
                // Two users of one name, or two names of one user.
                _ => return None,
            }
            blocks.insert(id, &identity, lists.as_deref());
            let connection = Connection { node, session, hold, user };
            people.insert(id, Box::new(Person { identity, name_json, connection, lists }));
        }
        let are_here = users.keys().all(|id| people.contains_key(id));
        let list = UserList::laid_out(layout, names).filter(|_| are_here)?;
        Some(Presence { people, devices, roster, list, blocks })
    }
}

#[cfg(test)]
mod tests;
