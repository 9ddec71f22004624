//! Pages of history for those who ask (ID-6): a few at a time, so that storing never waits long behind reading.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::Username;
use chatterbox_proto::capability::ids::{self, Query, Side};
use chatterbox_proto::json::Object;
use tokio::sync::Semaphore;

use crate::backlog::{Backlog, BacklogError, Conversation, PageQuery, Sequence};
use crate::hub::is_from;

/// Pages that are looked up at the same time.
const AT_ONCE: usize = 2;

/// No name is longer, in characters.
const ANY_NAME: usize = 256;

/// Looks up pages.
#[derive(Debug)]
pub struct Pages {
    backlog: Arc<dyn Backlog>,
    room: Semaphore,
}

impl Pages {
    /// Pages of this backlog.
    pub fn new(backlog: Arc<dyn Backlog>) -> Self {
        Self { backlog, room: Semaphore::new(AT_ONCE) }
    }

    /// The answer to a user who asks, without what those say whom it does not see.
    ///
    /// # Errors
    /// [`BacklogError`].
    pub async fn answer(
        &self,
        query: &Query,
        user: &Username,
        hidden: &HashSet<Username>,
    ) -> Result<Object, BacklogError> {
        let with = query.with.as_wire();
        let of = if query.is_public() {
            Some(Conversation::Public)
        } else {
            // What can't be a name has no messages.
            let other = Username::parse_within(with, ANY_NAME).ok();
            other.map(|other| Conversation::Between(user.clone(), other))
        };
        let (found, more) = match of {
            Some(of) => self.find(of, query, hidden).await?,
            None => (Vec::new(), false),
        };
        Ok(ids::page(with, found.iter().map(|(id, json)| (*id, &json[..])), more))
    }

    async fn find(
        &self,
        of: Conversation,
        query: &Query,
        hidden: &HashSet<Username>,
    ) -> Result<(Vec<(Sequence, Bytes)>, bool), BacklogError> {
        let limit = usize::from(query.limit);
        let mut side = query.side;
        loop {
            let page = {
                // It is never closed.
                let _room = self.room.acquire().await.ok();
                self.backlog.page(PageQuery { of: of.clone(), side, limit }).await?
            };
            let ends = (page.records.first().map(|r| r.0), page.records.last().map(|r| r.0));
            let seen = page.records.into_iter().map(|(id, record)| (id, record.json));
            let found: Vec<_> = seen.filter(|(_, json)| !is_from(json, hidden)).collect();
            // A page of nothing but hidden messages is none: who asked would not know where to go on.
            if !found.is_empty() || !page.more {
                return Ok((found, page.more));
            }
            side = match (side, ends) {
                (Side::After(_), (_, Some(last))) => Side::After(last),
                (_, (Some(first), _)) => Side::Before(first),
                _ => return Ok((found, false)),
            };
        }
    }
}
