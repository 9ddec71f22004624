//! Files, as connections ask for them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Announcement, FileScope, Record};
use chatterbox_proto::capability::files::{FileGet, SpaceOf};
use chatterbox_proto::capability::meta::{Digest, FileToken, FileTold};
use chatterbox_proto::{Code, WireText};
use tokio::sync::Semaphore;

use crate::chat::handle::Handle;
use crate::config::Live;
use crate::file_service::quotas::UploadPacing;
use crate::file_service::reading::{Block, Position, Reading};
use crate::file_service::refusal::FileRefusal;
use crate::file_service::unfinished::Unfinished;
use crate::file_service::upload::{UnderWay, Upload};
use crate::files::{Claim, FileRecords, FileStoreError, Idle, Spool, SpoolError, StoredFile};
use crate::ops::clock::unix_now;

/// Uploads that may be under way on a node at a time.
const UPLOADS: usize = 64;

/// Whether the disk is getting full is looked at after so many bytes of an upload.
const LOOKED_AT: u64 = 1024 * 1024;

/// So many bytes of a file are sent before it is asked again whether who fetches it may have it.
const ASKED_AGAIN: u64 = 128 * 1024;

/// A private file is there for so many seconds after its recipient has fetched it (FI-6).
const FETCHED: i64 = 60 * 60;

/// Files of one server.
#[derive(Debug)]
pub struct Files {
    pub(super) records: FileRecords,
    pub(super) spool: Spool,
    pub(super) config: Live,
    /// Whether other nodes put files into the same folder.
    pub(super) is_shared: bool,
    pub(super) uploads: Arc<Semaphore>,
    reading: Reading,
    pub(super) under_way: Arc<UnderWay>,
    pub(super) unfinished: Unfinished,
    pub(super) pacing: UploadPacing,
}

/// A file that somebody fetches.
#[derive(Debug)]
pub struct Download {
    /// What is fetched.
    pub file: StoredFile,
    /// What says who may.
    announcement: Announcement,
    /// The place of the next piece.
    pub at: u64,
    /// The place up to which may be sent.
    pub credit: u64,
    /// Whether it began with the first byte.
    is_from_start: bool,
    /// The place at which it was asked last whether it may be fetched.
    asked: u64,
    /// Whether a piece was taken.
    has_sent: bool,
    block: Option<Block>,
}

impl Download {
    /// Lets go of what was read and is not sent: it is read again when somebody goes on.
    pub fn let_go(&mut self) {
        self.block = None;
    }
}

impl Files {
    /// Files whose bytes are in a folder, which several nodes may share.
    pub fn new(records: FileRecords, spool: Spool, config: Live, is_shared: bool) -> Self {
        Self {
            records,
            reading: Reading::new(spool.clone()),
            spool,
            config,
            is_shared,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            under_way: Arc::default(),
            unfinished: Unfinished::default(),
            pacing: UploadPacing::default(),
        }
    }

    /// Whether so much is free on the disk, beside all that may still be written of uploads, that as much stays free as has to.
    pub(super) async fn has_disk(&self) -> Result<(), FileRefusal> {
        let least = self.config.current().file_free;
        self.leaves_free(least, self.records.being_written().await?).await
    }

    async fn leaves_free(&self, least: u64, coming: u64) -> Result<(), FileRefusal> {
        let spool = self.spool.clone();
        let free = tokio::task::spawn_blocking(move || spool.free());
        let free = free.await.map_err(|_| FileRefusal::failed())?;
        let free = free.map_err(SpoolError::from)?;
        if free >= least.saturating_add(coming) {
            return Ok(());
        }
        let left = free.saturating_sub(least);
        Err(FileRefusal::no_space(SpaceOf::Disk, free, left))
    }

    /// Writes a piece of an upload (FI-2).
    ///
    /// # Errors
    /// [`FileRefusal`]; the upload can't go on then.
    pub async fn add(&self, upload: &mut Upload, piece: Vec<u8>) -> Result<(), FileRefusal> {
        let before = upload.at;
        let added = upload.add(piece).await.map_err(FileRefusal::from);
        let checked = match added {
            Ok(()) if before / LOOKED_AT != upload.at / LOOKED_AT => {
                // Others may write to the same disk.
                self.leaves_free(self.config.current().file_free, 0).await
            }
            added => added,
        };
        if let Err(refusal) = &checked
            && refusal.code == "no-space"
        {
            self.forget(&upload.file.token).await;
        }
        checked
    }

    /// Ends an upload of which all bytes have come. Says until when the file is there (FI-3).
    ///
    /// # Errors
    /// [`FileRefusal`]; nothing is there of it then, if its digest is wrong.
    pub async fn complete(&self, upload: &mut Upload) -> Result<i64, FileRefusal> {
        let completed = self.check(upload).await;
        // Nobody waits for its bytes while this is told.
        upload.let_go();
        completed
    }

    /// The bytes are locked until it is written down that they are there: otherwise they may be taken for some of which nothing comes.
    async fn check(&self, upload: &mut Upload) -> Result<i64, FileRefusal> {
        let token = upload.file.token.clone();
        if upload.finish().await? != upload.file.sha256 {
            self.forget(&token).await;
            let info = "the digest of what came is another one, so it was removed";
            return Err(FileRefusal::new("digest", info));
        }
        let is_known = self.records.complete(token.clone()).await?;
        self.unfinished.remove(&token);
        if is_known {
            Ok(upload.file.until)
        } else {
            // The account was removed meanwhile.
            Err(FileRefusal::expired())
        }
    }

    /// Removes an upload that its user gives up, and a file that was not announced. Others are not asked for here; nor is an upload
    /// that goes on over another connection of the same user.
    pub async fn give_up(&self, member: &Handle, token: &str) {
        let login = member.identity().and_then(|identity| identity.login);
        let Some(account) = login.map(|login| login.account_key.id) else { return };
        let now = unix_now();
        // What can't be given up is found out here, without writing. What can be is looked at again where it is removed, since a
        // message may take it meanwhile: its bytes stay then.
        let Ok(Some(file)) = self.records.find(token.to_owned()).await else { return };
        if file.account != account || file.is_claimed(now) {
            return;
        }
        // With its bytes locked it can't be finished meanwhile, here or at another node, and then be announced before it is removed.
        let Some(_held) = self.hold(token).await else { return };
        if !member.chat().catch_up().await {
            return;
        }
        match self.records.give_up(token.to_owned(), account, now).await {
            Ok(true) => self.remove_bytes(token.to_owned()).await,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a file is not given up");
            }
        }
    }

    /// Locks the bytes of a file that nobody is writing.
    pub(super) async fn hold(&self, token: &str) -> Option<Idle> {
        let (spool, token) = (self.spool.clone(), token.to_owned());
        let held = move || spool.hold_idle(&token, Duration::ZERO, Duration::ZERO);
        match tokio::task::spawn_blocking(held).await {
            Ok(Ok(held)) => held,
            Ok(Err(error)) => {
                tracing::error!(%error, "the bytes of a file can't be locked");
                None
            }
            Err(_) => None,
        }
    }

    /// Forgets a file, and removes its bytes.
    pub(super) async fn forget(&self, token: &str) {
        if let Err(error) = self.records.remove(vec![token.to_owned()]).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a file can't be forgotten");
            return;
        }
        self.remove_bytes(token.to_owned()).await;
    }

    /// Removes the bytes of a file of which nothing is known any more.
    pub(super) async fn remove_bytes(&self, token: String) {
        self.unfinished.remove(&token);
        let spool = self.spool.clone();
        let removed = tokio::task::spawn_blocking(move || spool.remove(&token)).await;
        if let Ok(Err(error)) = removed {
            tracing::error!(error = &error as &dyn std::error::Error, "a file can't be removed");
        }
    }

    /// Begins a download of a member (FI-4).
    ///
    /// # Errors
    /// [`FileRefusal`].
    pub async fn get(&self, member: &Handle, get: &FileGet) -> Result<Download, FileRefusal> {
        member.chat().catch_up().await;
        let file = self.records.find(get.file.clone()).await?;
        let file =
            file.filter(|file| !file.is_over(unix_now())).ok_or_else(FileRefusal::expired)?;
        let announcement = file.announcement().ok_or_else(FileRefusal::expired)?;
        let (at, credit) = (get.at, get.credit);
        let is_from_start = at == 0;
        let download = Download {
            file,
            announcement,
            at,
            credit,
            is_from_start,
            asked: at,
            has_sent: false,
            block: None,
        };
        if !self.is_readable(member, &download) {
            return Err(FileRefusal::expired());
        }
        if get.at > download.file.size {
            return Err(FileRefusal::protocol("AT is behind the end of the file"));
        }
        Ok(download)
    }

    fn is_readable(&self, member: &Handle, download: &Download) -> bool {
        member.chat().may_fetch(member.id(), &download.announcement)
    }

    /// Asks again, every so many bytes, for the file and for whether a member may still fetch it: who has left the room meanwhile gets
    /// no more of what was said there, nor anybody of a file that was removed with its account (FI-6), however much credit there is.
    ///
    /// # Errors
    /// [`FileRefusal`]; the download can't go on then.
    pub async fn ask_again(
        &self,
        member: &Handle,
        download: &mut Download,
    ) -> Result<(), FileRefusal> {
        if download.at < download.asked.saturating_add(ASKED_AGAIN) {
            return Ok(());
        }
        download.asked = download.at;
        // A removed account takes its files along where they are stored, and the bytes go later: the chat alone can't tell.
        let found = self.records.find(download.file.token.clone()).await?;
        let is_there = found.is_some_and(|file| !file.is_over(unix_now()));
        if is_there && self.is_readable(member, download) {
            return Ok(());
        }
        Err(FileRefusal::expired())
    }

    /// Takes the next piece of a download: so many bytes at most from its place on, which it goes past.
    ///
    /// # Errors
    /// [`FileRefusal`] when the file is not there any more, or can't be read.
    pub async fn take(&self, download: &mut Download, bytes: usize) -> Result<Bytes, FileRefusal> {
        let Download { file, at, credit, has_sent, block, .. } = download;
        // Nothing is read that may not be sent: who grants a byte at a time would have the disk work for it.
        let end = file.size.min(*credit);
        let position = Position { token: &file.token, at: *at, end, is_first: !*has_sent };
        let piece = self.reading.take(block, position, bytes).await?;
        *at += piece.len() as u64;
        *has_sent = true;
        Ok(piece)
    }

    /// Notes that a member has fetched a file to its end (FI-6). Only one that began with the first byte has all of it: of another one
    /// nobody here knows what went before.
    pub async fn fetched(&self, member: &Handle, download: &Download) {
        let is_theirs = download.is_from_start
            && matches!(download.file.scope, FileScope::User(_))
            && member.chat().is_recipient(member.id(), &download.announcement);
        if is_theirs {
            let until = unix_now().saturating_add(FETCHED);
            if until >= download.file.until {
                // Whoever fetches it again and again does not make the disk write each time, nor the nodes of a cluster agree.
                return;
            }
            if let Err(error) = self.records.shorten(download.file.token.clone(), until).await {
                tracing::error!(error = &error as &dyn std::error::Error, "a file is kept longer");
            }
        }
    }

    /// Takes a file for the message of a member that announces it, which `key` tells from others (FI-3).
    ///
    /// # Errors
    /// [`Code::FileExpired`] when the file is none that this message may announce; [`Code::NotStored`].
    pub async fn claim(
        &self,
        account: i64,
        record: &Record,
        token: &FileToken,
        key: &str,
    ) -> Result<FileTold, Code> {
        let claim = Claim {
            token: token.as_str().to_owned(),
            account,
            scope: FileScope::of(record),
            source: record.source.clone(),
            recipient: record.recipient().map(std::borrow::Cow::into_owned),
            key: key.to_owned(),
            now: unix_now(),
        };
        let failed = |error: FileStoreError| {
            tracing::error!(error = &error as &dyn std::error::Error, "a file can't be announced");
            Code::NotStored
        };
        // What can't be announced is found out here: to take a file writes to the disk, and in a cluster all nodes have to agree.
        let found = self.records.find(claim.token.clone()).await.map_err(failed)?;
        if !found.is_some_and(|file| file.may_be_claimed(&claim)) {
            return Err(Code::FileExpired);
        }
        let claimed = self.records.claim(claim).await.map_err(failed)?;
        let file = claimed.ok_or(Code::FileExpired)?;
        Ok(FileTold {
            token: token.clone(),
            name: WireText::new(file.name),
            size: file.size,
            sha256: Digest(file.sha256),
            until: Some(file.until),
        })
    }

    /// Gives a file back whose message was refused.
    pub async fn release(&self, token: &FileToken, key: &str) {
        let released = self.records.release(token.as_str().to_owned(), key.to_owned()).await;
        if let Err(error) = released {
            tracing::error!(error = &error as &dyn std::error::Error, "a file is not given back");
        }
    }
}
