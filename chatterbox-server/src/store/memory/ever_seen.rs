//! Who was here, as long as the process lives (PR-3).

use std::collections::{BTreeMap, HashSet};

use chatterbox_proto::Username;

use crate::accounts::{DirectoryError, EverSeen, GUESTS, GUESTS_FOR, Seen, SeenDirectory};
use crate::store::memory::accounts::Memory;
use crate::store::memory::visits::Visits;

impl SeenDirectory for Memory {
    fn note_seen(&mut self, seen: &[Seen], now: i64) -> Result<(), DirectoryError> {
        let here: HashSet<i64> = self.numbers().map(|(_, id)| id).collect();
        let Visits { guests, accounts, hiding } = self.visits_mut();
        accounts.retain(|id, _| here.contains(id));
        hiding.retain(|id| here.contains(id));
        for Seen { name, account, at, is_new } in seen {
            match account {
                Some(id) if here.contains(id) => {
                    let known = accounts.entry(*id).or_insert(*at);
                    *known = (*known).max(*at);
                }
                Some(_) => {}
                None if *is_new || guests.contains_key(name.key()) => {
                    let known = guests.get(name.key()).map_or(*at, |(_, known)| *known);
                    guests.insert(name.key().to_owned(), (name.clone(), known.max(*at)));
                }
                None => {}
            }
        }
        guests.retain(|_, (_, at)| *at >= now.saturating_sub(GUESTS_FOR));
        while guests.len() > GUESTS {
            let oldest = guests.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
            oldest.and_then(|key| guests.remove(&key));
        }
        Ok(())
    }

    fn ever_seen(
        &mut self,
        after: Option<&Username>,
        limit: usize,
        now: i64,
    ) -> Result<Vec<EverSeen>, DirectoryError> {
        let visits = self.visits();
        let mut all: BTreeMap<String, EverSeen> = BTreeMap::new();
        for (key, (name, at)) in &visits.guests {
            if *at >= now.saturating_sub(GUESTS_FOR) {
                let (name, at) = (name.clone(), Some(*at));
                all.insert(key.clone(), EverSeen { name, account: None, at, hides: false });
            }
        }
        for (name, id) in self.numbers() {
            let (at, hides) = (visits.accounts.get(&id).copied(), visits.hiding.contains(&id));
            let key = name.key().to_owned();
            all.insert(key, EverSeen { name: name.clone(), account: Some(id), at, hides });
        }
        let behind = |key: &String| after.is_none_or(|after| key.as_str() > after.key());
        Ok(all.into_iter().filter(|(key, _)| behind(key)).map(|(_, one)| one).take(limit).collect())
    }

    fn last_seen(&mut self, account: i64) -> Result<Option<i64>, DirectoryError> {
        let is_there = self.numbers().any(|(_, id)| id == account);
        Ok(self.visits().accounts.get(&account).copied().filter(|_| is_there))
    }

    fn hide_last_seen(&mut self, account: i64, hides: bool) -> Result<bool, DirectoryError> {
        if !self.numbers().any(|(_, id)| id == account) {
            return Ok(false);
        }
        let hiding = &mut self.visits_mut().hiding;
        if hides {
            hiding.insert(account)
        } else {
            hiding.remove(&account)
        };
        Ok(true)
    }
}
