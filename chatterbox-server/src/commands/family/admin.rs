//! Administration: `perm`, `set-perm`, `set-prefix`, `disable-command`, `enable-command`.

use std::sync::Arc;

use chatterbox_hub::{Level, LoggedIn};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::caller::Session;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::permission::{Permission, Target};
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
    let session = context.desk.session_of(name);
    let who = session.map(|session| session.who());
    let account = match &who {
        Some(who) => who.account.clone(),
        None => Some(name.clone()),
    };
    let stored = match &account {
        Some(account) => context.desk.accounts.account(account).await?,
        None => None,
    };
    let login = stored.as_ref().map(|account| LoggedIn {
        account: account.name.clone(),
        account_key: account.account_key,
    });
    let now = who.as_ref().map(|who| who.actor().level);
    let lasting = stored.as_ref().map(|account| account.level);
    let sessions = login.as_ref().map(|login| logged_in_with(context, login)).unwrap_or_default();
    let anywhere = sessions.iter().map(|session| session.who().actor().level).max();
    let level = now.max(lasting).max(anywhere);
    let Some(level) = level else {
        let text = format!("There is nobody called {name}.");
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let name = who.map(|who| who.name).or_else(|| stored.as_ref().map(|a| a.name.clone()));
    Ok(Subject {
        name: name.unwrap_or_else(|| account.clone().unwrap_or_else(|| context.who().name)),
        account: login,
        level,
    })
}

/// The connections that are logged in with this account; not those of an earlier account of its name.
fn logged_in_with(context: &Context<'_>, login: &LoggedIn) -> Vec<Arc<Session>> {
    let mut sessions = context.desk.logged_in_with(&login.account);
    sessions.retain(|session| session.who().account_key.id == login.account_key.id);
    sessions
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
    let own = context.who().logged_in().is_some_and(|own| {
        own.account == login.account && own.account_key.id == login.account_key.id
    });
    let target = if own { Target::Oneself } else { Target::User(found.level) };
    context.authorise(Permission::GiveLevel(level), target)?;
    let account = login.account.clone();
    context.desk.accounts.set_level(&account, level).await?;
    for session in logged_in_with(context, &login) {
        context.desk.change(&session, |who| who.level = level);
    }
    tracing::info!(by = %context.who().name, %account, level = level.number(), "level given");
    let info = format!("{account} has level {level} now.");
    let data =
        json!({"NAME": found.name.as_str(), "LEVEL": level.number(), "ACCOUNT": account.as_str()});
    Ok(Done::new(info).with_data(data))
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
    context.desk.accounts.set_prefix(prefix.clone()).await?;
    context.desk.change_settings(|settings| settings.prefix = Some(prefix.clone()));
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
    context.desk.accounts.set_disabled(spec.name, off).await?;
    context.desk.change_settings(|settings| {
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
