//! Calling commands: what the cases about commands, names and accounts have in common.

use std::fmt;

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use crate::{
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::Verdict,
};

pub(super) const OFFER: &str = "commands/1";

/// The catalogue that a user got last; waits for the first one.
pub(super) async fn catalogue(peer: &mut Peer) -> Result<Vec<Value>, Verdict> {
    let list = |frame: &Frame| frame.key("COMMANDS")?.as_array().cloned();
    if peer.find(Mark::START, list).await.is_none() {
        return Err(Verdict::inconclusive(format!("no COMMANDS; {}", peer.heard(Mark::START))));
    }
    Ok(peer.frames(Mark::START).iter().rev().find_map(list).unwrap_or_default())
}

/// The entry of a command, by its name or another one.
pub(super) fn entry<'a>(catalogue: &'a [Value], name: &str) -> Option<&'a Value> {
    let is = |value: &Value| value.as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
    catalogue.iter().find(|entry| {
        let aliases = entry.get("ALIASES").and_then(Value::as_array);
        entry.get("NAME").is_some_and(is) || aliases.is_some_and(|list| list.iter().any(is))
    })
}

/// The arguments of an entry, each with its type and whether it may be left out.
pub(super) fn arguments(entry: &Value) -> Vec<(String, bool)> {
    let list = entry.get("ARGUMENTS").and_then(Value::as_array);
    let read = |argument: &Value| {
        Some((argument.get("TYPE")?.as_str()?.to_owned(), argument.get("OPTIONAL")?.as_bool()?))
    };
    list.map(|list| list.iter().filter_map(read).collect()).unwrap_or_default()
}

/// Sends a COMMAND; its ID.
pub(super) async fn call(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    args: &[&str],
) -> String {
    let id = c.nonces.letters(12);
    peer.send(&json!({"COMMAND": {"ID": id, "NAME": name, "ARGS": args}})).await;
    id
}

/// The outcome of a call.
pub(super) enum Came {
    Result(Value),
    Prompt(Value),
    Error(String),
    Nothing,
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(result) => write!(f, "RESULT {result}"),
            Self::Prompt(prompt) => write!(f, "PROMPT {prompt}"),
            Self::Error(text) => write!(f, "ERROR {text:?}"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}

/// Waits for what comes of a call.
pub(super) async fn came(peer: &mut Peer, since: Mark, id: &str) -> Came {
    let is_for = |value: &Value| value.get("ID").and_then(Value::as_str) == Some(id);
    let pick = |frame: &Frame| {
        let of = |key: &str| frame.key(key).filter(|value| is_for(value)).cloned();
        let result = of("RESULT").map(Came::Result).or_else(|| of("PROMPT").map(Came::Prompt));
        result.or_else(|| frame.error().map(Came::Error))
    };
    peer.find(since, pick).await.unwrap_or(Came::Nothing)
}

/// Calls a command that asks nothing; its RESULT.
pub(super) async fn result_of(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    args: &[&str],
) -> Result<Value, Verdict> {
    let since = peer.mark();
    let id = call(c, peer, name, args).await;
    match came(peer, since, &id).await {
        Came::Result(result) => Ok(result),
        other => {
            let expected = format!("RESULT with the ID of the command {name}");
            Err(Verdict::fail(expected, format!("{other}; {}", peer.heard(since))))
        }
    }
}

/// The word of a RESULT.
pub(super) fn code(result: &Value) -> &str {
    result.get("CODE").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a RESULT is that of a command that was done.
pub(super) fn is_ok(result: &Value) -> bool {
    result.get("OK") == Some(&json!(true))
}

/// Makes sure that a user may call `nick`; where guests may not, the user gets an account.
pub(super) async fn may_nick(c: &mut ServerHands, peer: &mut Peer) -> Result<(), Verdict> {
    let known = catalogue(peer).await?;
    if entry(&known, "nick").is_some() {
        return Ok(());
    }
    let none =
        Verdict::not_applicable("no command nick in the catalogue, so nobody can be renamed");
    if entry(&known, "register").is_none() {
        return Err(none);
    }
    let since = peer.mark();
    let password = format!("pass {} word", c.nonces.letters(12));
    register(c, peer, &password).await?;
    let nick = |frame: &Frame| entry(frame.key("COMMANDS")?.as_array()?, "nick").map(|_| ());
    peer.find(since, nick).await.ok_or(none)
}

pub(super) async fn nick(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
) -> Result<Value, Verdict> {
    may_nick(c, peer).await?;
    result_of(c, peer, "nick", &[name]).await
}

/// Gives a user an account with the command `register`, by its arguments or by answering what it asks.
pub(super) async fn register(
    c: &mut ServerHands,
    peer: &mut Peer,
    password: &str,
) -> Result<(), Verdict> {
    let known = catalogue(peer).await?;
    let Some(entry) = entry(&known, "register") else {
        let reason = "no command register in the catalogue, and no --account";
        return Err(Verdict::not_applicable(reason));
    };
    let wanted = arguments(entry);
    let secrets = wanted.iter().filter(|(kind, _)| kind == "secret").count();
    if wanted.iter().any(|(kind, optional)| kind != "secret" && !optional) {
        let reason = "register wants more than a password; give an account with --account";
        return Err(Verdict::not_applicable(reason));
    }
    let args = if wanted.first().is_some_and(|(kind, _)| kind == "secret") {
        vec![password; secrets]
    } else {
        Vec::new()
    };
    let since = peer.mark();
    let id = call(c, peer, "register", &args).await;
    let mut seen = since;
    // A password and its repetition at most, whatever is asked.
    for _ in 0..4 {
        match came(peer, seen, &id).await {
            Came::Result(result) if is_ok(&result) => return Ok(()),
            Came::Prompt(_) => {
                seen = peer.mark();
                peer.send(&json!({"ANSWER": {"ID": id, "TEXT": password}})).await;
            }
            other => {
                return Err(Verdict::inconclusive(format!(
                    "{} could not be registered: {other}",
                    peer.name
                )));
            }
        }
    }
    Err(Verdict::inconclusive("register asks without an end"))
}

/// A user with an account.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) name: String,
    pub(super) password: String,
}

/// Somebody with an account who is not here: a new one, or the one of `--account`.
pub(super) async fn owner(c: &mut ServerHands, name: &str) -> Result<Owner, Verdict> {
    if !c.shared.claims().has("commands") {
        return match c.shared.account() {
            Some((name, password)) => Ok(Owner { name, password }),
            None => Err(Verdict::not_applicable(
                "accounts are made with the command register (--claims commands), or given with --account",
            )),
        };
    }
    let mut watcher = c.join("watcher").await?;
    let mut peer = c.join_with_as("owner", name, "accounts/1 commands/1").await?;
    let password = format!("pass {} word", c.nonces.letters(12));
    register(c, &mut peer, &password).await?;
    peer.close(Closing::Polite).await;
    watcher.find_left(Mark::START, name).await;
    Ok(Owner { name: name.to_owned(), password })
}
