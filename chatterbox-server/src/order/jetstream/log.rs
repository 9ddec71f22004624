//! The log: what is offered is published, and who asks is told how far it goes.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::Info;
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
use crate::order::total_order::{Decided, OfferError, Order, OrderError, Place, Reach};

/// How long the engine may take to confirm a group. Whoever offers it offers it again then. What was on its way to a leader that has
/// gone is never confirmed, so a longer time would be added to that of an election.
const CONFIRMING: Duration = Duration::from_secs(2);

/// How long the engine may take to say how far the log goes.
const ASKING: Duration = Duration::from_secs(5);

impl JetStream {
    /// The bytes of the log that the engine keeps, before the oldest go; nothing where there is no bound.
    ///
    /// # Errors
    /// [`OrderError::Engine`].
    pub async fn log_bytes(&self) -> Result<Option<u64>, OrderError> {
        let max_bytes = self.asked_info().await?.config.max_bytes;
        Ok(u64::try_from(max_bytes).ok().filter(|bytes| *bytes > 0))
    }

    /// What there is of the log, if the engine says so in time.
    async fn asked_info(&self) -> Result<Info, OrderError> {
        let asked = timeout(ASKING, self.info()).await;
        asked.unwrap_or_else(|_| Err(OrderError::Engine("it takes too long".to_owned())))
    }

    async fn publish(&self, group: &Group) -> Result<(), OfferError> {
        let record = format::encode(group).map_err(|error| OfferError::TooLarge(said(error)))?;
        let Packed { payload, headers } = packed(record).await?;
        // Nothing is put where the client would send it in a minute: it would be there again and again.
        self.connection.up().await;
        let context = &self.connection.context;
        let sent = context.publish_with_headers(self.name.log_subject(), headers, payload).await;
        let confirmed = sent.map_err(unconfirmed)?.await;
        let confirmed = confirmed.map_err(unconfirmed)?;
        let stream = self.name.log_stream();
        if confirmed.stream == stream {
            Ok(())
        } else {
            Err(OfferError::Unconfirmed(format!(
                "stream {} has it in place of {stream}",
                said(confirmed.stream)
            )))
        }
    }
}

/// A large record is packed where nothing else waits for that.
async fn packed(record: Bytes) -> Result<Packed, OfferError> {
    let packed = if packing::takes_long(&record) {
        let packing = tokio::task::spawn_blocking(|| packing::pack(record));
        packing.await.map_err(unconfirmed)?
    } else {
        packing::pack(record)
    };
    packed.map_err(|too_large| OfferError::TooLarge(too_large.to_string()))
}

fn unconfirmed(error: impl std::fmt::Display) -> OfferError {
    OfferError::Unconfirmed(said(error))
}

impl Order for JetStream {
    fn offer(&self, group: Arc<Group>) -> BoxFuture<'_, Result<(), OfferError>> {
        async move {
            let published = timeout(CONFIRMING, self.publish(&group)).await;
            published.unwrap_or_else(|_| Err(unconfirmed("it takes too long")))
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
        async move { Ok(reach_of(&self.asked_info().await?)) }.boxed()
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

#[cfg(test)]
mod tests {
    use async_nats::HeaderMap;
    use chatterbox_hub::{Incarnation, Proposal, Tick};
    use proptest::prelude::*;

    use super::*;

    /// A record of ours, larger or smaller.
    fn record(proposals: usize) -> Packed {
        let tick = Proposal::Tick(Tick { place: u64::MAX, read: 7, state: None, stores: None });
        let proposals = vec![tick; proposals];
        let group = Group { from: Incarnation(3), number: 9, proposals };
        packing::pack(format::encode(&group).unwrap()).unwrap()
    }

    fn raw(payload: Bytes, headers: Option<HeaderMap>) -> Raw {
        Raw { place: 77, nanos: -1, at: 0, payload, headers }
    }

    proptest! {
        /// Whatever is read has a place and a checksum, or is an error that says where: always the same.
        #[test]
        fn garbage_is_read_or_is_an_error_that_says_where(
            ours in prop::option::of(0..20_usize),
            mut bytes in prop::collection::vec(any::<u8>(), 0..200),
            broken in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4),
            way in prop::option::of(prop_oneof![Just("zlib".to_owned()), "[a-z]{0,9}"]),
        ) {
            if let Some(proposals) = ours {
                bytes = record(proposals).payload.to_vec();
            }
            let broken = if bytes.is_empty() { Vec::new() } else { broken };
            for (at, byte) in broken {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let headers = way.map(|way| HeaderMap::from_iter([(
                "Chatterbox-Packed".parse().unwrap(),
                way.parse().unwrap(),
            )]));
            let read = || decide(raw(bytes.clone().into(), headers.clone()));
            let shown = |read: &Result<Arc<Decided>, OrderError>| format!("{read:?}");
            let first = read();
            prop_assert_eq!(shown(&first), shown(&read()));
            match first {
                Ok(decided) => prop_assert_eq!(decided.place, 77),
                Err(error) => prop_assert!(error.to_string().contains("place 77 "), "{error}"),
            }
        }
    }
}
