//! A transfer: one file on its way, in either direction.

use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::meta::FileToken;

use super::download::Download;
use super::name::SafeName;
use super::rate::Rate;
use super::told::{TransferState, TransferTold};
use super::upload::Upload;
use super::work::FileWork;

/// A server that is busy is asked again so often, each time after so many seconds.
const TRIES: u32 = 10;
const AGAIN: i64 = 3;

/// A file on its way.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) id: u64,
    pub(crate) kind: Kind,
    rate: Rate,
    /// How often the server was asked.
    asked: u32,
    /// How often it was busy.
    busy: u32,
    /// It is not asked before this time.
    not_before: i64,
    /// How far it was when that was told last.
    told: Option<u64>,
}

/// The direction.
#[derive(Debug)]
pub(crate) enum Kind {
    Up(Upload),
    Down(Download),
}

impl Transfer {
    pub(crate) fn new(id: u64, kind: Kind) -> Self {
        Self { id, kind, rate: Rate::default(), asked: 0, busy: 0, not_before: 0, told: None }
    }

    /// The id of what was asked last; an answer with another one is late.
    pub(crate) fn request(&self) -> String {
        format!("f{}.{}", self.id, self.asked)
    }

    /// Asks the server for it, if it is time; there is a connection.
    pub(crate) fn ask(&mut self, now: i64) -> Option<Bytes> {
        if now < self.not_before {
            return None;
        }
        self.asked += 1;
        let id = self.request();
        let frame = match &mut self.kind {
            Kind::Up(upload) => upload.ask(&id),
            Kind::Down(download) => download.ask(&id),
        };
        if frame.is_none() {
            self.asked -= 1;
        }
        frame
    }

    /// The server is busy. Says whether it is asked again.
    pub(crate) fn is_put_off(&mut self, now: i64) -> bool {
        self.busy += 1;
        self.not_before = now.saturating_add(AGAIN);
        match &mut self.kind {
            Kind::Up(upload) => upload.wait(),
            Kind::Down(download) => download.wait(),
        }
        self.busy < TRIES
    }

    /// The connection is lost.
    pub(crate) fn lost(&mut self) {
        self.rate.forget();
        self.not_before = 0;
        self.busy = 0;
        match &mut self.kind {
            Kind::Up(upload) => upload.lost(),
            Kind::Down(download) => download.lost(),
        }
    }

    /// The next thing to do on this machine.
    pub(crate) fn work(&mut self, idle: bool, chunk: usize, most: Option<u64>) -> Option<FileWork> {
        match &mut self.kind {
            Kind::Up(upload) => upload.work(self.id, idle, chunk, most),
            Kind::Down(download) => download.work(self.id),
        }
    }

    /// The token of its file, as far as that is known.
    pub(crate) fn token(&self) -> Option<&FileToken> {
        match &self.kind {
            Kind::Up(upload) => upload.token(),
            Kind::Down(download) => Some(&download.file.token),
        }
    }

    /// Whether the server knows of it on this connection.
    pub(crate) fn is_known(&self) -> bool {
        match &self.kind {
            Kind::Up(upload) => upload.token().is_some(),
            Kind::Down(download) => download.is_known(),
        }
    }

    pub(crate) fn name(&self) -> SafeName {
        match &self.kind {
            Kind::Up(upload) => upload.name(),
            Kind::Down(download) => download.name(),
        }
    }

    pub(crate) fn done(&self) -> u64 {
        match &self.kind {
            Kind::Up(upload) => upload.done(),
            Kind::Down(download) => download.done(),
        }
    }

    pub(crate) fn is_moving(&self) -> bool {
        match &self.kind {
            Kind::Up(upload) => upload.is_moving(),
            Kind::Down(download) => download.is_moving(),
        }
    }

    /// Notes how far it is, by a monotonic clock. Says whether that is news.
    pub(crate) fn sample(&mut self, elapsed: Duration) -> bool {
        let done = self.done();
        if self.is_moving() {
            self.rate.sample(elapsed, done);
        }
        self.told.replace(done) != Some(done)
    }

    /// How it is.
    pub(crate) fn told(&self) -> TransferTold {
        self.told_as(if self.is_moving() {
            TransferState::Moving { rate: self.rate.per_second() }
        } else {
            TransferState::Waiting
        })
    }

    /// The same with another state.
    pub(crate) fn told_as(&self, state: TransferState) -> TransferTold {
        let (sends, size) = match &self.kind {
            Kind::Up(upload) => (true, upload.size()),
            Kind::Down(download) => (false, Some(download.file.size)),
        };
        let name = ScreenText::new(self.name().as_str());
        TransferTold { id: self.id, name, sends, size, done: self.done(), state }
    }
}
