//! The engine of one cluster: the connection and the two streams, which the log and the snapshots are made of.

use std::sync::{Arc, Mutex, PoisonError};

use async_nats::jetstream::stream::{Info, Stream};

use crate::order::jetstream::connecting::Connection;
use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::names::ClusterName;
use crate::order::jetstream::said::said;
use crate::order::jetstream::settings::EngineSettings;
use crate::order::jetstream::streams;
use crate::order::total_order::{OrderError, Place, Reach};

/// The order of a cluster, in the engine.
#[derive(Debug, Clone)]
pub struct JetStream {
    pub(super) connection: Connection,
    pub(super) name: ClusterName,
    /// The record that was read last, by whoever has followed the log.
    last_read: Arc<Mutex<Option<Stamp>>>,
}

/// By what a log is known: a record of it.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    /// Its place.
    place: Place,
    /// The engine's time stamp, in nanoseconds: another log in the place of ours has another one there.
    nanos: i128,
}

impl JetStream {
    /// Connects, looks whether the engine can be used, and makes the streams of a cluster that has none.
    ///
    /// # Errors
    /// [`EngineError::Unreachable`] when it may be different in a moment; [`EngineError::Refused`] when somebody has to do
    /// something.
    pub async fn connect(settings: &EngineSettings) -> Result<Self, EngineError> {
        let connection = Connection::open(settings).await?;
        connection.check_account().await?;
        let name = settings.cluster.clone();
        connection.stream(streams::log(&name, settings.replicas, settings.begins_behind)).await?;
        connection.stream(streams::state(&name, settings.replicas)).await?;
        Ok(Self::new(connection, name))
    }

    /// One that has read nothing.
    pub(super) fn new(connection: Connection, name: ClusterName) -> Self {
        Self { connection, name, last_read: Arc::default() }
    }

    /// Notes the record that was read last. Whoever follows the log from there later, after an error of the engine too, finds out
    /// whether it is the same log still.
    pub(super) fn has_read(&self, place: Place, nanos: i128) {
        let mut last = self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Stamp { place, nanos });
    }

    /// The time stamp of the record of a place, if that was read last.
    pub(super) fn stamp_of(&self, place: Place) -> Option<i128> {
        let last = *self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|stamp| stamp.place == place).map(|stamp| stamp.nanos)
    }

    /// What there is of the log.
    pub(super) async fn info(&self) -> Result<Info, OrderError> {
        let stream = self.stream().await?;
        stream.get_info().await.map_err(|error| OrderError::Engine(said(error)))
    }

    /// The stream of the log, without asking for it.
    pub(super) async fn stream(&self) -> Result<Stream<()>, OrderError> {
        let stream = self.connection.context.get_stream_no_info(self.name.log_stream()).await;
        stream.map_err(|error| OrderError::Engine(said(error)))
    }
}

/// The places that a stream has. One that nothing was ever in says that its first is 0.
pub fn reach_of(info: &Info) -> Reach {
    let last = info.state.last_sequence;
    let first = if info.state.messages == 0 { last + 1 } else { info.state.first_sequence };
    Reach { first: first.max(1), last }
}
