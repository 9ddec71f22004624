//! A user of the base protocol alone: no tags, no ids, no session. When its connection ends it joins again under its name, which
//! for the others is leaving and coming, and takes as long as the name is held for it at a node that is gone.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{sleep, timeout},
};

use super::{
    frame,
    habits::{JOINING, KEPT, PATIENT, burst, other_node, peers, wanders},
    life::Life,
    line::{Line, Object},
    pages::Reader,
    phase::{Phase, Report},
};
use crate::{
    evidence::{
        Closing, Event, Micros, Name, PAST, Place, Post, Print, Session, Side, Testimony, Welcome,
        What,
    },
    setting::Shared,
};

/// So many of its posts to all have not come back at most.
const UNDER_WAY: usize = 16;

/// A user who speaks the base protocol alone.
pub(crate) struct Base {
    shared: Arc<Shared>,
    me: usize,
    name: String,
    random: StdRng,
    testimony: Testimony,
    /// The connection, counted from 0, in which it talks.
    session: u32,
    partners: BTreeSet<Name>,
    peers: Vec<Name>,
    /// Its posts to all that have not come back, with the time at which they were written: what confirms them.
    echoes: VecDeque<(Print, Micros)>,
    /// The last message to all that came.
    last: Option<Print>,
    line: Option<Line>,
    node: u16,
    /// Whether the newest object was an ERROR: the reason, where the connection ends with it (AS-3).
    told: bool,
    /// When it looked after itself last.
    looked: Micros,
    reports: UnboundedSender<Report>,
}

impl Base {
    pub(crate) fn new(shared: Arc<Shared>, me: Name, reports: UnboundedSender<Report>) -> Self {
        let mut random = StdRng::seed_from_u64(shared.setting.seed ^ (u64::from(me) << 32));
        let peers = peers(me, shared.setting.users, &mut random);
        let nodes = u16::try_from(shared.nodes.len()).unwrap_or(1).max(1);
        Self {
            name: shared.names.get(usize::from(me)).cloned().unwrap_or_default(),
            shared,
            me: me.into(),
            random,
            testimony: Testimony {
                name: me,
                base: true,
                patience: PATIENT,
                ..Testimony::default()
            },
            session: 0,
            partners: BTreeSet::new(),
            peers,
            echoes: VecDeque::new(),
            last: None,
            line: None,
            node: me % nodes,
            told: false,
            looked: 0,
            reports,
        }
    }

    fn note(&mut self, what: What) {
        let at = self.shared.now();
        self.testimony.events.push(Event { at, what });
    }

    async fn open(&mut self) -> Option<()> {
        let mut line = Line::open(&self.shared, self.node, self.testimony.name).await?;
        line.send(&json!({"USERNAME": self.name})).await.ok()?;
        let welcome = timeout(JOINING, line.next()).await.ok()??;
        if !frame::is_welcome(&welcome) {
            self.note(What::TurnedAway(frame::turned_away(&welcome)));
            return None;
        }
        let shared = Arc::clone(&self.shared);
        let mut messages = frame::base_messages(&welcome, &shared, &self.name);
        messages.drain(..messages.len().saturating_sub(PAST));
        let to_all = messages.iter().rev().find(|seen| seen.side == Side::Lobby);
        self.last = to_all.map(|seen| seen.print);
        self.note(What::Welcomed(Welcome {
            node: self.node,
            session: Session::New,
            users: frame::names(&welcome, "USER_LIST", &shared),
            messages,
            gaps: Vec::new(),
            left: Vec::new(),
        }));
        self.line = Some(line);
        Some(())
    }

    /// What a user does by itself.
    async fn talk(&mut self) {
        let now = self.shared.now();
        if self.echoes.front().is_some_and(|(_, sent)| now.saturating_sub(*sent) > PATIENT) {
            self.ended(Closing::GaveUp);
            return;
        }
        if wanders(&self.shared.setting, &mut self.random) {
            // Dropped, it is closed at once.
            self.ended(Closing::Mine);
            return;
        }
        let count = burst(&self.shared.setting, &mut self.random);
        let room = UNDER_WAY.saturating_sub(self.echoes.len());
        let messages: Vec<Value> = (0..count.min(room)).map(|_| self.post(now)).collect();
        if messages.is_empty() {
            return;
        }
        let written = match &mut self.line {
            Some(line) => line.send(&json!({"MESSAGES": messages})).await,
            None => return,
        };
        if let Err(why) = written {
            self.ended(why);
        }
    }

    fn post(&mut self, now: Micros) -> Value {
        let n = u32::try_from(self.testimony.posts.len()).unwrap_or(u32::MAX);
        let peer = self.peers.get(self.random.random_range(0..4_usize) % self.peers.len().max(1));
        let place = match (self.random.random_range(0..4_u8), peer) {
            (0, Some(peer)) => Place::User(*peer),
            _ => Place::Lobby,
        };
        let shared = Arc::clone(&self.shared);
        let dest = match place {
            Place::User(peer) => {
                self.partners.insert(peer);
                shared.names.get(usize::from(peer)).map_or("ALL", String::as_str)
            }
            _ => "ALL",
        };
        let text = format!("{} {} {n}", shared.setting.mark(), self.me);
        let print = Print::of(&self.name, dest, &text);
        self.testimony.posts.push(Post { place, print, session: self.session });
        self.note(What::Sent(n));
        if place == Place::Lobby {
            self.echoes.push_back((print, now));
        }
        json!([self.name, dest, conformance_kit::clock::unix_seconds(), text])
    }
}

impl Life for Base {
    fn line(&mut self) -> Option<&mut Line> {
        self.line.as_mut()
    }

    /// Asks a node for the name, once.
    async fn connect(&mut self) {
        if self.open().await.is_none() {
            self.node = other_node(self.node, self.shared.nodes.len(), &mut self.random);
            sleep(Duration::from_millis(self.random.random_range(100..400))).await;
        }
    }

    /// Takes an object of the server, in the order in which it is meant (PB-2).
    fn take(&mut self, object: &Object) {
        let shared = Arc::clone(&self.shared);
        for name in frame::names(object, "USERS_JOINED", &shared) {
            self.note(What::Came(name));
        }
        for seen in frame::base_messages(object, &shared, &self.name) {
            if seen.side == Side::Lobby {
                self.last = Some(seen.print);
            }
            if let Some(at) = self.echoes.iter().position(|(print, _)| *print == seen.print) {
                self.echoes.drain(..=at);
            }
            self.note(What::Saw(seen));
        }
        for src in frame::senders(object, &shared, &self.name) {
            self.partners.insert(src);
        }
        for name in frame::names(object, "USERS_LEFT", &shared) {
            self.note(What::Went(name));
        }
        self.told = object.contains_key("ERROR");
        if self.told {
            // Of which post it speaks it does not say, so nothing is waited for any more.
            self.echoes.clear();
        }
    }

    /// The connection is over, and what was not confirmed is nobody's business any more: sent again it would be another message.
    fn ended(&mut self, why: Closing) {
        let was_told = std::mem::take(&mut self.told);
        // Base clients know no words for reasons.
        let why =
            if was_told && why == Closing::Lost { Closing::Told("error".to_owned()) } else { why };
        if self.line.take().is_some() {
            self.testimony.settled = false;
            self.note(What::Closed(why));
            self.session += 1;
            self.node = other_node(self.node, self.shared.nodes.len(), &mut self.random);
        }
        self.echoes.clear();
    }

    async fn look(&mut self, phase: Phase) {
        let now = self.shared.now();
        if now.saturating_sub(std::mem::replace(&mut self.looked, now)) > KEPT {
            self.echoes.iter_mut().for_each(|(_, sent)| *sent = now);
        }
        if phase.is_talk() {
            self.talk().await;
        }
    }

    fn report(&mut self, phase: Phase) {
        let report = match phase {
            Phase::Settle if self.echoes.is_empty() && self.line.is_some() => {
                Report::Flushed(self.me)
            }
            Phase::End(_, print) if self.last == Some(print) && self.line.is_some() => {
                self.testimony.settled = true;
                Report::Settled(self.me)
            }
            _ => return,
        };
        // The director is gone only when the run is.
        let _ = self.reports.send(report);
    }

    fn leave(self) -> (Testimony, Option<Line>, Reader) {
        let reader = Reader {
            shared: self.shared,
            name: self.testimony.name,
            session: None,
            partners: self.partners,
            public: false,
        };
        (self.testimony, self.line, reader)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, slice};

    use conformance_kit::{clock::Clock, net::dial::Transport, wire::prefix::Prefix};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        sync::mpsc::unbounded_channel,
    };

    use super::*;
    use crate::setting::Setting;

    /// As what the end of a connection counts on which a server says this behind the welcome.
    async fn ended_behind(objects: &[Value]) -> Closing {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let shared = Shared {
            setting: Setting::quiet(Transport::PLAIN),
            clock: Clock::start(),
            names: vec!["ann".to_owned()],
            nodes: vec![listener.local_addr().unwrap()],
        };
        let (reports, _words) = unbounded_channel();
        let mut user = Base::new(Arc::new(shared), 0, reports);
        let serving = async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            assert!(tcp.read(&mut [0; 256]).await.unwrap() > 0);
            let welcome = json!({"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": []});
            for object in std::iter::once(&welcome).chain(objects) {
                let frame = Prefix::NETWORK.frame_without_brace(object.to_string().as_bytes());
                tcp.write_all(&frame).await.unwrap();
            }
        };
        tokio::join!(user.connect(), serving);
        while let Some(object) = user.line().unwrap().next().await {
            user.take(&object);
        }
        user.ended(Closing::Lost);
        match user.testimony.events.pop().map(|event| event.what) {
            Some(What::Closed(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_with_an_error_ends_for_a_reason() {
        let error = json!({"ERROR": "you read too little"});
        let message = json!({"MESSAGES": [["bob", "ALL", 1, "hello"]]});
        let told = ended_behind(slice::from_ref(&error)).await;
        assert_eq!(told, Closing::Told("error".to_owned()));
        // The error was about something else.
        assert_eq!(ended_behind(&[error, message]).await, Closing::Lost);
        assert_eq!(ended_behind(&[]).await, Closing::Lost);
    }
}
