//! The name of the caller: `name`, `nick`.

use chatterbox_hub::{Level, Rename};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::{Refusal, Username};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::ops::clock::unix_now;

pub(in crate::commands) const NAME: Command = Command {
    spec: Spec {
        name: "name",
        aliases: &["whoami"],
        parameters: &[],
        help: "Shows your name.",
        example: "name",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME", "ACCOUNT": name or null, "LEVEL"}`."#,
    },
    run: |context, _| Box::pin(async move { name(context) }),
};

fn name(context: &Context<'_>) -> Reply {
    let who = context.who();
    let level = who.actor().level;
    let account = who.account().map(Username::as_str);
    let info = match account {
        Some(account) if account == who.name.as_str() => format!("You are {}.", who.name),
        Some(account) => format!("You are {}, logged in as {account}.", who.name),
        None => format!("You are {}, a guest.", who.name),
    };
    let data = json!({"NAME": who.name.as_str(), "ACCOUNT": account, "LEVEL": level.number()});
    Ok(Done::new(info).with_data(data))
}

pub(in crate::commands) const NICK: Command = Command {
    spec: Spec {
        name: "nick",
        aliases: &["u"],
        parameters: &[
            Parameter::required("name", ArgumentType::Text).help("the name that you want")
        ],
        help: "Changes your name for this session; one that you registered stays yours. Private messages stay with the old name, and go to whoever has it next.",
        example: "nick annie",
        level: Level::GUEST,
        needs: Some(Capability::Rename),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME"}`."#,
    },
    run: |context, arguments| Box::pin(nick(context, arguments)),
};

async fn nick(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let text = arguments.text(0).ok_or_else(Rejection::missing)?;
    let name = Username::parse_within(&text, context.state.max_name()).map_err(Refusal::from)?;
    let who = context.who();
    // Every try counts: those that fail read accounts as well.
    context.state.renames.try_take(context.caller.port.id(), &who)?;
    // The owner of a registered name may take it, and names that look like it (AN-5).
    match context.state.accounts.owner_or_look_alike(&name).await? {
        Some(owner) if !who.login.as_ref().is_some_and(|own| own.is_same_account(&owner)) => {
            let text = if owner.account == name {
                "This name is registered.".to_owned()
            } else {
                format!("This name looks like {}, which is registered.", owner.account)
            };
            return Err(Rejection::new(OutcomeCode::Registered, text));
        }
        _ => {}
    }
    let owns = who.account() == Some(&name);
    let blocked_by = context.state.accounts.blockers(&name).await?;
    context
        .caller
        .port
        .rename(Rename { name: name.clone(), owns, blocked_by, now: unix_now() })
        .await?;
    Ok(Done::new(format!("You are {name} now.")).with_data(json!({"NAME": name.as_str()})))
}
