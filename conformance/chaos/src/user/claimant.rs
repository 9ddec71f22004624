//! A user who competes with others for a name: joins when it is free, says a little, and goes.

use std::{sync::Arc, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    frame,
    habits::{JOINING, OFFER},
    line::Line,
    phase::Phase,
};
use crate::{
    evidence::{Closing, Event, Name, Place, Post, Print, Session, Testimony, Welcome, What},
    setting::Shared,
};

/// A user who competes for a name.
pub(crate) struct Claimant {
    shared: Arc<Shared>,
    /// Its number among all users of the run, which its texts carry.
    me: usize,
    name: String,
    random: StdRng,
    testimony: Testimony,
    session: u32,
}

impl Claimant {
    pub(crate) fn new(shared: Arc<Shared>, me: usize, name: Name) -> Self {
        let seed = shared.setting.seed ^ u64::try_from(me).unwrap_or_default().rotate_left(40);
        Self {
            name: shared.names.get(usize::from(name)).cloned().unwrap_or_default(),
            shared,
            me,
            random: StdRng::seed_from_u64(seed),
            testimony: Testimony { name, ..Testimony::default() },
            session: 0,
        }
    }

    /// Competes until the talking ends.
    pub(crate) async fn run(mut self, mut phase: watch::Receiver<Phase>) -> Testimony {
        let over = async move {
            let _ = phase.wait_for(|phase| !phase.is_talk()).await;
        };
        let mut over = std::pin::pin!(over);
        loop {
            let opened = tokio::select! {
                () = &mut over => return self.testimony,
                opened = self.open() => opened,
            };
            let Some(mut line) = opened else { continue };
            let ended = tokio::select! {
                () = &mut over => true,
                () = self.stay(&mut line) => false,
            };
            self.note(What::Closed(Closing::Mine));
            line.close().await;
            if ended {
                return self.testimony;
            }
            sleep(Duration::from_millis(self.random.random_range(10..300))).await;
        }
    }

    fn note(&mut self, what: What) {
        let at = self.shared.now();
        self.testimony.events.push(Event { at, what });
    }

    /// Asks a node for the name.
    async fn open(&mut self) -> Option<Line> {
        let pause = Duration::from_millis(self.random.random_range(50..250));
        sleep(pause).await;
        let node = self.random.random_range(0..self.shared.nodes.len().max(1));
        let node = u16::try_from(node).ok()?;
        let mut line = Line::open(&self.shared, node, self.testimony.name).await?;
        let login = json!({"USERNAME": self.name, "CAPABILITIES": OFFER, "RECENT": 1});
        line.send(&login).await.ok()?;
        let welcome = timeout(JOINING, line.next()).await.ok()??;
        if !frame::is_welcome(&welcome) {
            return None;
        }
        let shared = Arc::clone(&self.shared);
        self.session += 1;
        self.note(What::Welcomed(Welcome {
            node,
            session: Session::New,
            users: frame::names(&welcome, "USER_LIST", &shared),
            messages: frame::messages(&welcome, &shared, &self.name, true),
            gaps: Vec::new(),
            left: Vec::new(),
        }));
        Some(line)
    }

    /// Says a little, and listens meanwhile.
    async fn stay(&mut self, line: &mut Line) {
        for _ in 0..self.random.random_range(2..6_u8) {
            if !self.say(line).await || !self.listen(line).await {
                return;
            }
        }
    }

    async fn say(&mut self, line: &mut Line) -> bool {
        let n = u32::try_from(self.testimony.posts.len()).unwrap_or(u32::MAX);
        let text = format!("{} {} {n}", self.shared.setting.mark(), self.me);
        let print = Print::of(&self.name, "ALL", &text);
        self.testimony.posts.push(Post { place: Place::Lobby, print, session: self.session });
        self.note(What::Sent(n));
        let time = conformance_kit::clock::unix_seconds();
        let message = json!([self.name, "ALL", time, text]);
        line.send(&json!({"MESSAGES": [message], "TAGS": [n.to_string()]})).await.is_ok()
    }

    async fn listen(&mut self, line: &mut Line) -> bool {
        let until = sleep(Duration::from_millis(self.random.random_range(50..300)));
        let mut until = std::pin::pin!(until);
        let shared = Arc::clone(&self.shared);
        loop {
            let object = tokio::select! {
                () = &mut until => return true,
                object = line.next() => object,
            };
            let Some(object) = object else { return false };
            for name in frame::names(&object, "USERS_JOINED", &shared) {
                self.note(What::Came(name));
            }
            for seen in frame::messages(&object, &shared, &self.name, false) {
                self.note(What::Saw(seen));
            }
            for name in frame::names(&object, "USERS_LEFT", &shared) {
                self.note(What::Went(name));
            }
            for (post, id) in frame::acks(&object) {
                self.note(What::Acked(post, id));
            }
            for (post, code) in frame::refusals(&object) {
                self.note(What::Refused(post, code));
            }
            if object.contains_key("CLOSED") {
                return false;
            }
        }
    }
}
