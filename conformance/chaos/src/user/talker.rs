//! A user who talks: to all, to some others, in rooms; with many posts under way, over whichever node is there.

mod acts;

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
    habits::{JOINING, KEPT, OFFER, burst, other_node, patience, peers, wanders},
    life::Life,
    line::{Line, Object},
    pages::Reader,
    phase::{Part, Phase, Report},
};
use crate::{
    evidence::{
        Closing, Event, Micros, Name, Place, Post, Print, SECOND, Session, Side, Testimony,
        Welcome, What,
    },
    setting::Shared,
};

/// So many posts of a user are under way at most.
const UNDER_WAY: usize = 64;
/// So many are written in one frame at most.
const IN_ONE_FRAME: usize = 16;
/// So long nothing comes before it is asked whether the other end is there.
const QUIET: Micros = 4 * SECOND;

/// A user who talks.
pub(crate) struct Talker {
    shared: Arc<Shared>,
    me: usize,
    name: String,
    random: StdRng,
    testimony: Testimony,
    token: Option<String>,
    newest: u64,
    session: u32,
    unanswered: VecDeque<u32>,
    texts: VecDeque<(u32, Value)>,
    members: BTreeSet<u16>,
    partners: BTreeSet<Name>,
    peers: Vec<Name>,
    /// When the oldest unanswered post was written to this connection.
    asked: Option<Micros>,
    heard: Micros,
    pinged: Option<Micros>,
    /// When it looked after itself last.
    looked: Micros,
    line: Option<Line>,
    node: u16,
    /// How often in a row nobody has let it in.
    tries: u32,
    /// Whether it does without its session when it connects next.
    begins_anew: bool,
    /// The phase in which it has done its part.
    done: Option<Phase>,
    /// How much of a flood it has written.
    flooded: usize,
    /// Whether it has not read yet all that waited while it read nothing.
    behind: bool,
    /// Whether the newest message was taken at a time that is far from its own clock.
    off_clock: bool,
    mark: Option<(u32, Print)>,
    reports: UnboundedSender<Report>,
}

impl Talker {
    pub(crate) fn new(shared: Arc<Shared>, me: Name, reports: UnboundedSender<Report>) -> Self {
        let mut random = StdRng::seed_from_u64(shared.setting.seed ^ (u64::from(me) << 32));
        let peers = peers(me, shared.setting.users, &mut random);
        let nodes = u16::try_from(shared.nodes.len()).unwrap_or(1).max(1);
        Self {
            name: shared.names.get(usize::from(me)).cloned().unwrap_or_default(),
            shared,
            me: me.into(),
            random,
            testimony: Testimony { name: me, patience: patience(me), ..Testimony::default() },
            token: None,
            newest: 0,
            session: 0,
            unanswered: VecDeque::new(),
            texts: VecDeque::new(),
            members: BTreeSet::new(),
            partners: BTreeSet::new(),
            peers,
            asked: None,
            heard: 0,
            pinged: None,
            looked: 0,
            line: None,
            node: me % nodes,
            tries: 0,
            begins_anew: false,
            done: None,
            flooded: 0,
            behind: false,
            off_clock: false,
            mark: None,
            reports,
        }
    }

    fn note(&mut self, what: What) {
        let at = self.shared.now();
        self.testimony.events.push(Event { at, what });
    }

    fn other_node(&mut self) -> u16 {
        other_node(self.node, self.shared.nodes.len(), &mut self.random)
    }

    /// Goes on, or begins, at a node; a connection that is there is given up when that succeeds.
    async fn go_on_at(&mut self, node: u16) -> bool {
        let Some(mut line) = Line::open(&self.shared, node, self.testimony.name).await else {
            return false;
        };
        let mut login = json!({"USERNAME": self.name, "CAPABILITIES": OFFER, "RECENT": 1});
        let token = self.token.as_ref().filter(|_| !self.begins_anew);
        if let (Some(token), Some(login)) = (token, login.as_object_mut()) {
            login.insert("RESUME".into(), json!({"TOKEN": token, "AFTER": self.newest}));
        }
        if line.send(&login).await.is_err() {
            return false;
        }
        let Ok(Some(welcome)) = timeout(JOINING, line.next()).await else { return false };
        if !frame::is_welcome(&welcome) {
            self.note(What::TurnedAway(frame::turned_away(&welcome)));
            return false;
        }
        self.ended(Closing::Moved);
        self.node = node;
        self.line = Some(line);
        self.welcomed(&welcome);
        self.again().await;
        true
    }

    fn welcomed(&mut self, object: &Object) {
        let resumed = object.get("RESUMED").and_then(Value::as_bool) == Some(true);
        let session = if resumed { Session::Resumed } else { Session::New };
        self.begins_anew = false;
        let shared = Arc::clone(&self.shared);
        let messages = frame::messages(object, &shared, &self.name, !resumed);
        let rooms = frame::rooms(object, "ROOMS", &shared);
        let left = frame::rooms(object, "ROOMS_LEFT", &shared);
        if !resumed {
            // Whether what was under way is stored nobody knows; sent again it would be another message.
            self.unanswered.clear();
            self.texts.clear();
            self.members.clear();
            self.session += u32::from(self.token.is_some());
            self.newest = 0;
        }
        if let Some(token) = object.get("RESUME").and_then(Value::as_str) {
            self.token = Some(token.to_owned());
        }
        for room in &left {
            self.members.remove(&room.room);
        }
        let newest = messages.iter().map(|seen| seen.id).max();
        self.newest = self.newest.max(newest.unwrap_or_default());
        self.heard = self.shared.now();
        self.note(What::Welcomed(Welcome {
            node: self.node,
            session,
            users: frame::names(object, "USER_LIST", &shared),
            messages,
            gaps: rooms.iter().filter(|room| room.gap).map(|room| room.room).collect(),
            left: left.iter().map(|room| room.room).collect(),
        }));
    }

    /// Joins rooms, and sends again what was not answered.
    async fn again(&mut self) {
        for (n, room) in self.shared.setting.rooms.clone().into_iter().enumerate() {
            let is_member = u16::try_from(n).is_ok_and(|n| self.members.contains(&n));
            // Every other user is in the rooms.
            if !is_member && self.me.is_multiple_of(2) {
                let call = json!({"ID": format!("join-{n}"), "NAME": "join", "ARGS": [room]});
                self.write(&json!({"COMMAND": call})).await;
            }
        }
        let posts: Vec<(u32, Value)> = self.texts.iter().cloned().collect();
        for posts in posts.chunks(IN_ONE_FRAME) {
            self.write_posts(posts).await;
        }
    }

    async fn write(&mut self, value: &Value) {
        let written = match &mut self.line {
            Some(line) => line.send(value).await,
            None => return,
        };
        if let Err(why) = written {
            self.ended(why);
        }
    }

    async fn write_posts(&mut self, posts: &[(u32, Value)]) {
        if posts.is_empty() || self.line.is_none() {
            return;
        }
        for (n, _) in posts {
            self.note(What::Sent(*n));
        }
        self.asked.get_or_insert(self.shared.now());
        let messages: Vec<&Value> = posts.iter().map(|(_, message)| message).collect();
        let tags: Vec<String> = posts.iter().map(|(n, _)| n.to_string()).collect();
        self.write(&json!({"MESSAGES": messages, "TAGS": tags})).await;
    }

    fn answered(&mut self, post: u32) {
        self.unanswered.retain(|n| *n != post);
        self.texts.retain(|(n, _)| *n != post);
        self.asked = (!self.unanswered.is_empty()).then(|| self.shared.now());
    }

    async fn talk(&mut self, part: Part) {
        // Who has much to read first stays, and who waits for an answer: whether it comes is to be seen.
        let now = self.shared.now();
        let waits = self.asked.is_some_and(|asked| now.saturating_sub(asked) > SECOND);
        if !self.behind && !waits && wanders(&self.shared.setting, &mut self.random) {
            let node = self.other_node();
            self.go_on_at(node).await;
            return;
        }
        let room = UNDER_WAY.saturating_sub(self.unanswered.len());
        if part == Part::Flood {
            return self.flood(room).await;
        }
        self.flooded = 0;
        let count = burst(&self.shared.setting, &mut self.random);
        let posts: Vec<(u32, Value)> = (0..count.min(room))
            .map(|_| {
                let place = self.choose();
                self.post(place, 0)
            })
            .collect();
        self.write_posts(&posts).await;
    }

    fn choose(&mut self) -> Place {
        let kind = self.random.random_range(0..8_u8);
        let pick = self.random.random_range(0..4_usize);
        let room = self.members.iter().copied().next();
        match (kind, self.peers.get(pick % self.peers.len().max(1)), room) {
            (0 | 1, Some(peer), _) => Place::User(*peer),
            (2 | 3, _, Some(room)) => Place::Room(room),
            _ => Place::Lobby,
        }
    }

    /// Makes a post; `more` letters stand behind its text.
    fn post(&mut self, place: Place, more: usize) -> (u32, Value) {
        let n = u32::try_from(self.testimony.posts.len()).unwrap_or(u32::MAX);
        let shared = Arc::clone(&self.shared);
        let dest = match place {
            Place::Lobby => "ALL",
            Place::Room(room) => {
                shared.setting.rooms.get(usize::from(room)).map_or("ALL", String::as_str)
            }
            Place::User(peer) => {
                self.partners.insert(peer);
                shared.names.get(usize::from(peer)).map_or("ALL", String::as_str)
            }
        };
        let mut text = format!("{} {} {n}", shared.setting.mark(), self.me);
        if more > 0 {
            text.push(' ');
            text.push_str(&"x".repeat(more));
        }
        let print = Print::of(&self.name, dest, &text);
        self.testimony.posts.push(Post { place, print, session: self.session });
        let time = conformance_kit::clock::unix_seconds();
        let post = (n, json!([self.name, dest, time, text]));
        self.unanswered.push_back(n);
        self.texts.push_back(post.clone());
        post
    }
}

impl Life for Talker {
    fn line(&mut self) -> Option<&mut Line> {
        self.line.as_mut()
    }

    /// Tries the nodes until one lets the user in; once for each call.
    async fn connect(&mut self) {
        let pause = Duration::from_millis(self.random.random_range(20..200));
        let node = self.node;
        if self.go_on_at(node).await {
            self.tries = 0;
        } else {
            // Whoever is refused somewhere may be let in elsewhere, and not at once where nobody is.
            self.tries = (self.tries + 1).min(10);
            self.node = self.other_node();
            sleep(pause * self.tries).await;
        }
    }

    /// Takes an object of the server, in the order in which it is meant (CP-10).
    fn take(&mut self, object: &Object) {
        let shared = Arc::clone(&self.shared);
        self.heard = self.shared.now();
        for name in frame::names(object, "USERS_JOINED", &shared) {
            self.note(What::Came(name));
        }
        for room in frame::rooms(object, "ROOMS", &shared) {
            if let Some(last) = room.last
                && self.members.insert(room.room)
            {
                self.note(What::Entered(room.room, last));
            }
        }
        for seen in frame::messages(object, &shared, &self.name, false) {
            self.newest = self.newest.max(seen.id);
            if seen.side == Side::Me
                && let Some(src) = sources(object, seen.id).and_then(|src| shared.name(src))
            {
                self.partners.insert(src);
            }
            self.note(What::Saw(seen));
        }
        for name in frame::names(object, "USERS_LEFT", &shared) {
            self.note(What::Went(name));
        }
        self.look_at_times(object);
        for (post, id) in frame::acks(object) {
            self.answered(post);
            self.note(What::Acked(post, id));
            if let Some((_, print)) = self.mark.filter(|(mark, _)| *mark == post) {
                let _ = self.reports.send(Report::Marked(id, print));
            }
        }
        for (post, code) in frame::refusals(object) {
            self.answered(post);
            self.note(What::Refused(post, code));
            self.mark = self.mark.filter(|(mark, _)| *mark != post);
        }
        if frame::announces(object) {
            self.note(What::Noticed);
        }
        if let Some(pong) = object.get("PONG") {
            self.pinged = None;
            self.behind &= pong.as_u64() != Some(acts::AFTER_A_REST);
        }
        if let Some(code) = frame::closed(object) {
            self.ended(Closing::Told(code));
            self.node = self.other_node();
        }
    }

    /// The connection is over.
    fn ended(&mut self, why: Closing) {
        // Dropped, it is closed at once.
        drop(self.let_go(why));
    }

    /// What a user does by itself.
    async fn look(&mut self, phase: Phase) {
        let now = self.shared.now();
        if now.saturating_sub(std::mem::replace(&mut self.looked, now)) > KEPT {
            self.waits_anew(now);
        }
        let patience = self.testimony.patience;
        let since =
            |then: Option<Micros>| then.is_some_and(|then| now.saturating_sub(then) > patience);
        if since(self.asked) || since(self.pinged) {
            self.ended(Closing::GaveUp);
            self.node = self.other_node();
            return;
        }
        if self.pinged.is_none() && now.saturating_sub(self.heard) > QUIET {
            self.pinged = Some(now);
            self.write(&json!({"PING": 1})).await;
        }
        match phase {
            phase if phase.is_talk() => self.act(phase).await,
            Phase::Mark if self.me == 0 && self.mark.is_none() => {
                let post = self.post(Place::Lobby, 0);
                let print = self.testimony.posts.last().map(|post| post.print);
                self.mark = print.map(|print| (post.0, print));
                self.write_posts(&[post]).await;
            }
            _ => {}
        }
    }

    fn report(&mut self, phase: Phase) {
        let report = match phase {
            Phase::Settle if self.unanswered.is_empty() && self.line.is_some() => {
                Report::Flushed(self.me)
            }
            Phase::End(id, _) if self.newest >= id && self.line.is_some() => {
                self.testimony.settled = true;
                Report::Settled(self.me)
            }
            _ => return,
        };
        // The director is gone only when the run is.
        let _ = self.reports.send(report);
    }

    fn dawdles(&self, phase: Phase) -> bool {
        phase.part(self.me, &self.shared.setting) == Part::Dawdle
    }

    async fn reads_again(&mut self) {
        self.look_up().await;
    }

    fn leave(self) -> (Testimony, Option<Line>, Reader) {
        let reader = Reader {
            shared: self.shared,
            name: self.testimony.name,
            session: self.token.map(|token| (token, self.newest)),
            partners: self.partners,
            public: self.me == 0,
        };
        (self.testimony, self.line, reader)
    }
}

/// The source of the message with this id.
fn sources(object: &Object, id: u64) -> Option<&str> {
    let ids = object.get("IDS")?.as_array()?;
    let at = ids.iter().position(|other| other.as_u64() == Some(id))?;
    object.get("MESSAGES")?.get(at)?.get(0)?.as_str()
}
