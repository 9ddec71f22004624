//! The tables of one node that all nodes have alike, and what commands do with them.

use std::path::Path;

use chatterbox_hub::{
    AccountChange, AccountChangeKind, AccountKey, Marked, Moderation, ModerationAct, RoomNumber,
    SanctionId, Sequence, StoreCommand,
};
use chatterbox_proto::Username;

use crate::accounts::{
    Directory as _, KeysDirectory as _, MarksDirectory as _, NewMark, SeenDirectory as _, TokenHash,
};
use crate::files::FileStore as _;
use crate::moderation::{ModerationError, ModerationStore as _};
use crate::store::message_store::StoreError;
use crate::store::shared::answer::Answer;
use crate::store::shared::asking::Asking;
use crate::store::shared::command::{Asked, Command, Of, WrittenSpared, level, name, read};
use crate::store::shared::failed::Failed;
use crate::store::shared::file_commands as files;
use crate::store::shared::written::WrittenAudit;
use crate::store::shared::written_keys::{device_name, read_devices, read_done};
use crate::store::sqlite::{Moment, SqliteDirectory, SqliteFiles, SqliteModeration};

/// The tables, through connections of their own.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) directory: SqliteDirectory,
    pub(super) moderation: SqliteModeration,
    pub(super) files: SqliteFiles,
    /// The number of the last command that was carried out.
    pub(super) applied: Sequence,
}

/// What a command has done to an account, beside its answer.
type Done = (Answer, Option<AccountChange>);

impl Tables {
    /// Carries out the command of a number, and answers whoever has asked for it here.
    ///
    /// # Errors
    /// [`Failed`]; nothing was done.
    pub(super) fn command(
        &mut self,
        number: Sequence,
        command: &StoreCommand,
        asking: &Asking,
    ) -> Result<(), Failed> {
        let Asked { nonce, command } = read(command)?;
        let are_settings = matches!(
            command,
            Command::SetPrefix(_)
                | Command::SetDisabled { .. }
                | Command::SetGuests(_)
                | Command::SetAdminPassword(_)
        );
        let (answer, change) = if Self::is_of_moderation(&command) {
            (self.moderate(number, command)?, None)
        } else if files::is_of_files(&command) {
            let done = self.files.carry_out(number, |store| files::carry_out(store, command));
            (done?, None)
        } else {
            self.account(number, command)?
        };
        self.applied = number;
        // Whichever node has asked: the device may be connected to any.
        asking.note_low(self.directory.take_low()?);
        if are_settings {
            asking.settings_changed();
        }
        // Whoever has asked tells what follows from it itself.
        if !asking.answer(nonce, answer)
            && let Some(change) = change
        {
            asking.note_change(change);
        }
        Ok(())
    }

    /// Writes down an act that the chat has done.
    ///
    /// # Errors
    /// [`Failed`]; nothing was done.
    pub(super) fn moderated(&mut self, number: Sequence, done: &Moderation) -> Result<(), Failed> {
        let Some(written) = &done.written else { return Ok(()) };
        let audit = read::<WrittenAudit>(written)?.read();
        self.moderation.carry_out(number, |moderation| match &done.act {
            ModerationAct::Kick { .. } => moderation.note(&audit),
            ModerationAct::Impose(sanctions) => moderation.keep_imposed(&audit, sanctions),
            ModerationAct::Lift(ids) => moderation.lift(&audit, ids),
        })?;
        self.applied = number;
        Ok(())
    }

    /// Notes that a message has announced a file.
    ///
    /// # Errors
    /// [`Failed`]; nothing was done.
    pub(super) fn announced(&mut self, number: Sequence, token: &str) -> Result<(), Failed> {
        self.files.carry_out(number, |store| store.announced(token, number))?;
        self.applied = number;
        Ok(())
    }

    /// All of it as it is now, to be read elsewhere while more commands are carried out.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Moved`] where the database of the folder is another one by now.
    pub(super) fn moment(&self, folder: &Path) -> Result<Moment, StoreError> {
        let moment = Moment::begin(folder).map_err(|error| StoreError::Failed(Box::new(error)))?;
        if moment.number() == self.applied { Ok(moment) } else { Err(StoreError::Moved) }
    }

    /// Takes all of it from another node, in place of all that is here.
    ///
    /// # Errors
    /// [`Failed`]; nothing was changed.
    pub(super) fn restore(&mut self, state: &[u8]) -> Result<(), Failed> {
        self.directory.restore(state)?;
        self.applied = self.directory.newest_command()?;
        Ok(())
    }

    fn is_of_moderation(command: &Command) -> bool {
        use Command as C;
        matches!(
            command,
            C::Impose { .. }
                | C::Lift { .. }
                | C::Note(_)
                | C::ForgetEnded(_)
                | C::ForgetRoom(_)
                | C::ForgetAccount(_)
                | C::ForgetOrphans
                | C::ForgetAudit(_)
                | C::Report(_)
                | C::CloseReport { .. }
                | C::ForgetReports(_)
        )
    }

    fn moderate(&mut self, number: Sequence, command: Command) -> Result<Answer, Failed> {
        let mut new = Vec::new();
        if let Command::Impose { sanctions, .. } = &command {
            new = sanctions.iter().cloned().map(|one| one.read()).collect::<Result<_, _>>()?;
        }
        let answer = self.moderation.carry_out(number, |moderation| {
            let answer = match command {
                Command::Impose { audit, .. } => {
                    moderation.impose(&audit.read(), &new).map(Answer::Imposed)
                }
                Command::Lift { audit, ids } => {
                    let ids: Vec<_> = ids.into_iter().map(SanctionId).collect();
                    moderation.lift(&audit.read(), &ids).map(|()| Answer::Done)
                }
                Command::Note(audit) => moderation.note(&audit.read()).map(|()| Answer::Done),
                Command::ForgetEnded(now) => moderation.forget_ended(now).map(|()| Answer::Done),
                Command::ForgetRoom(room) => {
                    moderation.forget_room(RoomNumber(room)).map(|()| Answer::Done)
                }
                Command::ForgetAccount(account) => {
                    moderation.forget_account(account).map(|()| Answer::Done)
                }
                Command::ForgetOrphans => moderation.forget_orphans().map(|()| Answer::Done),
                Command::ForgetAudit(before) => moderation.forget_audit(before).map(changed),
                Command::Report(new) => moderation.report(&new.read()).map(Answer::Number),
                Command::CloseReport { audit, number } => {
                    moderation.close_report(&audit.read(), number).map(changed)
                }
                Command::ForgetReports(before) => moderation.forget_reports(before).map(changed),
                // The others are of accounts.
                _ => Ok(Answer::Done),
            };
            match answer {
                Err(ModerationError::TooMany) => Ok(Answer::TooMany),
                answer => answer,
            }
        })?;
        Ok(answer)
    }

    fn account(&mut self, number: Sequence, command: Command) -> Result<Done, Failed> {
        self.directory.carry_out(number, |directory| account(directory, command))
    }
}

fn changed(it: bool) -> Answer {
    Answer::Changed(it, None)
}

fn key_of(directory: &mut SqliteDirectory, of: &Username) -> Result<Option<AccountKey>, Failed> {
    Ok(directory.account(of)?.map(|account| account.account_key))
}

/// The name of an account, if it is the one that was meant: by its number, or by number and epoch.
fn meant(
    directory: &mut SqliteDirectory,
    of: &Of,
    epoch: bool,
) -> Result<Option<Username>, Failed> {
    let name = name(&of.name)?;
    let is = key_of(directory, &name)?.map(|key| (key.id, key.epoch));
    let is_meant = match (is, of.key) {
        (Some(is), Some(was)) => is.0 == was.0 && (!epoch || is.1 == was.1),
        (is, was) => is == was,
    };
    Ok(is_meant.then_some(name))
}

fn account(directory: &mut SqliteDirectory, command: Command) -> Result<Done, Failed> {
    let overtaken = Ok((Answer::Overtaken, None));
    let answer = match command {
        Command::Add { account, unlike } => {
            let account = account.read()?;
            let added =
                if unlike { directory.add_unlike(&account)? } else { directory.add(&account)? };
            Answer::Added(added, key_of(directory, &account.name)?)
        }
        Command::ChangePassword { of, password, spared } => {
            let Some(name) = meant(directory, &of, true)? else { return overtaken };
            let is_there = directory.change_password(&name, &password.read())?;
            let key = key_of(directory, &name)?;
            return Ok((Answer::Changed(is_there, key), ended(directory, &name, spared)?));
        }
        Command::ReplaceHash { name: of, old, new } => {
            directory.replace_hash(&name(&of)?, &old.read(), &new.read())?;
            Answer::Done
        }
        Command::SetLevel { of, level: number } => {
            let Some(name) = meant(directory, &of, false)? else { return overtaken };
            let is_there = directory.set_level(&name, level(number)?)?;
            let change = ended(directory, &name, WrittenSpared::Nobody)?;
            return Ok((Answer::Changed(is_there, key_of(directory, &name)?), change));
        }
        Command::Remove { of } => {
            let Some(name) = meant(directory, &of, false)? else { return overtaken };
            let spelling = directory.account(&name)?.map(|account| account.name);
            let removed = directory.remove(&name)?;
            let change = removed.zip(spelling).map(|(key, name)| AccountChange {
                account: key.id,
                name,
                kind: AccountChangeKind::Removed,
            });
            return Ok((Answer::Removed(removed), change));
        }
        Command::AddToken { of, token, expires } => {
            let Some(name) = meant(directory, &of, true)? else { return overtaken };
            directory.add_token(&name, TokenHash(token), expires)?;
            Answer::Done
        }
        Command::RemoveToken { token } => {
            directory.remove_token(TokenHash(token))?;
            Answer::Done
        }
        Command::RemoveTokens { of, spared } => {
            let Some(name) = meant(directory, &of, false)? else { return overtaken };
            directory.remove_tokens(&name)?;
            let key = key_of(directory, &name)?;
            return Ok((Answer::Changed(key.is_some(), key), ended(directory, &name, spared)?));
        }
        Command::Block { of, other } => {
            let Some(owner) = meant(directory, &of, false)? else { return overtaken };
            let added = directory.block(&owner, &name(&other)?)?;
            Answer::Added(added, key_of(directory, &owner)?)
        }
        Command::Unblock { of, other } => {
            let Some(owner) = meant(directory, &of, false)? else { return overtaken };
            changed(directory.unblock(&owner, &name(&other)?)?)
        }
        Command::HideLastSeen { account, hides } => {
            changed(directory.hide_last_seen(account, hides)?)
        }
        Command::SetPrefix(prefix) => {
            directory.set_prefix(&prefix)?;
            Answer::Done
        }
        Command::SetDisabled { command, disabled } => {
            directory.set_disabled(&command, disabled)?;
            Answer::Done
        }
        Command::SetGuests(guests) => {
            directory.set_guests(guests)?;
            Answer::Done
        }
        Command::SetAdminPassword(password) => {
            let password = password.map(|password| password.read());
            directory.set_admin_password(password.as_ref())?;
            Answer::Done
        }
        Command::SetMarks(marks) => {
            let mark = |(account, key, upto): &(i64, String, u64)| NewMark {
                account: *account,
                with: Marked::of_key(key),
                upto: *upto,
            };
            let marks: Vec<_> = marks.iter().map(mark).collect();
            Answer::News(directory.set_marks(&marks)?)
        }
        Command::PutKeys(keys) => Answer::KeysPut(directory.put_keys(&keys.read()?)?),
        Command::ClaimKeys(devices) => {
            Answer::ClaimedKeys(directory.claim_keys(&read_devices(&devices)?)?)
        }
        Command::DevicesDone(done) => {
            directory.set_devices_done(&read_done(&done)?)?;
            Answer::Done
        }
        Command::ResetKeys(account) => changed(directory.reset_keys(account)?),
        Command::RemoveDevice(account, device) => {
            changed(directory.remove_device(account, &device_name(&device)?)?)
        }
        // The others are of moderation.
        _ => Answer::Done,
    };
    Ok((answer, None))
}

/// What those who are here are told when all logins of an account end, but for those who are spared.
fn ended(
    directory: &mut SqliteDirectory,
    of: &Username,
    spared: WrittenSpared,
) -> Result<Option<AccountChange>, Failed> {
    let spared = match spared {
        WrittenSpared::Nobody => None,
        WrittenSpared::Member(member) => Some(member),
        WrittenSpared::Everybody => return Ok(None),
    };
    Ok(directory.account(of)?.map(|account| {
        let AccountKey { id, epoch } = account.account_key;
        let kind = AccountChangeKind::LoginsEnded { epoch, spared };
        AccountChange { account: id, name: account.name, kind }
    }))
}
