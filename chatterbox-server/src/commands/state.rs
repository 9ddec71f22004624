//! What the commands of all connections share: the accounts, what admins have set, and the callers.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use chatterbox_hub::{Happened, Identity, LoggedIn, MemberId};
use chatterbox_proto::{Code, Username};

use crate::access::House;
use crate::accounts::{Accounts, DirectoryError, Settings};
use crate::chat::handle::Handle;
use crate::chat::waiting_mail::Mailbox;
use crate::commands::online::Online;
use crate::commands::spec::Spec;
use crate::config::{Config, Live};
use crate::keys::KeyDesk;
use crate::moderation::Moderation;
use crate::pacing::{CommandPacing, MailPacing, RenamePacing, RoomPacing};

/// What is typed before a command unless an admin has said otherwise.
pub const PREFIX: &str = "/";

/// Shared by the commands of all connections.
#[derive(Debug)]
pub struct CommandState {
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// Sanctions, the audit log and reports, as they are stored.
    pub moderation: Arc<Moderation>,
    /// Their public keys.
    pub(super) keys: KeyDesk,
    /// The connections whose commands are served.
    pub(super) online: Arc<Online>,
    /// Lets so many commands be given.
    pub(super) commands: CommandPacing,
    /// Lets so many change their name.
    pub(super) renames: RenamePacing,
    /// Lets so many enter, leave and make rooms.
    pub(super) room_changes: RoomPacing,
    /// Counts all that is changed of rooms.
    pub(super) room_wishes: RoomPacing,
    mail: MailPacing,
    /// Counts what is reported.
    pub(super) reports: RoomPacing,
    /// The house that the chat is in, once it is.
    house: OnceLock<Weak<dyn House>>,
    config: Live,
    settings: RwLock<Settings>,
}

impl CommandState {
    /// Opens them with what admins have set in earlier runs.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn open(
        accounts: Arc<Accounts>,
        moderation: Arc<Moderation>,
        config: Live,
    ) -> Result<Arc<Self>, DirectoryError> {
        let settings = RwLock::new(accounts.settings().await?);
        Ok(Arc::new(Self {
            keys: KeyDesk::new(Arc::clone(&accounts)),
            accounts,
            moderation,
            online: Arc::default(),
            commands: CommandPacing::default(),
            renames: RenamePacing::default(),
            room_changes: RoomPacing::default(),
            room_wishes: RoomPacing::of_wishes(),
            mail: MailPacing::default(),
            reports: RoomPacing::of_reports(),
            house: OnceLock::new(),
            config,
            settings,
        }))
    }

    /// The longest name, in characters (NM-2).
    pub fn max_name(&self) -> usize {
        self.config.current().max_name
    }

    /// Whether anybody is told when others were here last (PR-3).
    pub(super) fn tells_last_seen(&self) -> bool {
        self.config.current().last_seen
    }

    /// Whether guests may join.
    pub(super) fn guests(&self) -> bool {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.guests.unwrap_or_else(|| self.config.current().guests)
    }

    /// Whether guests may join rooms.
    pub(super) fn room_guests(&self) -> bool {
        self.config.current().room_guests
    }

    /// Notes who was here.
    pub(super) fn note_visit(&self, happened: &Happened) {
        match happened {
            Happened::Joined(who) => self.accounts.note_visit(who, true),
            Happened::Left(who) => self.accounts.note_visit(who, false),
            Happened::Renamed(old, who) => {
                let before = Identity { name: old.clone(), ..(**who).clone() };
                self.accounts.note_visit(&before, false);
                self.accounts.note_visit(who, true);
            }
            Happened::Said { .. } => {}
        }
    }

    /// Writes who was here.
    pub(super) async fn keep_visits(&self) {
        if let Err(error) = self.accounts.keep_visits().await {
            tracing::warn!(%error, "it could not be written who was here");
        }
    }

    /// The account of a name that nobody here has, for a private message of a member who has an account, if there is one
    /// (AN-7).
    ///
    /// # Errors
    /// [`Code::Flood`] when the member asks for too many; [`Code::NotStored`].
    pub(super) async fn mailbox(
        &self,
        sender: MemberId,
        who: &Identity,
        name: &Username,
    ) -> Result<Option<Mailbox>, Code> {
        if who.login.is_none() {
            return Ok(None);
        }
        let failed = |error| {
            tracing::error!(%error, "an account could not be looked up");
            Code::NotStored
        };
        let found = self.accounts.account(name).await.map_err(failed)?;
        let id = found.as_ref().map(|account| account.account_key.id);
        self.mail.try_take(sender, who, id).map_err(|wait| {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            Code::Flood(u32::try_from(seconds).unwrap_or(u32::MAX))
        })?;
        let Some(account) = found else { return Ok(None) };
        let since = self.accounts.last_seen(account.account_key.id).await.map_err(failed)?;
        let account = LoggedIn { account: account.name, account_key: account.account_key };
        Ok(Some(Mailbox { account, since: since.unwrap_or_default() }))
    }

    /// The settings in force.
    pub(super) fn config(&self) -> Arc<Config> {
        self.config.current()
    }

    /// Counts a command, if its user may give one now (CM-6).
    ///
    /// # Errors
    /// How long to wait for it.
    pub(super) fn count(&self, member: &Handle) -> Result<(), Duration> {
        if self.config().no_limits {
            return Ok(());
        }
        // Who is not here any more waits for no answer.
        let Some(who) = member.identity() else { return Ok(()) };
        self.commands.try_take(member.id(), &who)
    }

    /// What is typed before a command.
    pub fn prefix(&self) -> String {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.prefix.clone().unwrap_or_else(|| PREFIX.to_owned())
    }

    /// The house that the chat is in, if it is in one.
    pub(super) fn house(&self) -> Option<Arc<dyn House>> {
        self.house.get().and_then(Weak::upgrade)
    }

    /// Says which house the chat is in; the first one counts.
    pub(super) fn moves_in(&self, house: Weak<dyn House>) {
        let _ = self.house.set(house);
    }

    /// The names of the levels, the lowest first (MO-1).
    pub(super) fn level_names(&self) -> [String; 6] {
        self.config.current().level_names.names()
    }

    /// Whether a command is switched off.
    pub(super) fn is_disabled(&self, spec: &Spec) -> bool {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.disabled.contains(spec.name)
    }

    /// Reads what admins have set, after another node of the chat may have changed it.
    ///
    /// # Errors
    /// [`DirectoryError`]; what was in force stays.
    pub(super) async fn read_settings(&self) -> Result<(), DirectoryError> {
        let stored = self.accounts.settings().await?;
        self.change_settings(|settings| *settings = stored);
        Ok(())
    }

    /// Changes what admins can set; everybody's catalogue may change with it.
    pub(super) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.write().unwrap_or_else(PoisonError::into_inner));
        self.online.catalogues_changed();
    }
}
