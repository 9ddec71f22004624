//! Administration: `perm`, `set-perm`, `set-prefix`, `disable-command`, `enable-command`.

use chatterbox_hub::{Amendment, Level, LoggedIn, Permission, Target};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const PERM: Command = Command {
    spec: Spec {
        name: "perm",
        aliases: &["level"],
        parameters: &[Parameter::optional("user", ArgumentType::User)],
        help: "Shows your level, or somebody's.",
        example: "perm bob",
        level: Level::GUEST,
        needs: None,
        stays_on: false,
        data: r#"`{"NAME", "LEVEL", "ACCOUNT": name or null}`."#,
    },
    run: |context, arguments| Box::pin(perm(context, arguments)),
};

/// A user, who may be online or not.
struct Subject {
    name: Username,
    account: Option<LoggedIn>,
    /// The highest of the account's level and the levels of all its connections.
    level: Level,
}

/// The user of a name: the member who has it now, otherwise the account of that name.
async fn subject(context: &Context<'_>, name: &Username) -> Result<Subject, Rejection> {
    let port = &context.caller.port;
    let here = port.find(name);
    let account = match &here {
        Some(here) => here.account(),
        None => Some(name),
    };
    let stored = match account {
        Some(account) => context.state.accounts.account(account).await?,
        None => None,
    };
    // An account of the same name may have another owner by now.
    let claimed = here.as_ref().and_then(|here| here.login.as_ref());
    let stored = stored.filter(|account| {
        claimed.is_none_or(|login| login.account_key.id == account.account_key.id)
    });
    let login = stored.as_ref().map(|account| LoggedIn {
        account: account.name.clone(),
        account_key: account.account_key,
    });
    let now = here.as_ref().map(|here| here.actor().level);
    let lasting = stored.as_ref().map(|account| account.level);
    let members = login.as_ref().map(|login| port.logged_in(login)).unwrap_or_default();
    let anywhere = members.iter().map(|(_, identity)| identity.actor().level).max();
    let Some(level) = now.max(lasting).max(anywhere) else {
        let text = format!("There is nobody called {name}.");
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let spelling = here.map(|here| here.name).or_else(|| stored.map(|account| account.name));
    Ok(Subject { name: spelling.unwrap_or_else(|| name.clone()), account: login, level })
}

async fn perm(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).unwrap_or_else(|| context.who().name);
    let found = subject(context, &name).await?;
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
            Parameter::required("user", ArgumentType::User),
            Parameter::required("level", ArgumentType::Text),
        ],
        help: "Gives a registered user another level, for good: 1 user, 2 helper, 3 moderator, 4 operator, 5 admin.",
        example: "set-perm bob 3",
        level: Level::ADMIN,
        needs: None,
        stays_on: false,
        data: r#"`{"NAME", "LEVEL", "ACCOUNT"}`, as for `perm`."#,
    },
    run: |context, arguments| Box::pin(set_perm(context, arguments)),
};

async fn set_perm(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let text = arguments.text(1).ok_or_else(Rejection::missing)?;
    let level = Level::parse(&text).filter(|level| *level > Level::GUEST).ok_or_else(|| {
        Rejection::new(OutcomeCode::BadArguments, "The level has to be between 1 and 5.")
    })?;
    let found = subject(context, &name).await?;
    let Some(login) = found.account else {
        let text = format!("{} is a guest: only a registered user keeps a level.", found.name);
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let own = context.who().login.is_some_and(|own| own.is_same_account(&login));
    let target = if own { Target::Oneself } else { Target::User(found.level) };
    context.authorise(Permission::GiveLevel(level), target)?;
    let account = login.account.clone();
    context.state.accounts.set_level(&login, level).await?;
    let amendment = Amendment { level: Some(level), ..Amendment::default() };
    let online = context.caller.port.logged_in(&login);
    // All are proposed before the first is waited for: whoever gives the level may hang up.
    let amended = online
        .into_iter()
        .map(|(member, _)| context.state.online.amend(context.caller, member, amendment.clone()));
    futures_util::future::join_all(amended).await;
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
        parameters: &[Parameter::required("user", ArgumentType::User)],
        help: "Removes the account of a registered user for good, with the private messages to it; who is logged in with it has to go.",
        example: "user-del bob",
        level: Level::ADMIN,
        needs: None,
        stays_on: false,
        data: r#"`{"ACCOUNT": name}`."#,
    },
    run: |context, arguments| Box::pin(user_del(context, arguments)),
};

async fn user_del(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let found = subject(context, &name).await?;
    let Some(login) = found.account else {
        let text = format!("{} is a guest: there is no account to remove.", found.name);
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let own = context.who().login.is_some_and(|own| own.is_same_account(&login));
    let target = if own { Target::Oneself } else { Target::User(found.level) };
    context.authorise(Permission::RemoveAccount, target)?;
    let by = context.who().name;
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
        parameters: &[Parameter::required("prefix", ArgumentType::Text)],
        help: "Changes what is typed before a command, for everybody.",
        example: "set-prefix !",
        level: Level::ADMIN,
        needs: None,
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
        parameters: &[Parameter::required("command", ArgumentType::Command)],
        help: "Switches a command off, for everybody.",
        example: "disable-command nick",
        level: Level::ADMIN,
        needs: None,
        stays_on: false,
        data: r#"`{"COMMAND", "ENABLED"}`."#,
    },
    run: |context, arguments| Box::pin(switch(context, arguments, true)),
};

pub(in crate::commands) const ENABLE_COMMAND: Command = Command {
    spec: Spec {
        name: "enable-command",
        aliases: &[],
        parameters: &[Parameter::required("command", ArgumentType::Command)],
        help: "Switches a command on again.",
        example: "enable-command nick",
        level: Level::ADMIN,
        needs: None,
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
