//! The nodes of a faulty cluster: listeners that can be killed and started again.
#![allow(clippy::disallowed_methods, reason = "every task ends with the cluster")]

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{net::TcpListener, task::JoinSet};

use super::{chat::Chat, connection, fault::ClusterFault};

/// A running cluster without TLS; it stops when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    /// The address of each node.
    pub addresses: Vec<SocketAddr>,
    chat: Arc<Mutex<Chat>>,
    alive: Vec<Arc<AtomicBool>>,
    _tasks: JoinSet<()>,
}

impl Cluster {
    /// Starts so many nodes on loopback.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start(nodes: usize, faults: &[ClusterFault]) -> io::Result<Self> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self::listen(&vec![free; nodes], faults).await
    }

    /// Starts a node on each of these addresses.
    ///
    /// # Errors
    /// When one of them can't be listened on.
    pub async fn listen(nodes: &[SocketAddr], faults: &[ClusterFault]) -> io::Result<Self> {
        let chat = Arc::new(Mutex::new(Chat::new(nodes.len(), faults)));
        let (mut addresses, mut alive, mut tasks) = (Vec::new(), Vec::new(), JoinSet::new());
        let connections = Arc::new(AtomicU64::new(0));
        for (node, address) in nodes.iter().enumerate() {
            let listener = TcpListener::bind(address).await?;
            addresses.push(listener.local_addr()?);
            let lives = Arc::new(AtomicBool::new(true));
            alive.push(Arc::clone(&lives));
            let (chat, connections) = (Arc::clone(&chat), Arc::clone(&connections));
            tasks.spawn(async move {
                let mut serving = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    while serving.try_join_next().is_some() {}
                    if lives.load(Ordering::Relaxed) {
                        let connection = connections.fetch_add(1, Ordering::Relaxed);
                        serving.spawn(connection::serve(
                            Arc::clone(&chat),
                            connection,
                            node,
                            stream,
                        ));
                    }
                }
            });
        }
        Ok(Self { addresses, chat, alive, _tasks: tasks })
    }

    fn chat(&self) -> MutexGuard<'_, Chat> {
        self.chat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node dies; the places of its users are held until [`Cluster::expire`].
    pub fn kill(&self, node: usize) {
        if let Some(alive) = self.alive.get(node) {
            alive.store(false, Ordering::Relaxed);
        }
        self.chat().die(node);
    }

    /// All connections with a node end, and with them the places of its users; the node goes on.
    pub fn cut(&self, node: usize) {
        let mut chat = self.chat();
        chat.die(node);
        chat.expire(node);
    }

    /// Whoever has not gone on from a node that was killed is gone.
    pub fn expire(&self, node: usize) {
        self.chat().expire(node);
    }

    /// A node starts again.
    pub fn revive(&self, node: usize) {
        self.chat().restart();
        if let Some(alive) = self.alive.get(node) {
            alive.store(true, Ordering::Relaxed);
        }
    }
}
