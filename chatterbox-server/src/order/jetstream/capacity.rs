//! What there is of a cluster in the engine, for whoever makes no node of it: whether there is a log, and how much of it is kept.

use std::time::Duration;

use tokio::time::timeout;

use crate::order::jetstream::connecting::Connection;
use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::jet_stream::JetStream;
use crate::order::jetstream::settings::EngineSettings;
use crate::order::total_order::OrderError;

/// How long the engine may take to say it.
const ASKING: Duration = Duration::from_secs(5);

impl JetStream {
    /// Connects to the engine; `None` when it has no cluster of this name. Nothing is made.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn find(settings: &EngineSettings) -> Result<Option<Self>, EngineError> {
        let connection = Connection::open(settings).await?;
        connection.check_account().await?;
        let name = settings.cluster.clone();
        let found = connection.find_stream(&name.log_stream()).await?;
        Ok(found.map(|_| Self { connection, name }))
    }

    /// The bytes of the log that the engine keeps, before the oldest go; nothing where there is no bound.
    ///
    /// # Errors
    /// [`OrderError::Engine`].
    pub async fn log_bytes(&self) -> Result<Option<u64>, OrderError> {
        let asked = timeout(ASKING, self.info()).await;
        let info = asked.map_err(|_| OrderError::Engine("it takes too long".to_owned()))??;
        Ok(u64::try_from(info.config.max_bytes).ok().filter(|bytes| *bytes > 0))
    }
}
