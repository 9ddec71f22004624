//! A directory that lives as long as the process.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};

use chatterbox_hub::{AccountChange, AccountKey, Level, Marked, Sequence, StoredMark};
use chatterbox_proto::Username;

use crate::accounts::{
    ACCOUNTS, Account, Added, BLOCKERS, BLOCKS, Directory, DirectoryError, LowDevices, MARKS,
    MarksDirectory, NewMark, PasswordHash, Settings, TOKENS, TokenHash,
};
use crate::store::memory::kept_keys::KeptKeys;
use crate::store::memory::visits::Visits;

/// Accounts in memory.
#[derive(Debug, Default)]
pub struct Memory {
    kept: HashMap<Username, Kept>,
    /// How many accounts have ever been made.
    made: i64,
    settings: Settings,
    visits: Visits,
    low: LowDevices,
}

#[derive(Debug)]
struct Kept {
    account: Account,
    /// The oldest first, each with its end.
    tokens: VecDeque<(TokenHash, i64)>,
    blocked: BTreeMap<String, Username>,
    /// By the keys of their conversations.
    marks: BTreeMap<String, Sequence>,
    keys: KeptKeys,
}

impl Kept {
    fn end_logins(&mut self) {
        self.tokens.clear();
        self.account.account_key.epoch += 1;
    }
}

impl Memory {
    pub(super) fn visits(&self) -> &Visits {
        &self.visits
    }

    pub(super) fn visits_mut(&mut self) -> &mut Visits {
        &mut self.visits
    }

    /// The name of an account, and its keys.
    pub(super) fn keys_mut(&mut self, account: i64) -> Option<(&Username, &mut KeptKeys)> {
        let mut all = self.kept.values_mut();
        let kept = all.find(|kept| kept.account.account_key.id == account)?;
        Some((&kept.account.name, &mut kept.keys))
    }

    /// The keys of all accounts, with their numbers.
    pub(super) fn all_keys(&self) -> impl Iterator<Item = (i64, &KeptKeys)> {
        self.kept.values().map(|kept| (kept.account.account_key.id, &kept.keys))
    }

    /// The devices with few keys.
    pub(super) fn low_mut(&mut self) -> &mut LowDevices {
        &mut self.low
    }

    /// All accounts, with their numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (&Username, i64)> {
        self.kept.values().map(|kept| (&kept.account.name, kept.account.account_key.id))
    }
}

impl MarksDirectory for Memory {
    fn marks(&mut self, account: i64) -> Result<Vec<StoredMark>, DirectoryError> {
        let kept = self.kept.values().find(|kept| kept.account.account_key.id == account);
        let marks = kept.into_iter().flat_map(|kept| &kept.marks);
        Ok(marks.map(|(key, upto)| (Marked::of_key(key), *upto)).collect())
    }

    fn set_marks(&mut self, marks: &[NewMark]) -> Result<Vec<bool>, DirectoryError> {
        let mut set = |NewMark { account, with, upto }: &NewMark| {
            let mut all = self.kept.values_mut();
            let Some(kept) = all.find(|kept| kept.account.account_key.id == *account) else {
                return false;
            };
            let key = with.key().into_owned();
            if kept.marks.get(&key).copied().unwrap_or(0) >= *upto {
                return false;
            }
            kept.marks.insert(key.clone(), *upto);
            let others = kept.marks.iter().filter(|(other, _)| **other != key);
            if kept.marks.len() > MARKS
                && let Some(least) = others.min_by_key(|(key, upto)| (**upto, Reverse(*key)))
            {
                let least = least.0.clone();
                kept.marks.remove(&least);
            }
            true
        };
        Ok(marks.iter().map(&mut set).collect())
    }
}

impl Directory for Memory {
    fn account(&mut self, name: &Username) -> Result<Option<Account>, DirectoryError> {
        Ok(self.kept.get(name).map(|kept| kept.account.clone()))
    }

    fn look_alike(&mut self, name: &Username) -> Result<Option<Username>, DirectoryError> {
        let looks = name.looks();
        let alike = |other: &&Username| {
            *other != name && other.looks().iter().any(|look| looks.contains(look))
        };
        Ok(self.kept.keys().find(alike).cloned())
    }

    fn add(&mut self, account: &Account) -> Result<Added, DirectoryError> {
        if self.kept.contains_key(&account.name) {
            return Ok(Added::Already);
        }
        if self.kept.len() >= ACCOUNTS {
            return Ok(Added::Full);
        }
        self.made += 1;
        let account_key = AccountKey { id: self.made, epoch: 0 };
        let account = Account { account_key, ..account.clone() };
        let kept = Kept {
            account,
            tokens: VecDeque::new(),
            blocked: BTreeMap::new(),
            marks: BTreeMap::new(),
            keys: KeptKeys::default(),
        };
        self.kept.insert(kept.account.name.clone(), kept);
        Ok(Added::Yes)
    }

    fn add_unlike(&mut self, account: &Account) -> Result<Added, DirectoryError> {
        match self.look_alike(&account.name)? {
            Some(_) => Ok(Added::Already),
            None => self.add(account),
        }
    }

    fn change_password(
        &mut self,
        name: &Username,
        password: &PasswordHash,
    ) -> Result<bool, DirectoryError> {
        let Some(kept) = self.kept.get_mut(name) else { return Ok(false) };
        kept.account.password = password.clone();
        kept.end_logins();
        Ok(true)
    }

    fn replace_hash(
        &mut self,
        name: &Username,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), DirectoryError> {
        if let Some(kept) = self.kept.get_mut(name)
            && kept.account.password == *old
        {
            kept.account.password = new.clone();
        }
        Ok(())
    }

    fn set_level(&mut self, name: &Username, level: Level) -> Result<bool, DirectoryError> {
        let Some(kept) = self.kept.get_mut(name) else { return Ok(false) };
        kept.account.level = level;
        Ok(true)
    }

    fn remove(&mut self, name: &Username) -> Result<Option<AccountKey>, DirectoryError> {
        Ok(self.kept.remove(name).map(|kept| kept.account.account_key))
    }

    /// Nobody else can open it.
    fn changes(&mut self) -> Result<Vec<AccountChange>, DirectoryError> {
        Ok(Vec::new())
    }

    fn list(&mut self, limit: usize) -> Result<Vec<Account>, DirectoryError> {
        let mut accounts: Vec<_> = self.kept.values().map(|kept| kept.account.clone()).collect();
        accounts.sort_by(|a, b| a.name.key().cmp(b.name.key()));
        accounts.truncate(limit);
        Ok(accounts)
    }

    fn add_token(
        &mut self,
        name: &Username,
        token: TokenHash,
        expires: i64,
    ) -> Result<(), DirectoryError> {
        if let Some(kept) = self.kept.get_mut(name) {
            if kept.tokens.len() >= TOKENS {
                kept.tokens.pop_front();
            }
            kept.tokens.push_back((token, expires));
        }
        Ok(())
    }

    fn token_owner(
        &mut self,
        token: TokenHash,
        now: i64,
    ) -> Result<Option<Account>, DirectoryError> {
        let good = |kept: &&Kept| {
            kept.tokens.iter().any(|(hash, expires)| *hash == token && *expires > now)
        };
        Ok(self.kept.values().find(good).map(|kept| kept.account.clone()))
    }

    fn remove_token(&mut self, token: TokenHash) -> Result<(), DirectoryError> {
        for kept in self.kept.values_mut() {
            kept.tokens.retain(|(hash, _)| *hash != token);
        }
        Ok(())
    }

    fn remove_tokens(&mut self, name: &Username) -> Result<(), DirectoryError> {
        if let Some(kept) = self.kept.get_mut(name) {
            kept.end_logins();
        }
        Ok(())
    }

    fn blocked(&mut self, owner: &Username) -> Result<Vec<Username>, DirectoryError> {
        let blocked = self.kept.get(owner).map(|kept| kept.blocked.values().cloned().collect());
        Ok(blocked.unwrap_or_default())
    }

    fn blockers(&mut self, other: &Username) -> Result<Vec<(i64, Username)>, DirectoryError> {
        let blocks = |kept: &&Kept| kept.blocked.contains_key(other.key());
        let blockers = self.kept.values().filter(blocks);
        let found = blockers.map(|kept| (kept.account.account_key.id, kept.account.name.clone()));
        Ok(found.take(BLOCKERS).collect())
    }

    fn block(&mut self, owner: &Username, other: &Username) -> Result<Added, DirectoryError> {
        let Some(kept) = self.kept.get_mut(owner) else { return Ok(Added::Full) };
        if kept.blocked.contains_key(other.key()) {
            return Ok(Added::Already);
        }
        if kept.blocked.len() >= BLOCKS {
            return Ok(Added::Full);
        }
        kept.blocked.insert(other.key().to_owned(), other.clone());
        Ok(Added::Yes)
    }

    fn unblock(&mut self, owner: &Username, other: &Username) -> Result<bool, DirectoryError> {
        let kept = self.kept.get_mut(owner);
        Ok(kept.is_some_and(|kept| kept.blocked.remove(other.key()).is_some()))
    }

    fn settings(&mut self) -> Result<Settings, DirectoryError> {
        Ok(self.settings.clone())
    }

    fn set_prefix(&mut self, prefix: &str) -> Result<(), DirectoryError> {
        self.settings.prefix = Some(prefix.to_owned());
        Ok(())
    }

    fn set_disabled(&mut self, command: &str, disabled: bool) -> Result<(), DirectoryError> {
        if disabled {
            self.settings.disabled.insert(command.to_owned());
        } else {
            self.settings.disabled.remove(command);
        }
        Ok(())
    }

    fn set_guests(&mut self, guests: bool) -> Result<(), DirectoryError> {
        self.settings.guests = Some(guests);
        Ok(())
    }

    fn set_admin_password(
        &mut self,
        password: Option<&PasswordHash>,
    ) -> Result<(), DirectoryError> {
        self.settings.admin_password = password.cloned();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_the_contract() {
        crate::accounts::contract::holds(Memory::default);
    }
}
