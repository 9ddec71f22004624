//! What earlier runs have left, before anybody comes in: rooms and sanctions.

use chatterbox_hub::ModerationAct;
use chatterbox_proto::SERVER;

use crate::chat::shared::Chat;
use crate::moderation::{Moderation, ModerationError};
use crate::ops::clock::unix_now;
use crate::store::{Store, StoreError};

/// Loads the rooms of earlier runs.
pub(crate) async fn load_rooms(chat: &Chat, store: &dyn Store) -> Result<(), StoreError> {
    let records = store.rooms().await?;
    chat.restore_rooms(&records, &store.newest_of_rooms().await?);
    Ok(())
}

/// Imposes the sanctions of earlier runs, before anybody can come in.
pub(crate) async fn load_sanctions(chat: &Chat, moderation: &Moderation) -> Result<(), StoreError> {
    let now = unix_now();
    let failed = |error: ModerationError| StoreError::Failed(Box::new(error));
    let sanctions = moderation.load(now).await.map_err(failed)?;
    if sanctions.is_empty() {
        return Ok(());
    }
    tracing::info!(sanctions = sanctions.len(), "sanctions loaded");
    let act = ModerationAct::Impose(sanctions);
    let restored = chatterbox_hub::Moderation {
        by: SERVER.into(),
        level: None,
        now,
        silent: true,
        written: None,
        act,
    };
    let restored = chat.moderate(restored).await;
    restored.map(drop).map_err(|_| StoreError::Failed("who is banned could not be noted".into()))
}
