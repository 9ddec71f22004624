//! The log: what is offered is published, and who asks is told how far it goes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_hub::{Group, format};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tokio::time::timeout;

use crate::order::jetstream::following::{Follower, Raw};
use crate::order::jetstream::jet_stream::{JetStream, reach_of};
use crate::order::jetstream::packing::{self, Packed};
use crate::order::jetstream::said::said;
use crate::order::total_order::{Decided, Order, OrderError, Place, Reach, Unconfirmed};

/// How long the engine may take to confirm a group. Whoever offers it offers it again then. What was on its way to a leader that has
/// gone is never confirmed, so a longer time would be added to that of an election.
const CONFIRMING: Duration = Duration::from_secs(2);

/// How long the engine may take to say how far the log goes.
const ASKING: Duration = Duration::from_secs(5);

impl JetStream {
    async fn publish(&self, group: &Group) -> Result<(), Unconfirmed> {
        let record = format::encode(group).map_err(|error| Unconfirmed(said(error)))?;
        // Nothing is put where the client would send it in a minute: it would be there again and again.
        self.connection.up().await;
        let Packed { payload, headers } = packed(record).await?;
        let context = &self.connection.context;
        let sent = context.publish_with_headers(self.name.log_subject(), headers, payload).await;
        let confirmed = sent.map_err(|error| Unconfirmed(said(error)))?.await;
        let confirmed = confirmed.map_err(|error| Unconfirmed(said(error)))?;
        let stream = self.name.log_stream();
        if confirmed.stream == stream {
            Ok(())
        } else {
            Err(Unconfirmed(format!(
                "stream {} has it in place of {stream}",
                said(confirmed.stream)
            )))
        }
    }
}

/// A large record is packed where nothing else waits for that.
async fn packed(record: Bytes) -> Result<Packed, Unconfirmed> {
    if !packing::takes_long(&record) {
        return Ok(packing::pack(record));
    }
    let packing = tokio::task::spawn_blocking(|| packing::pack(record));
    packing.await.map_err(|error| Unconfirmed(said(error)))
}

impl Order for JetStream {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), Unconfirmed>> {
        async move {
            let published = timeout(CONFIRMING, self.publish(&group)).await;
            published.unwrap_or_else(|_| Err(Unconfirmed("it takes too long".to_owned())))
        }
        .boxed()
    }

    fn follow(&self, after: Place) -> BoxStream<'_, Result<Arc<Decided>, OrderError>> {
        let follower = Follower::new(self, after);
        unfold(Some(follower), |follower| async move {
            let mut follower = follower?;
            let next = follower.next().await.and_then(decide);
            let goes_on = next.is_ok();
            Some((next, goes_on.then_some(follower)))
        })
        .boxed()
    }

    fn reach(&self) -> BoxFuture<'_, Result<Reach, OrderError>> {
        async move {
            let asked = timeout(ASKING, self.info()).await;
            asked
                .map_err(|_| OrderError::Engine("it takes too long".to_owned()))?
                .map(|info| reach_of(&info))
        }
        .boxed()
    }
}

/// Reads the group of a record.
fn decide(raw: Raw) -> Result<Arc<Decided>, OrderError> {
    let Raw { place, nanos, at, payload, headers } = raw;
    let read = fingerprint(place, nanos, &payload);
    let unreadable = |why: &dyn std::fmt::Display| OrderError::Unreadable { place, why: said(why) };
    let record = packing::unpack(payload, headers.as_ref()).map_err(|why| unreadable(&why))?;
    let mut group = format::decode(&record).map_err(|why| unreadable(&why))?;
    group.number_by_place(place);
    Ok(Arc::new(Decided { place, at, read, group: Arc::new(group) }))
}

/// A checksum of a record: where it is, when it came there, and what it says.
fn fingerprint(place: Place, nanos: i128, record: &Bytes) -> u64 {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(&place.to_le_bytes());
    hash.update(&nanos.to_le_bytes());
    hash.update(record);
    let hash = hash.finish();
    hash.as_ref().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
