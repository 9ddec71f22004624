//! The messages in memory, lost with the process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use chatterbox_hub::{Keep, Kept as Private, Mailboxes, Party, Record, Sequence, Shares};
use chatterbox_proto::capability::ids::Side;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::store::message_store::{Store, StoreError, not_kept_before};
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
        let (record, conversation) = (record.clone(), record.conversation_key());
        self.records.insert(id, Stored { record: record.clone(), conversation });
        let (sender, bytes) = (record.filing.sender, record.json.len() as u64);
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

    /// Drops the oldest public record of a sender, or of all; says `false` when there is none.
    fn drop_oldest(&mut self, of: Option<i64>) -> bool {
        let oldest = match of {
            None => self.public_ids.first(),
            Some(sender) => self.by_sender.get(&sender).and_then(BTreeSet::first),
        };
        let Some(id) = oldest.copied() else { return false };
        self.public_ids.remove(&id);
        if let Some(Stored { record, .. }) = self.records.remove(&id) {
            let (sender, one) = (record.filing.sender.number, Keep::one(record.json.len() as u64));
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
        let page = kept.records.range(from..).take(limit);
        ready(Ok(page.map(|(number, stored)| (*number, stored.record.clone())).collect())).boxed()
    }

    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = query.of.keys();
        let mut found: Vec<_> = kept
            .records
            .iter()
            .filter(|(number, _)| match query.side {
                Side::Before(id) => **number < id,
                Side::After(id) => **number > id,
                Side::Newest => true,
            })
            .filter(|(_, stored)| match &stored.conversation {
                None => wanted.is_empty(),
                Some(key) => wanted.contains(key),
            })
            .collect();
        if !matches!(query.side, Side::After(_)) {
            found.reverse();
        }
        let found = found.into_iter().map(|(number, stored)| Ok((*number, stored.record.clone())));
        ready(Page::collect(&query, found)).boxed()
    }

    fn forget_account(&self, account: i64) -> BoxFuture<'_, ()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for id in kept.mailboxes.seal(&Party::Account(account).key()) {
            kept.records.remove(&id);
        }
        ready(()).boxed()
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
        Record { source: name("ann"), destination, json: json.into(), arrived: 7, filing }
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
