//! The account of level 5 that the suite was given: it makes the levels of others, and puts everything back when a case is
//! over. What goes over its connection is in no report, since its password and its token are not the suite's own.

use std::time::Duration;

use conformance_kit::{
    trace::{Kind, Trace},
    wire::frame::Frame,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::peer::Peer;
use crate::{connection::Mark, verdict::Verdict};

/// How often a server that has no time is asked again.
const TRIES: u8 = 4;

/// The connection of that account, and what is to be put back.
pub struct Staff {
    peer: Peer,
    /// The record of the case, which has only what the staff does.
    record: Trace,
    /// Whoever has got a level, by name.
    ranked: Vec<String>,
    commands: usize,
}

impl Staff {
    /// Who has logged in on this connection.
    pub(super) const fn new(peer: Peer, record: Trace) -> Self {
        Self { peer, record, ranked: Vec::new(), commands: 0 }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.peer.name
    }

    /// Its connection, for what it is to hear, and to say.
    pub fn peer(&mut self) -> &mut Peer {
        &mut self.peer
    }

    /// Calls a command; its RESULT. What it asks is answered with null.
    ///
    /// # Errors
    /// Inconclusive when there is none.
    pub async fn command(&mut self, name: &str, args: &[&str]) -> Result<Value, Verdict> {
        for _ in 0..TRIES {
            let result = self.once(name, args).await?;
            let code = result.get("CODE").and_then(Value::as_str).unwrap_or_default();
            let called = format!("the staff calls {name} {args:?}: {code}");
            self.record.note(&self.peer.role, Kind::Note, &called);
            if !matches!(code, "throttled" | "flood" | "busy" | "timeout" | "not-stored") {
                return Ok(result);
            }
            let wait = result.get("WAIT").and_then(Value::as_f64).unwrap_or(0.5);
            sleep(Duration::from_secs_f64(wait.clamp(0.1, 5.0))).await;
        }
        Err(Verdict::inconclusive(format!("the server has no time for {name}")))
    }

    async fn once(&mut self, name: &str, args: &[&str]) -> Result<Value, Verdict> {
        self.commands += 1;
        let id = format!("staff-{}", self.commands);
        let since = self.peer.mark();
        self.peer.send(&json!({"COMMAND": {"ID": id, "NAME": name, "ARGS": args}})).await;
        let own = |frame: &Frame, key: &str| {
            let value = frame.key(key)?;
            (value.get("ID").and_then(Value::as_str) == Some(id.as_str())).then(|| value.clone())
        };
        let came = |frame: &Frame| {
            let asked = own(frame, "PROMPT").is_some();
            own(frame, "RESULT").map(Some).or_else(|| asked.then_some(None))
        };
        let answer = match self.peer.find(since, came).await {
            Some(None) => {
                self.peer.send(&json!({"ANSWER": {"ID": id, "TEXT": null}})).await;
                self.peer.find(since, |frame| own(frame, "RESULT")).await
            }
            other => other.flatten(),
        };
        answer.ok_or_else(|| {
            let heard = self.peer.heard(since);
            Verdict::inconclusive(format!("no RESULT of {name} for the staff; {heard}"))
        })
    }

    /// Gives somebody with an account a level.
    ///
    /// # Errors
    /// Inconclusive when the server does not do it.
    pub async fn promote(&mut self, name: &str, level: u8) -> Result<(), Verdict> {
        let result = self.command("set-perm", &[name, &level.to_string()]).await?;
        self.ranked.push(name.to_owned());
        if result.get("OK") == Some(&json!(true)) {
            return Ok(());
        }
        Err(Verdict::inconclusive(format!("the staff calls set-perm {name} {level}: {result}")))
    }

    /// Lifts the bans of those who have got a level, and takes the levels from them.
    pub(super) async fn clean_up(mut self) {
        let patience = self.peer.shared.timing().patience;
        // Whatever does not answer is not waited for: every ban of a case ends by itself within minutes.
        let _ = timeout(patience * 4, self.put_back()).await;
    }

    async fn put_back(&mut self) {
        let list = self.command("banned-users", &[]).await.unwrap_or_default();
        for number in self.bans_among(&list) {
            let _ = self.command("unban", &[&number.to_string()]).await;
        }
        for name in std::mem::take(&mut self.ranked) {
            let _ = self.command("set-perm", &[&name, "1"]).await;
        }
    }

    /// The numbers of the bans in a table that were made by those who have got a level.
    fn bans_among(&self, list: &Value) -> Vec<u64> {
        let table = |key: &str| list.get("DATA")?.get(key)?.as_array();
        let place = |name: &str| table("COLUMNS")?.iter().position(|column| column == name);
        let (Some(number), Some(by)) = (place("NUMBER"), place("BY")) else { return Vec::new() };
        let ours = |row: &&Value| {
            let by = row.get(by).and_then(Value::as_str);
            by.is_some_and(|by| self.ranked.iter().any(|name| name == by))
        };
        let rows = table("ROWS").into_iter().flatten().filter(ours);
        rows.filter_map(|row| row.get(number)?.as_u64()).collect()
    }

    /// Where what comes from now on begins.
    pub fn mark(&mut self) -> Mark {
        self.peer.mark()
    }
}
