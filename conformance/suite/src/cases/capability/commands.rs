//! `commands`: what a user can ask the server to do.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::{
    agreed::{AGREED_HINT, agreed},
    blocking,
    calling::{Came, OFFER, arguments, call, came, catalogue, code, entry, is_ok, result_of},
    questions,
};
use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

const COMMANDS: &str = "commands";
/// The words of `CM-3`.
const CODES: [&str; 18] = [
    "ok",
    "no-such-command",
    "disabled",
    "forbidden",
    "bad-arguments",
    "no-such-user",
    "bad-name",
    "taken",
    "registered",
    "wrong-password",
    "throttled",
    "timeout",
    "cancelled",
    "busy",
    "needs-capability",
    "not-stored",
    "blocked",
    "failed",
];

const ANSWERED: &str =
    "Answer every COMMAND with one RESULT that carries its ID; keep ERROR for what is malformed.";

pub const CASES: &[Case] = &[
    Case::must("commands.agreed", "CP-2", |c| Box::pin(agreed(c, COMMANDS)))
        .asks("commands/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(COMMANDS)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("commands.catalogue", "CM-1", |c| Box::pin(shape(c)))
        .asks("The catalogue comes after the welcome, with every key of every entry, and PREFIX")
        .hint("Send COMMANDS and PREFIX behind the welcome; an empty list is a list.")
        .needs(&["commands.agreed"])
        .extension(COMMANDS)
        .killed_by(&[Fault::NoCatalogue, Fault::CatalogueShort, Fault::NoPrefix]),
    Case::must("commands.only-usable", "CM-1", |c| Box::pin(only_usable(c)))
        .asks("The catalogue of a guest holds nothing of a higher level")
        .hint("The list is what this user may use now: leave the rest out.")
        .needs(&["commands.catalogue"])
        .extension(COMMANDS)
        .killed_by(&[Fault::CatalogueOfEverything]),
    Case::must("commands.result", "CM-2", |c| Box::pin(result(c)))
        .asks("A COMMAND is answered with one RESULT, with its ID, OK, CODE, and INFO or ERROR")
        .hint(ANSWERED)
        .needs(&["commands.agreed"])
        .extension(COMMANDS)
        .killed_by(&[Fault::ResultWithoutCode, Fault::ResultTwice]),
    Case::must("commands.unknown", "CM-3", |c| Box::pin(unknown(c)))
        .asks("A command that there is not has the result no-such-command")
        .hint(ANSWERED)
        .needs(&["commands.agreed"])
        .extension(COMMANDS)
        .killed_by(&[Fault::UnknownCommandIsError]),
    Case::must("commands.arguments", "CM-3", |c| Box::pin(bad_arguments(c)))
        .asks("A command without what it needs has the result bad-arguments")
        .hint("Check the arguments before you begin, or ask for what is missing.")
        .needs(&["commands.result", "commands.catalogue"])
        .extension(COMMANDS)
        .killed_by(&[Fault::ArgumentsUnchecked]),
    Case::must("commands.any-case", "CM-2", |c| Box::pin(any_case(c)))
        .asks("Names of commands are matched without case, and so are their other names")
        .hint("Lower the name before you look it up, and look among the aliases, too.")
        .needs(&["commands.result", "commands.catalogue"])
        .extension(COMMANDS)
        .killed_by(&[Fault::CommandsWithCase]),
    Case::must("commands.caller-only", "CM-2", |c| Box::pin(caller_only(c)))
        .asks("A RESULT goes to the user who called, to nobody else")
        .hint("A result is an answer: write it to the connection that asked.")
        .needs(&["commands.result", "bcast.all-others"])
        .extension(COMMANDS)
        .killed_by(&[Fault::ResultToEverybody]),
    Case::must("commands.malformed", "CM-2", |c| Box::pin(malformed(c)))
        .asks("A malformed COMMAND is answered with ERROR, and has no result")
        .hint("ID is a string of 1 to 64 bytes, NAME a string, ARGS a list of at most 64 strings.")
        .needs(&["commands.result"])
        .extension(COMMANDS)
        .killed_by(&[Fault::CommandUnchecked]),
    Case::must("commands.forbidden", "CM-5", |c| Box::pin(forbidden(c)))
        .asks("What a guest may not do is refused and changes nothing")
        .hint("Look at the level where the command is done, not where the catalogue is made.")
        .needs(&["commands.result", "commands.catalogue"])
        .extension(COMMANDS)
        .killed_by(&[Fault::ForbiddenDone]),
    Case::must("commands.prompt", "CM-4", |c| Box::pin(questions::cancelled(c)))
        .asks("A question carries the ID of its command; null cancels it")
        .hint("PROMPT {\"ID\", \"TEXT\", \"SECRET\"}; after ANSWER with TEXT null the RESULT says cancelled.")
        .needs(&["commands.result", "commands.catalogue"])
        .extension(COMMANDS)
        .killed_by(&[
            Fault::PromptOfAnotherId,
            Fault::PromptWithoutSecret,
            Fault::CancelIgnored,
        ]),
    Case::must("commands.own-answer", "CM-4", |c| Box::pin(questions::own_answer(c)))
        .asks("Only the connection that was asked can answer")
        .hint("Keep the question with the connection, not in a table of IDs for all.")
        .needs(&["commands.prompt"])
        .extension(COMMANDS)
        .killed_by(&[Fault::AnybodyAnswers]),
    Case::must("commands.no-question", "CM-4", |c| Box::pin(questions::to_nothing(c)))
        .asks("An answer to nothing is answered with ERROR")
        .hint("An ID that no question of this connection has is a mistake.")
        .needs(&["commands.agreed"])
        .extension(COMMANDS)
        .killed_by(&[Fault::AnswerToNothingIgnored]),
    Case::must("commands.block", "BL-1", |c| Box::pin(blocking::both_ways(c)))
        .asks("Who blocks a user sees nothing of them, and is not seen by them")
        .hint("Look at the pair in both directions, for public and for private messages.")
        .needs(&["commands.result", "commands.catalogue", "private.delivered"])
        .extension(COMMANDS)
        .killed_by(&[Fault::BlockedHeard, Fault::BlockedListens, Fault::BlockedWhispers]),
    Case::must("commands.block-base", "RT-1", |c| Box::pin(blocking::base_hears(c)))
        .asks("A blocked user with a base client goes on getting public messages")
        .hint("By the base protocol a message to ALL reaches every other user.")
        .needs(&["commands.result", "commands.catalogue"])
        .extension(COMMANDS)
        .killed_by(&[Fault::BlockHidesFromBase]),
    Case::must("commands.block-past", "BL-1", |c| Box::pin(blocking::past(c)))
        .asks("What a blocked user said before is not in the history either")
        .hint("Filter pages of the history as you filter what is delivered.")
        .needs(&["commands.block", "paging.all"])
        .extension(COMMANDS)
        .also(&["ids"])
        .killed_by(&[Fault::BlockLeavesPast]),
    Case::should("commands.waiting", "CM-6", |c| Box::pin(questions::waiting(c)))
        .asks("While a command asks, 16 wait, further ones are busy")
        .hint("A queue of 16 for each connection, taken in order when the question is done.")
        .needs(&["commands.prompt"])
        .extension(COMMANDS)
        .killed_by(&[Fault::CommandsOvertake, Fault::NeverBusy]),
];

async fn shape(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let list = ann.find(Mark::START, |frame| frame.key("COMMANDS").cloned()).await;
    let expected = "COMMANDS after the welcome, a list of entries with NAME, ALIASES, ARGUMENTS (NAME, TYPE, OPTIONAL, REST), HELP, EXAMPLE and LEVEL";
    let Some(Value::Array(list)) = list else {
        return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
    };
    if let Some(odd) = list.iter().find(|entry| !is_entry(entry)) {
        return Ok(Verdict::fail(expected, odd.to_string()));
    }
    let mut names: Vec<String> = list.iter().flat_map(names_of).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() != count {
        let expected = "each name and alias once, whatever the case";
        return Ok(Verdict::fail(
            expected,
            format!("{count} names, {} of them different", names.len()),
        ));
    }
    let prefix = ann.find(Mark::START, |frame| frame.key("PREFIX").cloned()).await;
    let given = prefix.as_ref().and_then(Value::as_str).is_some_and(|prefix| !prefix.is_empty());
    Ok(Verdict::check(given, "PREFIX, a string, with the catalogue", format!("{prefix:?}")))
}

fn names_of(entry: &Value) -> Vec<String> {
    let aliases = entry.get("ALIASES").and_then(Value::as_array).into_iter().flatten();
    let all = entry.get("NAME").into_iter().chain(aliases).filter_map(Value::as_str);
    all.map(str::to_lowercase).collect()
}

fn is_entry(entry: &Value) -> bool {
    let text = |value: &Value, key: &str| value.get(key).is_some_and(Value::is_string);
    let kinds = ["text", "user", "users", "integer", "command", "secret", "room", "duration"];
    let argument = |value: &Value| {
        text(value, "NAME")
            && value.get("TYPE").and_then(Value::as_str).is_some_and(|kind| kinds.contains(&kind))
            && ["OPTIONAL", "REST"].iter().all(|key| value.get(key).is_some_and(Value::is_boolean))
    };
    let list = |key: &str| entry.get(key).and_then(Value::as_array);
    ["NAME", "HELP", "EXAMPLE"].iter().all(|key| text(entry, key))
        && entry.get("LEVEL").and_then(Value::as_u64).is_some_and(|level| level <= 5)
        && list("ALIASES").is_some_and(|list| list.iter().all(Value::is_string))
        && list("ARGUMENTS").is_some_and(|list| list.iter().all(argument))
}

async fn only_usable(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let known = catalogue(&mut ann).await?;
    let level = |entry: &&Value| entry.get("LEVEL").and_then(Value::as_u64) != Some(0);
    Ok(match known.iter().find(level) {
        Some(entry) => Verdict::fail("entries of level 0 alone for a guest", entry.to_string()),
        None => Verdict::Pass,
    })
}

/// The first violation in a RESULT.
fn complaint(result: &Value, id: &str) -> Option<String> {
    let word = code(result);
    let text = |key: &str| result.get(key).is_some_and(Value::is_string);
    let good = result.get("ID") == Some(&json!(id))
        && result.get("OK").is_some_and(Value::is_boolean)
        && CODES.contains(&word)
        && (word == "ok") == is_ok(result)
        && (text("INFO") || text("ERROR"));
    (!good).then(|| result.to_string())
}

async fn result(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let help = catalogue(&mut ann).await.is_ok_and(|known| entry(&known, "help").is_some());
    let since = ann.mark();
    let mut ids = Vec::new();
    for name in ["no-command-has-this-name", "help"].iter().take(if help { 2 } else { 1 }) {
        ids.push(call(c, &mut ann, name, &[]).await);
    }
    let expected = "one RESULT {\"ID\", \"OK\", \"CODE\", \"INFO\" or \"ERROR\"} for each command, CODE ok where OK is true";
    for id in &ids {
        match came(&mut ann, since, id).await {
            Came::Result(result) => {
                if let Some(odd) = complaint(&result, id) {
                    return Ok(Verdict::fail(expected, odd));
                }
            }
            _ => return Ok(Verdict::fail(expected, ann.heard(since))),
        }
    }
    c.fence(&mut bob, &mut ann).await?;
    let results = ann.frames(since).iter().filter(|frame| frame.key("RESULT").is_some()).count();
    Ok(Verdict::check(results == ids.len(), expected, format!("{results} for {}", ids.len())))
}

async fn unknown(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    for name in ["no-command-has-this-name", "", "\u{e9}", "help me"] {
        let result = result_of(c, &mut ann, name, &[]).await?;
        if is_ok(&result) || code(&result) != "no-such-command" {
            let expected = format!("CODE no-such-command for the command {name:?}");
            return Ok(Verdict::fail(expected, result.to_string()));
        }
    }
    Ok(Verdict::Pass)
}

async fn bad_arguments(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let known = catalogue(&mut ann).await?;
    let mut asked = 0;
    for one in &known {
        let needs = arguments(one).iter().any(|(kind, optional)| !optional && kind != "secret");
        let Some(name) = one.get("NAME").and_then(Value::as_str).filter(|_| needs) else {
            continue;
        };
        let since = ann.mark();
        let id = call(c, &mut ann, name, &[]).await;
        match came(&mut ann, since, &id).await {
            Came::Prompt(_) => {
                // It asks for what is missing, which is good as well.
                ann.send(&json!({"ANSWER": {"ID": id, "TEXT": null}})).await;
            }
            Came::Result(result) if code(&result) == "bad-arguments" && !is_ok(&result) => {
                asked += 1;
            }
            other => {
                let expected = format!("CODE bad-arguments for {name} without its arguments");
                return Ok(Verdict::fail(expected, other.to_string()));
            }
        }
    }
    if asked == 0 {
        return Ok(Verdict::not_applicable("no command of a guest needs an argument"));
    }
    Ok(Verdict::Pass)
}

async fn any_case(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let known = catalogue(&mut ann).await?;
    let Some(help) = entry(&known, "help") else {
        return Ok(Verdict::not_applicable(
            "no command help, and no other one is known to be harmless",
        ));
    };
    for name in names_of(help) {
        let upper = name.to_uppercase();
        let mixed: String = name
            .chars()
            .enumerate()
            .map(|(n, c)| if n % 2 == 0 { c } else { c.to_ascii_uppercase() })
            .collect();
        for spelling in [name, upper, mixed] {
            let result = result_of(c, &mut ann, &spelling, &[]).await?;
            if !is_ok(&result) {
                let expected = format!("OK for {spelling}");
                return Ok(Verdict::fail(expected, result.to_string()));
            }
        }
    }
    Ok(Verdict::Pass)
}

async fn caller_only(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let since = bob.mark();
    for name in ["no-command-has-this-name", "help"] {
        result_of(c, &mut ann, name, &[]).await?;
    }
    c.fence(&mut ann, &mut bob).await?;
    let foreign = bob.frames(since).iter().find_map(|frame| frame.key("RESULT").cloned());
    Ok(match foreign {
        Some(result) => Verdict::fail("no RESULT for bob, who called nothing", result.to_string()),
        None => Verdict::Pass,
    })
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let long = "x".repeat(65);
    let wide = "\u{e9}".repeat(33);
    let many = vec!["a"; 65];
    let bad = [
        json!(5),
        json!("help"),
        json!([]),
        json!({}),
        json!({"NAME": "help", "ARGS": []}),
        json!({"ID": "1", "ARGS": []}),
        json!({"ID": 1, "NAME": "help", "ARGS": []}),
        json!({"ID": "", "NAME": "help", "ARGS": []}),
        json!({"ID": long, "NAME": "help", "ARGS": []}),
        json!({"ID": wide, "NAME": "help", "ARGS": []}),
        json!({"ID": "1", "NAME": 1, "ARGS": []}),
        json!({"ID": "1", "NAME": "help", "ARGS": "me"}),
        json!({"ID": "1", "NAME": "help", "ARGS": [1]}),
        json!({"ID": "1", "NAME": "help", "ARGS": many}),
    ];
    for command in bad {
        let since = ann.mark();
        ann.send(&json!({"COMMAND": command})).await;
        let answer = ann.find(since, |frame: &Frame| {
            let result = frame.key("RESULT").is_some();
            (result || frame.error().is_some()).then_some(result)
        });
        if answer.await != Some(false) {
            let shown = conformance_kit::escape::shorten(&command.to_string(), 100);
            return Ok(Verdict::fail(format!("ERROR for COMMAND {shown}"), ann.heard(since)));
        }
    }
    Ok(Verdict::Pass)
}

/// What servers keep for those who look after them, with the arguments that it may take.
fn privileged(other: &str) -> [(&'static str, Vec<&str>); 9] {
    [
        ("kick", vec![other]),
        ("ban", vec![other]),
        ("mute", vec![other]),
        ("set-perm", vec![other, "0"]),
        ("disable-command", vec!["help"]),
        ("set-prefix", vec!["%"]),
        ("announce", vec!["hello"]),
        ("shutdown", vec![]),
        ("restart", vec![]),
    ]
}

async fn forbidden(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join("bob").await?;
    let known = catalogue(&mut ann).await?;
    let other = bob.name.clone();
    let mut refused = Vec::new();
    for (name, args) in privileged(&other) {
        if entry(&known, name).is_some() {
            // Then this server lets everybody do it.
            continue;
        }
        let result = result_of(c, &mut ann, name, &args).await?;
        match code(&result) {
            "forbidden" if !is_ok(&result) => refused.push(name),
            "no-such-command" | "disabled" if !is_ok(&result) => {}
            _ => {
                let expected = format!("forbidden for {name}, which is not in a guest's catalogue");
                return Ok(Verdict::fail(expected, result.to_string()));
            }
        }
    }
    let there = c.fence(&mut bob, &mut ann).await.and(c.fence(&mut ann, &mut bob).await);
    if there.is_err() || bob.is_closed() {
        let expected = format!("nothing changes by {refused:?}, which was refused");
        return Ok(Verdict::fail(expected, bob.heard(Mark::START)));
    }
    let help = entry(&known, "help").is_some();
    if help && !is_ok(&result_of(c, &mut ann, "help", &[]).await?) {
        return Ok(Verdict::fail("nothing changes", "help is not there any more"));
    }
    if refused.is_empty() {
        return Ok(Verdict::not_applicable("none of the commands that were tried exists here"));
    }
    Ok(Verdict::Pass)
}
