//! Watches over the members of a node while nothing comes round: tells them, keeps others out, and sends them elsewhere.
//!
//! It is a task beside the loop of the node, which may be waiting for the engine, or for a disk, at that very moment.

#![allow(clippy::disallowed_methods, reason = "the edge: has a timer")]

use std::sync::Arc;

use chatterbox_hub::Removal;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::chat::announcement::announcement;
use crate::chat::cluster::silence::Silence;
use crate::chat::shared::Chat;
use crate::ops::readiness::Health;

/// Whom a guardian looks after.
pub(crate) trait Ward: Send + Sync {
    /// Says to those who are here that nothing is stored at the moment.
    fn tell_of_silence(&self);
    /// Says to them that it goes on.
    fn tell_of_return(&self);
    /// Whether users are taken.
    fn takes_users(&self, takes: bool);
    /// Closes all connections of this node.
    fn send_elsewhere(&self);
}

/// The members of a node, and whoever sends more of them.
#[derive(Debug)]
pub(crate) struct Members {
    /// Where they are.
    pub(crate) chat: Arc<Chat>,
    /// What a balancer is told.
    pub(crate) health: Health,
}

impl Members {
    fn tell(&self, text: &str) {
        self.chat.announce(announcement(&NewNotice::new(NoticeCode::Announcement, text)));
    }
}

impl Ward for Members {
    fn tell_of_silence(&self) {
        self.tell(
            "Messages are not stored at the moment: what you write is sent when that is over.",
        );
    }

    fn tell_of_return(&self) {
        self.tell("Messages are stored again.");
    }

    fn takes_users(&self, takes: bool) {
        self.health.is_without_engine(!takes);
        self.chat.doors().take_users(takes);
    }

    fn send_elsewhere(&self) {
        self.chat.put_out_all(&Removal::NoEngine);
    }
}

/// Guards until the node ends, which drops the other end: that has the moment in which something of this node came round last.
pub(crate) async fn guard(ward: &dyn Ward, mut heard: watch::Receiver<Instant>) {
    let mut before = Silence::No;
    loop {
        let since = *heard.borrow_and_update();
        let silence = Silence::after(since.elapsed());
        act(ward, before, silence);
        before = silence;
        let next = async {
            match silence.ends() {
                Some(end) => tokio::time::sleep_until(since + end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = heard.changed() => if changed.is_err() { return },
            () = next => {}
        }
    }
}

/// Does what follows from a silence that has become longer, or has ended.
fn act(ward: &dyn Ward, before: Silence, now: Silence) {
    let (was_ready, is_ready) = (before < Silence::NotReady, now < Silence::NotReady);
    if was_ready != is_ready {
        ward.takes_users(is_ready);
    }
    match now {
        _ if now == before => {}
        Silence::No => {
            tracing::info!("the order goes on");
            // Whoever has come since then was told nothing.
            if before < Silence::Closed {
                ward.tell_of_return();
            }
        }
        Silence::Closed => {
            tracing::error!("nothing of this node has come round for 20 s: closing connections");
            ward.send_elsewhere();
        }
        Silence::Told | Silence::NotReady if before == Silence::No => {
            tracing::warn!("nothing of this node comes round in the order");
            ward.tell_of_silence();
        }
        Silence::Told | Silence::NotReady => {
            tracing::warn!("still nothing comes round: users are not taken");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;

    /// Writes down what is done, with the seconds since the start.
    #[derive(Debug)]
    struct Diary(Instant, Mutex<Vec<(u64, &'static str)>>);

    impl Diary {
        fn note(&self, what: &'static str) {
            self.1.lock().unwrap().push((self.0.elapsed().as_secs(), what));
        }

        fn take(&self) -> Vec<(u64, &'static str)> {
            std::mem::take(&mut *self.1.lock().unwrap())
        }
    }

    impl Ward for Diary {
        fn tell_of_silence(&self) {
            self.note("silence");
        }
        fn tell_of_return(&self) {
            self.note("return");
        }
        fn takes_users(&self, takes: bool) {
            self.note(if takes { "ready" } else { "not ready" });
        }
        fn send_elsewhere(&self) {
            self.note("closed");
        }
    }

    struct World {
        diary: Arc<Diary>,
        heard: watch::Sender<Instant>,
        task: tokio::task::JoinHandle<()>,
    }

    impl World {
        fn new() -> Self {
            let diary = Arc::new(Diary(Instant::now(), Mutex::default()));
            let (heard, receiver) = watch::channel(Instant::now());
            let ward = Arc::clone(&diary);
            let task = tokio::spawn(async move { guard(&*ward, receiver).await });
            Self { diary, heard, task }
        }

        /// So many seconds later.
        async fn later(&self, seconds: u64) -> Vec<(u64, &'static str)> {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            self.diary.take()
        }

        async fn heard(&self) -> Vec<(u64, &'static str)> {
            self.heard.send_replace(Instant::now());
            self.later(0).await;
            tokio::task::yield_now().await;
            self.diary.take()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_is_heard_each_second_is_left_alone() {
        let world = World::new();
        for _ in 0..100 {
            assert_eq!(world.later(1).await, []);
            assert_eq!(world.heard().await, []);
        }
        drop(world.heard);
        world.task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_election_of_the_engine_is_told_and_nothing_more() {
        let world = World::new();
        assert_eq!(world.later(9).await, [(3, "silence")]);
        assert_eq!(world.heard().await, [(9, "return")]);
        assert_eq!(world.later(2).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_silence_keeps_users_out_and_a_longer_one_sends_them_elsewhere() {
        let world = World::new();
        assert_eq!(world.later(11).await, [(3, "silence"), (10, "not ready")]);
        let mut returned = world.heard().await;
        returned.sort_unstable();
        assert_eq!(returned, [(11, "ready"), (11, "return")]);
        let seen = world.later(100).await;
        assert_eq!(seen, [(14, "silence"), (21, "not ready"), (31, "closed")]);
        assert_eq!(world.heard().await, [(111, "ready")], "nobody is here who was told of it");
        assert_eq!(world.later(2).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_slept_does_what_is_left_to_do() {
        let diary = Arc::new(Diary(Instant::now(), Mutex::default()));
        act(&*diary, Silence::No, Silence::Closed);
        let done: Vec<_> = diary.take().into_iter().map(|(_, what)| what).collect();
        assert_eq!(done, ["not ready", "closed"]);
        act(&*diary, Silence::No, Silence::NotReady);
        let done: Vec<_> = diary.take().into_iter().map(|(_, what)| what).collect();
        assert_eq!(done, ["not ready", "silence"]);
    }
}
