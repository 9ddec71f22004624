//! Snapshots in the engine: pieces of a stream of their own, which count when all are there and their hash is right.
//!
//! Whoever keeps one drops others first, so that the engine has no reason to drop the oldest by itself.

use std::time::Duration;

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::order::jetstream::jet_stream::JetStream;
use crate::order::jetstream::names::Piece;
use crate::order::jetstream::said::said;
use crate::order::jetstream::thinning::{self, Kept, NoRoom};
use crate::order::jetstream::{pieces, streams};
use crate::order::total_order::{Order as _, OrderError, Place, Snapshot, Snapshots};

/// How long the engine may take for one piece, or for the list of them.
const EACH: Duration = Duration::from_secs(10);

/// The pieces that are listed at most: more than the stream has room for.
const MOST_LISTED: usize = 100_000;

/// What the engine needs for a piece at most, beside its bytes.
const BESIDE: u64 = 1024;

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

    pub(super) async fn state_stream(&self) -> Result<Stream<()>, OrderError> {
        let stream = self.connection.context.get_stream_no_info(self.name.state_stream()).await;
        stream.map_err(|error| OrderError::Engine(said(error)))
    }

    /// The pieces that are there, of these subjects.
    pub(super) async fn listed(&self, subjects: String) -> Result<Vec<Piece>, OrderError> {
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

impl JetStream {
    /// Drops snapshots, so that there is room for one of a place that has so many pieces.
    async fn make_room(&self, place: Place, pieces: usize) -> Result<(), OrderError> {
        let first = self.reach().await?.first;
        let stream = self.state_stream().await?;
        let limit = self.asked(stream.get_info()).await?.config.max_bytes;
        // What is not limited by the operator is by us; and what others write meanwhile has some room.
        let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0);
        let room = limit.unwrap_or(streams::STATE_BYTES.unsigned_abs()) / 8 * 7;
        let listed = self.listed(self.name.state_subjects()).await?;
        let kept = kept(&listed, place, pieces);
        let drops = thinning::to_drop(&kept, first, room).map_err(|NoRoom| {
            let name = self.name.state_stream();
            OrderError::Engine(format!(
                "stream {name} has no room for a snapshot of {pieces} pieces beside the one before it: \
                 nats stream edit {name} --max-bytes {}",
                2 * size_of_pieces(pieces) / 7 * 8 + BESIDE
            ))
        })?;
        for place in drops.iter().chain(&broken(&listed, place)) {
            let pieces = self.name.pieces_of(*place);
            // One that stays takes its room, and is dropped by whoever keeps the next one.
            match self.asked(stream.purge().filter(pieces).into_future()).await {
                Ok(_) => tracing::debug!(place, "a snapshot is dropped"),
                Err(error) => tracing::warn!(place, %error, "a snapshot could not be dropped"),
            }
        }
        Ok(())
    }
}

/// What is kept up to a place, of which so many pieces are going to be.
fn kept(listed: &[Piece], place: Place, pieces: usize) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    // Those of a newer place are the business of whoever writes there.
    for (of, _, count) in pieces::whole(listed).into_iter().filter(|(of, ..)| *of < place) {
        let bytes = size_of_pieces(count);
        match all.last_mut().filter(|last| last.place == of) {
            Some(last) => last.bytes = last.bytes.saturating_add(bytes),
            None => all.push(Kept { place: of, bytes }),
        }
    }
    all.push(Kept { place, bytes: size_of_pieces(pieces) });
    all
}

/// The places before the newest whole one, and before this one, of which nothing is whole: whoever wrote there has ended.
fn broken(listed: &[Piece], place: Place) -> Vec<Place> {
    let whole: Vec<_> = pieces::whole(listed).into_iter().map(|(of, ..)| of).collect();
    let newest = whole.iter().copied().filter(|of| *of < place).max().unwrap_or(0);
    let mut broken: Vec<_> = listed.iter().map(|piece| piece.place).collect();
    broken.sort_unstable();
    broken.dedup();
    broken.retain(|of| *of < newest && whole.binary_search(of).is_err());
    broken
}

fn size_of_pieces(count: usize) -> u64 {
    (pieces::PIECE as u64 + BESIDE).saturating_mul(count as u64)
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
            self.make_room(snapshot.place, cut.len()).await?;
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
