//! What a client knows against what is so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{NAMES, Room, Said, User, World};

impl World {
    /// A welcome holds what a user has missed, and the rooms that they are in.
    pub(super) fn check_welcome(&mut self, who: usize, welcome: &Value, after: Option<u64>) {
        let told: Vec<u64> =
            welcome["IDS"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect();
        assert!(told.is_sorted_by(|one, other| one < other), "{told:?}");
        let mine: BTreeMap<u64, u64> = self
            .rooms
            .values()
            .filter_map(|room| Some((room.number, *room.members.get(&who)?)))
            .collect();
        let is_missed = |said: &&Said| {
            let is_shown = said.by == who || !self.hides(said.by, who);
            let concerns = match (said.room, said.to) {
                (0, None) => true,
                (0, Some(to)) => to == who,
                // Rooms are in the welcome of a session that goes on only.
                (room, _) => {
                    after.is_some() && mine.get(&room).is_some_and(|since| said.id > *since)
                }
            };
            is_shown && concerns && said.id > after.unwrap_or(0)
        };
        let missed: Vec<u64> = self.said.iter().filter(is_missed).map(|said| said.id).collect();
        assert_eq!(told, missed, "{who} after {after:?}");
        let client = &mut self.users[who].client;
        client.ids.extend(&told);
        client.last = client.last.max(told.last().copied().unwrap_or(0)).max(after.unwrap_or(0));
        if after.is_none() {
            client.last = told.last().copied().unwrap_or(0);
        }
        client.rooms.clear();
        client.names.clear();
        let lost = welcome["ROOMS_LEFT"].as_array().cloned().unwrap_or_default();
        for lost in &lost {
            assert!(!mine.contains_key(&lost["NUMBER"].as_u64().unwrap()), "{lost}");
        }
        client.read_rooms(&welcome["ROOMS"]);
        assert_eq!(
            client.rooms.keys().copied().collect::<Vec<_>>(),
            mine.into_keys().collect::<Vec<_>>()
        );
        let gaps = std::mem::take(&mut client.gaps);
        // What the welcome leaves out and the owner of a room may read is a gap.
        let left_out = |room: &&Room| {
            let since = room.members.get(&who).copied().unwrap_or(u64::MAX);
            let missed = self.said.iter().filter(|said| {
                said.room == room.number && said.id > since.max(after.unwrap_or(u64::MAX))
            });
            room.owner == who && missed.into_iter().any(|said| self.hides(said.by, who))
        };
        let expected: BTreeSet<u64> =
            self.rooms.values().filter(left_out).map(|room| room.number).collect();
        assert_eq!(gaps, expected);
        assert_eq!(welcome["DEFAULT"], "ALL");
        self.check_rosters(who);
    }

    /// What a client knows of its rooms is what is so, when it has taken all.
    pub(super) fn check_rosters(&self, who: usize) {
        for room in self.rooms.values().filter(|room| room.members.contains_key(&who)) {
            let names: BTreeSet<String> = room
                .members
                .keys()
                .map(|member| match &self.users[*member] {
                    User { here: None, .. } => NAMES[*member][0].to_owned(),
                    user => user.name.clone(),
                })
                .collect();
            assert_eq!(self.users[who].client.rooms.get(&room.number), Some(&names));
        }
        let mine = self.rooms.values().filter(|room| room.members.contains_key(&who)).count();
        assert_eq!(self.users[who].client.rooms.len(), mine);
    }
}
