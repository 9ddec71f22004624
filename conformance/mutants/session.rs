//! One connection of the mutant server: from its first byte to its last.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::Mutex,
    time::sleep,
};

use super::{
    chat::Chat,
    fault::{Fault, Faults},
    inbox::{Inbox, Incoming},
    outbox::Outbox,
    server::Power,
};

/// What a session shares with the others.
#[derive(Clone)]
pub(super) struct House {
    pub(super) faults: Faults,
    pub(super) chat: Arc<Mutex<Chat>>,
    pub(super) power: Power,
}

struct Session {
    house: House,
    outbox: Outbox,
    connection: u64,
    name: Option<String>,
    refused: Option<String>,
}

/// Serves one connection to its end.
pub(super) async fn serve(
    house: House,
    connection: u64,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let (reading, writing) = tokio::io::split(stream);
    let outbox = Outbox::start(writing, house.faults.clone());
    house.chat.lock().await.connected(connection, outbox.clone());
    let mut inbox = Inbox::new(reading, house.faults.clone());
    let mut session = Session { house, outbox, connection, name: None, refused: None };
    let cut = session.house.power.clone().cut();
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
        let f = self.house.faults.clone();
        loop {
            while let Some(incoming) = inbox.take() {
                match incoming {
                    Incoming::Body(body) => {
                        if !self.body(&body).await {
                            return true;
                        }
                    }
                    Incoming::TooLong(length) => {
                        let chat = self.house.chat.clone();
                        let guard = chat.lock().await;
                        if length > 1 << 30 && f.acts(Fault::HugeLengthStalls) {
                            sleep(Duration::from_secs(60)).await;
                        }
                        drop(guard);
                        self.outbox.error("too long");
                        return true;
                    }
                    Incoming::Closed { noticed } => return noticed,
                }
            }
            let stalls = (inbox.is_partial() && f.has(Fault::HalfFrameStalls))
                || (self.name.is_none() && f.has(Fault::IdleStalls));
            let chat = self.house.chat.clone();
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
        let f = self.house.faults.clone();
        if body.is_empty() && f.acts(Fault::ZeroLengthCloses) {
            return false;
        }
        if body.contains(&b'\n') && f.acts(Fault::RefusesWhitespace) {
            return self.error("no line breaks, please").await;
        }
        if !body.is_ascii() {
            if std::str::from_utf8(body).is_err() && f.acts(Fault::BadUtf8Kills) {
                self.house.power.off();
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
            self.house.power.off();
            return false;
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Object(object)) => self.object(&object).await,
            Ok(Value::Array(_)) if f.acts(Fault::ArrayIgnored) => true,
            Ok(_) => self.bad_frame("not an object").await,
            Err(_) if f.acts(Fault::JunkIgnored) => true,
            Err(_) if f.acts(Fault::JunkKillsServer) => {
                self.house.power.off();
                false
            }
            Err(_) => self.bad_frame("not JSON").await,
        }
    }

    async fn bad_frame(&mut self, text: &str) -> bool {
        if self.house.faults.acts(Fault::BadFrameKicksEverybody) {
            self.house.chat.lock().await.kick_all();
        }
        self.error(text).await
    }

    async fn error(&mut self, text: &str) -> bool {
        if self.house.faults.acts(Fault::ErrorToEverybody) {
            self.house.chat.lock().await.error_to_all(text);
        } else {
            self.outbox.error(text);
        }
        !self.house.faults.acts(Fault::ClosesAfterError)
    }

    async fn object(&mut self, object: &Map<String, Value>) -> bool {
        let f = self.house.faults.clone();
        let unknown = object.keys().any(|key| key != "USERNAME" && key != "MESSAGES");
        let (name, messages) = (object.get("USERNAME"), object.get("MESSAGES"));
        if name.is_some() && unknown && f.acts(Fault::ExtraOnJoinRefused) {
            return self.error("unknown key").await;
        }
        if messages.is_some() && unknown && f.acts(Fault::ExtraBesideMessagesRefused) {
            return self.error("unknown key").await;
        }
        if let Some(name) = name {
            if !self.ask(name).await {
                return false;
            }
            if messages.is_some() && f.acts(Fault::PiggybackIgnored) {
                return true;
            }
        }
        match messages {
            Some(messages) => self.messages(messages).await,
            None if name.is_some() => true,
            None if object.is_empty() && f.acts(Fault::EmptyObjectIgnored) => true,
            None if !object.is_empty() && f.acts(Fault::UnknownKeyIgnored) => true,
            None => self.error("nothing in it").await,
        }
    }

    async fn ask(&mut self, name: &Value) -> bool {
        let f = self.house.faults.clone();
        if f.acts(Fault::NoAnswerToName) {
            return true;
        }
        if self.name.is_some() {
            return f.acts(Fault::SecondNameIgnored) || self.error("joined already").await;
        }
        let name = match name {
            Value::String(name) => name.clone(),
            other if f.acts(Fault::NumberNameAccepted) => other.to_string(),
            _ if f.acts(Fault::NumberNameIgnored) => return true,
            _ => return self.error("a name is a string").await,
        };
        let mut chat = self.house.chat.lock().await;
        let taken = chat.is_taken(&name);
        if taken && f.acts(Fault::NoAnswerToDuplicate) {
            return true;
        }
        let usable = !f.acts(Fault::NeverAccepts)
            && (!name.is_empty() || f.acts(Fault::EmptyNameAccepted))
            && (!name.eq_ignore_ascii_case("ALL") || f.acts(Fault::AllAccepted))
            && (name.chars().count() <= 32 || f.acts(Fault::LongNamesAccepted))
            && (self.refused.is_none() || !f.acts(Fault::RefusedForGood));
        if !usable || (taken && !f.acts(Fault::DuplicateAccepted)) {
            chat.refused(&name, &self.outbox);
            drop(chat);
            self.refused = Some(name);
            let no = if f.acts(Fault::AcceptedAsString) { json!("false") } else { json!(false) };
            self.outbox.send(&json!({"USERNAME_ACCEPTED": no}));
            return !f.acts(Fault::ClosesAfterRefusal);
        }
        if f.acts(Fault::RaceBothAccepted) {
            // Between the check and the taking, another one gets in.
            drop(chat);
            sleep(Duration::from_millis(60)).await;
            chat = self.house.chat.lock().await;
        }
        chat.join(self.connection, &name, &self.outbox);
        self.name = Some(name);
        true
    }

    async fn messages(&mut self, messages: &Value) -> bool {
        let f = self.house.faults.clone();
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
            None => return self.error("join first").await,
        };
        let first_dest = list.first().and_then(|m| m.get(1)).and_then(Value::as_str);
        let mut trouble = None;
        for (n, message) in list.iter().enumerate() {
            if n > 0 && f.acts(Fault::FirstMessageOnly) {
                break;
            }
            let routed =
                (f.has(Fault::FrameRoutedByFirst) && n > 0).then_some(first_dest).flatten();
            if let Err(text) = self.message(&own, n, message, routed).await {
                trouble = Some(text);
            }
        }
        match trouble {
            Some(text) if !text.is_empty() => self.error(text).await,
            _ => true,
        }
    }

    /// Checks and delivers one message; an empty error is one about which nothing is said.
    async fn message(
        &self,
        own: &str,
        n: usize,
        message: &Value,
        routed: Option<&str>,
    ) -> Result<(), &'static str> {
        let f = &self.house.faults;
        let parts = message.as_array().ok_or("not a list")?;
        if parts.len() < 4 {
            return Err(if f.acts(Fault::ShortTupleIgnored) { "" } else { "four elements" });
        }
        if parts.len() > 4 && !f.acts(Fault::LongTupleDelivered) {
            return Err("four elements");
        }
        let text = |at: usize| parts.get(at).and_then(Value::as_str).ok_or("not a string");
        let (src, dest, content) = (text(0)?, text(1)?, text(3)?);
        let time = parts.get(2).ok_or("no time")?;
        let integer = time.is_i64() || time.is_u64();
        if !integer && !f.acts(Fault::StringTimeAccepted) {
            return Err("the time is no integer");
        }
        let mut chat = self.house.chat.lock().await;
        if src != own && !self.forgives(dest, n) {
            if f.acts(Fault::RefusedIsStored) {
                chat.store(parts);
            }
            let silent = f.acts(Fault::SpoofSilentlyDropped);
            return Err(if silent { "" } else { "you are somebody else" });
        }
        if content.is_empty() && f.acts(Fault::EmptyContentRefused) {
            return Err("say something");
        }
        if dest == own && f.acts(Fault::SelfMessageRefused) {
            return Err("that is you");
        }
        if dest != "ALL" && !chat.is_here(dest) {
            return Err(if f.acts(Fault::UnknownDestIgnored) { "" } else { "nobody there" });
        }
        if routed.is_some() {
            let _ = f.acts(Fault::FrameRoutedByFirst);
        }
        chat.deliver(parts, routed.unwrap_or(dest));
        if f.has(Fault::SlowReaderStalls) && chat.longest_queue() > 20 {
            let _ = f.acts(Fault::SlowReaderStalls);
            while chat.longest_queue() > 20 {
                sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }

    fn forgives(&self, dest: &str, n: usize) -> bool {
        let f = &self.house.faults;
        f.acts(Fault::SpoofDelivered)
            || (dest != "ALL" && f.acts(Fault::SpoofPrivateDelivered))
            || (n > 0 && f.acts(Fault::OnlyFirstSourceChecked))
    }

    async fn end(&self) {
        let f = &self.house.faults;
        let mut chat = self.house.chat.lock().await;
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
                self.house.power.off();
            }
        }
        chat.leave(self.connection);
    }
}

/// Whether brackets are nested beyond what anybody means.
fn is_deep(body: &[u8]) -> bool {
    let mut depth = 0_usize;
    body.iter().any(|byte| {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > 5_000
    })
}
