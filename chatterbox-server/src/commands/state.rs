//! What the commands of all connections share: the accounts, what admins have set, and the callers.

use std::sync::{Arc, PoisonError, RwLock};

use crate::accounts::{Accounts, DirectoryError, Settings};
use crate::commands::online::Online;
use crate::commands::spec::Spec;
use crate::config::Live;
use crate::moderation::Moderation;
use crate::pacing::{RenamePacing, RoomPacing};

/// What is typed before a command unless an admin has said otherwise.
pub const PREFIX: &str = "/";

/// Shared by the commands of all connections.
#[derive(Debug)]
pub struct CommandState {
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// Sanctions, the audit log and reports, as they are stored.
    pub moderation: Arc<Moderation>,
    /// The connections whose commands are served.
    pub(super) online: Arc<Online>,
    /// Lets so many change their name.
    pub(super) renames: RenamePacing,
    /// Lets so many enter, leave and make rooms.
    pub(super) room_changes: RoomPacing,
    /// Counts all that is changed of rooms.
    pub(super) room_wishes: RoomPacing,
    /// Counts what is reported.
    pub(super) reports: RoomPacing,
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
            accounts,
            moderation,
            online: Arc::default(),
            renames: RenamePacing::default(),
            room_changes: RoomPacing::default(),
            room_wishes: RoomPacing::of_wishes(),
            reports: RoomPacing::of_reports(),
            config,
            settings,
        }))
    }

    /// The longest name, in characters (NM-2).
    pub fn max_name(&self) -> usize {
        self.config.current().max_name
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

    /// What is typed before a command.
    pub fn prefix(&self) -> String {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.prefix.clone().unwrap_or_else(|| PREFIX.to_owned())
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

    /// Changes what admins can set; everybody's catalogue may change with it.
    pub(super) fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings.write().unwrap_or_else(PoisonError::into_inner));
        self.online.catalogues_changed();
    }
}
