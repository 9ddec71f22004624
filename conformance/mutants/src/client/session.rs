//! One session of the client, from its first prompt to its end.
#![allow(clippy::disallowed_methods, reason = "a program at the edge: it has a clock and a task")]

use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant},
};

use conformance_kit::clock::unix_seconds;
use conformance_suite::fault::ClientFault;
use serde_json::{Map, Value, json};
use tokio::{
    io::AsyncReadExt as _,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};

use crate::{
    faults::Faults,
    inbox::{Inbox, Incoming, KNOWN},
    keyboard::{self, Key},
    outbox,
    show::{Item, Show},
    transport::{self, Stream},
};

/// How long what is typed is thrown away.
const EARLY: Duration = Duration::from_millis(400);

/// How the client was started.
pub(crate) struct Options {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) name: Option<String>,
    pub(crate) adapter: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Name,
    Answer(String),
    Chat(String),
}

/// How it is over.
pub(crate) enum End {
    Quit,
    Code(i32),
}

pub(crate) struct Session {
    stage: Stage,
    users: Vec<String>,
    pub(crate) sent: Vec<String>,
    pub(crate) show: Show,
    pub(crate) faults: Faults,
    out: UnboundedSender<Vec<u8>>,
    /// Lines that were typed before the name was accepted.
    ahead: VecDeque<Key>,
    /// To whom the next line goes.
    pub(crate) to: Option<String>,
    pub(crate) last_line: Option<Instant>,
    asks_again: bool,
}

/// Runs it to its end, and gives the exit code.
pub(crate) async fn run(mut options: Options, faults: Faults) -> i32 {
    if faults.acts(ClientFault::IgnoresInterrupt) {
        keyboard::ignore_interrupts();
    }
    let asks_again = options.name.is_none();
    let mut show = Show::new(options.adapter, faults.clone());
    if faults.acts(ClientFault::FlushesInputAtStart) {
        show.prompt("name: ");
        sleep(EARLY).await;
        keyboard::forget();
    }
    let mut keys = keyboard::lines(options.adapter);
    if options.adapter {
        match keys.recv().await {
            Some(Key::Order(order)) => told(&mut options, &order),
            _ => return 64,
        }
    }
    if faults.acts(ClientFault::NeverConnects) {
        show.prompt("name: ");
        std::future::pending::<()>().await;
    }
    if options.name.is_none() && faults.acts(ClientFault::NameBeforeConnecting) {
        show.prompt("name: ");
        match keys.recv().await {
            Some(Key::Line(name)) => options.name = Some(name),
            _ => return 1,
        }
    }
    let connected =
        transport::connect(&options.host, options.port, options.ca.as_deref(), &faults).await;
    let stream = match connected {
        Ok(stream) => stream,
        Err(_) if faults.acts(ClientFault::RefusedUntold) => return 1,
        Err(error) => {
            show.item(Item::Notice(format!("can't connect: {error}")));
            return 1;
        }
    };
    let name = options.name.as_deref();
    talk(name, asks_again, stream, keys, show, faults).await
}

fn told(options: &mut Options, order: &Value) {
    let text = |key: &str| order.get(key).and_then(Value::as_str).map(str::to_owned);
    options.host = text("host").unwrap_or_default();
    options.ca = text("ca").map(PathBuf::from);
    let port = order.get("port").and_then(Value::as_u64);
    options.port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
}

async fn talk(
    name: Option<&str>,
    asks_again: bool,
    stream: Box<dyn Stream>,
    mut keys: UnboundedReceiver<Key>,
    show: Show,
    faults: Faults,
) -> i32 {
    let (mut reading, writing) = tokio::io::split(stream);
    let (out, frames) = unbounded_channel();
    let writer = tokio::spawn(outbox::write(writing, frames, faults.clone()));
    let mut session = Session {
        stage: Stage::Name,
        users: Vec::new(),
        sent: Vec::new(),
        show,
        faults: faults.clone(),
        out,
        ahead: VecDeque::new(),
        to: None,
        last_line: None,
        asks_again,
    };
    match name {
        Some(name) => session.ask(name),
        None => session.show.prompt("name: "),
    }
    let mut inbox = Inbox::new(faults.clone());
    let mut buffer = vec![0; 256 * 1024];
    let mut open = true;
    let end = loop {
        let end = tokio::select! {
            key = keys.recv(), if open => match key {
                Some(key) => session.key(key).await,
                None => { open = false; None }
            },
            read = reading.read(&mut buffer) => match read {
                Ok(count @ 1..) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    session.arrived(inbox.push(bytes))
                }
                _ => Some(session.gone().await),
            },
        };
        if let Some(end) = end {
            break end;
        }
    };
    match end {
        End::Quit => {
            drop(session);
            let _ = timeout(Duration::from_secs(5), writer).await;
            0
        }
        End::Code(code) => code,
    }
}

impl Session {
    pub(crate) fn send(&self, bytes: Vec<u8>) {
        let _ = self.out.send(bytes);
    }

    fn ask(&mut self, name: &str) {
        if self.faults.acts(ClientFault::OtherFrameFirst) {
            self.send(outbox::frame(&json!({"X_CLIENT": "mutant 1"}), &self.faults));
        }
        if self.faults.acts(ClientFault::SpeaksBeforeName) {
            self.send(outbox::message(name, "ALL", "hello", unix_seconds(), &self.faults));
        }
        let capitals = self.faults.acts(ClientFault::NameInCapitals);
        let asked = if capitals { name.to_uppercase() } else { name.to_owned() };
        self.send(outbox::frame(&json!({"USERNAME": asked}), &self.faults));
        self.stage = Stage::Answer(asked);
    }

    async fn key(&mut self, key: Key) -> Option<End> {
        self.show.release();
        if let Key::Order(order) = &key {
            return self.order(order);
        }
        match (&self.stage, key) {
            (_, Key::End) if self.faults.acts(ClientFault::StaysAtEnd) => None,
            (_, Key::End) => Some(End::Quit),
            (Stage::Name, Key::Line(name)) => {
                self.ask(&name);
                None
            }
            (Stage::Answer(name), Key::Line(line)) => {
                if self.faults.acts(ClientFault::SendsBeforeAnswer) {
                    let name = name.clone();
                    self.say(&name, "ALL", &line);
                } else {
                    self.ahead.push_back(Key::Line(line));
                }
                None
            }
            (Stage::Chat(me), Key::Line(line)) => {
                let me = me.clone();
                self.line(&me, &line).await
            }
            _ => None,
        }
    }

    fn order(&mut self, order: &Value) -> Option<End> {
        let text =
            |key: &str| order.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let me = match &self.stage {
            Stage::Chat(me) => me.clone(),
            _ => String::new(),
        };
        match text("do").as_str() {
            "join" => self.ask(&text("name")),
            "say" if me.is_empty() => self.ahead.push_back(Key::Order(order.clone())),
            "say" => self.say(&me, "ALL", &text("text")),
            "tell" => self.say(&me, &text("user"), &text("text")),
            "quit" => return Some(End::Quit),
            _ => {}
        }
        None
    }

    fn arrived(&mut self, frames: Vec<Incoming>) -> Option<End> {
        if !frames.is_empty() && self.faults.acts(ClientFault::ArrivalEatsLine) {
            keyboard::forget();
        }
        for incoming in frames {
            let raised = match incoming {
                Incoming::Frame(frame) => self.frame(&frame).err(),
                Incoming::Junk => {
                    self.show.item(Item::Notice("the server sent a bad frame".to_owned()));
                    None
                }
                Incoming::Raises(error) => Some(error),
            };
            match raised {
                Some("") => return Some(End::Code(1)),
                Some(error) => {
                    eprintln!("Traceback (most recent call last):\n  ...\n{error}");
                    return Some(End::Code(1));
                }
                None => {}
            }
        }
        None
    }

    /// Takes a frame; an error is what Python would print, an empty one ends without a word.
    fn frame(&mut self, frame: &Map<String, Value>) -> Result<(), &'static str> {
        let unknown = frame.keys().any(|key| !KNOWN.contains(&key.as_str()));
        if unknown && self.faults.acts(ClientFault::UnknownKeyRaises) {
            return Err("AttributeError: 'list' object has no attribute 'encode'");
        }
        if let Some(accepted) = frame.get("USERNAME_ACCEPTED") {
            return self.answer(accepted == &Value::Bool(true), frame);
        }
        let single = frame.len() > 1 && self.faults.acts(ClientFault::OneKeyAFrame);
        if let Some(info) = text(frame, "INFO") {
            self.show.item(Item::Info(info));
            if single {
                return Ok(());
            }
        }
        self.joined(frame);
        self.messages(frame);
        self.left(frame)?;
        if let Some(error) = text(frame, "ERROR")
            && !self.faults.acts(ClientFault::ErrorHidden)
        {
            self.show.item(Item::Error(error));
        }
        Ok(())
    }

    fn answer(&mut self, accepted: bool, frame: &Map<String, Value>) -> Result<(), &'static str> {
        let info = text(frame, "INFO");
        let f = self.faults.clone();
        if !accepted {
            if f.acts(ClientFault::RefusalRaises) {
                return Err("KeyError: 'USER_LIST'");
            }
            if info.is_none() && f.acts(ClientFault::BareRefusalRaises) {
                return Err("KeyError: 'INFO'");
            }
            self.stage = Stage::Name;
            if f.acts(ClientFault::RefusalUntold) {
                return Ok(());
            }
            if f.acts(ClientFault::RefusalPromptsOnly) {
                self.show.prompt("name: ");
                return Ok(());
            }
            let reason = info.unwrap_or_else(|| "no reason given".to_owned());
            self.show.item(Item::Notice(format!("the name was refused: {reason}")));
            if !self.asks_again || f.acts(ClientFault::GivesUpAfterRefusal) {
                return Err("");
            }
            self.show.prompt("name: ");
            return Ok(());
        }
        if info.is_none() && f.acts(ClientFault::BareWelcomeRaises) {
            return Err("KeyError: 'INFO'");
        }
        if frame.contains_key("USERS_JOINED") && f.acts(ClientFault::NoticeBesideWelcomeRaises) {
            return Err("ValueError: unexpected USERS_JOINED");
        }
        let Stage::Answer(name) = self.stage.clone() else { return Ok(()) };
        self.stage = Stage::Chat(name);
        self.users = names(frame, "USER_LIST");
        if let Some(info) = info {
            self.show.item(Item::Info(info));
        }
        if !f.acts(ClientFault::ListHidden) {
            let mut shown = self.users.clone();
            if f.acts(ClientFault::LastIsSelf) {
                let _ = shown.pop();
            }
            self.show.item(Item::Users(shown));
        }
        self.joined(frame);
        if !f.acts(ClientFault::HistoryHidden) {
            let mut frame = frame.clone();
            if let Some(Value::Array(list)) = frame.get_mut("MESSAGES")
                && list.len() > 1
                && f.acts(ClientFault::HistoryNewestFirst)
            {
                list.reverse();
            }
            self.messages(&frame);
        }
        if f.acts(ClientFault::BareStringFrame) {
            self.send(outbox::frame(&json!("hello"), &f));
        }
        for key in std::mem::take(&mut self.ahead) {
            self.typed_ahead(key);
        }
        Ok(())
    }

    fn typed_ahead(&mut self, key: Key) {
        let Stage::Chat(me) = self.stage.clone() else { return };
        match key {
            Key::Line(line) if !line.is_empty() => self.say(&me, "ALL", &line),
            Key::Order(order) => {
                let _ = self.order(&order);
            }
            _ => {}
        }
    }

    fn messages(&mut self, frame: &Map<String, Value>) {
        let list = frame.get("MESSAGES").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut taken = list.len();
        if taken > 1 && self.faults.acts(ClientFault::FirstMessageOnly) {
            taken = 1;
        }
        for message in list.iter().take(taken) {
            let part = |at: usize| message.get(at).and_then(Value::as_str).map(str::to_owned);
            if let (Some(from), Some(to), Some(text)) = (part(0), part(1), part(3)) {
                self.message(from, to, text);
            }
        }
    }

    fn message(&mut self, from: String, to: String, text: String) {
        let f = self.faults.clone();
        let Stage::Chat(me) = self.stage.clone() else { return };
        if from == me && self.sent.contains(&text) {
            if f.acts(ClientFault::SendsEchoAgain) {
                self.sent.clear();
                self.say(&me, "ALL", &text);
            }
            if f.acts(ClientFault::OwnEchoHidden) {
                return;
            }
        }
        let hidden = f.acts(ClientFault::NothingShown)
            || (to != "ALL" && f.acts(ClientFault::PrivateHidden))
            || (from != me && !self.users.contains(&from) && f.acts(ClientFault::UnlistedHidden));
        if !hidden {
            self.show.item(Item::Message { from, to, text });
        }
    }

    fn joined(&mut self, frame: &Map<String, Value>) {
        for name in names(frame, "USERS_JOINED") {
            if !self.users.contains(&name) {
                self.users.push(name.clone());
            }
            if !self.faults.acts(ClientFault::JoinedHidden) {
                self.show.item(Item::Joined(name));
            }
        }
    }

    fn left(&mut self, frame: &Map<String, Value>) -> Result<(), &'static str> {
        for name in names(frame, "USERS_LEFT") {
            let known = self.users.iter().position(|user| *user == name);
            match known {
                Some(at) => {
                    self.users.remove(at);
                }
                None if self.faults.acts(ClientFault::LeftUnknownRaises) => {
                    return Err("ValueError: list.remove(x): x not in list");
                }
                None => {}
            }
            if !self.faults.acts(ClientFault::LeftHidden) {
                self.show.item(Item::Left(name));
            }
        }
        Ok(())
    }

    async fn gone(&mut self) -> End {
        if self.faults.acts(ClientFault::EndUntold) {
            return End::Code(1);
        }
        self.show.item(Item::Notice("the server closed the connection".to_owned()));
        if self.faults.acts(ClientFault::WaitsForEver) {
            std::future::pending::<()>().await;
        }
        End::Code(1)
    }
}

fn text(frame: &Map<String, Value>, key: &str) -> Option<String> {
    frame.get(key)?.as_str().map(str::to_owned)
}

fn names(frame: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = frame.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
