//! How an upload begins, or goes on (FI-1).
//!
//! A row is there before the first byte, and whoever writes the bytes has them locked. Whoever removes an upload that nobody writes has
//! them locked as well, from the look at them until row and bytes are gone. So of an upload whose bytes are locked here the row
//! is looked for once more: where it went in the meantime, the upload begins anew.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatterbox_hub::{FileScope, Identity, Level, Permission, Target, authorise};
use chatterbox_proto::capability::files::{FileName, FilePut, SpaceOf};
use chatterbox_proto::session::Destination;
use chatterbox_proto::{
    ALL, Capability, Code, LookupKey, NameKey as _, RoomName, Username, limits,
};
use futures_util::future::BoxFuture;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::chat::handle::Handle;
use crate::chat::shared::Chat;
use crate::chat::waiting_mail::Mailbox;
use crate::config::Config;
use crate::file_service::refusal::FileRefusal;
use crate::file_service::service::Files;
use crate::file_service::upload::{Place, Upload};
use crate::files::{NewFile, Quotas, Reserved, SpoolError, StoredFile, Writing};
use crate::ops::clock::unix_now;

/// An upload that is taken over is waited for so often, and so long each time, until its last piece is written.
const TRIES: u32 = 50;
const AGAIN: Duration = Duration::from_millis(50);

/// An upload that is removed while it is gone on with begins anew, which nobody removes for minutes.
const BEGINNINGS: u32 = 3;

/// The account of a name, if there is one.
type FoundMailbox = BoxFuture<'static, Result<Option<Mailbox>, Code>>;

/// An upload whose bytes are open, and locked.
type Opened = (StoredFile, Writing, Place);

impl Files {
    /// Begins an upload of a member, or goes on with one (FI-1). `mailbox` looks for the account of a name that nobody here has, for this
    /// user (AN-7). `peer` is where the connection comes from. `let_go` drops the upload of a token that whoever calls has under way
    /// itself: its file is locked until then.
    ///
    /// # Errors
    /// [`FileRefusal`].
    pub async fn put(
        &self,
        member: &Handle,
        mailbox: impl FnOnce(Identity, Username) -> FoundMailbox + Send,
        mut let_go: impl FnMut(&str) + Send,
        put: &FilePut,
        peer: IpAddr,
    ) -> Result<Upload, FileRefusal> {
        let config = self.config.current();
        let identity = member.identity().ok_or_else(FileRefusal::failed)?;
        let level = Level::new(config.file_level.into()).unwrap_or(Level::ADMIN);
        authorise(identity.actor(), Permission::Use(level), Target::Oneself)
            .map_err(|denied| FileRefusal::new("forbidden", denied.to_string()))?;
        let login = identity.login.as_ref();
        let account = login.map(|login| login.account_key.id);
        let account = account.ok_or_else(|| FileRefusal::from(Code::NotJoined))?;
        let asked = self.pacing.try_ask(account, config.file_hourly);
        asked.map_err(FileRefusal::throttled)?;
        let name = FileName::parse(put.name.as_wire())
            .map_err(|error| FileRefusal::new("bad-name", error.to_string()))?;
        if put.size > config.file_size {
            return Err(FileRefusal::no_space(SpaceOf::File, config.file_size, config.file_size));
        }
        let speaks_rooms = identity.agreed.is_some_and(|agreed| agreed.has(Capability::Rooms));
        let to = destination(put.to.as_wire(), speaks_rooms)?;
        member.chat().catch_up().await;
        let scope = match (member.chat().may_put(member.id(), &to), &to) {
            (Err(Code::NoSuchUser), Destination::User(key)) => {
                // It may be the name of an account whose user is not here (AN-7).
                let asked = Username::stored(key.name_key());
                let found = mailbox(identity, asked).await?;
                let found = found.ok_or(Code::NoSuchUser)?;
                if member.chat().refuses(member.id(), &found.account.account) {
                    return Err(Code::Blocked.into());
                }
                FileScope::User(found.account.account.key().to_owned())
            }
            (scope, _) => scope?,
        };
        let permit = Arc::clone(&self.uploads).try_acquire_owned();
        let permit = permit.map_err(|_| {
            FileRefusal::busy("the server takes too many files at the moment, try again later")
        })?;
        let now = unix_now();
        let kept = i64::try_from(config.file_days.as_secs()).unwrap_or(i64::MAX);
        for _ in 0..BEGINNINGS {
            let new = NewFile {
                token: new_token()?,
                account,
                scope: scope.clone(),
                name: name.as_str().to_owned(),
                size: put.size,
                sha256: put.sha256.0,
                now,
                until: now.saturating_add(kept),
            };
            let (file, is_new) = self.reserve(new, peer, &config).await?;
            let_go(&file.token);
            if let Some((file, writing, place)) =
                self.open(member.chat(), &file, is_new, peer).await?
            {
                return Ok(Upload::new(file, writing, place, permit));
            }
        }
        Err(FileRefusal::busy("the upload is being removed, try again later"))
    }

    /// Reserves the space of an upload, or finds it; says whether it is new.
    async fn reserve(
        &self,
        new: NewFile,
        peer: IpAddr,
        config: &Config,
    ) -> Result<(StoredFile, bool), FileRefusal> {
        match self.records.reserve(new, Quotas::of(config)).await? {
            Reserved::New(file) => {
                if let Err(denied) = self.may_begin(&file, peer, config).await {
                    self.unfinished.remove(&file.token);
                    self.records.remove(vec![file.token]).await?;
                    return Err(denied);
                }
                Ok((file, true))
            }
            Reserved::Again(file) => {
                self.count(&file, peer, config).await?;
                Ok((file, false))
            }
            Reserved::NoSpace { quota, most, left } => Err(FileRefusal::quota(quota, most, left)),
            Reserved::TooMany => {
                Err(FileRefusal::new("too-many", "there are too many files already"))
            }
        }
    }

    async fn may_begin(
        &self,
        file: &StoredFile,
        peer: IpAddr,
        config: &Config,
    ) -> Result<(), FileRefusal> {
        let begun = self.pacing.try_begin(file.account, config.file_hourly);
        begun.map_err(FileRefusal::throttled)?;
        self.count(file, peer, config).await?;
        self.has_disk().await
    }

    /// Counts an upload for the address that it comes from, with what its account has begun already, wherever and whenever.
    async fn count(
        &self,
        file: &StoredFile,
        peer: IpAddr,
        config: &Config,
    ) -> Result<(), FileRefusal> {
        let known = self.records.unfinished(file.account).await?;
        self.unfinished.count(file, known, peer, config)
    }

    /// Opens the bytes of an upload, which ends the connection that had them before. Nothing where it was removed meanwhile.
    async fn open(
        &self,
        chat: &Chat,
        file: &StoredFile,
        is_new: bool,
        peer: IpAddr,
    ) -> Result<Option<Opened>, FileRefusal> {
        let opened = self.lock(chat, file, peer).await;
        if opened.is_err() && is_new {
            // What nobody was told of takes no space.
            self.forget_unused(&file.token).await;
        }
        opened
    }

    async fn lock(
        &self,
        chat: &Chat,
        file: &StoredFile,
        peer: IpAddr,
    ) -> Result<Option<Opened>, FileRefusal> {
        let place = self.under_way.begin(&file.token, file.account, peer);
        let place = place.ok_or_else(|| {
            let info = "too many uploads of yours, or from your address, are under way: wait for \
                        one of them";
            FileRefusal::busy(info)
        })?;
        let writing = self.begin(file, &place).await?;
        // The bytes may have been locked at another node before, and the row removed there.
        if !chat.catch_up().await {
            return Err(FileRefusal::failed());
        }
        if let Some(file) = self.records.find(file.token.clone()).await? {
            return Ok(Some((file, writing, place)));
        }
        // They were made anew by this, and are of no file.
        self.remove_bytes(file.token.clone()).await;
        Ok(None)
    }

    async fn begin(&self, file: &StoredFile, place: &Place) -> Result<Writing, FileRefusal> {
        let mut tries = 0;
        loop {
            let (spool, token, size) = (self.spool.clone(), file.token.clone(), file.size);
            let begun = tokio::task::spawn_blocking(move || spool.begin(&token, size));
            let begun = begun.await.map_err(|_| FileRefusal::failed())?;
            match begun {
                // Whoever had it before is told to let go of it.
                Err(SpoolError::InUse) if tries < TRIES && !place.is_over() => {
                    tries += 1;
                    tokio::time::sleep(AGAIN).await;
                }
                begun => return Ok(begun?),
            }
        }
    }

    /// Forgets an upload, unless another connection has it by now.
    async fn forget_unused(&self, token: &str) {
        if let Some(_held) = self.hold(token).await {
            self.forget(token).await;
        }
    }
}

/// A token that nobody can guess: 128 random bits.
fn new_token() -> Result<String, FileRefusal> {
    let mut random = [0; 16];
    SystemRandom::new().fill(&mut random).map_err(|_| FileRefusal::failed())?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

/// Reads a destination, as that of a message is read.
fn destination(
    text: &str,
    speaks_rooms: bool,
) -> Result<Destination<LookupKey, LookupKey>, FileRefusal> {
    if text == ALL {
        return Ok(Destination::All);
    }
    if RoomName::is_meant(text) && speaks_rooms {
        let key = LookupKey::of(text, 1 + limits::ROOM_NAME_CHARS);
        return Ok(Destination::Room(key.ok_or(Code::NoSuchRoom)?));
    }
    // Of a longer one there is the beginning only.
    let is_whole = text.len() <= limits::PAGE_WITH;
    let key = is_whole.then(|| LookupKey::of(text, limits::USERNAME_CHARS_MOST)).flatten();
    Ok(Destination::User(key.ok_or(Code::NoSuchUser)?))
}

#[cfg(test)]
mod tests;
