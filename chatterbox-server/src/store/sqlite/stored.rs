//! What is stored, by senders and mailboxes, and which of it has to go.
//!
//! The same rules hold as for the history in memory ([`Shares`], [`Mailboxes`]), so that a restart loses nothing that was told
//! before it. What has to go is noted when a message is stored, and removed in small steps later.

use std::collections::{BTreeSet, HashSet, VecDeque};

use chatterbox_hub::{
    Keep, Kept, Mailboxes, Party, Record, RoomNumber, RoomRecord, Sender, Sequence, Shares,
};
use chatterbox_proto::Username;
use rusqlite::{Connection, Row, Transaction};

use crate::store::kept_rooms::KeptRooms;
use crate::store::sqlite::removed::Removed;
use crate::store::sqlite::row::{WEIGHT, sender, text, unsigned};
use crate::store::sqlite::{rooms, stored_rooms};

/// The messages that are stored, without their content.
#[derive(Debug)]
pub(super) struct Stored {
    keep: Keep,
    public: Keep,
    shares: Shares,
    /// Senders of public messages who may have too much.
    suspects: BTreeSet<i64>,
    mailboxes: Mailboxes<()>,
    /// Private messages that have to go.
    dropped: VecDeque<Sequence>,
    rooms: KeptRooms,
    /// Nothing up to this number is shown of the lobby any more (RH-4), and whether there may be something of it.
    floor: Sequence,
    is_below_floor: bool,
}

impl Stored {
    /// Reads what is stored. What was said to accounts that are removed has to go.
    pub(super) fn load(connection: &Connection, keep: Keep) -> Result<Self, rusqlite::Error> {
        let mut stored = Self {
            keep,
            public: Keep::NOTHING,
            shares: Shares::new(keep),
            suspects: BTreeSet::new(),
            mailboxes: Mailboxes::new(keep.of_private()),
            dropped: VecDeque::new(),
            rooms: KeptRooms::new(keep),
            floor: 0,
            is_below_floor: false,
        };
        for (number, keep, floor) in rooms::kept(connection)? {
            stored.rooms.define(number, keep, floor);
            stored.raise_floor(number, floor);
        }
        stored_rooms::count(connection, &mut stored.rooms)?;
        let mut select = connection.prepare(&format!(
            "SELECT sender, origin, {WEIGHT} FROM messages WHERE recipient IS NULL"
        ))?;
        let read = |row: &Row<'_>| Ok((sender(row, 0)?, Keep::one(unsigned(row, 2)?)));
        for row in select.query_map([], read)? {
            let (sender, one) = row?;
            stored.add_public(sender, one);
        }
        let mut select = connection.prepare("SELECT id FROM accounts")?;
        let accounts: HashSet<i64> =
            select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut select = connection.prepare(&format!(
            "SELECT sequence, sender, origin, arrived, {WEIGHT}, recipient, mailbox
             FROM messages WHERE recipient IS NOT NULL AND room IS NULL ORDER BY sequence",
        ))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let id = unsigned(row, 0)?;
            let (sender, arrived, bytes) = (sender(row, 1)?, row.get(3)?, unsigned(row, 4)?);
            let recipient = match text(row, 6)? {
                Some(key) => Party::of_key(&key),
                None => Party::Guest(Username::stored(&text(row, 5)?.unwrap_or_default())),
            };
            if matches!(&recipient, Party::Account(id) if !accounts.contains(id)) {
                stored.dropped.push_back(id);
            } else {
                stored.add_private(id, &recipient, Kept { sender, arrived, bytes, message: () });
            }
        }
        Ok(stored)
    }

    /// Notes that a message was stored.
    pub(super) fn add(&mut self, id: Sequence, record: &Record) {
        let (sender, bytes) = (record.filing.sender, record.weight() as u64);
        if let Some(room) = record.room() {
            if self.rooms.keeps(room) {
                self.rooms.add(room, Keep::one(bytes));
            }
            return;
        }
        match record.recipient() {
            None => self.add_public(sender, Keep::one(bytes)),
            Some(recipient) => {
                let kept = Kept { sender, arrived: record.arrived, bytes, message: () };
                self.add_private(id, &recipient, kept);
            }
        }
    }

    /// Whether a message is written down at all.
    pub(super) fn keeps(&self, record: &Record) -> bool {
        record.room().is_none_or(|room| self.rooms.keeps(room))
    }

    /// Notes what has changed of rooms.
    pub(super) fn apply(&mut self, record: &RoomRecord) {
        self.rooms.apply(record);
        if let RoomRecord::Defined(room) = record {
            self.raise_floor(room.number, room.floor);
        }
    }

    fn raise_floor(&mut self, number: RoomNumber, floor: Sequence) {
        if number == RoomNumber::LOBBY && floor > self.floor {
            (self.floor, self.is_below_floor) = (floor, true);
        }
    }

    /// What may be read of rooms.
    pub(super) fn rooms(&self) -> &KeptRooms {
        &self.rooms
    }

    /// Only what has a greater number is shown of the lobby.
    pub(super) fn floor_of_lobby(&self) -> Sequence {
        self.floor
    }

    fn add_public(&mut self, sender: Sender, many: Keep) {
        self.public = self.public.plus(many);
        self.shares.add(sender, many);
        if self.shares.exceeded_by(sender.number).is_some() {
            self.suspects.insert(sender.number);
        }
    }

    fn add_private(&mut self, id: Sequence, recipient: &Party, kept: Kept<()>) {
        let gone = self.mailboxes.push(id, &recipient.key(), kept);
        self.dropped.extend(gone.into_iter().map(|(id, _)| id));
    }

    /// The private messages to an account have to go.
    pub(super) fn forget_account(&mut self, account: i64) {
        self.dropped.extend(self.mailboxes.seal(&Party::Account(account).key()));
    }

    /// Whether something has to go, whatever its age.
    pub(super) fn is_too_much(&self) -> bool {
        let rest = self.dropped.is_empty() && self.suspects.is_empty() && !self.is_below_floor;
        !rest || self.keep.is_exceeded_by(self.public) || self.rooms.suspect().is_some()
    }

    /// Removes at most `most` messages: those that have to go, and those that arrived before `too_old`. What it notes in
    /// `removed` is taken back with [`Stored::restore`] if the transaction fails.
    pub(super) fn remove(
        &mut self,
        transaction: &Transaction<'_>,
        too_old: Option<i64>,
        most: usize,
        removed: &mut Removed,
    ) -> Result<(), rusqlite::Error> {
        while let Some(oldest) = too_old
            && self.dropped.len() < most
            && let Some((id, _)) = self.mailboxes.expire_one(oldest)
        {
            self.dropped.push_back(id);
        }
        let mut delete = transaction.prepare_cached("DELETE FROM messages WHERE sequence = ?")?;
        for id in self.dropped.iter().take(most) {
            delete.execute([i64::try_from(*id).unwrap_or(i64::MAX)])?;
            removed.private += 1;
        }
        while let Some(suspect) = self.suspects.first().copied()
            && removed.left(most) > 0
        {
            let Some(whose) = self.shares.exceeded_by(suspect) else {
                self.suspects.remove(&suspect);
                continue;
            };
            let mut select = transaction.prepare_cached(&format!(
                "SELECT sequence, sender, origin, {WEIGHT}, arrived FROM messages
                 WHERE recipient IS NULL AND sender = ? ORDER BY sequence LIMIT ?",
            ))?;
            let before = removed.public.len();
            let mut rows = select.query((whose, removed.left(most)))?;
            while self.shares.exceeded_by(suspect) == Some(whose)
                && let Some(row) = rows.next()?
            {
                self.forget(row, removed)?;
            }
            drop(rows);
            removed.delete_since(before, &mut delete)?;
            if removed.public.len() == before {
                self.suspects.remove(&suspect);
            }
        }
        let mut select = transaction.prepare_cached(&format!(
            "SELECT sequence, sender, origin, {WEIGHT}, arrived FROM messages
             WHERE recipient IS NULL ORDER BY sequence LIMIT ?",
        ))?;
        let before = removed.public.len();
        let mut rows = select.query([removed.left(most)])?;
        while let Some(row) = rows.next()? {
            let arrived: i64 = row.get(4)?;
            let old = too_old.is_some_and(|limit| arrived < limit);
            let goes = old || unsigned(row, 0)? <= self.floor;
            if !goes && !self.keep.is_exceeded_by(self.public) {
                break;
            }
            self.forget(row, removed)?;
        }
        drop(rows);
        removed.delete_since(before, &mut delete)?;
        drop(delete);
        if removed.left(most) > 0 {
            self.is_below_floor = false;
        }
        stored_rooms::remove(transaction, &mut self.rooms, too_old, most, removed)
    }

    /// Counts a public message as removed.
    fn forget(&mut self, row: &Row<'_>, removed: &mut Removed) -> Result<(), rusqlite::Error> {
        let (sender, bytes) = (sender(row, 1)?, unsigned(row, 3)?);
        self.public = self.public.minus(Keep::one(bytes));
        self.shares.remove(sender.number, Keep::one(bytes));
        removed.public.push((row.get(0)?, sender, bytes));
        Ok(())
    }

    /// A step is done; says whether it was a full one, so that there may be more to do.
    pub(super) fn done(&mut self, removed: &Removed, most: usize) -> bool {
        self.dropped.drain(..removed.private.min(self.dropped.len()));
        removed.count() >= most || self.is_too_much()
    }

    /// Nothing of a step has happened.
    pub(super) fn restore(&mut self, removed: &Removed) {
        for (_, sender, bytes) in &removed.public {
            self.add_public(*sender, Keep::one(*bytes));
        }
        for (room, bytes) in &removed.rooms {
            self.rooms.restore(*room, Keep::one(*bytes));
        }
        self.is_below_floor = self.floor > 0;
    }
}
