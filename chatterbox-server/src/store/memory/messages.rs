//! The messages in memory, lost with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use chatterbox_hub::{
    Conversation, Durable, Keep, Kept as Private, Mailboxes, Party, Record, RoomNumber, RoomRecord,
    Sequence, Shares,
};
use chatterbox_proto::capability::ids::Side;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::ops::clock::unix_now;
use crate::store::followed::Followed;
use crate::store::kept_rooms::KeptRooms;
use crate::store::memory::rooms::Rooms;
use crate::store::message_store::{Store, StoreError, not_kept_before, other_cluster};
use crate::store::page::{Page, PageQuery};

/// The newest records, in memory.
///
/// Joiners get the hub's own encoded history; these records serve pages by number only, so they are few.
#[derive(Debug)]
pub struct Memory {
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    records: BTreeMap<Sequence, Stored>,
    newest: Sequence,
    /// The public ones, and which of them each sender has.
    public_ids: BTreeSet<Sequence>,
    by_sender: HashMap<i64, BTreeSet<Sequence>>,
    /// The bounds of the public ones.
    keep: Keep,
    public: Keep,
    shares: Shares,
    /// Which private ones are kept.
    mailboxes: Mailboxes<()>,
    rooms: Rooms,
    /// How much of rooms is kept, and which messages these are.
    kept_rooms: KeptRooms,
    by_room: HashMap<RoomNumber, BTreeSet<Sequence>>,
    /// The cluster that it belongs to, and how far it has followed the order of that.
    cluster: Option<(String, Followed)>,
}

#[derive(Debug)]
struct Stored {
    record: Record,
    /// The key of its conversation, so that a page compares texts only.
    conversation: Option<String>,
}

/// The most bytes that the public ones have, however few they are; and the private ones have a quarter of it.
const LARGEST: u64 = 16 * 1024 * 1024;

impl Memory {
    /// Keeps the newest `limit` public records, and as many private ones.
    pub fn new(limit: usize) -> Self {
        Self::within(Keep { messages: limit as u64, bytes: LARGEST })
    }

    fn within(keep: Keep) -> Self {
        let private = Keep { bytes: keep.of_private().bytes, ..keep };
        Self {
            kept: Mutex::new(Kept {
                records: BTreeMap::new(),
                newest: 0,
                public_ids: BTreeSet::new(),
                by_sender: HashMap::new(),
                keep,
                public: Keep::NOTHING,
                shares: Shares::new(keep),
                mailboxes: Mailboxes::new(private),
                rooms: Rooms::default(),
                kept_rooms: KeptRooms::new(keep),
                by_room: HashMap::new(),
                cluster: None,
            }),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        // A tenth of it is more than a page.
        Self::new(10_000)
    }
}

impl Kept {
    fn push(&mut self, id: Sequence, record: &Record) {
        self.newest = id;
        let room = record.room();
        if room.is_some_and(|room| !self.kept_rooms.keeps(room)) {
            return;
        }
        let (record, conversation) = (record.clone(), record.conversation_key());
        self.records.insert(id, Stored { record: record.clone(), conversation });
        let (sender, bytes) = (record.filing.sender, record.weight() as u64);
        if let Some(room) = room {
            self.by_room.entry(room).or_default().insert(id);
            self.kept_rooms.add(room, Keep::one(bytes));
            return self.drop_of_rooms();
        }
        if let Some(recipient) = record.recipient() {
            let private = Private { sender, arrived: record.arrived, bytes, message: () };
            for (id, _) in self.mailboxes.push(id, &recipient.key(), private) {
                self.records.remove(&id);
            }
            return;
        }
        self.public_ids.insert(id);
        self.by_sender.entry(sender.number).or_default().insert(id);
        self.public = self.public.plus(Keep::one(bytes));
        self.shares.add(sender, Keep::one(bytes));
        while let Some(sender) = self.shares.exceeded_by(sender.number) {
            if !self.drop_oldest(Some(sender)) {
                break;
            }
        }
        while self.keep.is_exceeded_by(self.public) && self.drop_oldest(None) {}
    }

    /// Drops what is kept of rooms and has to go.
    fn drop_of_rooms(&mut self) {
        while let Some(room) = self.kept_rooms.suspect() {
            match self.by_room.get_mut(&room).and_then(BTreeSet::pop_first) {
                None => {
                    self.by_room.remove(&room);
                    self.kept_rooms.is_empty(room);
                }
                Some(oldest) if self.kept_rooms.has_to_go(room, oldest) => {
                    if let Some(Stored { record, .. }) = self.records.remove(&oldest) {
                        self.kept_rooms.remove(room, Keep::one(record.weight() as u64));
                    }
                }
                Some(oldest) => {
                    self.by_room.entry(room).or_default().insert(oldest);
                    self.kept_rooms.is_settled(room);
                }
            }
        }
    }

    fn apply(&mut self, record: &RoomRecord) {
        self.rooms.apply(record);
        self.kept_rooms.apply(record);
        self.drop_of_rooms();
        let floor = self.rooms.floor_of_lobby();
        while self.public_ids.first().is_some_and(|oldest| *oldest <= floor)
            && self.drop_oldest(None)
        {}
    }

    /// The numbers of a conversation, oldest first.
    fn numbers(&self, of: &Conversation) -> Vec<Sequence> {
        match of {
            Conversation::Public => self.public_ids.iter().copied().collect(),
            Conversation::Between(..) => {
                let wanted = of.keys();
                let is_wanted = |key: &String| wanted.contains(key);
                let all = self.records.iter();
                all.filter(|(_, stored)| stored.conversation.as_ref().is_some_and(is_wanted))
                    .map(|(number, _)| *number)
                    .collect()
            }
            Conversation::Room { room, above, newest } => {
                let (Some(readable), Some(ids)) =
                    (self.kept_rooms.readable(*room), self.by_room.get(room))
                else {
                    return Vec::new();
                };
                let newest = [*newest, readable.newest].into_iter().flatten().min();
                let newest = newest.and_then(|count| usize::try_from(count).ok());
                let older = newest.map_or(0, |count| ids.len().saturating_sub(count));
                let above = readable.above.max(*above);
                ids.iter().skip(older).copied().filter(|id| *id > above).collect()
            }
        }
    }

    fn forget_account(&mut self, account: i64) {
        for id in self.mailboxes.seal(&Party::Account(account).key()) {
            self.records.remove(&id);
        }
        self.rooms.forget_account(account);
    }

    /// Drops the oldest public record of a sender, or of all; says `false` when there is none.
    fn drop_oldest(&mut self, of: Option<i64>) -> bool {
        let oldest = match of {
            None => self.public_ids.first(),
            Some(sender) => self.by_sender.get(&sender).and_then(BTreeSet::first),
        };
        let Some(id) = oldest.copied() else { return false };
        self.public_ids.remove(&id);
        if let Some(Stored { record, .. }) = self.records.remove(&id) {
            let (sender, one) = (record.filing.sender.number, Keep::one(record.weight() as u64));
            self.public = self.public.minus(one);
            self.shares.remove(sender, one);
            if let Some(ids) = self.by_sender.get_mut(&sender) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_sender.remove(&sender);
                }
            }
        }
        true
    }
}

impl Store for Memory {
    fn keep<'a>(
        &'a self,
        records: &'a [(Sequence, Record)],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, record) in not_kept_before(kept.newest, records) {
            kept.push(*id, record);
        }
        ready(Ok(())).boxed()
    }

    fn keep_rooms<'a>(
        &'a self,
        number: Sequence,
        records: &'a [RoomRecord],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if number > kept.newest {
            kept.newest = number;
            records.iter().for_each(|record| kept.apply(record));
        }
        ready(Ok(())).boxed()
    }

    fn rooms(&self) -> BoxFuture<'_, Result<Vec<RoomRecord>, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(kept.rooms.records(unix_now()))).boxed()
    }

    fn newest_of_rooms(&self) -> BoxFuture<'_, Result<Vec<(RoomNumber, Sequence)>, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let rooms = kept.by_room.iter();
        let newest = rooms.filter_map(|(room, ids)| Some((*room, *ids.last()?)));
        ready(Ok(newest.collect())).boxed()
    }

    fn newest(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(kept.newest)).boxed()
    }

    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_no_room = |(_, stored): &(&Sequence, &Stored)| stored.record.room().is_none();
        let page = kept.records.range(from..).filter(of_no_room).take(limit);
        ready(Ok(page.map(|(number, stored)| (*number, stored.record.clone())).collect())).boxed()
    }

    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut numbers = kept.numbers(&query.of);
        numbers.retain(|number| match query.side {
            Side::Before(id) => *number < id,
            Side::After(id) => *number > id,
            Side::Newest => true,
        });
        if !matches!(query.side, Side::After(_)) {
            numbers.reverse();
        }
        let found = numbers.into_iter().filter_map(|number| {
            let stored = kept.records.get(&number)?;
            Some(Ok((number, stored.record.clone())))
        });
        ready(Page::collect(&query, found)).boxed()
    }

    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).forget_account(account);
        ready(()).boxed()
    }

    fn enter<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<Followed, StoreError>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entered = match &kept.cluster {
            Some((name, followed)) if name == cluster => Ok(*followed),
            Some((name, _)) => Err(other_cluster(cluster, Some(name))),
            None if kept.newest > 0 => Err(other_cluster(cluster, None)),
            None => {
                kept.cluster = Some((cluster.to_owned(), Followed::default()));
                Ok(Followed::default())
            }
        };
        ready(entered).boxed()
    }

    fn follow<'a>(
        &'a self,
        to: Followed,
        durable: &'a [Durable],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut kept.cluster {
            None => return ready(Err(StoreError::Failed("of no cluster".into()))).boxed(),
            Some((_, before)) if to.place <= before.place => return ready(Ok(())).boxed(),
            Some((_, before)) => *before = to,
        }
        for durable in durable {
            if !durable.is_new(kept.newest) {
                continue;
            }
            match durable {
                Durable::Message(id, record) => kept.push(*id, record),
                Durable::Rooms(number, records) => {
                    kept.newest = *number;
                    records.iter().for_each(|record| kept.apply(record));
                }
                Durable::Begin(records) => records.iter().for_each(|record| kept.apply(record)),
                Durable::AccountRemoved(account) => kept.forget_account(*account),
            }
        }
        ready(Ok(())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::{Filing, Sender};
    use chatterbox_proto::Username;
    use chatterbox_proto::session::Destination;

    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn holds_the_contract() {
        contract::holds(Memory::within).await;
    }

    fn said(by: i64, to: Option<&str>, json: &'static str) -> Record {
        let name = |text| Username::parse(text).unwrap();
        let sender = Sender { number: by, origin: None };
        let filing = Filing { sender, from: None, to: to.map(|to| Party::Guest(name(to))) };
        let destination = to.map_or(Destination::All, |to| Destination::User(name(to)));
        Record {
            source: name("ann"),
            destination,
            json: json.into(),
            arrived: 7,
            filing,
            meta: None,
        }
    }

    async fn numbers(store: &Memory) -> Vec<Sequence> {
        let all = store.read(0, 10_000).await.unwrap();
        all.into_iter().map(|(number, _)| number).collect()
    }

    #[tokio::test]
    async fn the_oldest_go_and_numbers_stay() {
        let store = Memory::new(3);
        for number in 1..=5 {
            store.keep(&[(number, said(0, None, ""))]).await.unwrap();
        }
        assert_eq!(numbers(&store).await, [3, 4, 5]);
    }

    #[tokio::test]
    async fn f3_f8_nobody_takes_more_than_a_tenth() {
        let store = Memory::new(1_000);
        let honest = [said(1, None, "[1]"), said(1, Some("bob"), "[2]")];
        contract::keep_next(&store, &honest).await.unwrap();
        for _ in 0..3000 {
            let flood =
                [said(2, None, "[3]"), said(2, Some("bob"), "[4]"), said(2, Some("eve"), "[5]")];
            contract::keep_next(&store, &flood).await.unwrap();
        }
        let all = store.read(0, 10_000).await.unwrap();
        assert_eq!(all[..2], [(1, honest[0].clone()), (2, honest[1].clone())]);
        assert_eq!(all.len(), 2 + 100 + 100, "a tenth of the public, and of the private ones");
        let kept = store.kept.lock().unwrap();
        assert_eq!((kept.public.messages, kept.mailboxes.held().messages), (101, 101));
    }
}
