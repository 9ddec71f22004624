//! Block lists: `block`, `unblock`, `blocked`.

use chatterbox_hub::{Level, LoggedIn};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::accounts::{Account, BLOCKS};
use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

/// The `DATA` of all three.
const DATA: &str = r#"A table: `NAME`, everybody you block now."#;

pub(in crate::commands) const BLOCK: Command = Command {
    spec: Spec {
        name: "block",
        aliases: &["ignore"],
        parameters: &[Parameter::required("users", ArgumentType::Users).help("up to 20 names")],
        help: "Hides what these users say from you, and what you say from them.",
        example: "block eve mallory",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: DATA,
    },
    run: |context, arguments| Box::pin(block(context, arguments)),
};

/// The length of a guest's block list. Anybody can be a guest, and the names of all lists are kept in an index.
const GUEST_BLOCKS: usize = 50;

/// Users of one call: each is looked up and stored, one after the other.
const AT_ONCE: usize = 20;

fn few_enough(others: &[Username]) -> Result<(), Rejection> {
    if others.len() > AT_ONCE {
        let text = format!("At most {AT_ONCE} users at a time.");
        return Err(Rejection::new(OutcomeCode::BadArguments, text));
    }
    Ok(())
}

/// The account of a user who is online under this name. A block of the account survives a change of the nick.
fn account_of(context: &Context<'_>, name: &Username) -> Option<Username> {
    context.caller.port.find(name)?.login.map(|login| login.account)
}

async fn block(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    let mut others = Vec::new();
    let names = arguments.users(0);
    few_enough(&names)?;
    for other in names {
        // Only names that are in use or registered: others are typing errors.
        let (known, login) = match context.caller.port.find(&other) {
            Some(known) => (known.account().unwrap_or(&known.name).clone(), known.login),
            None => match context.state.accounts.account(&other).await? {
                Some(Account { name, account_key, .. }) => {
                    (name.clone(), Some(LoggedIn { account: name, account_key }))
                }
                None => return Err(nobody(&other)),
            },
        };
        let same = login.zip(who.login.as_ref()).is_some_and(|(its, own)| its.is_same_account(own));
        if same || who.name == other {
            return Err(Rejection::new(OutcomeCode::BadArguments, "You can't block yourself."));
        }
        others.push(known);
    }
    let most = if who.login.is_some() { BLOCKS } else { GUEST_BLOCKS };
    let mut blocked = context.caller.port.blocked();
    let mut stored = Ok(());
    for other in others {
        if blocked.contains(&other) {
            continue;
        }
        if blocked.len() >= most {
            let text = format!("You can't block more than {most} users.");
            stored = Err(Rejection::new(OutcomeCode::Failed, text));
            break;
        }
        if let Some(own) = &who.login
            && let Err(error) = context.state.accounts.block(own, &other).await
        {
            stored = Err(error.into());
            break;
        }
        blocked.push(other);
    }
    // The blocks that were stored are in force, even if a later one failed.
    apply(context, &blocked).await;
    stored.map(|()| listed(&blocked))
}

/// Puts the caller's new block list in force.
async fn apply(context: &Context<'_>, blocked: &[Username]) {
    context.caller.port.set_blocked(blocked.to_vec()).await;
}

pub(in crate::commands) const UNBLOCK: Command = Command {
    spec: Spec {
        name: "unblock",
        aliases: &["unignore"],
        parameters: &[Parameter::required("users", ArgumentType::Users).help("up to 20 names")],
        help: "Takes users from your block list.",
        example: "unblock eve",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: DATA,
    },
    run: |context, arguments| Box::pin(unblock(context, arguments)),
};

async fn unblock(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let who = context.who();
    let names = arguments.users(0);
    few_enough(&names)?;
    let mut blocked = context.caller.port.blocked();
    let mut others = Vec::new();
    for name in names {
        let account = account_of(context, &name).filter(|account| *account != name);
        let found: Vec<_> =
            account.into_iter().chain([name.clone()]).filter(|n| blocked.contains(n)).collect();
        if found.is_empty() {
            let text = format!("You don't block {name}.");
            return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
        }
        others.extend(found);
    }
    let mut stored = Ok(());
    for other in others {
        if let Some(own) = &who.login
            && let Err(error) = context.state.accounts.unblock(own, &other).await
        {
            stored = Err(error.into());
            break;
        }
        blocked.retain(|name| *name != other);
    }
    apply(context, &blocked).await;
    stored.map(|()| listed(&blocked))
}

pub(in crate::commands) const BLOCKED: Command = Command {
    spec: Spec {
        name: "blocked",
        aliases: &["ignored"],
        parameters: &[],
        help: "Shows whom you block.",
        example: "blocked",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: DATA,
    },
    run: |context, _| Box::pin(async move { Ok(listed(&context.caller.port.blocked())) }),
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

fn nobody(name: &Username) -> Rejection {
    Rejection::new(OutcomeCode::NoSuchUser, format!("There is nobody called {name}."))
}
