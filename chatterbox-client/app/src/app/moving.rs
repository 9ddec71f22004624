//! Transfers: what the server says of them, what is done on this machine, and how far they are.

use std::time::Duration;

use chatterbox_proto::capability::files::{FileAnswer, FileChunk, FileCredit, file_stop};
use chatterbox_proto::{ScreenText, WireText};

use super::App;
use crate::effect::Effect;
use crate::files::{FileNews, FileWork, Kind, TransferState, TransferTold, in_words};
use crate::output::Output;
use crate::plain_words::plain;

/// Words of a server have so many characters in a sentence.
const WORDS: usize = 200;

impl App {
    /// The next thing to do at files of this machine; what comes of it goes to [`App::file_news`] before anything else is asked for.
    /// `idle` says that nothing waits for the connection: only then a piece of a file is read for it, so the chat goes first (FI-5).
    pub fn file_work(&mut self, idle: bool) -> Option<FileWork> {
        let idle = idle && self.session.has_files();
        self.transfers.work(idle, self.session.file_chunk(), self.session.largest_file())
    }

    /// Takes what came of it.
    pub fn file_news(&mut self, news: FileNews, now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        match news {
            FileNews::Opened { id, name, size, sha256 } => {
                if let Some(Kind::Up(upload)) = self.kind_of(id) {
                    upload.opened(&name, size, sha256);
                    self.show_transfer(id, &mut effects);
                }
            }
            FileNews::Read { id, at, data } => {
                if let Some(Kind::Up(upload)) = self.kind_of(id) {
                    match upload.read(at, &data) {
                        Ok(frame) => effects.extend(frame.map(Effect::Send)),
                        Err(fault) => {
                            effects.extend(self.stop_transfer(id));
                            effects.extend(self.transfer_failed(id, &fault.words()));
                        }
                    }
                }
            }
            FileNews::Created { id } => {
                if let Some(Kind::Down(download)) = self.kind_of(id) {
                    download.created();
                    self.show_transfer(id, &mut effects);
                }
            }
            FileNews::Written { id, bytes } => {
                if let Some(Kind::Down(download)) = self.kind_of(id) {
                    effects.extend(download.written(bytes).map(Effect::Send));
                }
            }
            FileNews::Finished { id, path } => {
                if let Some(transfer) = self.transfers.end(id) {
                    let path = Some(ScreenText::new(&path));
                    let told = transfer.told_as(TransferState::Done { path });
                    effects.push(Effect::Show(Output::Transfer(told)));
                }
            }
            FileNews::Failed { id, why } => {
                effects.extend(self.stop_transfer(id));
                effects.extend(self.transfer_failed(id, &why.words()));
            }
        }
        self.start_transfers(now, &mut effects);
        effects
    }

    /// The transfers that are under way or wait.
    pub fn transfers(&self) -> Vec<TransferTold> {
        self.transfers.iter().map(|transfer| transfer.told()).collect()
    }

    /// Whether files are on their way.
    pub fn has_transfers(&self) -> bool {
        !self.transfers.is_empty()
    }

    /// How many bytes of all that is on its way have moved; `None` where nothing is.
    pub fn moved(&self) -> Option<u64> {
        let all = || self.transfers.iter();
        all().next()?;
        Some(all().fold(0, |sum, transfer| sum.saturating_add(transfer.done())))
    }

    /// Notes how far the transfers are, by a monotonic clock, so that it is known how fast they go. Programs are told.
    pub fn progress(&mut self, elapsed: Duration, now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for transfer in self.transfers.running() {
            if transfer.sample(elapsed) && transfer.is_moving() && self.json {
                effects.push(Effect::Show(Output::Transfer(transfer.told())));
            }
        }
        self.start_transfers(now, &mut effects);
        effects
    }

    fn kind_of(&mut self, id: u64) -> Option<&mut Kind> {
        self.transfers.find(id).map(|transfer| &mut transfer.kind)
    }

    /// Programs are told that a transfer has begun.
    fn show_transfer(&mut self, id: u64, effects: &mut Vec<Effect>) {
        if let Some(transfer) = self.transfers.find(id).filter(|_| self.json) {
            effects.push(Effect::Show(Output::Transfer(transfer.told())));
        }
    }

    /// Asks the server for the transfers whose turn it is.
    pub(super) fn start_transfers(&mut self, now: i64, effects: &mut Vec<Effect>) {
        if !self.session.has_files() {
            return;
        }
        for transfer in self.transfers.running() {
            effects.extend(transfer.ask(now).map(Effect::Send));
        }
    }

    /// There is a connection again.
    pub(super) fn resume_transfers(&mut self, now: i64, effects: &mut Vec<Effect>) {
        if self.session.has_files() {
            return self.start_transfers(now, effects);
        }
        let all: Vec<_> = self.transfers.iter().map(|transfer| transfer.id).collect();
        for id in all {
            effects.extend(self.transfer_failed(id, "the server keeps no files any more"));
        }
    }

    /// Tells the server that a transfer is given up, where it knows of it.
    pub(super) fn stop_transfer(&mut self, id: u64) -> Vec<Effect> {
        let connected = self.session.has_files();
        let transfer = self.transfers.find(id).filter(|one| connected && one.is_known());
        let token = transfer.and_then(|transfer| transfer.token());
        let frame = token.and_then(|token| file_stop(token.as_str()).finish().ok());
        frame.into_iter().map(Effect::Send).collect()
    }

    /// A transfer has failed, for this reason.
    pub(super) fn transfer_failed(&mut self, id: u64, why: &str) -> Option<Effect> {
        let told = self.transfers.fail(id, why)?;
        self.failures += 1;
        Some(Effect::Show(Output::Transfer(told)))
    }

    /// The server says something of a file (FI-1 to FI-4).
    pub(super) fn file_answered(
        &mut self,
        answer: &FileAnswer,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        let transfer = match (&answer.id, &answer.file) {
            (Some(request), _) => self.transfers.of_request(request.as_wire()),
            (None, Some(token)) => self.transfers.of_file(token.as_wire()),
            (None, None) => None,
        };
        // It was given up meanwhile.
        let Some(transfer) = transfer else { return };
        let id = transfer.id;
        if let Some(code) = &answer.code {
            if code.as_wire() == "busy" && transfer.is_put_off(now) {
                return;
            }
            let why = refusal(answer, code);
            effects.extend(self.transfer_failed(id, &why));
            return self.start_transfers(now, effects);
        }
        let outcome = match (&mut transfer.kind, answer.is_done) {
            (Kind::Up(upload), false) => upload.answered(answer),
            (Kind::Down(download), false) => download.answered(answer),
            (Kind::Down(download), true) => download.all_sent(),
            (Kind::Up(upload), true) => match upload.there(answer.until) {
                Ok(announced) => {
                    if let Some(transfer) = self.transfers.end(id) {
                        let told = transfer.told_as(TransferState::Done { path: None });
                        effects.push(Effect::Show(Output::Transfer(told)));
                    }
                    effects.extend(self.announce(announced, now));
                    return self.start_transfers(now, effects);
                }
                Err(why) => Err(why),
            },
        };
        if let Err(why) = outcome {
            self.give_up(id, why, now, effects);
        }
    }

    /// The next bytes of a file that is fetched (FI-2).
    pub(super) fn file_chunk(&mut self, chunk: FileChunk, now: i64, effects: &mut Vec<Effect>) {
        let Some(transfer) = self.transfers.of_file(&chunk.file) else { return };
        let id = transfer.id;
        if let Kind::Down(download) = &mut transfer.kind
            && let Err(why) = download.chunk(chunk)
        {
            self.give_up(id, why, now, effects);
        }
    }

    /// The server takes more of an upload (FI-2).
    pub(super) fn file_credited(&mut self, credit: &FileCredit) {
        if let Some(transfer) = self.transfers.of_file(&credit.file)
            && let Kind::Up(upload) = &mut transfer.kind
        {
            upload.credited(credit.upto);
        }
    }

    /// The server gives up a transfer (FI-2).
    pub(super) fn file_stopped(&mut self, token: &str, now: i64, effects: &mut Vec<Effect>) {
        if let Some(id) = self.transfers.of_file(token).map(|transfer| transfer.id) {
            effects.extend(self.transfer_failed(id, "the server has given it up"));
            self.start_transfers(now, effects);
        }
    }

    fn give_up(&mut self, id: u64, why: &str, now: i64, effects: &mut Vec<Effect>) {
        effects.extend(self.stop_transfer(id));
        effects.extend(self.transfer_failed(id, why));
        self.start_transfers(now, effects);
    }
}

/// Why the server does not do it, with its numbers where it names some.
fn refusal(answer: &FileAnswer, code: &WireText<'_>) -> String {
    let words = match (&answer.info, code.as_wire()) {
        (Some(info), _) => plain(info.as_wire()).into_owned(),
        (None, "expired") => "it is not there any more, or not for you".to_owned(),
        (None, "digest") => "what arrived at the server is not what was sent".to_owned(),
        (None, "no-space" | "too-long") => "there is no space for it".to_owned(),
        (None, code) => format!("the server refuses it ({code})"),
    };
    let mut words = ScreenText::shortened(words.trim_end_matches('.'), WORDS).to_string();
    if let Some(space) = &answer.space {
        words.push_str(&format!(" ({} left of {})", in_words(space.left), in_words(space.most)));
    }
    if let Some(wait) = answer.wait {
        words.push_str(&format!("; in {wait} s it may be tried again"));
    }
    words
}
