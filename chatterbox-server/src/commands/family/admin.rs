//! Administration: `perm`, `set-perm`, `set-prefix`, `disable-command`, `enable-command`.

use chatterbox_hub::{Amendment, Level, Permission, Target};
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use serde_json::json;

use crate::commands::arguments::{Arguments, RoomArgument};
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::rooms::levels;
use crate::commands::family::subject::Subject;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::moderation::Act;

pub(in crate::commands) const PERM: Command = Command {
    spec: Spec {
        name: "perm",
        aliases: &["level"],
        parameters: &[
            Parameter::optional("user", ArgumentType::User).help("whose; yours without it"),
            Parameter::optional("room", ArgumentType::Room)
                .help("the level there; without it, or with ALL, on the server"),
        ],
        help: "Shows your level, or somebody's, on the server or in a room.",
        example: "perm bob",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME", "LEVEL", "ACCOUNT": name or null}`, with a room also `"ROOM"`."#,
    },
    run: |context, arguments| Box::pin(perm(context, arguments)),
};

async fn perm(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).unwrap_or_else(|| context.who().name);
    let found = match arguments.room(1) {
        None | Some(RoomArgument::Lobby) => Subject::find(context, &name).await?,
        Some(room) => return levels::perm(context, room, &name).await,
    };
    let info = format!("{} has level {}.", found.name, found.level);
    Ok(Done::new(info).with_data(json!({
        "NAME": found.name.as_str(),
        "LEVEL": found.level.number(),
        "ACCOUNT": found.account.as_ref().map(|login| login.account.as_str()),
    })))
}

pub(in crate::commands) const SET_PERM: Command = Command {
    spec: Spec {
        name: "set-perm",
        aliases: &["setperm"],
        parameters: &[
            Parameter::required("user", ArgumentType::User).help("a registered user"),
            Parameter::required("level", ArgumentType::Text)
                .help("1 user, 2 helper, 3 moderator, 4 operator, 5 admin; in a room 0 to 4"),
            Parameter::optional("room", ArgumentType::Room)
                .help("the level there; without it, or with ALL, on the server"),
        ],
        help: "Gives a registered user another level, for good: on the server (needs level 5), or in a room (needs level 4 in it, and nobody gives more than they have).",
        example: "set-perm bob 3",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME", "LEVEL", "ACCOUNT"}`, with a room also `"ROOM"`, as for `perm`."#,
    },
    run: |context, arguments| Box::pin(set_perm(context, arguments)),
};

async fn set_perm(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let text = arguments.text(1).ok_or_else(Rejection::missing)?;
    if let Some(room) = arguments.room(2).filter(|room| *room != RoomArgument::Lobby) {
        return levels::set_perm(context, room, &name, &text).await;
    }
    context.authorise(Permission::Use(Level::ADMIN), Target::Oneself)?;
    let level = Level::parse(&text).filter(|level| *level > Level::GUEST).ok_or_else(|| {
        Rejection::new(OutcomeCode::BadArguments, "The level has to be between 1 and 5.")
    })?;
    let found = Subject::find(context, &name).await?;
    let Some(login) = found.account else {
        let text = format!("{} is a guest: only a registered user keeps a level.", found.name);
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let own = context.who().login.is_some_and(|own| own.is_same_account(&login));
    let target = if own { Target::Oneself } else { Target::User(found.level) };
    context.authorise(Permission::GiveLevel(level), target)?;
    let account = login.account.clone();
    context.audit(Act::SetLevel, Some(&account), None, &level.number().to_string()).await?;
    context.state.accounts.set_level(&login, level).await?;
    let online = context.caller.port.logged_in(&login);
    let members: Vec<_> = online.iter().map(|(member, _)| *member).collect();
    // All are proposed before the first is waited for: whoever gives the level may hang up.
    let amended = online.into_iter().map(|(member, identity)| {
        // Whoever has raised themselves meanwhile with the admin password: a lower level is meant, and ends that, too.
        let elevated = (level < identity.level).then_some(false);
        let amendment = Amendment { level: Some(level), elevated, ..Amendment::default() };
        context.state.online.amend(context.caller, member, amendment)
    });
    futures_util::future::join_all(amended).await;
    let by = context.who().name;
    let text = format!("You have level {level} now.");
    let notice = NewNotice { by: Some(by.as_str()), ..NewNotice::new(NoticeCode::Level, &text) };
    for member in members {
        context.caller.port.moderation().tell_notice(member, &notice);
    }
    tracing::info!(by = %context.who().name, %account, level = level.number(), "level given");
    let info = format!("{account} has level {level} now.");
    let data =
        json!({"NAME": found.name.as_str(), "LEVEL": level.number(), "ACCOUNT": account.as_str()});
    Ok(Done::new(info).with_data(data))
}

pub(in crate::commands) const USER_DEL: Command = Command {
    spec: Spec {
        name: "user-del",
        aliases: &["userdel", "remove-user"],
        parameters: &[Parameter::required("user", ArgumentType::User).help("whose account")],
        help: "Removes the account of a registered user for good, with the private messages to it; who is logged in with it has to go.",
        example: "user-del bob",
        level: Level::ADMIN,
        needs: None,
        confirm: true,
        demo: false,
        stays_on: false,
        data: r#"`{"ACCOUNT": name}`."#,
    },
    run: |context, arguments| Box::pin(user_del(context, arguments)),
};

async fn user_del(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let found = Subject::find(context, &name).await?;
    let Some(login) = found.account else {
        let text = format!("{} is a guest: there is no account to remove.", found.name);
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let own = context.who().login.is_some_and(|own| own.is_same_account(&login));
    let target = if own { Target::Oneself } else { Target::User(found.level) };
    context.authorise(Permission::RemoveAccount, target)?;
    let by = context.who().name;
    context.audit(Act::RemoveAccount, Some(&login.account), None, "").await?;
    context.state.accounts.remove(&login).await?;
    let account = login.account;
    tracing::info!(%by, %account, "account removed");
    Ok(Done::new(format!("The account {account} is removed."))
        .with_data(json!({"ACCOUNT": account.as_str()})))
}

pub(in crate::commands) const SET_PREFIX: Command = Command {
    spec: Spec {
        name: "set-prefix",
        aliases: &["prefix"],
        parameters: &[Parameter::required("prefix", ArgumentType::Text)
            .help("1 to 8 ASCII punctuation characters")],
        help: "Changes what is typed before a command, for everybody.",
        example: "set-prefix !",
        level: Level::ADMIN,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"PREFIX"}`."#,
    },
    run: |context, arguments| Box::pin(set_prefix(context, arguments)),
};

async fn set_prefix(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let prefix = arguments.text(0).ok_or_else(Rejection::missing)?;
    // Letters would turn words into commands, and a backslash escapes the prefix.
    let sound = (1..=8).contains(&prefix.len())
        && prefix.bytes().all(|byte| byte.is_ascii_punctuation() && byte != b'\\');
    if !sound {
        let text = "A prefix has 1 to 8 ASCII punctuation characters other than a backslash.";
        return Err(Rejection::new(OutcomeCode::BadArguments, text));
    }
    context.audit(Act::SetPrefix, None, None, &prefix).await?;
    context.state.accounts.set_prefix(prefix.clone()).await?;
    context.state.change_settings(|settings| settings.prefix = Some(prefix.clone()));
    tracing::info!(by = %context.who().name, prefix, "prefix set");
    let info = format!("Commands begin with {prefix} now.");
    Ok(Done::new(info).with_data(json!({"PREFIX": prefix})))
}

pub(in crate::commands) const DISABLE_COMMAND: Command = Command {
    spec: Spec {
        name: "disable-command",
        aliases: &[],
        parameters: &[Parameter::required("command", ArgumentType::Command).help("its name")],
        help: "Switches a command off, for everybody.",
        example: "disable-command nick",
        level: Level::ADMIN,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"COMMAND", "ENABLED"}`."#,
    },
    run: |context, arguments| Box::pin(switch(context, arguments, true)),
};

pub(in crate::commands) const ENABLE_COMMAND: Command = Command {
    spec: Spec {
        name: "enable-command",
        aliases: &[],
        parameters: &[Parameter::required("command", ArgumentType::Command).help("its name")],
        help: "Switches a command on again.",
        example: "enable-command nick",
        level: Level::ADMIN,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: true,
        data: r#"`{"COMMAND", "ENABLED"}`."#,
    },
    run: |context, arguments| Box::pin(switch(context, arguments, false)),
};

async fn switch(context: &Context<'_>, mut arguments: Arguments, off: bool) -> Reply {
    let spec = arguments.command(0).ok_or_else(Rejection::missing)?;
    if off {
        context.authorise(Permission::SwitchOff { stays_on: spec.stays_on }, Target::Oneself)?;
    }
    let act = if off { Act::DisableCommand } else { Act::EnableCommand };
    context.audit(act, None, None, spec.name).await?;
    context.state.accounts.set_disabled(spec.name, off).await?;
    context.state.change_settings(|settings| {
        if off {
            settings.disabled.insert(spec.name.to_owned());
        } else {
            settings.disabled.remove(spec.name);
        }
    });
    let state = if off { "off" } else { "on" };
    tracing::info!(by = %context.who().name, command = spec.name, state, "command switched");
    let info = format!("{} is switched {state}.", spec.name);
    Ok(Done::new(info).with_data(json!({"COMMAND": spec.name, "ENABLED": !off})))
}
