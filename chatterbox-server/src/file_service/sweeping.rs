//! What is removed by itself: files whose time is over, whose message or room is gone, and bytes that belong to nobody.

use std::time::Duration;

use chatterbox_hub::Sequence;

use crate::chat::shared::Chat;
use crate::file_service::service::Files;
use crate::files::{FileStoreError, Idle, UPLOAD_EMPTY, UPLOAD_IDLE};
use crate::ops::clock::unix_now;

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(60);

/// So many files are looked at between two turns of others.
const STEP: usize = 500;

/// So many of them are locked at a time: each takes an open file.
const HELD: usize = 16;

/// Another node may have begun an upload of which this one has not read yet.
const OF_OTHERS: Duration = Duration::from_secs(60 * 60);

impl Files {
    /// Removes what is over, at once and from time to time; never returns.
    pub async fn sweep(&self, chat: &Chat) {
        loop {
            if let Err(error) = self.sweep_once(chat, unix_now()).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "files that are over can't be removed");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Removes what is over at this time.
    ///
    /// # Errors
    /// [`FileStoreError`]; the rest is removed the next time.
    pub async fn sweep_once(&self, chat: &Chat, now: i64) -> Result<(), FileStoreError> {
        let counted = self.unfinished.tokens();
        let mut after = String::new();
        // In the order of the store, which is that of the texts.
        let mut known = Vec::new();
        loop {
            let some = self.records.list(after, STEP).await?;
            let Some(last) = some.last() else { break };
            after = last.token.clone();
            let (over, others): (Vec<_>, Vec<_>) = some.into_iter().partition(|file| {
                let number = file.message.unwrap_or(Sequence::MAX);
                file.is_over(now) || !chat.is_readable_at(&file.scope, number)
            });
            // Another node may have got the rest of it.
            for there in others.iter().filter(|file| file.is_there) {
                self.unfinished.remove(&there.token);
            }
            self.remove_all(over.into_iter().map(|file| file.token).collect()).await?;
            let may_be_idle = others.iter().filter(|file| file.may_be_idle(now));
            let may_be_idle: Vec<_> = may_be_idle.map(|file| file.token.clone()).collect();
            known.extend(others.into_iter().map(|file| file.token));
            for tokens in may_be_idle.chunks(HELD) {
                self.remove_idle(chat, tokens.to_vec(), now).await?;
            }
        }
        for token in counted.iter().filter(|token| known.binary_search(token).is_err()) {
            // It went with its account.
            self.unfinished.remove(token);
        }
        self.remove_orphans(&known).await
    }

    /// Removes files: first what is known of them, so that whoever fetches one finds nothing from then on.
    async fn remove_all(&self, tokens: Vec<String>) -> Result<(), FileStoreError> {
        if tokens.is_empty() {
            return Ok(());
        }
        self.records.remove(tokens.clone()).await?;
        tracing::debug!(files = tokens.len(), "removed files that are over");
        for token in tokens {
            self.remove_bytes(token).await;
        }
        Ok(())
    }

    /// Removes those of some uploads that nobody is writing, and of which nothing has come for a while. Their bytes are locked from
    /// the look at them until they are gone: whoever wants to go on with one meanwhile waits, and begins it anew then.
    async fn remove_idle(
        &self,
        chat: &Chat,
        tokens: Vec<String>,
        now: i64,
    ) -> Result<(), FileStoreError> {
        let held = self.hold_idle(tokens).await;
        if held.is_empty() || !chat.catch_up().await {
            return Ok(());
        }
        // One may have been there, or gone, before its bytes were locked here; at another node, too.
        let mut idle = Vec::new();
        for (token, _) in &held {
            let found = self.records.find(token.clone()).await?;
            if found.is_some_and(|file| file.may_be_idle(now)) {
                idle.push(token.clone());
            }
        }
        self.remove_all(idle).await
    }

    /// Locks those of some uploads that nobody is writing, and of which nothing has come for a while.
    async fn hold_idle(&self, tokens: Vec<String>) -> Vec<(String, Idle)> {
        let spool = self.spool.clone();
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let (untouched, empty) = (seconds(UPLOAD_IDLE), seconds(UPLOAD_EMPTY));
        let held = move |token: String| {
            let held = spool.hold_idle(&token, untouched, empty).unwrap_or_else(|error| {
                tracing::error!(%error, "nobody can tell whether an upload goes on");
                None
            });
            held.map(|held| (token, held))
        };
        let looked = move || tokens.into_iter().filter_map(held).collect::<Vec<_>>();
        tokio::task::spawn_blocking(looked).await.unwrap_or_default()
    }

    /// Removes bytes that belong to no file, such as those of a removed account. A file is known before there are bytes of it, so only of what
    /// is not among those that were `known` just before it has to be asked.
    async fn remove_orphans(&self, known: &[String]) -> Result<(), FileStoreError> {
        let untouched = if self.is_shared { OF_OTHERS } else { Duration::ZERO };
        let spool = self.spool.clone();
        let found = tokio::task::spawn_blocking(move || spool.tokens(untouched)).await;
        let tokens = match found {
            Ok(Ok(tokens)) => tokens,
            Ok(Err(error)) => return Err(FileStoreError::Store(error.into())),
            Err(error) => return Err(FileStoreError::Store(error.into())),
        };
        for token in tokens {
            if known.binary_search(&token).is_err()
                && self.records.find(token.clone()).await?.is_none()
            {
                self.remove_bytes(token).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
