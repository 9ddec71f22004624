//! Starting, running and stopping: the life of a server as a whole.

#![allow(clippy::disallowed_methods, reason = "the edge: tasks are started and waited for here")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chatterbox_proto::{ALL, Entry, SERVER};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::backlog::Backlog;
use crate::chat::Chat;
use crate::config::Config;
use crate::hub::{Event, Hub};
use crate::net::accept::{Acceptor, Door};
use crate::net::connection::Context;
use crate::net::tls::Transport;
use crate::sequencer;

/// After the grace, connections have this long to take what is still waiting for them.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until `stop` counts to one, then says good bye; at two it closes at once.
///
/// When it returns, every connection is closed and everything that was accepted is stored.
pub async fn run(
    listeners: Vec<TcpListener>,
    transport: Transport,
    backlog: Arc<dyn Backlog>,
    config: Config,
    mut stop: watch::Receiver<u32>,
) {
    let (posts, inbox) = sequencer::queue();
    let chat = Arc::new(Chat::new(Hub::new(config.ring, config.keep), posts));
    let (grace, ring) = (config.grace, config.ring);
    let sequencer_stop = CancellationToken::new();
    let sequencer = tokio::spawn(sequencer::run(
        inbox,
        Arc::clone(&chat),
        backlog,
        ring,
        sequencer_stop.clone().cancelled_owned(),
    ));

    let closing = CancellationToken::new();
    let accepting = CancellationToken::new();
    let tasks = TaskTracker::new();
    let door = Arc::new(Door::new(config.max_connections, config.max_per_address));
    let context =
        Arc::new(Context { chat: Arc::clone(&chat), config, transport, closing: closing.clone() });
    let acceptors = TaskTracker::new();
    for listener in listeners {
        let acceptor = Acceptor {
            listener,
            door: Arc::clone(&door),
            context: Arc::clone(&context),
            tasks: tasks.clone(),
        };
        acceptors.spawn(accepting.clone().run_until_cancelled_owned(acceptor.run()));
    }
    acceptors.close();

    wanted(&mut stop, 1).await;
    accepting.cancel();
    acceptors.wait().await;
    tasks.close();
    let connections = tasks.len();
    tracing::info!(connections, grace_s = grace.as_secs(), "shutting down");
    if connections > 0 {
        chat.announce(shutdown_notice(grace));
        tokio::select! {
            () = tasks.wait() => {}
            () = tokio::time::sleep(grace) => {}
            () = wanted(&mut stop, 2) => {}
        }
    }
    closing.cancel();
    if tokio::time::timeout(LAST_WORDS, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections cut off");
    }
    sequencer_stop.cancel();
    if sequencer.await.is_err() {
        tracing::error!("the sequencer has panicked");
    }
    tracing::info!("stopped");
}

async fn wanted(stop: &mut watch::Receiver<u32>, times: u32) {
    // Whoever drops the sender wants to stop, once.
    let closed = stop.wait_for(|count| *count >= times).await.is_err();
    if closed && times > 1 {
        std::future::pending::<()>().await;
    }
}

/// Every client can show a message, so that is what the notice is.
fn shutdown_notice(grace: Duration) -> Event {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let entry = Entry {
        source: SERVER.into(),
        destination: ALL.into(),
        timestamp: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        content: format!("The server is shutting down in {} s.", grace.as_secs()).into(),
    };
    Event::message(entry.to_json().into())
}
