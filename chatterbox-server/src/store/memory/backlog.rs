//! A backlog in memory, lost with the process.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use chatterbox_hub::{Record, Sequence};
use chatterbox_proto::capability::ids::Side;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::store::backlog::{Backlog, BacklogError};
use crate::store::page::{Page, PageQuery};

/// The newest records, in memory.
///
/// Joiners get the hub's own encoded history; these records serve pages by number only, so they are few.
#[derive(Debug)]
pub struct Memory {
    kept: Mutex<Kept>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Kept {
    records: VecDeque<Record>,
    /// The number of records that were dropped before the first of them.
    gone: u64,
    bytes: usize,
}

/// The most bytes that they have, however few records that is.
const LARGEST: usize = 16 * 1024 * 1024;

impl Memory {
    /// Keeps the newest `limit` records.
    pub fn new(limit: usize) -> Self {
        Self { kept: Mutex::default(), limit }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(1_000)
    }
}

impl Backlog for Memory {
    fn append<'a>(
        &'a self,
        records: &'a [Record],
    ) -> BoxFuture<'a, Result<Sequence, BacklogError>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.gone + kept.records.len() as u64 + 1;
        for record in records {
            kept.bytes += record.json.len();
            kept.records.push_back(record.clone());
            while kept.records.len() > self.limit || kept.bytes > LARGEST {
                let Some(oldest) = kept.records.pop_front() else { break };
                kept.bytes -= oldest.json.len();
                kept.gone += 1;
            }
        }
        ready(Ok(first)).boxed()
    }

    fn read(
        &self,
        from: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, BacklogError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let first = kept.gone + 1;
        let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        let page = (first..).zip(&kept.records).skip(skipped).take(limit);
        ready(Ok(page.map(|(number, record)| (number, record.clone())).collect())).boxed()
    }

    fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, BacklogError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = query.of.key();
        let all = (kept.gone + 1..).zip(&kept.records);
        let mut found: Vec<_> = all
            .filter(|(number, _)| match query.side {
                Side::Before(id) => *number < id,
                Side::After(id) => *number > id,
                Side::Newest => true,
            })
            .filter(|(_, record)| record.conversation_key() == wanted)
            .collect();
        if !matches!(query.side, Side::After(_)) {
            found.reverse();
        }
        let found = found.into_iter().map(|(number, record)| Ok((number, record.clone())));
        ready(Page::collect(&query, found)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::Username;
    use chatterbox_proto::session::Destination;

    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn holds_the_contract() {
        contract::holds(|| Memory::new(100)).await;
    }

    #[tokio::test]
    async fn the_oldest_go_and_numbers_stay() {
        let backlog = Memory::new(3);
        let source = Username::parse("ann").unwrap();
        let (destination, json) = (Destination::All, bytes::Bytes::new());
        let record = Record { source, destination, json, arrived: 7 };
        for number in 1..=5 {
            assert_eq!(backlog.append(std::slice::from_ref(&record)).await.unwrap(), number);
        }
        let numbers: Vec<_> =
            backlog.read(0, 10).await.unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [3, 4, 5]);
    }
}
