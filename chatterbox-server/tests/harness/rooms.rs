//! Clients that speak rooms, and read frames as JSON.
#![allow(clippy::indexing_slicing, reason = "what is not in a JSON value is null")]

use chatterbox_proto::{Capabilities, ServerFrame};
use serde_json::{Value, json};

use super::Peer;
use super::accounts::{AccountServer, PASSWORD, password};

pub const SPEAKS_ROOMS: &str =
    "accounts/1 commands/1 ids/1 notices/1 ping/1 recent/1 rename/1 rooms/1";

/// A user who has joined.
pub struct Roomer {
    peer: Peer,
    pub name: String,
    offered: Capabilities,
    /// The welcome of this connection.
    pub welcome: Value,
    /// What has come and was not asked for, since it was last taken.
    seen: Vec<Value>,
    asked: usize,
}

impl Roomer {
    /// Joins over a new connection, with further members of the frame.
    pub async fn join(peer: Peer, name: &str, beside: &str) -> Self {
        Self::join_speaking(peer, name, SPEAKS_ROOMS, beside).await
    }

    pub async fn join_speaking(mut peer: Peer, name: &str, offered: &str, beside: &str) -> Self {
        let body = format!(r#"{{"USERNAME": "{name}", "CAPABILITIES": "{offered}"{beside}}}"#);
        peer.send_body(&body).await;
        let offered = Capabilities::parse_offer(offered).unwrap();
        let (welcome, seen) = (Value::Null, Vec::new());
        let mut user = Self { peer, name: name.to_owned(), offered, welcome, seen, asked: 0 };
        user.welcome = user.next().await;
        assert_eq!(user.welcome["USERNAME_ACCEPTED"], json!(true), "{}", user.welcome);
        user
    }

    /// The next frame, which keeps to the norm.
    pub async fn next(&mut self) -> Value {
        let body = self.peer.next_body().await;
        let (_, notes) = ServerFrame::parse_as(body.as_bytes(), self.offered).unwrap();
        assert_eq!(notes.into_vec(), [], "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub async fn send(&mut self, body: &Value) {
        self.peer.send_body(&body.to_string()).await;
    }

    /// Reads until a frame in which this finds something; the frame itself counts as seen.
    pub async fn until<T>(&mut self, what: impl Fn(&Value) -> Option<T>) -> T {
        loop {
            let frame = self.next().await;
            let found = what(&frame);
            self.seen.push(frame);
            if let Some(found) = found {
                return found;
            }
        }
    }

    fn id(&mut self) -> String {
        self.asked += 1;
        format!("{}-{}", self.name, self.asked)
    }

    /// The user is called this from now on.
    pub fn called(&mut self, name: &str) {
        name.clone_into(&mut self.name);
    }

    /// Waits for a message with this text.
    pub async fn message(&mut self, text: &str) -> Value {
        self.until(|frame| {
            let mut all = frame["MESSAGES"].as_array()?.iter();
            all.find(|message| message[3] == text).cloned()
        })
        .await
    }

    /// Calls a command, and does not wait for its result.
    pub async fn begin(&mut self, name: &str, arguments: &[&str]) -> String {
        let id = self.id();
        self.send(&json!({"COMMAND": {"ID": id, "NAME": name, "ARGS": arguments}})).await;
        id
    }

    pub async fn result(&mut self, id: &str) -> Value {
        let of = |frame: &Value| (frame["RESULT"]["ID"] == *id).then(|| frame["RESULT"].clone());
        self.until(of).await
    }

    /// Calls a command, and gives its result.
    pub async fn call(&mut self, name: &str, arguments: &[&str]) -> Value {
        let id = self.begin(name, arguments).await;
        self.result(&id).await
    }

    /// The CODE of its result.
    pub async fn code(&mut self, name: &str, arguments: &[&str]) -> String {
        self.call(name, arguments).await["CODE"].as_str().unwrap().to_owned()
    }

    /// Calls what has to succeed.
    pub async fn ok(&mut self, name: &str, arguments: &[&str]) -> Value {
        let result = self.call(name, arguments).await;
        assert_eq!(result["OK"], json!(true), "{name} {arguments:?}: {result}");
        result
    }

    /// Says something, and gives its id when it is stored, or the CODE of its refusal.
    pub async fn say(&mut self, to: &str, text: &str) -> Result<u64, String> {
        let tag = self.id();
        self.send(&json!({"MESSAGES": [[self.name, to, 1, text]], "TAGS": [tag]})).await;
        self.until(|frame| {
            let refused = frame["REFUSED"][&tag]["CODE"].as_str();
            let stored = frame["ACKS"][&tag].as_u64().map(Ok);
            stored.or_else(|| refused.map(|code| Err(code.to_owned())))
        })
        .await
    }

    pub async fn history(&mut self, with: &str) -> Value {
        self.send(&json!({"HISTORY": {"WITH": with, "LIMIT": 500}})).await;
        self.until(|frame| frame.get("HISTORY").cloned()).await
    }

    /// The whole object of a room of which the user is a member, as it is now (RM-6).
    pub async fn room(&mut self, name: &str) -> Value {
        let id = self.begin("join", &[name]).await;
        let mut last = Value::Null;
        loop {
            let frame = self.next().await;
            let rooms = frame["ROOMS"].as_array().into_iter().flatten();
            last = rooms.cloned().rfind(|room| room["ROOM"] == name).unwrap_or(last);
            let result = frame["RESULT"].clone();
            self.seen.push(frame);
            if result["ID"] == *id {
                assert_eq!(result["CODE"], json!("already"), "{name}");
                assert!(last.get("COUNT").is_some(), "{name} is whole: {last}");
                return in_order(last);
            }
        }
    }

    /// A room of the welcome.
    pub fn welcomed(&self, name: &str) -> Option<Value> {
        let rooms = self.welcome["ROOMS"].as_array().expect("ROOMS");
        rooms.iter().find(|room| room["ROOM"] == name).cloned().map(in_order)
    }

    /// The names of the rooms in the welcome.
    pub fn rooms(&self) -> Vec<&str> {
        let rooms = self.welcome["ROOMS"].as_array().expect("ROOMS");
        rooms.iter().map(|room| room["ROOM"].as_str().unwrap()).collect()
    }

    /// The member of a frame with USERNAME that resumes this session.
    pub fn resume(&self, after: u64) -> String {
        format!(r#", "RESUME": {{"TOKEN": {}, "AFTER": {after}}}"#, self.welcome["RESUME"])
    }

    /// Reads what was sent before now, and takes all that was seen since the last time, but COMMANDS.
    pub async fn settle(&mut self) -> Vec<Value> {
        self.asked += 1;
        let number = self.asked;
        self.send(&json!({"PING": number})).await;
        loop {
            let mut frame = self.next().await;
            // It may be in one object with what came before it.
            let pong = frame.as_object_mut().unwrap().remove("PONG");
            self.seen.push(frame);
            if pong == Some(json!(number)) {
                break;
            }
        }
        self.seen.retain(|frame| frame.get("COMMANDS").is_none() && *frame != json!({}));
        std::mem::take(&mut self.seen)
    }
}

/// A user with an account who has joined.
pub async fn user(chat: &AccountServer, name: &str) -> Roomer {
    Roomer::join(chat.server.connect().await, name, &password(PASSWORD)).await
}

/// A guest who has joined.
pub async fn guest(chat: &AccountServer, name: &str) -> Roomer {
    Roomer::join(chat.server.connect().await, name, "").await
}

/// A room with its USERS by name: the norm gives them no order.
fn in_order(mut room: Value) -> Value {
    if let Some(users) = room["USERS"].as_array_mut() {
        users.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    }
    room
}

/// The texts of messages, in order.
pub fn texts(frames: &[Value]) -> Vec<&str> {
    let messages = frames.iter().filter_map(|frame| frame["MESSAGES"].as_array()).flatten();
    messages.map(|message| message[3].as_str().unwrap()).collect()
}

/// All ids in frames, in order.
pub fn ids(frames: &[Value]) -> Vec<u64> {
    let ids = frames.iter().filter_map(|frame| frame["IDS"].as_array()).flatten();
    ids.filter_map(Value::as_u64).collect()
}

/// The values of one key, one for each frame that has it.
pub fn values<'a>(frames: &'a [Value], key: &str) -> Vec<&'a Value> {
    frames.iter().filter_map(|frame| frame.get(key)).collect()
}
