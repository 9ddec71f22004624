//! The thread that owns the database: it keeps messages, reads them, and removes old ones.

use std::path::PathBuf;

use chatterbox_hub::{
    Durable, Filing, Party, Record, RecordMeta, RoomNumber, RoomRecord, Sender, Sequence,
};
use chatterbox_proto::session::Destination;
use rusqlite::{CachedStatement, Transaction, params};
use tokio::sync::{mpsc, oneshot};

use crate::store::followed::Followed;
use crate::store::message_store::{StoreError, not_kept_before, other_cluster};
use crate::store::page::{Page, PageQuery};
use crate::store::sqlite::database::Opened;
use crate::store::sqlite::error::OpenError;
use crate::store::sqlite::numbers::{self, newest};
use crate::store::sqlite::refusal::refused;
use crate::store::sqlite::removed::Removed;
use crate::store::sqlite::retention::Retention;
use crate::store::sqlite::row::{COLUMNS, Records};
use crate::store::sqlite::store_time::{OrderTime, StoreTime};
use crate::store::sqlite::stored::Stored;
use crate::store::sqlite::{files, followed, pages, rooms, sealed};

/// A request to the thread.
pub(super) enum Job {
    /// Keep these records.
    Keep { records: Vec<(Sequence, Record)>, reply: oneshot::Sender<Result<(), StoreError>> },
    /// Keep what has changed of rooms.
    KeepRooms {
        number: Sequence,
        records: Vec<RoomRecord>,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    /// Give all that is so of rooms.
    Rooms { reply: oneshot::Sender<Result<Vec<RoomRecord>, StoreError>> },
    /// Give the newest message of each room.
    NewestOfRooms { reply: oneshot::Sender<Result<Vec<(RoomNumber, Sequence)>, StoreError>> },
    /// Give the greatest number that was ever kept.
    Newest { reply: oneshot::Sender<Result<Sequence, StoreError>> },
    /// Read records from a number on.
    Read {
        from: Sequence,
        limit: usize,
        reply: oneshot::Sender<Result<Vec<(Sequence, Record)>, StoreError>>,
    },
    /// Read a page of one conversation.
    Page { query: PageQuery, reply: oneshot::Sender<Result<Page, StoreError>> },
    /// Delete the private messages to an account, and what rooms have of it.
    ForgetAccount { account: i64 },
    /// Drop encrypted texts that nobody is told any more, and those of messages from before this.
    ForgetSealed { before: i64 },
    /// Belong to a cluster.
    Enter { cluster: String, reply: oneshot::Sender<Result<Followed, StoreError>> },
    /// Keep what follows from the order of the cluster up to a place.
    Follow { to: Followed, durable: Vec<Durable>, reply: oneshot::Sender<Result<(), StoreError>> },
}

/// The most messages that one step of cleaning removes, so that groups wait for milliseconds at most.
const STEP: usize = 1000;

/// A read ends with the message that makes it longer than this.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// The pages that one step of cleaning gives back to the file system.
const FREED_PAGES: u32 = 256;

/// The statements that stay prepared: a few more than there are.
const STATEMENTS: usize = 64;

/// The seconds between two checks of the age of messages.
const AGE_EVERY: i64 = 60;

const INSERT: &str = "INSERT INTO messages
    (sequence, arrived, source, recipient, json, conversation, mailbox, sender, origin, room, meta, sealed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

pub(super) struct Writer {
    opened: Opened,
    retention: Retention,
    stored: Stored,
    /// When it was checked, in seconds since 1970 UTC.
    age_looked_at: i64,
    /// Behind this message the encrypted texts are looked at next.
    sealed_behind: i64,
    time: StoreTime,
}

impl Writer {
    pub(super) fn new(mut opened: Opened, retention: Retention) -> Result<Self, OpenError> {
        opened.connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let mut load = || {
            let transaction = opened.writing()?;
            rooms::forget_accounts(&transaction)?;
            transaction.commit()?;
            let stored = Stored::load(&opened.connection, retention.keep())?;
            Ok((stored, followed::of(&opened.connection)?.is_some()))
        };
        let (stored, is_of_cluster) =
            load().map_err(|error| OpenError::database(&opened.path, error))?;
        let mut time = StoreTime::default();
        if is_of_cluster {
            time.enters_cluster();
        }
        Ok(Self { opened, retention, stored, age_looked_at: 0, sealed_behind: 0, time })
    }

    /// Where the time is told by the order of a cluster, if it belongs to one.
    pub(super) fn order_time(&self) -> OrderTime {
        self.time.order()
    }

    /// Works until no more jobs can come.
    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Job>) {
        loop {
            // Jobs have priority; old messages are removed when none is waiting.
            let job = match inbox.try_recv() {
                Ok(job) => Some(job),
                Err(_) if self.clean() => continue,
                Err(_) => inbox.blocking_recv(),
            };
            match job {
                None => break,
                // A caller that has given up does not need the answer.
                Some(Job::Keep { records, reply }) => drop(reply.send(self.keep(&records))),
                Some(Job::Newest { reply }) => {
                    drop(reply.send(newest(&self.opened.connection).map_err(refused)));
                }
                Some(Job::Read { from, limit, reply }) => drop(reply.send(self.read(from, limit))),
                Some(Job::ForgetAccount { account }) => self.forget_account(account),
                Some(Job::ForgetSealed { before }) => self.forget_sealed(before),
                Some(Job::Page { query, reply }) => {
                    let page = pages::page(&self.opened.connection, &self.stored, &query);
                    drop(reply.send(page.map_err(refused)));
                }
                Some(Job::KeepRooms { number, records, reply }) => {
                    drop(reply.send(self.keep_rooms(number, &records)));
                }
                Some(Job::Enter { cluster, reply }) => drop(reply.send(self.enter(&cluster))),
                Some(Job::Follow { to, durable, reply }) => {
                    drop(reply.send(self.follow(to, &durable)));
                }
                Some(Job::NewestOfRooms { reply }) => {
                    let newest = rooms::newest(&self.opened.connection).map_err(refused);
                    drop(reply.send(newest));
                }
                Some(Job::Rooms { reply }) => {
                    let found = rooms::records(&self.opened.connection, self.time.now());
                    drop(reply.send(found.map_err(refused)));
                }
            }
        }
        // The next start finds one file, with nothing to recover.
        let checkpoint = self.opened.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        if let Err(error) = checkpoint {
            tracing::debug!(%error, "checkpoint at the end");
        }
    }

    fn keep(&mut self, records: &[(Sequence, Record)]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let transaction = self.opened.writing().map_err(refused)?;
        let kept_before = newest(&transaction).map_err(refused)?;
        let mut insert = transaction.prepare_cached(INSERT).map_err(refused)?;
        let mut only_numbers = None;
        for (id, record) in not_kept_before(kept_before, records) {
            if self.stored.keeps(record) {
                put(&mut insert, *id, record)?;
            } else {
                only_numbers = Some(*id);
            }
            if let Some(token) = record.file() {
                // In a cluster the command of the message does it.
                files::announced(&transaction, token, *id).map_err(refused)?;
            }
        }
        drop(insert);
        if let Some(id) = only_numbers {
            use_number(&transaction, id)?;
        }
        transaction.commit().map_err(refused)?;
        for (id, record) in not_kept_before(kept_before, records) {
            self.stored.add(*id, record);
        }
        Ok(())
    }

    fn keep_rooms(&mut self, number: Sequence, records: &[RoomRecord]) -> Result<(), StoreError> {
        let transaction = self.opened.writing().map_err(refused)?;
        if number <= newest(&transaction).map_err(refused)? {
            return Ok(());
        }
        let now = self.time.now();
        for record in records {
            rooms::apply(&transaction, record, now).map_err(refused)?;
        }
        use_number(&transaction, number)?;
        transaction.commit().map_err(refused)?;
        records.iter().for_each(|record| self.stored.apply(record));
        Ok(())
    }

    fn enter(&mut self, cluster: &str) -> Result<Followed, StoreError> {
        let transaction = self.opened.writing().map_err(refused)?;
        match followed::of(&transaction).map_err(refused)? {
            Some((name, followed)) if name == cluster => return Ok(followed),
            Some((name, _)) => return Err(other_cluster(cluster, Some(&name))),
            None => {}
        }
        if newest(&transaction).map_err(refused)? > 0 {
            return Err(other_cluster(cluster, None));
        }
        followed::enter(&transaction, cluster).map_err(refused)?;
        transaction.commit().map_err(refused)?;
        self.time.enters_cluster();
        // It was looked at by the clock of this machine before, which may be ahead by years.
        self.age_looked_at = 0;
        Ok(Followed::default())
    }

    /// What is said in a room is written down as the room wants it then, so a transaction ends with what has changed of rooms. Numbers
    /// tell what was kept before, until the last one notes the place.
    fn follow(&mut self, to: Followed, durable: &[Durable]) -> Result<(), StoreError> {
        let before = followed::of(&self.opened.connection).map_err(refused)?;
        let (_, before) = before.ok_or_else(|| StoreError::Failed("of no cluster".into()))?;
        if to.place <= before.place {
            return Ok(());
        }
        let ends = |durable: &Durable| matches!(durable, Durable::Rooms(..) | Durable::Begin(_));
        let mut runs = durable.split_inclusive(ends).peekable();
        loop {
            let run = runs.next().unwrap_or_default();
            let is_last = runs.peek().is_none();
            self.follow_run(run, is_last.then_some(to))?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn follow_run(&mut self, run: &[Durable], to: Option<Followed>) -> Result<(), StoreError> {
        let transaction = self.opened.writing().map_err(refused)?;
        let kept_before = newest(&transaction).map_err(refused)?;
        let is_new = |durable: &&Durable| durable.is_new(kept_before);
        let mut insert = transaction.prepare_cached(INSERT).map_err(refused)?;
        let mut only_numbers = None;
        for durable in run.iter().filter(is_new) {
            match durable {
                Durable::Message(id, record) if self.stored.keeps(record) => {
                    put(&mut insert, *id, record)?;
                }
                Durable::Message(id, _) => only_numbers = Some(*id),
                Durable::Rooms(_, records) | Durable::Begin(records) => {
                    let now = self.time.now();
                    for record in records {
                        rooms::apply(&transaction, record, now).map_err(refused)?;
                    }
                    only_numbers = durable.number().or(only_numbers);
                }
                Durable::AccountRemoved(account) => {
                    rooms::forget_account(&transaction, *account).map_err(refused)?;
                }
            }
        }
        drop(insert);
        if let Some(number) = only_numbers {
            use_number(&transaction, number)?;
        }
        if let Some(to) = to {
            followed::note(&transaction, to).map_err(refused)?;
        }
        transaction.commit().map_err(refused)?;
        for durable in run.iter().filter(is_new) {
            match durable {
                Durable::Message(id, record) => self.stored.add(*id, record),
                Durable::Rooms(_, records) | Durable::Begin(records) => {
                    records.iter().for_each(|record| self.stored.apply(record));
                }
                // They go in small steps. Whoever is killed before finds at its start that the account is not there.
                Durable::AccountRemoved(account) => self.stored.forget_account(*account),
            }
        }
        Ok(())
    }

    fn forget_account(&mut self, account: i64) {
        self.stored.forget_account(account);
        let mut forget = || {
            let transaction = self.opened.writing()?;
            rooms::forget_account(&transaction, account)?;
            transaction.commit()
        };
        if let Err(error) = forget() {
            tracing::warn!(%error, "rooms could not forget an account; they do at the next start");
        }
    }

    fn forget_sealed(&mut self, before: i64) {
        match sealed::forget(&self.opened.connection, before, self.sealed_behind, STEP) {
            Ok(behind) => self.sealed_behind = behind,
            Err(error) => {
                tracing::warn!(%error, "encrypted texts that were read could not be dropped");
            }
        }
    }

    fn read(&self, from: Sequence, limit: usize) -> Result<Vec<(Sequence, Record)>, StoreError> {
        let (Ok(from), Ok(limit)) = (i64::try_from(from), i64::try_from(limit)) else {
            return Ok(Vec::new());
        };
        let read = || -> Result<Vec<_>, rusqlite::Error> {
            let mut select = self.opened.connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM messages
                 WHERE sequence >= ? AND room IS NULL AND (recipient IS NOT NULL OR sequence > ?)
                 ORDER BY sequence LIMIT ?"
            ))?;
            let floor = i64::try_from(self.stored.floor_of_lobby()).unwrap_or(i64::MAX);
            let (mut page, mut records) = (Vec::new(), Records::default());
            let mut bytes = 0;
            for row in select.query_map((from, floor, limit), |row| records.read(row))? {
                let row = row?;
                bytes += row.1.weight();
                page.push(row);
                if bytes > PAGE_BYTES {
                    break;
                }
            }
            Ok(page)
        };
        read().map_err(refused)
    }

    /// Removes one step of the messages beyond the bounds; returns whether there are more.
    fn clean(&mut self) -> bool {
        let now = self.time.now();
        let is_due = now.saturating_sub(self.age_looked_at) >= AGE_EVERY;
        let too_old = if is_due { self.retention.oldest(now) } else { None };
        if too_old.is_none() && !self.stored.is_too_much() {
            return false;
        }
        match self.clean_step(too_old) {
            Ok(more) => {
                if !more {
                    self.age_looked_at = now;
                }
                more
            }
            Err(error) => {
                // A full disk can make even this fail; it is tried again after the next message.
                tracing::warn!(%error, "old messages could not be removed");
                self.age_looked_at = now;
                false
            }
        }
    }

    fn clean_step(&mut self, too_old: Option<i64>) -> Result<bool, rusqlite::Error> {
        let mut removed = Removed::default();
        match self.remove_some(too_old, &mut removed) {
            Ok(()) => {
                let more = self.stored.done(&removed, STEP);
                let vacuum = "incremental_vacuum";
                self.opened.connection.pragma(None, vacuum, FREED_PAGES, |_| Ok(()))?;
                Ok(more)
            }
            Err(error) => {
                self.stored.restore(&removed);
                Err(error)
            }
        }
    }

    fn remove_some(
        &mut self,
        too_old: Option<i64>,
        removed: &mut Removed,
    ) -> Result<(), rusqlite::Error> {
        let transaction = self.opened.writing()?;
        self.stored.remove(&transaction, too_old, STEP, removed)?;
        transaction.commit()
    }
}

fn put(insert: &mut CachedStatement<'_>, id: Sequence, record: &Record) -> Result<(), StoreError> {
    let id = i64::try_from(id).map_err(|error| StoreError::Failed(error.into()))?;
    let recipient = match &record.destination {
        Destination::All => None,
        Destination::Room(room) => Some(room.name.as_str()),
        Destination::User(name) => Some(name.as_str()),
    };
    let room = record.room().and_then(|room| i64::try_from(room.0).ok());
    // JSON is ASCII; anything else would be our bug, and is not stored.
    let ascii = |json| std::str::from_utf8(json).map_err(|error| StoreError::Failed(error.into()));
    let json = ascii(&record.json)?;
    let (meta, sealed) = match record.meta.as_deref() {
        Some(RecordMeta { json, sealed }) => (Some(ascii(json)?), Some(ascii(sealed)?)),
        None => (None, None),
    };
    let there = |text: &&str| !text.is_empty();
    let source = record.source.as_str();
    let conversation = record.conversation_key();
    let Filing { sender: Sender { number, origin }, to, .. } = &record.filing;
    let mailbox = to.as_ref().map(Party::key);
    let sender = Some(number).filter(|number| **number != 0);
    let row = params![
        id,
        record.arrived,
        source,
        recipient,
        json,
        conversation,
        mailbox,
        sender,
        origin,
        room,
        meta.filter(there),
        sealed.filter(there),
    ];
    insert.execute(row).map(drop).map_err(refused)
}

/// Uses a number that no message is going to have.
fn use_number(transaction: &Transaction<'_>, number: Sequence) -> Result<(), StoreError> {
    i64::try_from(number).map_err(|error| StoreError::Failed(error.into()))?;
    numbers::use_up_to(transaction, number).map_err(refused)
}

/// Shows the path of the database only.
impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path: &PathBuf = &self.opened.path;
        f.debug_struct("Writer").field("path", path).finish_non_exhaustive()
    }
}
