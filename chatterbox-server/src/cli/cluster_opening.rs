//! The start of a node: it waits for the engine, and does not begin with one that would lose something.

use std::sync::Arc;
use std::time::Duration;

use chatterbox_server::Cluster;
use chatterbox_server::order::jetstream::{
    EngineError, EngineSettings, Exposed, JetStream, MonitorUrl, check_monitors, exposed,
};

use crate::cli::cluster_settings::ClusterSettings;
use crate::cli::exit::{self, Failure};

/// The time between two attempts to reach the engine.
const REST: Duration = Duration::from_secs(1);

/// Connects to the engine, however long that takes; `None` where this is the only node. A machine starts in any order, so an
/// engine that is not there yet is waited for.
///
/// # Errors
/// Somebody has to do something first.
pub async fn open(settings: &ClusterSettings) -> Result<Option<Cluster>, Failure> {
    for setting in settings.without_effect() {
        tracing::warn!("--{setting} has no effect without --cluster");
    }
    let Some(engine) = settings.engine()? else { return Ok(None) };
    let monitors = settings.monitors()?;
    for Exposed { about, told } in exposed(&engine) {
        tracing::warn!("{about}: {told}");
    }
    let mut told = String::new();
    loop {
        match attempt(&engine, &monitors).await {
            Ok(opened) => {
                let opened = Arc::new(opened);
                let snapshots = Arc::<JetStream>::clone(&opened);
                return Ok(Some(Cluster {
                    name: engine.cluster.to_string().into(),
                    node: engine.node.into(),
                    order: opened,
                    snapshots,
                    commands: None,
                }));
            }
            Err(EngineError::Refused(why)) => {
                return Err(Failure {
                    message: why,
                    hint: Some(
                        "`chatterbox-server cluster check` looks at all of the engine".into(),
                    ),
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

async fn attempt(
    engine: &EngineSettings,
    monitors: &[MonitorUrl],
) -> Result<JetStream, EngineError> {
    check_monitors(monitors).await?;
    JetStream::connect(engine).await
}
