//! `files`: uploads, announcing them, and downloads.
#![allow(clippy::disallowed_methods, reason = "a file is sent by a task of its own")]

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use conformance_kit::clock::unix_seconds;
use conformance_suite::fault::Fault;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, watch},
    time::sleep,
};

use super::{
    filed::{CHUNK, File, KEPT, LARGEST},
    state::Refusal,
};
use crate::{
    chat::{Chat, Member},
    faults::Faults,
    outbox::Outbox,
    session::Session,
};

/// How far an upload may go beyond what has come.
const WINDOW: usize = 8 * CHUNK;

/// What a server may take for too long to be a name, and a token.
const LONG: usize = 4096;
const TOKEN: usize = 64;

const GONE: Refusal = Refusal::new("expired", "the file is not there, or not for you");

impl Session {
    /// Serves a request about files.
    pub(crate) async fn file(&mut self, key: &str, value: &Value) -> bool {
        let f = self.shared.faults.clone();
        let read = match key {
            "FILE_PUT" => self.put(value).await,
            "FILE_CHUNK" => self.chunk(value).await,
            "FILE_CREDIT" => self.further(value).await,
            "FILE_STOP" => self.stop(value).await,
            _ => self.get(value).await,
        };
        if read.is_none() && !f.acts(Fault::FileRequestsUnchecked) {
            return self.error("that is no request about files").await;
        }
        true
    }

    async fn put(&mut self, value: &Value) -> Option<()> {
        let f = self.shared.faults.clone();
        let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
        let (id, to, name, sha256) = (text("ID")?, text("TO")?, text("NAME")?, text("SHA256")?);
        let size = number(value, "SIZE")?;
        (sha256.len() == 64).then_some(())?;
        let is_long = name.len().max(to.len()) > LONG;
        if is_long && f.acts(Fault::FileLongNameMalformed) {
            return None;
        }
        let mut chat = self.shared.chat.lock().await;
        let member = chat.member(self.connection)?.clone();
        if size > LARGEST && !f.acts(Fault::FileQuotaUnchecked) {
            let refused = refusal("too-long", "the file is too large");
            let space = json!({"OF": "file", "MOST": LARGEST, "LEFT": LARGEST});
            let refused = if f.acts(Fault::FileQuotaUntold) {
                refused
            } else {
                with(refused, "SPACE", space)
            };
            return answer(&self.outbox, &id, refused);
        }
        if member.account.is_none() && !f.acts(Fault::FileOfGuests) {
            return answer(&self.outbox, &id, refusal("forbidden", "you have no account"));
        }
        if !is_name(&name, &f) {
            return answer(&self.outbox, &id, refusal("bad-name", "that is no name of a file"));
        }
        if chat.transfers(self.connection) >= 2 && !f.acts(Fault::FileTransfersUnbounded) {
            return answer(&self.outbox, &id, refusal("busy", "two at a time"));
        }
        if to != "ALL" && !to.starts_with('#') && chat.apart(&member.name, &to) {
            return answer(&self.outbox, &id, refusal("blocked", "you two are apart"));
        }
        let account = member.account.unwrap_or_default();
        let room = if to.starts_with('#') { chat.rooms.find(&to, &f) } else { None };
        let known = chat.files.all.iter().find(|(_, file)| {
            file.account == account
                && file.to == to
                && file.size == size
                && file.sha256 == sha256
                && file.source.is_none()
        });
        let known =
            known.filter(|(_, file)| file.bytes.is_empty() || !f.acts(Fault::FileUploadForgotten));
        let token = known.map(|(token, _)| token.clone());
        let token =
            token.unwrap_or_else(|| format!("{:022x}", rand::random::<u128>() >> 40 | 1 << 84));
        let file = chat.files.all.entry(token.clone()).or_insert_with(|| File {
            account,
            to,
            name,
            size,
            sha256,
            bytes: Vec::new(),
            done: false,
            room,
            source: None,
        });
        let at = file.bytes.len();
        let credit = size.min(at + WINDOW);
        let told = json!({"FILE": token, "AT": at, "CREDIT": credit});
        answer(&self.outbox, &id, told);
        chat.files.uploads.insert((self.connection, token.clone()), credit);
        chat.complete(self.connection, &token, &self.outbox);
        Some(())
    }

    async fn chunk(&mut self, value: &Value) -> Option<()> {
        let f = self.shared.faults.clone();
        let token = value.get("FILE")?.as_str()?.to_owned();
        let (at, data) = (number(value, "AT")?, value.get("DATA")?.as_str()?);
        let data = STANDARD.decode(data).ok()?;
        let mut chat = self.shared.chat.lock().await;
        let running = (self.connection, token.clone());
        let Some(credit) = chat.files.uploads.get(&running).copied() else { return Some(()) };
        let file = chat.files.all.get_mut(&token)?;
        let is_next = at == file.bytes.len() || f.acts(Fault::FilePlaceUnchecked);
        let is_short = data.len() <= CHUNK || f.acts(Fault::FileChunkUnbounded);
        let is_granted = at.saturating_add(data.len()) <= credit;
        if !(is_next && is_short && is_granted) {
            chat.files.uploads.remove(&running);
            self.outbox.send(&json!({"FILE": {"FILE": token, "CODE": "protocol", "INFO": "no"}}));
            return Some(());
        }
        let is_lost = data.len() < CHUNK && file.size > CHUNK && f.acts(Fault::FileLastPieceLost);
        file.bytes.extend(if is_lost { vec![0; data.len()] } else { data });
        let (place, size) = (file.bytes.len(), file.size);
        if is_lost {
            file.sha256 = hex(&file.bytes);
        }
        if place < size && credit - place.min(credit) <= WINDOW / 2 {
            let upto = size.min(place + WINDOW);
            chat.files.uploads.insert(running, upto);
            self.outbox.send(&json!({"FILE_CREDIT": {"FILE": token, "UPTO": upto}}));
        }
        chat.complete(self.connection, &token, &self.outbox);
        Some(())
    }

    async fn get(&mut self, value: &Value) -> Option<()> {
        let f = self.shared.faults.clone();
        let (id, token) =
            (value.get("ID")?.as_str()?.to_owned(), value.get("FILE")?.as_str()?.to_owned());
        let (at, credit) = (number(value, "AT")?, number(value, "CREDIT")?);
        if token.len() > TOKEN && f.acts(Fault::FileLongTokenMalformed) {
            return None;
        }
        let mut chat = self.shared.chat.lock().await;
        let member = chat.member(self.connection)?.clone();
        let file = match chat.fetched(&member, &token) {
            Ok(file) => file,
            Err(refused) => return answer(&self.outbox, &id, refusal(refused.code, refused.text)),
        };
        if chat.transfers(self.connection) >= 2 && !f.acts(Fault::FileTransfersUnbounded) {
            return answer(&self.outbox, &id, refusal("busy", "two at a time"));
        }
        let told =
            json!({"FILE": token, "AT": at, "SIZE": file.size, "UNTIL": unix_seconds() + KEPT});
        answer(&self.outbox, &id, told);
        let from = if at > 0 && f.acts(Fault::FileGetFromStart) { 0 } else { at };
        let (sender, credit) = watch::channel(Some(credit));
        chat.files.fetches.insert((self.connection, token.clone()), sender);
        let fetch = Fetch {
            file,
            token,
            credit,
            connection: self.connection,
            outbox: self.outbox.clone(),
            chat: Arc::clone(&self.shared.chat),
            faults: f.clone(),
        };
        if f.has(Fault::FileBeforeChat) {
            let _ = f.acts(Fault::FileBeforeChat);
            chat.files.fetches.remove(&(self.connection, fetch.token.clone()));
            drop(chat);
            fetch.send_all(from);
        } else {
            tokio::spawn(fetch.run(from));
        }
        Some(())
    }

    async fn further(&mut self, value: &Value) -> Option<()> {
        let (token, upto) = (value.get("FILE")?.as_str()?.to_owned(), number(value, "UPTO")?);
        let chat = self.shared.chat.lock().await;
        if let Some(credit) = chat.files.fetches.get(&(self.connection, token)) {
            credit.send_modify(|credit| *credit = credit.map(|credit| credit.max(upto)));
        }
        Some(())
    }

    async fn stop(&mut self, value: &Value) -> Option<()> {
        let token = value.get("FILE")?.as_str()?.to_owned();
        if self.shared.faults.acts(Fault::FileStopIgnored) {
            return Some(());
        }
        let mut chat = self.shared.chat.lock().await;
        let account = chat.member(self.connection)?.account.clone();
        let running = (self.connection, token.clone());
        if let Some(credit) = chat.files.fetches.remove(&running) {
            credit.send_replace(None);
            return Some(());
        }
        chat.files.uploads.remove(&running);
        let is_own = |file: &File| Some(&file.account) == account.as_ref() && file.source.is_none();
        if chat.files.all.get(&token).is_some_and(is_own) {
            chat.files.all.remove(&token);
        }
        Some(())
    }
}

impl Chat {
    fn transfers(&self, connection: u64) -> usize {
        let uploads = self.files.uploads.keys().filter(|(one, _)| *one == connection).count();
        uploads + self.files.fetches.keys().filter(|(one, _)| *one == connection).count()
    }

    /// Ends an upload of which all bytes have come.
    fn complete(&mut self, connection: u64, token: &str, outbox: &Outbox) {
        let f = self.faults.clone();
        let Some(file) = self.files.all.get_mut(token) else { return };
        if file.bytes.len() < file.size || file.size == 0 && f.acts(Fault::FileEmptyNeverDone) {
            return;
        }
        self.files.uploads.remove(&(connection, token.to_owned()));
        if hex(&file.bytes) != file.sha256.to_lowercase() && !f.acts(Fault::FileDigestUnchecked) {
            self.files.all.remove(token);
            outbox.send(&json!({"FILE": {"FILE": token, "CODE": "digest", "INFO": "no"}}));
            return;
        }
        file.done = true;
        let until = unix_seconds() + KEPT;
        outbox.send(&json!({"FILE": {"FILE": token, "DONE": true, "UNTIL": until}}));
    }

    /// The end of a connection ends its transfers.
    pub(crate) fn end_transfers(&mut self, connection: u64) {
        self.files.uploads.retain(|(one, _), _| *one != connection);
        self.files.fetches.retain(|(one, _), _| *one != connection);
    }

    /// A room was cleared, and with its messages go their files.
    pub(super) fn forget_files(&mut self, room: u64) {
        let announced = |file: &File| file.room == Some(room) && file.source.is_some();
        if self.files.all.values().any(announced) && !self.faults.acts(Fault::FileOutlivesClear) {
            self.files.all.retain(|_, file| !announced(file));
        }
    }

    /// What META FILE of a message to this DEST tells the others.
    pub(crate) fn announce_file(
        &mut self,
        connection: u64,
        dest: &str,
        asked: &Value,
    ) -> Result<Value, Refusal> {
        let f = self.faults.clone();
        let member = self.member(connection).cloned().ok_or(GONE)?;
        let token = match asked {
            Value::String(token) => token,
            Value::Object(told) if f.acts(Fault::FileMetaOfSender) => {
                return Ok(Value::Object(told.clone()));
            }
            _ => return Err(GONE),
        };
        let file = self.files.all.get_mut(token).ok_or(GONE)?;
        let is_there = file.done || f.acts(Fault::FileAnnouncedEarly);
        let is_own =
            Some(&file.account) == member.account.as_ref() || f.acts(Fault::FileOfOthersAnnounced);
        let is_here = file.to == dest || f.acts(Fault::FileAnnouncedElsewhere);
        let is_first = file.source.is_none() || f.acts(Fault::FileAnnouncedTwice);
        if !(is_there && is_own && is_here && is_first) {
            return Err(GONE);
        }
        file.source = Some(member.name);
        Ok(if f.acts(Fault::FileMetaTokenOnly) { json!(token) } else { file.told(token) })
    }

    /// The file of a token, for who can read its message.
    fn fetched(&self, member: &Member, token: &str) -> Result<File, Refusal> {
        let f = &self.faults;
        let file = self.files.all.get(token).ok_or(GONE)?.clone();
        let source = file.source.clone().ok_or(GONE)?;
        let is_own = member.account.as_ref() == Some(&file.account);
        let may = match file.room {
            Some(number) => {
                let room = self.rooms.get(number);
                let party = member.party();
                room.is_some_and(|room| {
                    room.has(&party)
                        || f.acts(Fault::FileForNonMembers)
                        || room.was_member(&party) && f.acts(Fault::FileForFormerMembers)
                })
            }
            None => file.to == "ALL" || file.to == member.name || is_own,
        };
        if !may && !f.acts(Fault::FileForEverybody) {
            let told = f.acts(Fault::FileOfOthersTold);
            return Err(if told { Refusal::new("expired", "that is not for you") } else { GONE });
        }
        let apart = !is_own && self.apart(&member.name, &source);
        if apart && !f.acts(Fault::FileForBlocked) {
            return Err(GONE);
        }
        Ok(file)
    }
}

/// A download that is under way.
struct Fetch {
    file: File,
    token: String,
    credit: watch::Receiver<Option<usize>>,
    connection: u64,
    outbox: Outbox,
    chat: Arc<Mutex<Chat>>,
    faults: Faults,
}

impl Fetch {
    fn piece(&self, at: usize, end: usize) -> Value {
        let data = STANDARD.encode(self.file.bytes.get(at..end).unwrap_or_default());
        json!({"FILE_CHUNK": {"FILE": self.token, "AT": at, "DATA": data}})
    }

    fn done(&self) {
        self.outbox.send(&json!({"FILE": {"FILE": self.token, "DONE": true}}));
    }

    /// Everything at once.
    fn send_all(&self, from: usize) {
        for at in (from..self.file.bytes.len()).step_by(CHUNK) {
            self.outbox.send(&self.piece(at, self.file.bytes.len().min(at + CHUNK)));
        }
        self.done();
    }

    async fn run(mut self, mut at: usize) {
        let size = self.file.bytes.len();
        while at < size {
            let Ok(granted) = self
                .credit
                .wait_for(|credit| credit.is_none_or(|credit| credit > at))
                .await
                .map(|credit| *credit)
            else {
                return;
            };
            let Some(granted) = granted else { return };
            let end = size.min(at + CHUNK);
            let end =
                if self.faults.acts(Fault::FileCreditExceeded) { end } else { end.min(granted) };
            self.outbox.send(&self.piece(at, end));
            at = end;
            if self.faults.acts(Fault::FileSlowGetterStalls) {
                let chat = self.chat.lock().await;
                while self.outbox.waiting() > 0 {
                    sleep(Duration::from_millis(1)).await;
                }
                drop(chat);
            }
            // One at a time: what the others say goes first.
            while self.outbox.waiting() > 1 {
                sleep(Duration::from_millis(1)).await;
            }
        }
        let mut chat = self.chat.lock().await;
        chat.files.fetches.remove(&(self.connection, self.token.clone()));
        self.done();
    }
}

fn number(value: &Value, key: &str) -> Option<usize> {
    usize::try_from(value.get(key)?.as_u64()?).ok()
}

fn refusal(code: &str, info: &str) -> Value {
    json!({"CODE": code, "INFO": info})
}

/// An object with one key more.
fn with(mut object: Value, key: &str, value: Value) -> Value {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
    object
}

fn answer(outbox: &Outbox, id: &str, told: Value) -> Option<()> {
    outbox.send(&json!({"FILE": with(told, "ID", json!(id))}));
    Some(())
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_name(name: &str, f: &Faults) -> bool {
    if f.acts(Fault::FileNameUnchecked) {
        return true;
    }
    let characters = f.has(Fault::FileNameInCharacters) && name.chars().count() != name.len();
    let length = if characters && f.acts(Fault::FileNameInCharacters) {
        name.chars().count()
    } else {
        name.len()
    };
    let is_bad = |c: char| {
        c.is_control()
            || matches!(c, '/' | '\\' | '\u{200e}' | '\u{200f}')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
    };
    (1..=128).contains(&length) && !name.starts_with('.') && !name.contains(is_bad)
}
