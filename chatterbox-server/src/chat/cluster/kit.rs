//! Several nodes in one process, for tests: chats with loops of their own, on one engine in memory.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;

use chatterbox_hub::{
    Delivery, Hub, Incarnation, JoinError, JoinRequest, Keep, TimelineLimits, format,
};
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::{ServerFrame, Username, limits};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chat::cluster::guardian::{Members, guard};
use crate::chat::cluster::{Cluster, ClusterError, Node, Progress, Pulse, Standing};
use crate::chat::handle::{Seat, Welcomed};
use crate::chat::proposals;
use crate::chat::shared::Chat;
use crate::ops::readiness::Health;
use crate::order::Order;
use crate::order::simulated::{Engine, Link};
use crate::store::{Memory, Store, StoreCommands};

/// An engine, and the nodes that are on it.
#[derive(Debug)]
pub struct Kit {
    pub engine: Arc<Engine>,
}

/// A node.
#[derive(Debug)]
pub struct TestNode {
    pub chat: Arc<Chat>,
    pub link: Link,
    pub store: Arc<dyn Store>,
    pub progress: Arc<Progress>,
    pub standing: watch::Receiver<Standing>,
    pub pulse: Arc<Pulse>,
    pub health: Health,
    pub stop: CancellationToken,
    pub running: JoinHandle<Result<(), ClusterError>>,
}

/// What a node has.
#[derive(Debug)]
pub struct Setup {
    pub store: Arc<dyn Store>,
    pub link: Link,
    pub order: Arc<dyn Order>,
    pub commands: Option<Arc<dyn StoreCommands>>,
    pub speaks: u16,
    pub limits: TimelineLimits,
}

impl Kit {
    pub fn new() -> Self {
        Self { engine: Engine::new() }
    }

    /// What a node has that is like all others.
    pub fn setup(&self) -> Setup {
        let link = self.engine.link();
        Setup {
            store: Arc::new(Memory::default()),
            order: Arc::new(link.clone()),
            link,
            commands: None,
            speaks: format::LEVEL,
            limits: TimelineLimits::default(),
        }
    }

    /// Starts a node with this store.
    pub fn start(&self, name: &str, store: Arc<dyn Store>) -> TestNode {
        self.setup().store(store).start(name)
    }

    /// The same with what all nodes store alike.
    pub fn start_sharing(
        &self,
        name: &str,
        store: Arc<dyn Store>,
        commands: Arc<dyn StoreCommands>,
    ) -> TestNode {
        Setup { store, commands: Some(commands), ..self.setup() }.start(name)
    }

    /// The same with an order of its own, which is behind this link.
    pub fn start_with(
        &self,
        name: &str,
        store: Arc<dyn Store>,
        link: Link,
        order: Arc<dyn Order>,
    ) -> TestNode {
        Setup { store, link, order, ..self.setup() }.start(name)
    }

    /// Starts a node with this store, and waits until it is up.
    pub async fn node_with(&self, name: &str, store: Arc<dyn Store>) -> TestNode {
        let node = self.start(name, store);
        node.up().await;
        node
    }

    /// The same with a store in memory.
    pub async fn node(&self, name: &str) -> TestNode {
        self.node_with(name, Arc::new(Memory::default())).await
    }
}

impl Setup {
    /// The same with this store.
    pub fn store(self, store: Arc<dyn Store>) -> Self {
        Self { store, ..self }
    }

    /// Starts a node.
    pub fn start(self, name: &str) -> TestNode {
        let Self { store, link, order, commands, speaks, limits } = self;
        let (proposals, queue) = proposals::queue();
        let chat = Arc::new(Chat::new(Hub::new(limits, Keep::default()), proposals));
        let (standing, watched) = watch::channel(Standing::Starting);
        let progress = Arc::new(Progress::default());
        let pulse = Arc::new(Pulse::new(Instant::now()));
        let health = Health::default();
        let stop = CancellationToken::new();
        let cluster = Cluster {
            name: "chat".into(),
            node: name.into(),
            order,
            snapshots: Arc::new(link.clone()),
            commands,
        };
        let node = Node {
            cluster,
            speaks,
            chat: Arc::clone(&chat),
            store: Arc::clone(&store),
            progress: Arc::clone(&progress),
            pulse: Arc::clone(&pulse),
            standing,
        };
        let running = tokio::spawn(node.run(queue, limits, stop.clone()));
        let members = Members { chat: Arc::clone(&chat), health: health.clone() };
        let (mut up, heard) = (watched.clone(), pulse.heard());
        tokio::spawn(async move {
            let is_up = |standing: &Standing| matches!(standing, Standing::Up(_));
            if up.wait_for(is_up).await.is_ok() {
                members.health.started();
                guard(&members, heard).await;
            }
        });
        TestNode { chat, link, store, progress, standing: watched, pulse, health, stop, running }
    }

    /// Starts a node, and waits until it is up.
    pub async fn up(self, name: &str) -> TestNode {
        let node = self.start(name);
        node.up().await;
        node
    }
}

impl TestNode {
    /// Waits until it is up, and gives its life.
    pub async fn up(&self) -> Incarnation {
        let mut standing = self.standing.clone();
        let is_up = |standing: &Standing| matches!(standing, Standing::Up(_));
        match *standing.wait_for(is_up).await.unwrap() {
            Standing::Up(life) => life,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until it has applied and stored a place.
    pub async fn has(&self, place: u64) {
        self.progress.stores(place).await;
    }

    pub async fn join(&self, text: &str) -> Result<(Seat, Welcomed), JoinError> {
        Seat::join(&self.chat, JoinRequest::base(&Username::parse(text).unwrap(), "Hi")).await
    }

    /// Ends it in order.
    pub async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }

    /// Kills it: nothing more is proposed, applied or stored.
    pub async fn kill(self) -> Arc<dyn Store> {
        self.running.abort();
        let _ = self.running.await;
        self.store
    }
}

/// The frames in what was handed out.
pub fn frames<'a>(pieces: impl IntoIterator<Item = &'a bytes::Bytes>) -> Vec<ServerFrame> {
    let mut decoder = Decoder::new(limits::SERVER_FRAME);
    pieces.into_iter().for_each(|piece| decoder.push(piece));
    let bodies = std::iter::from_fn(|| decoder.next_body().unwrap());
    bodies.map(|body| ServerFrame::parse(&body).unwrap().0).collect()
}

/// What a member is told: who came, what was said, who went.
pub fn told(seat: &Seat) -> Vec<String> {
    let mut told = Vec::new();
    while let Delivery::Frames { frames: batch, .. } = seat.take() {
        for frame in frames(batch.frames()) {
            told.extend(frame.joined.iter().map(|name| format!("+{}", name.as_wire())));
            let said = frame.messages.into_iter().flatten();
            told.extend(said.map(|entry| entry.content.into_owned()));
            told.extend(frame.left.iter().map(|name| format!("-{}", name.as_wire())));
        }
    }
    told
}
