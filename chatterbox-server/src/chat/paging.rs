//! Pages of history for queries (ID-6), a few at a time, so that new messages never wait long behind reads.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use chatterbox_hub::guard::pace::LONGEST_QUEUE;
use chatterbox_hub::{
    BlockFilter, Conversation, Identity, MemberId, Party, Record, RoomRef, Sequence,
};
use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::capability::ids::{self, PageMessage, Query, Side};
use chatterbox_proto::json::Object;
use chatterbox_proto::{Capability, Entry, LookupKey, Username, limits};
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use crate::chat::shared::Chat;
use crate::pacing::PagePacing;
use crate::store::{PageQuery, Store, StoreError};

/// The most pages that are read concurrently.
const AT_ONCE: usize = 2;

/// The most pages that are read for one query while all their messages are hidden.
const SEARCHED: usize = 512;

/// Looks up the number of the account that has a name.
pub type AccountOf = Box<dyn Fn(Username) -> BoxFuture<'static, Option<i64>> + Send + Sync>;

/// A message as somebody has read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadableMessage {
    /// Its text.
    pub text: String,
    /// The room where it was said; `None` is the lobby, or between two users.
    pub room: Option<RoomRef>,
}

/// Answers queries for pages.
pub struct Pages {
    store: Arc<dyn Store>,
    account_of: AccountOf,
    room: Semaphore,
    pacing: PagePacing,
}

impl Pages {
    /// Pages of this store, in which accounts have messages of their own.
    pub fn new(store: Arc<dyn Store>, account_of: AccountOf) -> Self {
        let pacing = PagePacing::default();
        Self { store, account_of, room: Semaphore::new(AT_ONCE), pacing }
    }

    /// The answer to a user's query, without the messages of the users it hides; `chat` knows who has which name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answer(
        &self,
        query: &Query,
        chat: &Chat,
        member: MemberId,
        user: &Identity,
        filter: &BlockFilter,
    ) -> Result<Object, StoreError> {
        let with = query.with.as_wire();
        let speaks_rooms = user.agreed.is_some_and(|agreed| agreed.has(Capability::Rooms));
        let of_room = query.is_of_room() && speaks_rooms;
        let readable = || {
            let name = LookupKey::of(with, 1 + limits::ROOM_NAME_CHARS);
            name.ok_or(OutcomeCode::NoSuchRoom).and_then(|name| chat.readable(member, &name))
        };
        let mut hidden = &filter.hidden;
        let of = if of_room {
            match readable() {
                Ok(of) => {
                    if chat.is_staff_of(member, &of) {
                        hidden = &filter.ignored;
                    }
                    Some(of)
                }
                Err(code) => return Ok(ids::no_page(with, code.word())),
            }
        } else if query.is_public() {
            Some(Conversation::Public)
        } else {
            // A text that can't be a name has no messages.
            match Username::parse_within(with, limits::USERNAME_CHARS_MOST) {
                Ok(other) => {
                    let others = self.parties(chat, other).await;
                    Some(Conversation::Between(user.parties(), others))
                }
                Err(_) => None,
            }
        };
        let address = user.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let (found, more) = match of.clone() {
            Some(of) => self.find(of, query, address, hidden).await?,
            None => (Vec::new(), false),
        };
        if of_room {
            // It may have waited: who was removed meanwhile reads nothing of what was said after that (RM-7).
            match readable() {
                Ok(still) if Some(&still) == of.as_ref() => {}
                Ok(_) => return Ok(ids::no_page(with, OutcomeCode::Busy.word())),
                Err(code) => return Ok(ids::no_page(with, code.word())),
            }
        }
        let is_told = user.agreed.is_some_and(|agreed| agreed.has(Capability::Meta));
        let device = is_told.then(|| chat.device_of(member)).flatten();
        let told = |id: Sequence, record: &Record| {
            let device = device.as_ref().and_then(|own| own.reads(id, record.arrived));
            record.meta.as_ref().filter(|_| is_told)?.told(device)
        };
        let metas: Vec<_> = found.iter().map(|(id, record)| told(*id, record)).collect();
        let messages = found.iter().zip(&metas).map(|((id, record), meta)| PageMessage {
            id: *id,
            time: record.arrived,
            json: &record.json,
            meta: meta.as_deref().map(|meta| &*meta.json),
        });
        Ok(ids::page(with, messages, more))
    }

    /// A message of somebody that a user can read, by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message_of(
        &self,
        source: &Username,
        id: Sequence,
        chat: &Chat,
        member: MemberId,
        user: &Identity,
    ) -> Result<Option<ReadableMessage>, StoreError> {
        let Some(before) = id.checked_sub(1) else { return Ok(None) };
        let others = self.parties(chat, source.clone()).await;
        let mut all = vec![(Conversation::Between(user.parties(), others), None)];
        if before >= chat.lobby_floor() {
            all.push((Conversation::Public, None));
        }
        for room in chat.rooms_seen(member).into_iter().filter(|room| room.is_member) {
            if let Ok(of) = chat.readable(member, &room.definition.name) {
                all.push((of, Some(room.definition.to_ref())));
            }
        }
        for (of, room) in all {
            let found = self.one(of, id).await?;
            if let Some(record) = found.filter(|record| record.source == *source) {
                let text = Entry::parse(&record.json).map(|entry| entry.content.into_owned());
                return Ok(text.map(|text| ReadableMessage { text, room }));
            }
        }
        Ok(None)
    }

    /// Who has sent a message of a conversation, if it is one of that.
    pub(super) async fn source_of(
        &self,
        of: Conversation,
        id: Sequence,
    ) -> Result<Option<Username>, StoreError> {
        Ok(self.one(of, id).await?.map(|record| record.source))
    }

    /// A message of a conversation, if it is one of that.
    async fn one(&self, of: Conversation, id: Sequence) -> Result<Option<Record>, StoreError> {
        let Some(before) = id.checked_sub(1) else { return Ok(None) };
        let query = PageQuery { of, side: Side::After(before), limit: 1 };
        // It is never closed.
        let _place = self.room.acquire().await.ok();
        let page = self.store.page(query).await?;
        let found = page.records.into_iter().find(|(number, _)| *number == id);
        Ok(found.map(|(_, record)| record))
    }

    /// Whom a name stands for: whoever has it, the account of whoever is here under it, and the account of this name.
    pub(super) async fn parties(&self, chat: &Chat, name: Username) -> Vec<Party> {
        let here = chat.find(&name).and_then(|identity| identity.login);
        let here = here.map(|login| login.account_key.id);
        let registered = (self.account_of)(name.clone()).await;
        let accounts = [here, registered.filter(|registered| Some(*registered) != here)];
        let accounts = accounts.into_iter().flatten().map(Party::Account);
        std::iter::once(Party::Guest(name)).chain(accounts).collect()
    }

    async fn find(
        &self,
        of: Conversation,
        query: &Query,
        address: IpAddr,
        hidden: &HashSet<Username>,
    ) -> Result<(Vec<(Sequence, Record)>, bool), StoreError> {
        let asked = usize::from(query.limit);
        let mut limit = asked;
        let mut side = query.side;
        let mut patience = LONGEST_QUEUE;
        for searched in 0..SEARCHED {
            if searched > 0 {
                // A page that nobody gets costs its reader nothing to take, so it may not ask for many.
                match self.pacing.wait(address, patience).await {
                    Ok(waited) => patience = patience.saturating_sub(waited),
                    Err(_) => break,
                }
            }
            let page = {
                // It is never closed.
                let _room = self.room.acquire().await.ok();
                self.store.page(PageQuery { of: of.clone(), side, limit }).await?
            };
            let ends = (page.records.first().map(|r| r.0), page.records.last().map(|r| r.0));
            let mut found = page.records;
            found.retain(|(_, record)| !hidden.contains(&record.source));
            // A page of nothing but hidden messages would be empty, and the client would not know where to continue.
            if !found.is_empty() || !page.more {
                let beyond = found.len().saturating_sub(asked);
                match side {
                    Side::After(_) => found.truncate(asked),
                    _ => drop(found.drain(..beyond)),
                }
                return Ok((found, page.more || beyond > 0));
            }
            // Hidden messages are skipped in large steps, however small the query's limit is.
            limit = usize::from(limits::PAGE);
            side = match (side, ends) {
                (Side::After(_), (_, Some(last))) => Side::After(last),
                (_, (Some(first), _)) => Side::Before(first),
                _ => return Ok((found, false)),
            };
        }
        Ok((Vec::new(), false))
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("store", &self.store).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests are an edge")]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use bytes::Bytes;
    use chatterbox_hub::guard::pace::HIDDEN_PAGES;
    use chatterbox_hub::{Filing, Record, RoomNumber, RoomRecord};
    use chatterbox_proto::session::Destination;
    use chatterbox_proto::{Entry, WireText};
    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, join_all};

    use super::*;
    use crate::store::{Memory, Page};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// Of a few thousand timers, each of which ends up to a millisecond late.
    const DELAY: Duration = Duration::from_secs(1);

    fn no_accounts() -> AccountOf {
        Box::new(|_| Box::pin(async { None }))
    }

    /// A store of nothing but one user's messages, which counts the pages that are read.
    #[derive(Debug, Default)]
    struct Endless(AtomicUsize);

    impl Store for Endless {
        fn keep<'a>(
            &'a self,
            _: &'a [(Sequence, Record)],
        ) -> BoxFuture<'a, Result<(), StoreError>> {
            unreachable!()
        }

        fn keep_rooms<'a>(
            &'a self,
            _: Sequence,
            _: &'a [RoomRecord],
        ) -> BoxFuture<'a, Result<(), StoreError>> {
            unreachable!()
        }

        fn rooms(&self) -> BoxFuture<'_, Result<Vec<RoomRecord>, StoreError>> {
            unreachable!()
        }

        fn newest_of_rooms(
            &self,
        ) -> BoxFuture<'_, Result<Vec<(RoomNumber, Sequence)>, StoreError>> {
            unreachable!()
        }

        fn newest(&self) -> BoxFuture<'_, Result<Sequence, StoreError>> {
            unreachable!()
        }

        fn read(
            &self,
            _: Sequence,
            _: usize,
        ) -> BoxFuture<'_, Result<Vec<(Sequence, Record)>, StoreError>> {
            unreachable!()
        }

        fn forget_account(&self, _: i64) -> BoxFuture<'_, ()> {
            unreachable!()
        }

        fn page(&self, query: PageQuery) -> BoxFuture<'_, Result<Page, StoreError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let Side::After(after) = query.side else { unreachable!() };
            let record = Record {
                source: Username::parse("eve").unwrap(),
                destination: Destination::All,
                json: Bytes::from_static(b"[]"),
                arrived: 1,
                filing: Filing::default(),
                meta: None,
            };
            ready(Ok(Page { records: vec![(after + 1, record)], more: true })).boxed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_hides_everybody_who_spoke_reads_few_pages_and_slowly() {
        let store = Arc::new(Endless::default());
        let pages = Pages::new(Arc::clone(&store) as Arc<dyn Store>, no_accounts());
        let read = || store.0.swap(0, Ordering::Relaxed);
        let hidden = HashSet::from([Username::parse("eve").unwrap()]);
        let query = Query { with: WireText::new("ALL"), side: Side::After(0), limit: 1 };
        let ask = async |address| {
            pages.find(Conversation::Public, &query, address, &hidden).await.unwrap()
        };
        assert_eq!(ask(HERE).await, (vec![], false));
        assert_eq!(read(), SEARCHED);
        // Several at once read no more of them in the same time, and others are not held up.
        let asked = (0..50).map(|_| tokio::time::timeout(Duration::from_secs(10), ask(HERE)));
        let _ = join_all(asked).await;
        let all = read();
        assert!((600..=50 + 10_000 / 15 + 1).contains(&all), "{all}");
        let elsewhere = "192.0.2.1".parse().unwrap();
        let _ = tokio::time::timeout(Duration::from_secs(1), ask(elsewhere)).await;
        assert!(read() > HIDDEN_PAGES.burst as usize, "the others' bucket is full");
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_would_have_to_wait_for_long_is_empty() {
        let pages = Pages::new(Arc::<Endless>::default(), no_accounts());
        let hidden = HashSet::from([Username::parse("eve").unwrap()]);
        let query = Query { with: WireText::new("ALL"), side: Side::After(0), limit: 1 };
        let begin = tokio::time::Instant::now();
        let asked = (0..2_000).map(async |_| {
            let found = pages.find(Conversation::Public, &query, HERE, &hidden).await;
            (found.unwrap(), begin.elapsed())
        });
        let all = join_all(asked).await;
        assert!(all.iter().all(|(found, _)| *found == (vec![], false)));
        // Most are told at once that there is nothing for them, and nobody waits for longer than that.
        let at_once = all.iter().filter(|(_, after)| after.is_zero()).count();
        let last = all.iter().map(|(_, after)| *after).max().unwrap();
        assert!(at_once > 1_000 && last <= LONGEST_QUEUE + DELAY, "{at_once} {last:?}");
    }

    #[tokio::test]
    async fn what_is_hidden_is_passed_over_and_no_more_is_given_than_was_asked_for() {
        let record = |source: &'static str| {
            let entry = Entry {
                source: source.into(),
                destination: "ALL".into(),
                timestamp: 1,
                content: "x".into(),
            };
            let json = entry.to_json().into();
            let source = Username::parse(source).unwrap();
            Record {
                source,
                destination: Destination::All,
                json,
                arrived: 1,
                filing: Filing::default(),
                meta: None,
            }
        };
        let store = Arc::new(Memory::new(1_000));
        let sources = [("ann", 5), ("eve", 610), ("ann", 5)];
        let all = sources.map(|(source, count)| vec![record(source); count]).concat();
        let all: Vec<_> = (1..).zip(all).collect();
        store.keep(&all).await.unwrap();
        let pages = Pages::new(store, no_accounts());
        let hidden = HashSet::from([Username::parse("eve").unwrap()]);
        for (side, limit, ids, more) in [
            (Side::Before(616), 2, vec![4, 5], true),
            (Side::Before(616), 5, vec![1, 2, 3, 4, 5], false),
            (Side::After(5), 1, vec![616], true),
            (Side::After(5), 5, vec![616, 617, 618, 619, 620], false),
            (Side::After(620), 5, vec![], false),
        ] {
            let query = Query { with: WireText::new("ALL"), side, limit };
            let found = pages.find(Conversation::Public, &query, HERE, &hidden).await.unwrap();
            let found_ids: Vec<_> = found.0.iter().map(|(id, _)| *id).collect();
            assert_eq!((found_ids, found.1), (ids, more), "{side:?} {limit}");
        }
    }
}
