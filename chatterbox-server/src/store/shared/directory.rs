//! Accounts that are read in the database of this node, and changed on all nodes alike.

use std::collections::HashMap;
use std::sync::Arc;

use chatterbox_hub::{AccountChange, AccountKey, Level, Sequence, StoredMark};
use chatterbox_proto::Username;
use chatterbox_proto::capability::meta::DeviceId;

use crate::accounts::{
    Account, AccountKeys, Added, ClaimedKey, DeviceDone, Directory, DirectoryError, EverSeen,
    KeysDirectory, KeysPutDone, LowKeys, MarksDirectory, NewKeys, NewMark, PasswordHash, Seen,
    SeenDirectory, Settings, Spared, TokenHash,
};
use crate::store::shared::answer::Answer;
use crate::store::shared::asking::{Asking, Undecided};
use crate::store::shared::command::{Command, Hash, Of, WrittenAccount, WrittenSpared};
use crate::store::shared::written_keys::WrittenKeys;
use crate::store::sqlite::SqliteDirectory;

/// The accounts that one call looks at and changes; with more, what was looked at first is forgotten.
const LOOKED_AT: usize = 64;

/// The accounts of a cluster, as one node has them.
#[derive(Debug)]
pub struct Shared {
    /// Only reads, but for who was here when: each node has seen that itself.
    reader: SqliteDirectory,
    asking: Arc<Asking>,
    /// Which account of a name was there when this call looked at it first. Only that one is changed: others may make and remove
    /// accounts between two steps.
    looked_at: HashMap<String, Option<AccountKey>>,
    spared: Spared,
}

impl From<Undecided> for DirectoryError {
    fn from(Undecided: Undecided) -> Self {
        Self::Undecided
    }
}

impl Shared {
    pub(super) fn new(reader: SqliteDirectory, asking: Arc<Asking>) -> Self {
        Self { reader, asking, looked_at: HashMap::new(), spared: Spared::Nobody }
    }

    /// Asks for a change.
    fn ask(&self, command: Command) -> Result<Answer, DirectoryError> {
        match self.asking.ask(command)? {
            Answer::Overtaken => Err(DirectoryError::Overtaken),
            answer => Ok(answer),
        }
    }

    /// The account that is meant by a name.
    fn of(&mut self, name: &Username) -> Result<Of, DirectoryError> {
        let key = match self.looked_at.get(name.key()) {
            Some(key) => *key,
            None => self.account(name)?.map(|account| account.account_key),
        };
        Ok(Of { name: name.as_str().to_owned(), key: key.map(|key| (key.id, key.epoch)) })
    }

    /// Notes which account of a name this call is about from here on.
    fn note(&mut self, name: &Username, key: Option<AccountKey>) {
        if self.looked_at.len() >= LOOKED_AT {
            self.looked_at.clear();
        }
        self.looked_at.insert(name.key().to_owned(), key);
    }

    fn take_spared(&mut self) -> WrittenSpared {
        match std::mem::take(&mut self.spared) {
            Spared::Nobody => WrittenSpared::Nobody,
            Spared::Member(member) => WrittenSpared::Member(member),
            Spared::Everybody => WrittenSpared::Everybody,
        }
    }

    fn add_if(&mut self, account: &Account, unlike: bool) -> Result<Added, DirectoryError> {
        match self.ask(Command::Add { account: WrittenAccount::of(account), unlike })? {
            Answer::Added(added, key) => {
                self.note(&account.name, key);
                Ok(added)
            }
            _ => Err(unexpected()),
        }
    }

    /// Asks for a change of which only whether there was something to change is told.
    fn change(&mut self, of: &Username, command: Command) -> Result<bool, DirectoryError> {
        match self.ask(command)? {
            Answer::Changed(is_changed, key) => {
                if key.is_some() {
                    self.note(of, key);
                }
                Ok(is_changed)
            }
            _ => Err(unexpected()),
        }
    }
}

/// The answer to another question: a fault of this program.
fn unexpected() -> DirectoryError {
    DirectoryError::Store("the answer is none to this question".into())
}

impl SeenDirectory for Shared {
    fn note_seen(&mut self, seen: &[Seen], now: i64) -> Result<(), DirectoryError> {
        self.reader.note_seen(seen, now)
    }

    fn ever_seen(
        &mut self,
        after: Option<&Username>,
        limit: usize,
        now: i64,
    ) -> Result<Vec<EverSeen>, DirectoryError> {
        self.reader.ever_seen(after, limit, now)
    }

    fn last_seen(&mut self, account: i64) -> Result<Option<i64>, DirectoryError> {
        self.reader.last_seen(account)
    }

    fn hide_last_seen(&mut self, account: i64, hides: bool) -> Result<bool, DirectoryError> {
        match self.ask(Command::HideLastSeen { account, hides })? {
            Answer::Changed(is_there, _) => Ok(is_there),
            _ => Err(unexpected()),
        }
    }
}

impl MarksDirectory for Shared {
    fn marks(&mut self, account: i64) -> Result<Vec<StoredMark>, DirectoryError> {
        self.reader.marks(account)
    }

    fn set_marks(&mut self, marks: &[NewMark]) -> Result<Vec<bool>, DirectoryError> {
        let written = |mark: &NewMark| (mark.account, mark.with.key().into_owned(), mark.upto);
        match self.ask(Command::SetMarks(marks.iter().map(written).collect()))? {
            Answer::News(news) => Ok(news),
            _ => Err(unexpected()),
        }
    }
}

impl KeysDirectory for Shared {
    fn put_keys(&mut self, new: &NewKeys) -> Result<KeysPutDone, DirectoryError> {
        match self.ask(Command::PutKeys(Box::new(WrittenKeys::of(new))))? {
            Answer::KeysPut(done) => Ok(done),
            _ => Err(unexpected()),
        }
    }

    fn keys_of(&mut self, account: i64) -> Result<AccountKeys, DirectoryError> {
        self.reader.keys_of(account)
    }

    fn claim_keys(
        &mut self,
        devices: &[(i64, DeviceId)],
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError> {
        let written = |(account, device): &(i64, DeviceId)| (*account, device.as_str().to_owned());
        match self.ask(Command::ClaimKeys(devices.iter().map(written).collect()))? {
            Answer::ClaimedKeys(claimed) => Ok(claimed),
            _ => Err(unexpected()),
        }
    }

    fn fallback_key(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<ClaimedKey>, DirectoryError> {
        self.reader.fallback_key(account, device)
    }

    fn device_done(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<Sequence>, DirectoryError> {
        self.reader.device_done(account, device)
    }

    fn set_devices_done(&mut self, done: &[DeviceDone]) -> Result<(), DirectoryError> {
        let written =
            |(account, device, up_to): &DeviceDone| (*account, device.as_str().to_owned(), *up_to);
        self.ask(Command::DevicesDone(done.iter().map(written).collect())).map(drop)
    }

    fn reset_keys(&mut self, account: i64) -> Result<bool, DirectoryError> {
        match self.ask(Command::ResetKeys(account))? {
            Answer::Changed(is_changed, _) => Ok(is_changed),
            _ => Err(unexpected()),
        }
    }

    fn remove_device(&mut self, account: i64, device: &DeviceId) -> Result<bool, DirectoryError> {
        match self.ask(Command::RemoveDevice(account, device.as_str().to_owned()))? {
            Answer::Changed(is_changed, _) => Ok(is_changed),
            _ => Err(unexpected()),
        }
    }

    fn take_low(&mut self) -> Result<Vec<LowKeys>, DirectoryError> {
        Ok(self.asking.take_low())
    }
}

impl Directory for Shared {
    fn begin(&mut self) {
        self.looked_at.clear();
        self.spared = Spared::Nobody;
    }

    fn spare(&mut self, spared: Spared) {
        self.spared = spared;
    }

    fn account(&mut self, name: &Username) -> Result<Option<Account>, DirectoryError> {
        let found = self.reader.account(name)?;
        if !self.looked_at.contains_key(name.key()) {
            self.note(name, found.as_ref().map(|account| account.account_key));
        }
        Ok(found)
    }

    fn look_alike(&mut self, name: &Username) -> Result<Option<Username>, DirectoryError> {
        self.reader.look_alike(name)
    }

    fn add(&mut self, account: &Account) -> Result<Added, DirectoryError> {
        self.add_if(account, false)
    }

    fn add_unlike(&mut self, account: &Account) -> Result<Added, DirectoryError> {
        self.add_if(account, true)
    }

    fn change_password(
        &mut self,
        name: &Username,
        password: &PasswordHash,
    ) -> Result<bool, DirectoryError> {
        let (of, spared) = (self.of(name)?, self.take_spared());
        self.change(name, Command::ChangePassword { of, password: Hash::of(password), spared })
    }

    fn replace_hash(
        &mut self,
        name: &Username,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), DirectoryError> {
        let name = name.as_str().to_owned();
        let command = Command::ReplaceHash { name, old: Hash::of(old), new: Hash::of(new) };
        self.ask(command).map(drop)
    }

    fn set_level(&mut self, name: &Username, level: Level) -> Result<bool, DirectoryError> {
        let of = self.of(name)?;
        self.change(name, Command::SetLevel { of, level: level.number() })
    }

    fn remove(&mut self, name: &Username) -> Result<Option<AccountKey>, DirectoryError> {
        let of = self.of(name)?;
        match self.ask(Command::Remove { of })? {
            Answer::Removed(removed) => {
                self.note(name, None);
                Ok(removed)
            }
            _ => Err(unexpected()),
        }
    }

    fn changes(&mut self) -> Result<Vec<AccountChange>, DirectoryError> {
        Ok(self.asking.take_changes())
    }

    fn list(&mut self, limit: usize) -> Result<Vec<Account>, DirectoryError> {
        self.reader.list(limit)
    }

    fn add_token(
        &mut self,
        name: &Username,
        TokenHash(token): TokenHash,
        expires: i64,
    ) -> Result<(), DirectoryError> {
        let of = self.of(name)?;
        self.ask(Command::AddToken { of, token, expires }).map(drop)
    }

    fn token_owner(
        &mut self,
        token: TokenHash,
        now: i64,
    ) -> Result<Option<Account>, DirectoryError> {
        self.reader.token_owner(token, now)
    }

    fn remove_token(&mut self, TokenHash(token): TokenHash) -> Result<(), DirectoryError> {
        self.ask(Command::RemoveToken { token }).map(drop)
    }

    fn remove_tokens(&mut self, name: &Username) -> Result<(), DirectoryError> {
        let (of, spared) = (self.of(name)?, self.take_spared());
        self.change(name, Command::RemoveTokens { of, spared }).map(drop)
    }

    fn blocked(&mut self, owner: &Username) -> Result<Vec<Username>, DirectoryError> {
        self.reader.blocked(owner)
    }

    fn blockers(&mut self, other: &Username) -> Result<Vec<(i64, Username)>, DirectoryError> {
        self.reader.blockers(other)
    }

    fn block(&mut self, owner: &Username, other: &Username) -> Result<Added, DirectoryError> {
        let of = self.of(owner)?;
        match self.ask(Command::Block { of, other: other.as_str().to_owned() })? {
            Answer::Added(added, _) => Ok(added),
            _ => Err(unexpected()),
        }
    }

    fn unblock(&mut self, owner: &Username, other: &Username) -> Result<bool, DirectoryError> {
        let of = self.of(owner)?;
        self.change(owner, Command::Unblock { of, other: other.as_str().to_owned() })
    }

    fn settings(&mut self) -> Result<Settings, DirectoryError> {
        self.reader.settings()
    }

    fn set_prefix(&mut self, prefix: &str) -> Result<(), DirectoryError> {
        self.ask(Command::SetPrefix(prefix.to_owned())).map(drop)
    }

    fn set_disabled(&mut self, command: &str, disabled: bool) -> Result<(), DirectoryError> {
        let command = command.to_owned();
        self.ask(Command::SetDisabled { command, disabled }).map(drop)
    }

    fn set_guests(&mut self, guests: bool) -> Result<(), DirectoryError> {
        self.ask(Command::SetGuests(guests)).map(drop)
    }

    fn set_admin_password(
        &mut self,
        password: Option<&PasswordHash>,
    ) -> Result<(), DirectoryError> {
        self.ask(Command::SetAdminPassword(password.map(Hash::of))).map(drop)
    }
}
