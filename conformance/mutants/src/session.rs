//! One connection of the mutant server: from its first byte to its last.

use std::{net::IpAddr, sync::Arc, time::Duration};

use conformance_kit::wire::zstd::MAGIC;
use conformance_suite::fault::Fault;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
    time::sleep,
};

use super::{
    capability::{
        agreed::Agreed,
        filed,
        flood::Stopped,
        notices::last_words,
        state::{Answer, Calls, Refusal, Taken},
        zstd,
    },
    chat::Chat,
    faults::Faults,
    inbox::{Inbox, Incoming, is_deep, limit},
    outbox::Outbox,
    power::Power,
};

/// The keys that this server knows beside requests; those of capabilities where they were agreed on.
const KEYS: [&str; 10] = [
    "USERNAME",
    "MESSAGES",
    "CAPABILITIES",
    "RESUME",
    "RECENT",
    "PASSWORD",
    "TOKEN",
    "DEVICE",
    "TAGS",
    "META",
];

/// The requests beside messages, in the order in which they are served.
const REQUESTS: [&str; 9] = [
    "HISTORY",
    "READ",
    "KEYS_PUT",
    "KEYS_GET",
    "KEYS_CLAIM",
    "KEYS_DONE",
    "COMMAND",
    "ANSWER",
    "PING",
];

/// The state that all sessions share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) faults: Faults,
    pub(super) chat: Arc<Mutex<Chat>>,
    pub(super) power: Power,
}

pub(super) struct Session {
    pub(super) shared: Shared,
    pub(super) outbox: Outbox,
    pub(super) connection: u64,
    pub(super) address: IpAddr,
    pub(super) name: Option<String>,
    /// The capabilities in force since the name was accepted.
    pub(super) agreed: Agreed,
    /// Errors that wait for the next PONG to overtake them.
    pub(super) held: Vec<&'static str>,
    /// The level of the user.
    pub(super) level: u8,
    pub(super) calls: Calls,
    /// An offer that a server keeps that should not.
    pub(super) kept: Option<Agreed>,
    pub(super) refused: Option<String>,
    /// What goes with the message that is being looked at.
    meta: Option<Value>,
}

/// Serves one connection to its end.
pub(super) async fn serve(
    shared: Shared,
    (connection, address): (u64, IpAddr),
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let (reading, writing) = tokio::io::split(stream);
    let outbox = Outbox::start(writing, shared.faults.clone());
    shared.chat.lock().await.connected(connection, outbox.clone());
    let mut inbox = Inbox::new(reading, shared.faults.clone());
    let mut session = Session {
        shared,
        outbox,
        connection,
        address,
        name: None,
        agreed: Agreed::default(),
        held: Vec::new(),
        level: 0,
        calls: Calls::default(),
        kept: None,
        refused: None,
        meta: None,
    };
    let cut = session.shared.power.clone().cut();
    let noticed = tokio::select! {
        noticed = session.run(&mut inbox) => noticed,
        () = cut => false,
    };
    if noticed {
        session.end().await;
    }
    session.outbox.close();
}

impl Session {
    async fn run(&mut self, inbox: &mut Inbox<impl AsyncRead + Unpin>) -> bool {
        let f = self.shared.faults.clone();
        loop {
            while let Some(incoming) = inbox.take() {
                match incoming {
                    Incoming::Body(body) => {
                        if !self.body(&body).await {
                            return true;
                        }
                    }
                    Incoming::TooLong(length) => {
                        let chat = self.shared.chat.clone();
                        let guard = chat.lock().await;
                        if length > 1 << 30 && f.acts(Fault::HugeLengthStalls) {
                            sleep(Duration::from_secs(60)).await;
                        }
                        drop(guard);
                        last_words(&self.outbox, &self.agreed, &f, "protocol", "too long");
                        return true;
                    }
                    Incoming::Closed { noticed } => return noticed,
                }
            }
            let stalls = (inbox.is_partial() && f.has(Fault::HalfFrameStalls))
                || (self.name.is_none() && f.has(Fault::IdleStalls));
            let chat = self.shared.chat.clone();
            let guard = if stalls { Some(chat.lock().await) } else { None };
            let end = inbox.read().await;
            if guard.is_some() {
                let _ = f.acts(Fault::HalfFrameStalls) || f.acts(Fault::IdleStalls);
            }
            drop(guard);
            if let Some(Incoming::Closed { noticed }) = end {
                return noticed;
            }
        }
    }

    /// Handles one body; false when the connection ends with it.
    async fn body(&mut self, body: &[u8]) -> bool {
        let f = self.shared.faults.clone();
        if body.is_empty() && f.acts(Fault::ZeroLengthCloses) {
            return false;
        }
        if body.len() > 3 * 1024 * 1024 && f.acts(Fault::DiesOfLargeFrame) {
            self.shared.power.off();
            return false;
        }
        // Only JSON behind white space counts: what is no JSON at all is another fault's business.
        let blank = body.first().is_some_and(u8::is_ascii_whitespace);
        if blank && f.acts(Fault::BlankInFrontRefused) {
            return self.error("a body begins with a brace").await;
        }
        if body.iter().skip(2).any(|byte| *byte == b'\n') && f.acts(Fault::RefusesWhitespace) {
            return self.error("no line breaks, please").await;
        }
        let inflated;
        let mut body = body;
        if self.agreed.has("zstd") && body.starts_with(&MAGIC) && !f.acts(Fault::ZstdNotTaken) {
            inflated = match zstd::inflated(body, limit(&f), &f) {
                Ok(inflated) => inflated,
                Err(text) => return self.error(text).await,
            };
            body = &inflated;
        }
        if !body.is_ascii() {
            if std::str::from_utf8(body).is_err() && f.acts(Fault::BadUtf8Kills) {
                self.shared.power.off();
                return false;
            }
            if f.acts(Fault::AsciiOnly) {
                return self.error("ASCII only").await;
            }
        }
        if body.len() > 20_000
            && body.contains(&b'[')
            && is_deep(body)
            && f.acts(Fault::DeepJsonKills)
        {
            self.shared.power.off();
            return false;
        }
        if self.hides_behind_first(body) {
            return self.error("unknown kind").await;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(object)) => self.object(&object).await,
            Ok(Value::Array(_)) if f.acts(Fault::ArrayIgnored) => true,
            Ok(_) => self.bad_frame("not an object").await,
            Err(_) if f.acts(Fault::JunkIgnored) => true,
            Err(_) if f.acts(Fault::JunkKillsServer) => {
                self.shared.power.off();
                false
            }
            Err(_) => self.bad_frame("not JSON").await,
        }
    }

    /// Whether the first key of a body is none that is known, and counts as the only one.
    fn hides_behind_first(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let first = text.split('"').nth(1).unwrap_or_default();
        let object = text.trim_start().starts_with('{');
        object && first.starts_with("X_LATER") && self.shared.faults.acts(Fault::FirstKeyOnly)
    }

    async fn bad_frame(&mut self, text: &'static str) -> bool {
        if self.shared.faults.acts(Fault::BadFrameKicksEverybody) {
            self.shared.chat.lock().await.kick_all();
        }
        self.error(text).await
    }

    pub(super) async fn error(&mut self, text: &'static str) -> bool {
        if self.agreed.has("ping") && self.shared.faults.acts(Fault::PongOvertakes) {
            self.held.push(text);
            return true;
        }
        if self.shared.faults.acts(Fault::ErrorToEverybody) {
            self.shared.chat.lock().await.error_to_all(text);
        } else if self.shared.faults.acts(Fault::ErrorToLast) {
            self.shared.chat.lock().await.error_to_last(text);
        } else {
            self.outbox.error(text);
        }
        !self.shared.faults.acts(Fault::ClosesAfterError)
    }

    async fn object(&mut self, object: &Map<String, Value>) -> bool {
        let f = self.shared.faults.clone();
        self.learn_name().await;
        let all = [&KEYS[..], &REQUESTS, &filed::KEYS];
        let is_known = |key: &str| all.iter().any(|keys| keys.contains(&key));
        let unknown = object.keys().any(|key| !is_known(key));
        let (name, messages) = (object.get("USERNAME"), object.get("MESSAGES"));
        if name.is_some() && unknown && f.acts(Fault::ExtraOnJoinRefused) {
            return self.error("unknown key").await;
        }
        if messages.is_some() && unknown && f.acts(Fault::ExtraBesideMessagesRefused) {
            return self.error("unknown key").await;
        }
        // What is agreed in this frame counts from the next one on.
        let mut before = self.agreed.clone();
        let offer = match self.offer(object).await {
            Ok(offer) => offer,
            Err(goes_on) => return goes_on,
        };
        if let Some(name) = name {
            if !self.ask(name, offer, object).await {
                return false;
            }
            if messages.is_some() && f.acts(Fault::PiggybackIgnored) {
                return true;
            }
        }
        if f.has(Fault::FirstFrameExtended) && self.agreed.offered() != before.offered() {
            let _ = f.acts(Fault::FirstFrameExtended);
            before = self.agreed.clone();
        }
        let mut known = name.is_some();
        if let Some(messages) = messages {
            known = true;
            let tagged = before.has("ids") || f.acts(Fault::TagsWithoutOffer);
            let beside = (object.get("TAGS").filter(|_| tagged), object.get("META"));
            if !self.messages(messages, beside).await {
                return false;
            }
        }
        let requests = REQUESTS.iter().take(2).chain(&filed::KEYS).chain(REQUESTS.iter().skip(2));
        for (key, value) in requests.filter_map(|key| Some((*key, object.get(*key)?))) {
            let Some(goes_on) = self.extended(&before, key, value).await else { continue };
            known = true;
            if !goes_on {
                return false;
            }
        }
        match known {
            true => true,
            false if object.is_empty() && f.acts(Fault::EmptyObjectIgnored) => true,
            false if !object.is_empty() && f.acts(Fault::UnknownKeyIgnored) => true,
            false => self.error("nothing in it").await,
        }
    }

    async fn messages(
        &mut self,
        messages: &Value,
        (tags, metas): (Option<&Value>, Option<&Value>),
    ) -> bool {
        let f = self.shared.faults.clone();
        let Some(list) = messages.as_array() else { return self.error("not a list").await };
        let own = match &self.name {
            Some(name) => name.clone(),
            None if f.acts(Fault::UnjoinedIgnored) => return true,
            None if f.acts(Fault::UnjoinedMaySend) => list
                .first()
                .and_then(|m| m.get(0))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            None => {
                let src = list.first().and_then(|m| m.get(0)).and_then(Value::as_str);
                if let (Some(src), true) = (src, f.acts(Fault::HauntedByUnjoined)) {
                    self.shared.chat.lock().await.haunt(src);
                }
                return self.error("join first").await;
            }
        };
        let tags = match self.tags(list.len(), tags) {
            Ok(tags) => tags,
            Err(text) => return self.error(text).await,
        };
        let metas = match self.metas(list.len(), metas) {
            Ok(metas) => metas,
            Err(text) => return self.error(text).await,
        };
        let promised = self.promise(&tags).await;
        let first_dest = list.first().and_then(|m| m.get(1)).and_then(Value::as_str);
        let (mut trouble, mut answer, mut said) = (None, Answer::default(), false);
        let (earlier, stopped) = {
            let mut chat = self.shared.chat.lock().await;
            (chat.last_id + 1, chat.count(self.connection, list))
        };
        for (n, message) in list.iter().enumerate() {
            if n > 0 && f.acts(Fault::FirstMessageOnly) {
                break;
            }
            if tags.end == Some(n) {
                trouble = Some("a tag is a string");
                break;
            }
            let routed =
                (f.has(Fault::FrameRoutedByFirst) && n > 0).then_some(first_dest).flatten();
            let routed = routed.or_else(|| self.room_of_first(n, first_dest));
            let tag = tags.at(n);
            self.meta = metas.get(n).cloned();
            let tagged = tag.map(|tag| (tag, earlier));
            let taken = self.message(&own, n, message, routed, tagged, &stopped).await;
            said |= taken.is_ok();
            match (taken, tag) {
                (Ok(Taken::Now(id)), Some(tag)) if !promised => self.stored(tag, id, &mut answer),
                (Ok(Taken::Before(id)), Some(tag)) => self.again(tag, id, &mut answer),
                (Err(refusal), tag) => {
                    trouble = Some(refusal.text());
                    if let Some(tag) = tag {
                        if f.acts(Fault::RefusedTagUsed) {
                            let mut chat = self.shared.chat.lock().await;
                            chat.remember(self.connection, tag, 1);
                        }
                        self.refused_tag(tag, refusal, &mut answer);
                    }
                }
                _ => {}
            }
        }
        if said {
            self.has_said().await;
        }
        self.tell(answer, trouble).await
    }

    /// Checks and delivers one message; an empty error is one about which nothing is said.
    async fn message(
        &self,
        own: &str,
        n: usize,
        message: &Value,
        routed: Option<&str>,
        tag: Option<(&str, u64)>,
        stopped: &Stopped,
    ) -> Result<Taken, Refusal> {
        let f = &self.shared.faults;
        let mut parts = message.as_array().ok_or("not a list")?.clone();
        self.by_present_name(own, &mut parts).await;
        if parts.len() < 4 {
            return Err(if f.acts(Fault::ShortTupleIgnored) { "" } else { "four elements" }.into());
        }
        if parts.len() > 4 && f.acts(Fault::ClosesOnFive) {
            self.shared.chat.lock().await.kick_all();
        }
        if parts.len() > 4 && !f.acts(Fault::LongTupleDelivered) {
            return Err("four elements".into());
        }
        let text = |at: usize| parts.get(at).and_then(Value::as_str).ok_or("not a string");
        let (src, dest, content) = (text(0)?, text(1)?, text(3)?);
        let time = parts.get(2).ok_or("no time")?;
        let integer = time.is_i64() || time.is_u64();
        if !integer && !f.acts(Fault::StringTimeAccepted) {
            return Err("the time is no integer".into());
        }
        let mut chat = self.shared.chat.lock().await;
        if self.agreed.has("ids") && chat.member(self.connection).is_none() {
            return Err("this session goes on elsewhere".into());
        }
        if src != own && !self.forgives(dest, n) {
            if f.acts(Fault::RefusedIsStored) {
                chat.store(&parts, None);
            }
            let silent = f.acts(Fault::SpoofSilentlyDropped);
            return Err(if silent { "" } else { "you are somebody else" }.into());
        }
        if content.is_empty() && f.acts(Fault::EmptyContentRefused) {
            return Err("say something".into());
        }
        if dest == own && f.acts(Fault::SelfMessageRefused) {
            return Err("that is you".into());
        }
        if let Some(refusal) = chat.hushed(self.connection, dest) {
            return Err(refusal);
        }
        if let Some(refusal) = stopped.at(dest) {
            let known = tag.and_then(|(tag, earlier)| chat.used(self.connection, tag, earlier));
            if let Some(id) = known {
                return Ok(Taken::Before(id));
            }
            chat.may_say(self.connection, tag.map(|(tag, _)| tag), refusal)?;
        }
        chat.take_meta(self.connection, dest, &parts, self.meta.as_ref())?;
        let room = routed.filter(|first| first.starts_with('#')).unwrap_or(dest);
        if self.means_room(room) {
            return chat.say_in_room(self.connection, room, &parts, tag);
        }
        let dest = &chat.present_name(dest);
        if dest != "ALL" && !chat.is_here(dest) {
            return chat.leave_for(self.connection, dest, &parts, tag);
        }
        if routed.is_some() {
            let _ = f.acts(Fault::FrameRoutedByFirst);
        }
        if dest != "ALL" && chat.apart(own, dest) {
            return Err(Refusal::new("blocked", "one of you has blocked the other"));
        }
        if let Some((tag, earlier)) = tag
            && let Some(id) = chat.used(self.connection, tag, earlier)
        {
            return Ok(Taken::Before(id));
        }
        chat.speaking = Some(self.connection);
        let id = chat.deliver(&parts, routed.unwrap_or(dest), tag.map(|(tag, _)| tag));
        chat.said_by(self.connection, dest, id);
        if let Some((tag, _)) = tag {
            chat.remember(self.connection, tag, id);
        }
        if f.has(Fault::SlowReaderStalls) && chat.longest_queue() > 20 {
            let _ = f.acts(Fault::SlowReaderStalls);
            while chat.longest_queue() > 20 {
                sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(Taken::Now(id))
    }

    fn forgives(&self, dest: &str, n: usize) -> bool {
        let f = &self.shared.faults;
        f.acts(Fault::SpoofDelivered)
            || (dest.starts_with('#') && f.acts(Fault::RoomSpoofDelivered))
            || (dest != "ALL" && f.acts(Fault::SpoofPrivateDelivered))
            || (n > 0 && f.acts(Fault::OnlyFirstSourceChecked))
    }

    async fn end(&self) {
        let f = &self.shared.faults;
        let mut chat = self.shared.chat.lock().await;
        if self.name.is_none() {
            if let Some(name) = &self.refused
                && f.acts(Fault::RefusedCloseRemovesHolder)
            {
                chat.announce_left(name);
            }
            if f.acts(Fault::UnjoinedCloseAnnounced) {
                chat.announce_left("");
            }
            if f.acts(Fault::UnjoinedCloseKills) {
                self.shared.power.off();
            }
        }
        chat.leave(self.connection);
    }
}
