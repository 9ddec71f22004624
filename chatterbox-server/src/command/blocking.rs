//! Whom one does not want to hear: `block`, `unblock`, `blocked`. Each user's list is their own.

use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use super::arguments::{Arguments, Parameter};
use super::context::{Context, Done, Refusal, Reply};
use super::table::Spec;
use crate::account::{BLOCKS, Level};

/// What `DATA` of all three is.
const DATA: &str = r#"A table: `NAME`, everybody you block now."#;

pub(super) const BLOCK: Spec = Spec {
    name: "block",
    aliases: &["ignore"],
    parameters: &[Parameter::required("users", ArgumentType::Users)],
    help: "Hides what these users say from you, and what you say from them.",
    example: "block eve mallory",
    level: Level::GUEST,
    needs: None,
    data: DATA,
    run: |context, arguments| Box::pin(block(context, arguments)),
};

async fn block(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    let mut others = Vec::new();
    for other in arguments.users(0) {
        if other == who.name || who.account.as_ref() == Some(&other) {
            return Err(Refusal::new(OutcomeCode::BadArguments, "You can't block yourself."));
        }
        // A name that nobody has is a mistyped one.
        let here = context.session.line.find(&other);
        let known = match here {
            Some(known) => known,
            None => match context.desk.accounts.account(&other).await? {
                Some(account) => account.name,
                None => return Err(nobody(&other)),
            },
        };
        others.push(known);
    }
    let mut blocked = who.blocked;
    for other in others {
        if blocked.contains(&other) {
            continue;
        }
        if blocked.len() >= BLOCKS {
            let text = format!("Nobody blocks more than {BLOCKS} users.");
            return Err(Refusal::new(OutcomeCode::Failed, text));
        }
        if let Some(account) = &who.account {
            context.desk.accounts.block(account, &other).await?;
        }
        blocked.push(other);
        // Each as it comes: what is stored is in force, whatever happens to the next one.
        context.desk.change(context.session, |who| who.blocked.clone_from(&blocked));
    }
    Ok(listed(&blocked))
}

pub(super) const UNBLOCK: Spec = Spec {
    name: "unblock",
    aliases: &["unignore"],
    parameters: &[Parameter::required("users", ArgumentType::Users)],
    help: "Takes users from your block list.",
    example: "unblock eve",
    level: Level::GUEST,
    needs: None,
    data: DATA,
    run: |context, arguments| Box::pin(unblock(context, arguments)),
};

async fn unblock(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    let others = arguments.users(0);
    if let Some(stranger) = others.iter().find(|other| !who.blocked.contains(other)) {
        let text = format!("You don't block {stranger}.");
        return Err(Refusal::new(OutcomeCode::NoSuchUser, text));
    }
    let mut blocked = who.blocked;
    for other in others {
        if let Some(account) = &who.account {
            context.desk.accounts.unblock(account, &other).await?;
        }
        blocked.retain(|name| *name != other);
        context.desk.change(context.session, |who| who.blocked.clone_from(&blocked));
    }
    Ok(listed(&blocked))
}

pub(super) const BLOCKED: Spec = Spec {
    name: "blocked",
    aliases: &["ignored"],
    parameters: &[],
    help: "Shows whom you block.",
    example: "blocked",
    level: Level::GUEST,
    needs: None,
    data: DATA,
    run: |context, _| Box::pin(async move { Ok(listed(&context.who().blocked)) }),
};

fn listed(blocked: &[Username]) -> Done {
    let names: Vec<_> = blocked.iter().map(Username::as_str).collect();
    let info = if names.is_empty() {
        "You block nobody.".to_owned()
    } else {
        format!("You block {}.", names.join(", "))
    };
    Done::new(info).with_table(&["NAME"], names.iter().map(|name| json!([name])).collect())
}

fn nobody(name: &Username) -> Refusal {
    Refusal::new(OutcomeCode::NoSuchUser, format!("There is nobody called {name}."))
}
