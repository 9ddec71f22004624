//! What these tests have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::time::{Instant, timeout};

use super::engine::Engine;
use crate::order::jetstream::{EngineError, EngineSettings, JetStream, ServerUrl};
use crate::order::total_order::{Decided, Order, OrderError};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How a node called `a` reaches an engine.
pub fn settings(engine: &Engine) -> EngineSettings {
    let servers = ServerUrl::parse_list(&engine.urls()).unwrap();
    EngineSettings { replicas: engine.len().min(3), ..EngineSettings::new(servers, "a".to_owned()) }
}

/// The same for a cluster of a name that nobody else has.
pub fn of_its_own(engine: &Engine) -> EngineSettings {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    EngineSettings { cluster: name.parse().unwrap(), ..settings(engine) }
}

/// Connects, as often as it takes.
pub async fn connect(settings: &EngineSettings) -> Arc<JetStream> {
    let start = Instant::now();
    loop {
        match JetStream::connect(settings).await {
            Ok(order) => return Arc::new(order),
            Err(EngineError::Unreachable(_)) if start.elapsed() < PATIENCE => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// What comes next.
pub async fn next(
    follow: &mut BoxStream<'_, Result<Arc<Decided>, OrderError>>,
) -> Result<Arc<Decided>, OrderError> {
    timeout(PATIENCE, follow.next()).await.expect("something comes").expect("it has not ended")
}

/// Offers a group until it is confirmed, and says how long it took.
pub async fn offer(order: &JetStream, number: u64) -> Duration {
    let start = Instant::now();
    while let Err(error) = order.offer(crate::order::contract::group(number)).await {
        assert!(start.elapsed() < PATIENCE, "{error}");
        tokio::task::yield_now().await;
    }
    start.elapsed()
}
