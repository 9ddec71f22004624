//! The transfers of one connection: uploads that come in pieces, and downloads whose pieces are written when nothing else waits
//! (FI-1, FI-2, FI-5).
//!
//! The reader of the connection hands requests over, and goes on with its chat. Of an upload there is in memory what waits in that
//! queue, and of a download the block that was read, of which the writer takes one piece after the other, from the [`Slot`].

#![allow(clippy::disallowed_methods, reason = "the edge: tells transfers the time")]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Event, Identity};
use chatterbox_proto::capability::files::{
    FileAnswer, FileChunk, FileCredit, FileGet, FilePut, FileRequest, file_stop,
};
use chatterbox_proto::{Username, WireText, limits};
use futures_util::FutureExt as _;
use futures_util::future::select_all;
use futures_util::task::AtomicWaker;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::access::Authenticator;
use crate::chat::handle::Handle;
use crate::file_service::{Download, FileRefusal, Files, Upload};

/// Transfers that run for one connection at a time (FI-5).
const AT_ONCE: usize = 2;

/// Requests that wait here; the reader waits for room. Each has one piece at most.
const WAITING: usize = 8;

/// A transfer is given up when its client has not moved it for so long.
const IDLE: Duration = Duration::from_secs(60);

/// So much of an upload has to come in that time: there are few places for uploads, and somebody may send a byte now and then.
const LEAST: u64 = limits::FILE_CHUNK as u64;

/// The time between two looks at that.
const LOOK: Duration = Duration::from_secs(5);

/// A frame of a download that waits for the writer.
#[derive(Debug)]
struct Piece {
    token: String,
    frame: Bytes,
}

/// The next piece for the writer of a connection, if there is one.
#[derive(Debug, Default)]
pub(super) struct Slot {
    piece: Mutex<Option<Piece>>,
    /// Wakes the writer, of which there is one.
    filled: AtomicWaker,
    emptied: Notify,
}

impl Slot {
    /// Takes the piece that is there, or lets the writer be woken by the next one.
    fn poll_take(&self, context: &task::Context<'_>) -> Poll<Bytes> {
        self.filled.register(context.waker());
        let taken = self.piece.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Piece { frame, .. }) = taken else { return Poll::Pending };
        self.emptied.notify_one();
        Poll::Ready(frame)
    }

    fn put(&self, token: String, frame: Bytes) {
        let piece = Piece { token, frame };
        *self.piece.lock().unwrap_or_else(PoisonError::into_inner) = Some(piece);
        self.filled.wake();
    }

    /// Drops a piece of this file that was not taken yet. What is told of a later fetch of it overtakes the slot, so the piece would
    /// stand behind that, as one of the later fetch.
    fn discard(&self, token: &str) {
        let mut piece = self.piece.lock().unwrap_or_else(PoisonError::into_inner);
        if piece.as_ref().is_some_and(|piece| piece.token == token) {
            *piece = None;
            self.emptied.notify_one();
        }
    }

    async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.piece.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
                return;
            }
            emptied.await;
        }
    }
}

/// A transfer, and when its client has moved it last.
#[derive(Debug)]
struct Running<T> {
    of: T,
    moved: Instant,
}

impl<T> Running<T> {
    fn new(of: T) -> Self {
        Self { of, moved: Instant::now() }
    }
}

/// The transfers of one connection.
#[derive(Debug)]
pub(super) struct Transfers {
    files: Arc<Files>,
    accounts: Arc<dyn Authenticator>,
    member: Handle,
    /// Where the connection comes from.
    peer: IpAddr,
    inbox: mpsc::Receiver<Box<FileRequest>>,
    slot: Arc<Slot>,
    uploads: Vec<Running<Upload>>,
    /// The first one is next to send a piece.
    downloads: VecDeque<Running<Download>>,
    /// When they are looked at next.
    next_look: Instant,
}

impl Transfers {
    /// The transfers of a member, and what its reader hands requests over with.
    pub(super) fn new(
        files: Arc<Files>,
        accounts: Arc<dyn Authenticator>,
        member: Handle,
        peer: IpAddr,
    ) -> (Self, mpsc::Sender<Box<FileRequest>>) {
        let (sender, inbox) = mpsc::channel(WAITING);
        let transfers = Self {
            files,
            accounts,
            member,
            peer,
            inbox,
            slot: Arc::default(),
            uploads: Vec::new(),
            downloads: VecDeque::new(),
            next_look: Instant::now(),
        };
        (transfers, sender)
    }

    /// From where the writer takes pieces.
    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    /// Serves requests, and prepares pieces; never returns. Dropped, nothing of an upload is lost that was written.
    pub(super) async fn run(&mut self) {
        loop {
            let can_send = self.next_download().is_some();
            let runs = !self.uploads.is_empty() || !self.downloads.is_empty();
            tokio::select! {
                request = self.inbox.recv() => match request {
                    Some(request) => self.request(*request).await,
                    // The reader has ended, and with it the connection.
                    None => return std::future::pending().await,
                },
                () = self.slot.empty(), if can_send => self.send_piece().await,
                () = taken_over(&self.uploads), if !self.uploads.is_empty() => self.look().await,
                () = tokio::time::sleep_until(self.next_look), if runs => self.look().await,
            }
        }
    }

    async fn request(&mut self, request: FileRequest) {
        match request {
            FileRequest::Chunk(chunk) => self.chunk(chunk).await,
            FileRequest::Credit(credit) => self.credit(&credit),
            FileRequest::Stop(token) => self.stop(&token).await,
            FileRequest::Put(put) => self.put(&put).await,
            FileRequest::Get(get) => self.get(&get).await,
        }
    }

    fn is_busy(&self) -> bool {
        self.uploads.len() + self.downloads.len() >= AT_ONCE
    }

    async fn put(&mut self, put: &FilePut) {
        let begun = if self.is_busy() {
            Err(busy())
        } else {
            let (accounts, member) = (Arc::clone(&self.accounts), self.member.id());
            let mailbox = move |who: Identity, name: Username| {
                async move { accounts.mailbox(member, &who, name).await }.boxed()
            };
            let Self { files, member, uploads, peer, .. } = self;
            // The same upload may run on this connection. It goes on with this answer, from the place that it has reached.
            let let_go = |token: &str| uploads.retain(|running| running.of.file.token != token);
            files.put(member, mailbox, let_go, put, *peer).await
        };
        match begun {
            Err(refusal) => self.refuse(&put.id, &refusal).await,
            Ok(upload) => {
                let answer = FileAnswer {
                    id: wire(&put.id),
                    file: wire(&upload.file.token),
                    at: Some(upload.at),
                    credit: Some(upload.credit),
                    ..FileAnswer::default()
                };
                self.tell(&answer).await;
                if upload.is_whole() {
                    return self.complete(upload).await;
                }
                self.uploads.push(Running::new(upload));
            }
        }
    }

    async fn chunk(&mut self, chunk: FileChunk) {
        let place = self.uploads.iter().position(|upload| upload.of.file.token == chunk.file);
        let Some(Running { of: mut upload, moved }) =
            place.map(|place| self.uploads.swap_remove(place))
        else {
            // Pieces of an upload that was ended may still be on their way.
            return;
        };
        if upload.is_taken_over() {
            return self.end(&chunk.file).await;
        }
        let Some(data) = fitting(&upload, &chunk) else {
            let info = "a chunk has to begin where the one before has ended, has at most 16 KiB in \
                        base64, and goes not past the credit";
            return self.fail(&chunk.file, &FileRefusal::protocol(info)).await;
        };
        if let Err(refusal) = self.files.add(&mut upload, data).await {
            return self.fail(&chunk.file, &refusal).await;
        }
        if upload.is_whole() {
            return self.complete(upload).await;
        }
        if let Some(upto) = upload.extend() {
            let credit = FileCredit { file: chunk.file, upto };
            self.member.tell_when_read(Event::own(credit.to_object())).await;
        }
        let moved = if upload.has_come(LEAST) { Instant::now() } else { moved };
        self.uploads.push(Running { of: upload, moved });
    }

    async fn complete(&mut self, mut upload: Upload) {
        match self.files.complete(&mut upload).await {
            Ok(until) => {
                let answer = FileAnswer {
                    file: wire(&upload.file.token),
                    is_done: true,
                    until: Some(until),
                    ..FileAnswer::default()
                };
                self.tell(&answer).await;
            }
            Err(refusal) => self.fail(&upload.file.token, &refusal).await,
        }
    }

    async fn get(&mut self, get: &FileGet) {
        let is_running = self.downloads.iter().any(|running| running.of.file.token == get.file);
        let begun = if self.is_busy() || is_running {
            Err(busy())
        } else {
            self.files.get(&self.member, get).await
        };
        match begun {
            Err(refusal) => self.refuse(&get.id, &refusal).await,
            Ok(download) => {
                let answer = FileAnswer {
                    id: wire(&get.id),
                    file: wire(&download.file.token),
                    at: Some(download.at),
                    size: Some(download.file.size),
                    until: Some(download.file.until),
                    ..FileAnswer::default()
                };
                // Before the first piece can be in the slot.
                self.tell(&answer).await;
                self.downloads.push_back(Running::new(download));
            }
        }
    }

    fn credit(&mut self, credit: &FileCredit) {
        let place = self.downloads.iter().position(|running| running.of.file.token == credit.file);
        let Some(running) = place.and_then(|place| self.downloads.get_mut(place)) else { return };
        if credit.upto > running.of.credit {
            running.of.credit = credit.upto;
            running.moved = Instant::now();
        }
    }

    async fn stop(&mut self, token: &str) {
        self.slot.discard(token);
        let downloads = self.downloads.len();
        self.downloads.retain(|running| running.of.file.token != token);
        if self.downloads.len() < downloads {
            return;
        }
        // Its bytes are let go of before they are removed.
        self.uploads.retain(|running| running.of.file.token != token);
        self.files.give_up(&self.member, token).await;
    }

    /// The place of the download that is next to send something.
    fn next_download(&self) -> Option<usize> {
        self.downloads.iter().position(
            |Running { of: Download { at, credit, file, .. }, .. }| *at >= file.size || at < credit,
        )
    }

    /// Puts the next piece into the slot, or the end of a download.
    async fn send_piece(&mut self) {
        let Some(Running { of: mut download, moved }) =
            self.next_download().and_then(|place| self.downloads.remove(place))
        else {
            return;
        };
        let token = download.file.token.clone();
        let left = download.file.size.saturating_sub(download.at);
        if left == 0 {
            let answer = FileAnswer { file: wire(&token), is_done: true, ..FileAnswer::default() };
            if let Ok(frame) = answer.to_object().finish() {
                self.slot.put(token, frame);
            }
            return self.files.fetched(&self.member, &download).await;
        }
        if let Err(refusal) = self.files.ask_again(&self.member, &mut download).await {
            return self.fail(&token, &refusal).await;
        }
        let granted = download.credit.saturating_sub(download.at).min(left);
        let bytes = usize::try_from(granted).unwrap_or(limits::FILE_CHUNK).min(limits::FILE_CHUNK);
        let at = download.at;
        match self.files.take(&mut download, bytes).await {
            Err(refusal) => self.fail(&token, &refusal).await,
            Ok(piece) => {
                // A piece has a bounded size, so it always fits a frame.
                if let Ok(frame) = FileChunk::frame(&token, at, &piece) {
                    self.slot.put(token, frame);
                }
                // The others first.
                let moved = if download.at < download.credit { Instant::now() } else { moved };
                self.downloads.push_back(Running { of: download, moved });
            }
        }
    }

    /// Gives up what nobody has moved for a while, and what goes on elsewhere.
    async fn look(&mut self) {
        self.next_look = Instant::now() + LOOK;
        let is_idle = |moved: &Instant| moved.elapsed() >= IDLE;
        let mut ended = Vec::new();
        self.uploads.retain(|Running { of: upload, moved }| {
            let reason = match (upload.is_taken_over(), is_idle(moved)) {
                (true, _) => None,
                (false, true) => Some(FileRefusal::idle()),
                (false, false) => return true,
            };
            ended.push((upload.file.token.clone(), reason));
            false
        });
        self.downloads.retain_mut(|Running { of: download, moved }| {
            if moved.elapsed() >= LOOK {
                download.let_go();
            }
            let waits = download.at < download.file.size && download.at >= download.credit;
            let is_over = waits && is_idle(moved);
            if is_over {
                ended.push((download.file.token.clone(), Some(FileRefusal::idle())));
            }
            !is_over
        });
        for (token, reason) in ended {
            // Its last piece would come behind the answer to whoever fetches the same again.
            self.slot.discard(&token);
            match reason {
                Some(refusal) => self.fail(&token, &refusal).await,
                None => self.end(&token).await,
            }
        }
    }

    /// Says that a transfer has ended for another reason than that all was sent.
    async fn fail(&self, token: &str, refusal: &FileRefusal) {
        self.tell(&FileAnswer { file: wire(token), ..refusal.told() }).await;
    }

    /// Says that the server gives up a transfer, which goes on with another connection.
    async fn end(&self, token: &str) {
        self.member.tell_when_read(Event::own(file_stop(token))).await;
    }

    async fn refuse(&self, id: &str, refusal: &FileRefusal) {
        self.tell(&FileAnswer { id: wire(id), ..refusal.told() }).await;
    }

    async fn tell(&self, answer: &FileAnswer) {
        self.member.tell_when_read(Event::own(answer.to_object())).await;
    }
}

/// Waits until another connection goes on with one of some uploads, of which there is one at least.
async fn taken_over(uploads: &[Running<Upload>]) {
    select_all(uploads.iter().map(|upload| Box::pin(upload.of.taken_over()))).await;
}

/// The bytes of a piece that fits an upload (FI-2).
fn fitting(upload: &Upload, chunk: &FileChunk) -> Option<Vec<u8>> {
    let data = chunk.data.as_ref()?;
    let end = chunk.at.checked_add(data.len() as u64)?;
    let fits = chunk.at == upload.at && end <= upload.credit && !data.is_empty();
    fits.then(|| data.clone())
}

fn busy() -> FileRefusal {
    FileRefusal::busy("two transfers run for this connection already")
}

fn wire(text: &str) -> Option<WireText<'static>> {
    Some(WireText::new(text.to_owned()))
}

/// The next piece of a connection that may have transfers.
pub(super) fn next_piece(slot: Option<&Slot>) -> impl Future<Output = Bytes> {
    poll_fn(move |context| slot.map_or(Poll::Pending, |slot| slot.poll_take(context)))
}
