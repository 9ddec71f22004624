//! The start of a node: it waits for the engine, and does not begin with one that would lose something.

use std::time::Duration;

use chatterbox_server::order::jetstream::{
    EngineError, EngineSettings, JetStream, MonitorUrl, check_monitors,
};

use crate::cli::cluster_settings::ClusterSettings;
use crate::cli::exit::{self, Failure};

/// The time between two attempts to reach the engine.
const REST: Duration = Duration::from_secs(1);

/// A node of a cluster, as its settings want it.
#[derive(Debug)]
pub struct Opened {
    /// The engine.
    pub engine: JetStream,
    /// What the node is called.
    pub node: String,
}

/// Connects to the engine, however long that takes; `None` where this is the only node. A machine starts in any order, so an
/// engine that is not there yet is waited for.
///
/// # Errors
/// Somebody has to do something first.
pub async fn open(settings: &ClusterSettings) -> Result<Option<Opened>, Failure> {
    for setting in settings.without_effect() {
        tracing::warn!("--{setting} has no effect without --cluster");
    }
    let Some(engine) = settings.engine()? else { return Ok(None) };
    let monitors = settings.monitors()?;
    let mut told = String::new();
    loop {
        match attempt(&engine, &monitors).await {
            Ok(opened) => {
                return Ok(Some(Opened { engine: opened, node: engine.node }));
            }
            Err(EngineError::Refused(why)) => {
                return Err(Failure {
                    message: why,
                    hint: Some("`chatterbox-server cluster check` looks at all of the engine".into()),
                    code: exit::CONFIGURATION,
                });
            }
            Err(error) => {
                // Once for each reason: this may go on for hours.
                let why = error.to_string();
                if why != told {
                    tracing::warn!("{why}; this node waits for it");
                    told = why;
                }
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn attempt(engine: &EngineSettings, monitors: &[MonitorUrl]) -> Result<JetStream, EngineError> {
    check_monitors(monitors).await?;
    JetStream::connect(engine).await
}
