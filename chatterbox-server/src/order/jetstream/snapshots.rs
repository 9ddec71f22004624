//! Snapshots in the engine: pieces of a stream of their own, which count when all are there and their hash is right.

use std::time::Duration;

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::order::jetstream::jet_stream::JetStream;
use crate::order::jetstream::names::Piece;
use crate::order::jetstream::pieces;
use crate::order::jetstream::said::said;
use crate::order::total_order::{OrderError, Place, Snapshot, Snapshots};

/// How long the engine may take for one piece, or for the list of them.
const EACH: Duration = Duration::from_secs(10);

/// The pieces that are listed at most: more than the stream has room for.
const MOST_LISTED: usize = 100_000;

impl JetStream {
    /// Asks the engine, and not for ever.
    async fn asked<T, E: std::fmt::Display>(
        &self,
        what: impl Future<Output = Result<T, E>>,
    ) -> Result<T, OrderError> {
        let answer = timeout(EACH, what).await;
        let answer = answer.map_err(|_| OrderError::Engine("it takes too long".to_owned()))?;
        answer.map_err(|error| OrderError::Engine(said(error)))
    }

    async fn state_stream(&self) -> Result<Stream<()>, OrderError> {
        let stream = self.connection.context.get_stream_no_info(self.name.state_stream()).await;
        stream.map_err(|error| OrderError::Engine(said(error)))
    }

    /// The pieces that are there, of these subjects.
    async fn listed(&self, subjects: String) -> Result<Vec<Piece>, OrderError> {
        let stream = self.state_stream().await?;
        let mut listing = self.asked(stream.info_with_subjects(subjects)).await?;
        let mut listed = Vec::new();
        while let Some((subject, _)) = self.asked(listing.try_next()).await? {
            listed.extend(self.name.piece_of(&subject));
            if listed.len() >= MOST_LISTED {
                break;
            }
        }
        Ok(listed)
    }

    /// Reads a piece; `None` when it has gone meanwhile.
    async fn piece(&self, stream: &Stream<()>, piece: &Piece) -> Result<Option<Bytes>, OrderError> {
        let subject = self.name.piece(piece);
        let read = timeout(EACH, stream.get_last_raw_message_by_subject(&subject)).await;
        match read {
            Ok(Ok(message)) => Ok(Some(message.payload)),
            Ok(Err(error)) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => {
                Ok(None)
            }
            Ok(Err(error)) => Err(OrderError::Engine(said(error))),
            Err(_) => Err(OrderError::Engine("it takes too long".to_owned())),
        }
    }

    async fn whole(
        &self,
        place: Place,
        hash: &str,
        count: usize,
    ) -> Result<Option<Snapshot>, OrderError> {
        let stream = self.state_stream().await?;
        let mut all = Vec::new();
        for index in 0..count {
            let piece = Piece { place, hash: hash.to_owned(), index, count };
            let Some(bytes) = self.piece(&stream, &piece).await? else { return Ok(None) };
            all.push(bytes);
        }
        Ok(pieces::join(place, hash, all))
    }
}

impl Snapshots for JetStream {
    fn places(&self) -> BoxFuture<'_, Result<Vec<Place>, OrderError>> {
        async move {
            let listed = self.listed(self.name.state_subjects()).await?;
            let mut places: Vec<_> =
                pieces::whole(&listed).into_iter().map(|(place, ..)| place).collect();
            places.dedup();
            Ok(places)
        }
        .boxed()
    }

    fn read(&self, place: Place) -> BoxFuture<'_, Result<Option<Snapshot>, OrderError>> {
        async move {
            let listed = self.listed(self.name.pieces_of(place)).await?;
            for (place, hash, count) in pieces::whole(&listed) {
                if let Some(snapshot) = self.whole(place, &hash, count).await? {
                    return Ok(Some(snapshot));
                }
            }
            Ok(None)
        }
        .boxed()
    }

    fn keep(&self, snapshot: Snapshot) -> BoxFuture<'_, Result<(), OrderError>> {
        async move {
            let cut = pieces::cut(&snapshot);
            let cut = cut.ok_or_else(|| {
                OrderError::Engine("it takes no snapshot of more than 1 GiB".to_owned())
            })?;
            let there = self.listed(self.name.pieces_of(snapshot.place)).await?;
            for (piece, bytes) in cut {
                if !there.contains(&piece) {
                    let subject = self.name.piece(&piece);
                    let publishing = self.connection.context.publish(subject, bytes);
                    self.asked(self.asked(publishing).await?.into_future()).await?;
                }
            }
            Ok(())
        }
        .boxed()
    }
}
