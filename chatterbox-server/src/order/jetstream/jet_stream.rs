//! The engine of one cluster: the connection and the two streams, which the log and the snapshots are made of.

use async_nats::jetstream::stream::{Info, Stream};

use crate::order::jetstream::connecting::Connection;
use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::names::ClusterName;
use crate::order::jetstream::said::said;
use crate::order::jetstream::settings::EngineSettings;
use crate::order::jetstream::streams;
use crate::order::total_order::{OrderError, Reach};

/// The order of a cluster, in the engine.
#[derive(Debug, Clone)]
pub struct JetStream {
    pub(super) connection: Connection,
    pub(super) name: ClusterName,
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
        Ok(Self { connection, name })
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
