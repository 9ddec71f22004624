//! The life of a server: start, accept, shut down.

#![allow(clippy::disallowed_methods, reason = "the edge: tasks are started and waited for here")]

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chatterbox_hub::{Happened, Hub, Sequence};
use chatterbox_proto::Username;
use futures_util::FutureExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, Authenticator, House, NoAccounts, RequestHandler};
use crate::account_watch::AccountWatch;
use crate::aging::{self, Time};
use crate::chat::announcement::shutdown_notice;
use crate::chat::cluster::Cluster;
use crate::chat::history_loading::load_history;
use crate::chat::paging::Pages;
use crate::chat::proposals;
use crate::chat::shared::{Chat, Observer};
use crate::config::Live;
use crate::configured_rooms::configure_rooms;
use crate::control::{self, Control, Controlled};
use crate::gateway::telnet::Telnet;
use crate::gateway::web::{Web, WebListeners};
use crate::keys::{keep_keys, write_keys};
use crate::listeners::Listeners;
use crate::marks::{keep_marks, write_marks};
use crate::metrics::Sources;
use crate::net::Transport;
use crate::net::acceptor::{Acceptor, Protocol, Service};
use crate::net::ahead::Places;
use crate::net::compressing::Compressing;
use crate::net::context::Context;
use crate::net::drain::Drain;
use crate::net::health;
use crate::net::limits::ConnectionLimits;
use crate::net::long_frame::LongFrames;
use crate::net::long_work::LongWork;
use crate::net::scrape::Scrape;
use crate::ops::readiness::Health;
use crate::ops::service_manager::ServiceManager;
use crate::ops::signals::Asking;
use crate::ops::supervision::supervise;
use crate::pacing::{InputPacing, JoinPacing, LogPacing};
use crate::proposing::{self, Proposer, RunningNode};
use crate::restoring::{load_rooms, load_sanctions};
use crate::sharing::share_limits;
use crate::store::{Store, StoreError};

/// After the grace period, connections have this long to take the frames that are still queued.
const LAST_WRITES: Duration = Duration::from_secs(4);

/// Serves until `stop` is 1, then shuts down after a grace period; 2 ends the grace period at once.
///
/// When it returns, every accepted message is stored, and every connection is closed, or cut off if it does not read.
///
/// # Errors
/// [`StoreError`] when the history of earlier runs can't be read; the chat is not opened then.
pub async fn run(
    listeners: impl Into<Listeners>,
    transport: Transport,
    store: Arc<dyn Store>,
    config: Live,
    stop: watch::Receiver<u32>,
) -> Result<(), StoreError> {
    run_with(listeners, transport, store, Access::new(NoAccounts), config, stop).await
}

/// The same with an authenticator and a handler of members' requests.
///
/// # Errors
/// As [`run`].
pub async fn run_with(
    listeners: impl Into<Listeners>,
    transport: Transport,
    store: Arc<dyn Store>,
    access: Access,
    config: Live,
    stop: watch::Receiver<u32>,
) -> Result<(), StoreError> {
    let operation = Operation::default();
    run_controlled(listeners, transport, store, access, config, stop, operation).await
}

/// What a server is part of, beside its chat.
#[derive(Debug, Default)]
pub struct Operation {
    /// Whoever controls it from the command line.
    pub control: Option<Control>,
    /// The nodes that it is one of, where it is not alone.
    pub cluster: Option<Cluster>,
    /// Whoever asks for a line of status in the log.
    pub asking: Option<Asking>,
    /// Whoever has started its process.
    pub manager: ServiceManager,
}

/// The same, controlled from the command line as well, and as a node of several.
///
/// # Errors
/// As [`run`].
pub async fn run_controlled(
    listeners: impl Into<Listeners>,
    transport: Transport,
    store: Arc<dyn Store>,
    access: Access,
    config: Live,
    mut stop: watch::Receiver<u32>,
    operation: Operation,
) -> Result<(), StoreError> {
    let Operation { control, cluster, asking, manager } = operation;
    let listeners = listeners.into();
    let health = Health::default();
    let at_start = config.current();
    let (proposals, queue) = proposals::queue();
    let chat = Arc::new(Chat::new(Hub::new(at_start.timeline, at_start.keep), proposals));
    let keep_age = at_start.keep_age;
    let sequencer_stop = CancellationToken::new();
    let limits = at_start.timeline;
    let set_elsewhere = follow_settings(cluster.as_ref(), &access.requests);
    let proposer = proposing::start(&chat, &store, cluster, queue, limits, &sequencer_stop);
    let Proposer { running: mut sequencer, read, node } = proposer;

    let time = match &node {
        Some(_) => Time::Order(Arc::clone(&chat)),
        None => Time::Machine,
    };
    let sharing = node.as_ref().map(|node| {
        let (reports, authenticator) = (node.report(), Arc::clone(&access.authenticator));
        tokio::spawn(async move { share_limits(reports, &*authenticator).await })
    });

    let supervision = {
        let (chat, manager, health) = (Arc::clone(&chat), manager.clone(), health.clone());
        let comes_round = move || {
            let chat = Arc::clone(&chat);
            async move { chat.comes_round().await }
        };
        tokio::spawn(supervise(manager, health, comes_round))
    };
    let presence = Arc::clone(&chat);
    let presence = tokio::spawn(async move { presence.notifier().notify_of_presence().await });
    let counting = Arc::clone(&chat);
    let counting = tokio::spawn(async move { tell_counts(&counting).await });
    let changes = Arc::clone(&chat);
    let changes = tokio::spawn(async move { tell_presence(&changes).await });

    let watching = Arc::clone(&access.authenticator);
    let activity = access.activity.clone();
    let is_logged = activity.is_some();
    let observer = move |happened: Vec<Happened>| {
        for happened in &happened {
            watching.happened(happened);
            activity.iter().for_each(|activity| activity.note(happened));
        }
    };
    let marking_stop = CancellationToken::new();
    let mut marking = {
        let (chat, writing) = (Arc::clone(&chat), Arc::clone(&access.authenticator));
        let stop = marking_stop.clone();
        tokio::spawn(async move {
            futures_util::join!(
                keep_marks(&chat, &*writing, &stop),
                keep_keys(&chat, writing.keys(), &stop),
            );
        })
    };
    let visitors = Arc::clone(&access.authenticator);
    let visits = {
        let visitors = Arc::clone(&visitors);
        tokio::spawn(async move { keep_visits(&*visitors).await })
    };

    let rooms = access.rooms.clone();
    let moderation = access.moderation.clone();
    let requests = Arc::clone(&access.requests);
    let followed = Arc::clone(&requests);
    chat.watch_amended(Box::new(move |member| followed.permissions_changed(member)));
    let authenticator = Arc::clone(&access.authenticator);
    let watch =
        AccountWatch { chat: Arc::clone(&chat), access: access.clone(), store: Arc::clone(&store) };
    let account_changes = {
        let observer = watch.clone().observer();
        tokio::spawn(async move { authenticator.watch(observer).await })
    };

    let history_loaded = CancellationToken::new();
    let forgetting = {
        let (moderation, config) = (moderation.clone(), config.clone());
        // Nodes of a cluster agree about it, as about all else, once they are up.
        let (loaded, time) = (history_loaded.clone(), time.clone());
        tokio::spawn(async move {
            loaded.cancelled().await;
            aging::forget_acts(moderation.as_deref(), &config, &time).await;
        })
    };
    let sweeping = access.files.clone().map(|files| {
        let (chat, loaded) = (Arc::clone(&chat), history_loaded.clone());
        tokio::spawn(async move {
            loaded.cancelled().await;
            files.sweep(&chat).await;
        })
    });
    let closing = CancellationToken::new();
    let accepting = CancellationToken::new();
    let tasks = TaskTracker::new();
    let authenticator = Arc::clone(&access.authenticator);
    let account_of = Box::new(move |name: Username| {
        let authenticator = Arc::clone(&authenticator);
        async move { authenticator.account_of(&name).await }.boxed()
    });
    let pages = Arc::new(Pages::new(read, account_of));
    let context = Arc::new(Context {
        chat: Arc::clone(&chat),
        access,
        joins: JoinPacing::default(),
        input: InputPacing::default(),
        logged: LogPacing::default(),
        pages,
        config: config.clone(),
        transport,
        history_loaded: history_loaded.clone(),
        limits: Arc::new(ConnectionLimits::with_kept_places()),
        turned_away: AtomicU64::default(),
        long_frames: Arc::new(LongFrames::default()),
        ahead: Places::default(),
        long_work: LongWork::default(),
        compressing: Compressing::default(),
        drain: Drain::default(),
        closing: closing.clone(),
    });
    let sources = Arc::new(Sources {
        context: Arc::clone(&context),
        health: health.clone(),
        store: Arc::clone(&store),
        node: node.as_ref().map(|node| (node.report(), node.progress())),
    });
    // Until the end: that nobody should be sent here any more has to be told as well.
    let mut telling = JoinSet::new();
    // Answers that are under way at the end hold nothing of the server.
    let measured = Arc::downgrade(&sources);
    let text = move || measured.upgrade().map_or_else(String::new, |sources| sources.text());
    let scrape = Arc::new(Scrape::new(listeners.metrics_anywhere, text));
    for listener in listeners.health {
        telling.spawn(health::serve(listener, health.clone(), Arc::clone(&scrape)));
    }
    if let Some(asking) = asking {
        let sources = Arc::clone(&sources);
        telling.spawn(async move { sources.log_when_asked(asking).await });
    }
    let acceptors = TaskTracker::new();
    let acceptor = Acceptor::new(Arc::clone(&context), tasks.clone());
    let protocol = Arc::new(Protocol { context: Arc::clone(&context) });
    accept_all(&acceptor, listeners.protocol, &protocol, &acceptors, &accepting);
    let telnet = Arc::new(Telnet::new(Arc::clone(&context)));
    accept_all(&acceptor, listeners.telnet, &telnet, &acceptors, &accepting);
    if let Some(WebListeners { listeners, host, tls }) = listeners.web {
        let web = Arc::new(Web::new(Arc::clone(&context), host, tls));
        accept_all(&acceptor, listeners, &web, &acceptors, &accepting);
    }
    acceptors.close();
    let control = control.map(|Control { socket, operator }| {
        let context = Arc::clone(&context);
        let connections = Box::new(move || context.limits.count());
        let (requests, moderator) = (Arc::clone(&requests), requests.moderator(&chat));
        let controlled = Arc::new(Controlled::new(
            watch,
            config.clone(),
            operator,
            moderator,
            connections,
            (health.clone(), node.as_ref().map(RunningNode::report)),
        ));
        let house: Weak<dyn House> = Arc::<Controlled>::downgrade(&controlled);
        requests.moves_in(house);
        let served = Arc::clone(&controlled);
        let serving = socket.map(|socket| tokio::spawn(control::serve(socket, served)));
        (controlled, serving)
    });

    let history = async {
        match &node {
            None => {
                chat.observe(Observer(Box::new(observer)), is_logged);
                load_rooms(&chat, &*store).await?;
                if let Some(moderation) = &moderation {
                    load_sanctions(&chat, moderation).await?;
                }
                configure_rooms(&chat, &rooms, || std::future::ready(false)).await?;
                load_history(&chat, &*store, Sequence::MAX).await?;
            }
            Some(node) => {
                if !node.is_up().await {
                    // Whoever has ended says why.
                    return std::future::pending().await;
                }
                // What was decided before was seen by those who were there.
                chat.observe(Observer(Box::new(observer)), is_logged);
                configure_rooms(&chat, &rooms, || async {
                    // Whoever has ended says why.
                    node.is_up().await || std::future::pending().await
                })
                .await?;
            }
        }
        history_loaded.cancel();
        health.started();
        let guarding = async {
            if let Some(node) = &node {
                node.guard(&chat, &health).await;
            }
        };
        let forgetting = aging::forget_messages(&chat, &*store, keep_age, &time);
        futures_util::join!(forgetting, guarding);
        Ok(())
    };
    let outcome = tokio::select! {
        failed = history => failed,
        () = requested(&mut stop, 1) => Ok(()),
        ended = &mut sequencer => match ended {
            Ok(Err(error)) => {
                if error.is_final() {
                    tracing::error!("this node does not go on, nor when it is started again: look into it");
                }
                Err(StoreError::Node(Box::new(error)))
            }
            _ => Err(StoreError::Failed("the sequencer has ended".into())),
        },
    };
    health.drains();
    accepting.cancel();
    acceptors.wait().await;
    tasks.close();
    let at_end = config.current();
    let grace = at_end.grace;
    manager.stopping(grace);
    let connections = tasks.len();
    tracing::info!(connections, grace_s = grace.as_secs(), "shutting down");
    // Where it ends because it can't go on, the others have to decide that it has ended.
    let moving = node.as_ref().filter(|_| outcome.is_ok());
    if moving.is_some() {
        chat.doors().take_users(false);
        chat.doors().hold_sessions();
        context.drain.begin(grace);
    } else if node.is_some() {
        // Nothing is done here any more, and what is unanswered stays so: whoever can go on elsewhere finds out there.
        context.drain.begin(grace.min(AT_A_FAULT));
    }
    if connections > 0 {
        // Where other nodes go on, the chat is not away.
        let back_in = at_end.back_in.filter(|_| node.is_none());
        // Whoever is about to join may have been promised another end, which this one comes before.
        chat.doors().ends_in(grace, back_in);
        chat.announce(shutdown_notice(grace, back_in));
        tokio::select! {
            () = tasks.wait() => {}
            () = tokio::time::sleep(grace) => {}
            () = requested(&mut stop, 2) => {}
        }
    }
    context.drain.end();
    closing.cancel();
    if tokio::time::timeout(LAST_WRITES, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections cut off");
    }
    // While there is still somebody who decides about it, and before users who go on elsewhere are told what they have read.
    marking_stop.cancel();
    let are_written = tokio::time::timeout(LAST_WRITES, &mut marking).await.is_ok();
    if let Some(node) = moving {
        node.have_moved(&chat).await;
    }
    if are_written {
        // What was said last may have come round since.
        let last = async {
            write_marks(&chat, &*visitors).await;
            write_keys(visitors.keys()).await;
        };
        let _ = tokio::time::timeout(LAST_WRITES, last).await;
    } else {
        tracing::warn!("how far users have read could not be written");
        marking.abort();
    }
    sequencer_stop.cancel();
    if !sequencer.is_finished() && sequencer.await.is_err() {
        tracing::error!("the sequencer has panicked");
    }
    control.iter().filter_map(|(_, serving)| serving.as_ref()).for_each(JoinHandle::abort);
    presence.abort();
    counting.abort();
    changes.abort();
    visits.abort();
    visitors.keep_visits().await;
    account_changes.abort();
    set_elsewhere.iter().for_each(JoinHandle::abort);
    forgetting.abort();
    sweeping.iter().for_each(JoinHandle::abort);
    sharing.iter().for_each(JoinHandle::abort);
    telling.shutdown().await;
    supervision.abort();
    tracing::info!("stopped");
    outcome
}

/// The connections of a node that can't go on end within this time.
const AT_A_FAULT: Duration = Duration::from_secs(1);

/// Reads what admins have set whenever another node of the cluster may have changed it.
fn follow_settings(
    cluster: Option<&Cluster>,
    requests: &Arc<dyn RequestHandler>,
) -> Option<JoinHandle<()>> {
    let mut settings = cluster?.commands.as_ref()?.settings();
    let requests = Arc::clone(requests);
    Some(tokio::spawn(async move {
        while settings.changed().await.is_ok() {
            requests.read_settings().await;
        }
    }))
}

/// Accepts what a service speaks on its listeners.
fn accept_all<S: Service>(
    acceptor: &Acceptor,
    listeners: Vec<TcpListener>,
    service: &Arc<S>,
    acceptors: &TaskTracker,
    accepting: &CancellationToken,
) {
    for listener in listeners {
        let accepting = accepting.clone();
        let accept = acceptor.clone().accept(listener, Arc::clone(service));
        acceptors.spawn(accepting.run_until_cancelled_owned(accept));
    }
}

/// The time between two looks at the rooms whose members are counted instead of listed. It is a part of the time between two
/// counts (RM-10).
const COUNTS: Duration = Duration::from_secs(5);

/// Tells how many are in large rooms; never returns.
async fn tell_counts(chat: &Chat) {
    loop {
        tokio::time::sleep(COUNTS).await;
        chat.tell_counts();
    }
}

/// The time between two batches of who was here.
const VISITS: Duration = Duration::from_secs(5);

/// Writes who was here; never returns.
async fn keep_visits(authenticator: &dyn Authenticator) {
    loop {
        tokio::time::sleep(VISITS).await;
        authenticator.keep_visits().await;
    }
}

/// The time between two looks at what there is to tell of users. It is a part of the time between two tellings (PR-2).
const PRESENCE: Duration = Duration::from_millis(500);

/// Tells who is away, and who is back; never returns.
async fn tell_presence(chat: &Chat) {
    loop {
        tokio::time::sleep(PRESENCE).await;
        chat.tell_presence();
    }
}

/// Waits until `stop` is at least this.
async fn requested(stop: &mut watch::Receiver<u32>, count: u32) {
    // A dropped sender counts as one request.
    let closed = stop.wait_for(|requests| *requests >= count).await.is_err();
    if closed && count > 1 {
        std::future::pending::<()>().await;
    }
}
