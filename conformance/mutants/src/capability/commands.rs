//! `commands`: a handful of them, and questions of the server.

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};

use super::{
    agreed::Agreed,
    moderation::{self, Step},
    notices::last_words,
    presence,
    rooms::commands::{Done, catalogue},
    state::{Call, Reply},
};
use crate::{faults::Faults, session::Session};

/// How many commands wait while another one asks something.
const MOST_WAITING: usize = 16;

/// The word of a command that was done or not, and a text.
type Outcome = (&'static str, &'static str);

impl Session {
    /// Sends the catalogue of the commands that this user may use.
    pub(crate) fn send_catalogue(&self) {
        if let Some(catalogue) = catalogue_of(&self.agreed, self.level, &self.shared.faults) {
            self.outbox.send(&catalogue);
        }
    }

    pub(crate) async fn command(&mut self, asked: &Value) -> bool {
        let f = self.shared.faults.clone();
        let Some(call) = read(asked) else {
            if f.acts(Fault::CommandUnchecked) {
                let id = asked.get("ID").cloned().unwrap_or_default();
                self.outbox.send(
                    &json!({"RESULT": {"ID": id, "OK": false, "CODE": "failed", "ERROR": "what?"}}),
                );
                return true;
            }
            return self.error("COMMAND is ID, NAME and ARGS").await;
        };
        if self.calls.asking.is_some() && !f.acts(Fault::CommandsOvertake) {
            if self.calls.waiting.len() < MOST_WAITING || f.acts(Fault::NeverBusy) {
                self.calls.waiting.push_back(call);
            } else {
                self.result(&call.id, ("busy", "one at a time").into()).await;
            }
            return true;
        }
        self.call(&call).await
    }

    pub(crate) async fn answer(&mut self, answer: &Value) -> bool {
        let f = self.shared.faults.clone();
        let (id, text) = (answer.get("ID").and_then(Value::as_str), answer.get("TEXT"));
        let own = self.calls.asking.as_ref().filter(|asking| Some(asking.id.as_str()) == id);
        let Some(mut call) = own.cloned() else {
            if let Some(id) = id
                && f.has(Fault::AnybodyAnswers)
                && self.shared.chat.lock().await.asking.remove(id)
            {
                let _ = f.acts(Fault::AnybodyAnswers);
                self.result(id, Reply::done("registered")).await;
                return true;
            }
            return f.acts(Fault::AnswerToNothingIgnored) || self.error("nobody asked you").await;
        };
        call.answer = match text {
            Some(Value::Null) if f.acts(Fault::CancelIgnored) => return true,
            Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            _ => return self.error("TEXT is a string or null").await,
        };
        self.calls.asking = None;
        self.shared.chat.lock().await.asking.remove(&call.id);
        if call.answer.is_none() {
            self.result(&call.id, ("cancelled", "as you wish").into()).await;
        } else if !Box::pin(self.call(&call)).await {
            return false;
        }
        while self.calls.asking.is_none() {
            let Some(call) = self.calls.waiting.pop_front() else { break };
            if !Box::pin(self.call(&call)).await {
                return false;
            }
        }
        true
    }

    async fn call(&mut self, call: &Call) -> bool {
        let f = self.shared.faults.clone();
        let name = if f.has(Fault::CommandsWithCase) && call.name != call.name.to_ascii_lowercase()
        {
            let _ = f.acts(Fault::CommandsWithCase);
            String::new()
        } else {
            call.name.to_ascii_lowercase()
        };
        let now = self.shared.chat.lock().await.level_here(self.connection);
        self.level = now.unwrap_or(self.level);
        if let Some(step) = self.moderate(&name, call).await {
            match step {
                Step::Reply(reply) => self.result(&call.id, reply).await,
                Step::Asks(text) => self.prompt(call, &text, false).await,
            }
            return true;
        }
        if let Some(done) = self.room_command(&name, call).await {
            match done {
                Done::Reply(reply) => self.result(&call.id, reply).await,
                Done::Asks(text, secret) => self.prompt(call, text, secret).await,
            }
            return true;
        }
        if let Some(reply) = self.presence_command(&name, call).await {
            self.result(&call.id, reply).await;
            return true;
        }
        let outcome = match (name.as_str(), call.answered(0)) {
            ("help" | "h", _) => ("ok", "help, nick, register"),
            ("nick", Some(name)) => self.nick(name).await,
            ("nick", None) if f.acts(Fault::ArgumentsUnchecked) => ("ok", "done"),
            ("nick", None) => ("bad-arguments", "a name is wanted"),
            ("register", Some(password)) => self.register(password).await,
            ("register", None) => {
                self.prompt(call, "Which password?", true).await;
                return true;
            }
            ("e2ee-reset", Some(password)) => {
                self.shared.chat.lock().await.reset_keys(self.connection, password)
            }
            ("e2ee-reset", None) => {
                self.prompt(call, "Which password?", true).await;
                return true;
            }
            ("logout", _) if self.level > 0 => {
                let own = self.name.clone().unwrap_or_default();
                self.shared.chat.lock().await.log_out(&own);
                self.level = 0;
                ("ok", "you are a guest now")
            }
            ("block", Some(name)) => {
                let own = self.name.clone().unwrap_or_default();
                self.shared.chat.lock().await.block(&own, name);
                ("ok", "blocked")
            }
            ("block", None) => ("bad-arguments", "whom?"),
            ("logout", _) => ("forbidden", "you have no account"),
            _ if f.acts(Fault::UnknownCommandIsError) => {
                return self.error("no such command").await;
            }
            _ => ("no-such-command", "no such command"),
        };
        self.result(&call.id, outcome.into()).await;
        if (name.as_str(), outcome.0) == ("logout", "ok") {
            last_words(&self.outbox, &self.agreed, &f, "logout", outcome.1);
            return false;
        }
        true
    }

    async fn prompt(&mut self, call: &Call, text: &str, secret: bool) {
        let f = self.shared.faults.clone();
        let mut prompt = json!({"ID": call.id, "TEXT": text, "SECRET": secret});
        if let Some(prompt) = prompt.as_object_mut() {
            if f.acts(Fault::PromptOfAnotherId) {
                prompt.insert("ID".into(), json!("1"));
            }
            if f.acts(Fault::PromptWithoutSecret) {
                prompt.remove("SECRET");
            }
        }
        self.calls.asking = Some(call.clone());
        self.shared.chat.lock().await.asking.insert(call.id.clone());
        self.outbox.send(&json!({"PROMPT": prompt}));
    }

    async fn result(&self, id: &str, reply: Reply) {
        let f = &self.shared.faults;
        let ok = reply.ok;
        let mut result = json!({"ID": id, "OK": ok, "CODE": reply.code});
        if let Some(result) = result.as_object_mut() {
            result.insert(if ok { "INFO" } else { "ERROR" }.to_owned(), json!(reply.text));
            result.extend(reply.data.map(|data| ("DATA".to_owned(), data)));
            result.extend(reply.wait.map(|wait| ("WAIT".to_owned(), json!(wait))));
            result.extend(reply.until.map(|until| ("UNTIL".to_owned(), json!(until))));
            if f.acts(Fault::ResultWithoutCode) {
                result.remove("CODE");
            }
        }
        let object = json!({"RESULT": result});
        self.outbox.send(&object);
        if f.acts(Fault::ResultTwice) {
            self.outbox.send(&object);
        }
        if let Some(late) = reply.late {
            self.outbox.send(&late);
        }
        let chat = self.shared.chat.lock().await;
        let others = chat.members.iter().filter(|member| member.connection != self.connection);
        for member in others.filter(|member| member.agreed.has("commands")) {
            if f.acts(Fault::ResultToEverybody) {
                member.outbox.send(&object);
            }
        }
    }

    async fn nick(&mut self, new: &str) -> Outcome {
        let f = self.shared.faults.clone();
        let mut chat = self.shared.chat.lock().await;
        if new.is_empty() || new.contains(' ') || new.chars().count() > 32 {
            return ("bad-name", "that is no name");
        }
        if chat.is_taken(new) && !f.acts(Fault::NickTakesAnyName) {
            return ("taken", "somebody has that name");
        }
        if !chat.may_be_called(new) {
            return ("banned", "that name is banned");
        }
        if let Err((code, text)) = chat.may_take(new)
            && !f.acts(Fault::NickTakesRegistered)
        {
            return (code, text);
        }
        chat.rename(self.connection, new);
        self.name = Some(new.to_owned());
        ("ok", "you have another name")
    }

    async fn register(&mut self, password: &str) -> Outcome {
        let own = self.name.clone().unwrap_or_default();
        let mut chat = self.shared.chat.lock().await;
        if !chat.register(&own, password) {
            return ("registered", "it has an account");
        }
        chat.adopt(self.connection, &own);
        drop(chat);
        self.level = 1;
        self.send_catalogue();
        ("ok", "registered")
    }
}

/// The catalogue of the commands that somebody of this level may use.
pub(super) fn catalogue_of(agreed: &Agreed, level: u8, f: &Faults) -> Option<Value> {
    if !agreed.has("commands") || f.acts(Fault::NoCatalogue) {
        return None;
    }
    let argument = |name: &str, kind: &str, optional: bool| json!({"NAME": name, "TYPE": kind, "OPTIONAL": optional, "REST": false});
    let command = |name: &str, arguments: Value, level: u8| {
        let aliases = if name == "help" { json!(["h"]) } else { json!([]) };
        let mut command = json!({"NAME": name, "ALIASES": aliases, "ARGUMENTS": arguments,
            "HELP": name, "EXAMPLE": format!("/{name}"), "LEVEL": level});
        if let (Some(command), true) = (command.as_object_mut(), f.acts(Fault::CatalogueShort)) {
            command.remove("ARGUMENTS");
        }
        command
    };
    let mut commands = vec![
        command("help", json!([argument("command", "command", true)]), 0),
        command("block", json!([argument("user", "user", false)]), 0),
        command("nick", json!([argument("name", "text", false)]), 0),
        command("register", json!([argument("password", "secret", true)]), 0),
    ];
    if level > 0 {
        commands.push(command("logout", json!([]), 1));
        commands.push(command("e2ee-reset", json!([argument("password", "secret", true)]), 1));
    }
    commands.extend(presence::catalogue(level));
    if agreed.has("rooms") {
        commands.extend(catalogue(level));
    }
    let all = f.acts(Fault::CatalogueOfEverything);
    commands.extend(moderation::catalogue(if all { 5 } else { level }));
    let mut object = Map::from_iter([("COMMANDS".to_owned(), json!(commands))]);
    if !f.acts(Fault::NoPrefix) {
        object.insert("PREFIX".into(), json!("/"));
    }
    if !f.acts(Fault::LevelsUntold) {
        let levels = ["guest", "user", "helper", "moderator", "operator", "admin"];
        object.insert("LEVELS".into(), json!(levels));
    }
    Some(Value::Object(object))
}

fn read(asked: &Value) -> Option<Call> {
    let text = |key: &str| asked.get(key)?.as_str().map(str::to_owned);
    let arguments = asked.get("ARGS")?.as_array()?;
    let arguments: Option<Vec<_>> =
        arguments.iter().map(|argument| argument.as_str().map(str::to_owned)).collect();
    let id = text("ID").filter(|id| (1..=64).contains(&id.len()))?;
    let arguments = arguments.filter(|arguments| arguments.len() <= 64)?;
    Some(Call { id, name: text("NAME")?, arguments, answer: None })
}
