//! Who is who, what is here, and what one has done: `help`, `name`, `nick`, `users`, `user-count`, `command-history`.

use chatterbox_hub::{Level, Permission, Rename, Target, authorise};
use chatterbox_proto::Username;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::{Value, json};

use crate::commands::arguments::{Arguments, Parameter};
use crate::commands::context::{Context, Done, Rejection, Reply};
use crate::commands::registry::Spec;

/// Rows of one table: a list that is longer than this is of no use to a person.
const ROWS: usize = 1_000;

pub(in crate::commands) const HELP: Spec = Spec {
    name: "help",
    aliases: &["h", "?"],
    parameters: &[Parameter::optional("command", ArgumentType::Command)],
    help: "Shows what you can use here, or how one command is used.",
    example: "help nick",
    level: Level::GUEST,
    needs: None,
    data: r#"A table: `COMMAND`, `USAGE`, `HELP`, `LEVEL`."#,
    run: |context, arguments| Box::pin(async move { help(context, arguments) }),
};

fn help(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let actor = context.who().actor();
    let prefix = context.desk.prefix();
    let row = |spec: &&Spec| json!([spec.name, spec.usage(), spec.help, spec.level.number()]);
    let columns = ["COMMAND", "USAGE", "HELP", "LEVEL"];
    let Some(spec) = arguments.command(0) else {
        let usable: Vec<_> = context.desk.usable(actor).collect();
        let lines: Vec<_> =
            usable.iter().map(|spec| format!("{prefix}{}  {}", spec.usage(), spec.help)).collect();
        let rows = usable.iter().map(row).collect();
        return Ok(Done::new(lines.join("\n")).with_table(&columns, rows));
    };
    authorise(actor, Permission::Use(spec.level), Target::Oneself)?;
    let mut lines = vec![format!("{prefix}{}  {}", spec.usage(), spec.help)];
    lines.push(format!("Example: {prefix}{}", spec.example));
    if !spec.aliases.is_empty() {
        lines.push(format!("Also: {}", spec.aliases.join(", ")));
    }
    if context.desk.is_disabled(spec) {
        lines.push("It is switched off.".to_owned());
    }
    Ok(Done::new(lines.join("\n")).with_table(&columns, vec![row(&spec)]))
}

pub(in crate::commands) const NAME: Spec = Spec {
    name: "name",
    aliases: &["whoami"],
    parameters: &[],
    help: "Shows your name.",
    example: "name",
    level: Level::GUEST,
    needs: None,
    data: r#"`{"NAME", "ACCOUNT": name or null, "LEVEL"}`."#,
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

pub(in crate::commands) const NICK: Spec = Spec {
    name: "nick",
    aliases: &["u"],
    parameters: &[Parameter::required("name", ArgumentType::Text)],
    help: "Changes your name for this session; one that you registered stays yours. Private messages stay with the old name, and go to whoever has it next.",
    example: "nick annie",
    level: Level::GUEST,
    needs: Some(Capability::Rename),
    data: r#"`{"NAME"}`."#,
    run: |context, arguments| Box::pin(nick(context, arguments)),
};

async fn nick(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let text = arguments.text(0).ok_or_else(Rejection::missing)?;
    let name = Username::parse_within(&text, context.desk.max_name())
        .map_err(chatterbox_proto::Refusal::from)?;
    let who = context.who();
    // One's own registered name, and what looks like it, is free for oneself (AN-5).
    match context.desk.accounts.owner_or_look_alike(&name).await? {
        Some(owner) if who.account() != Some(&owner) => {
            let text = if owner == name {
                "This name is registered.".to_owned()
            } else {
                format!("This name looks like {owner}, which is registered.")
            };
            return Err(Rejection::new(OutcomeCode::Registered, text));
        }
        _ => {}
    }
    let owns = who.account() == Some(&name);
    let blocked_by = context.desk.accounts.blockers(&name).await?;
    context.session.port.rename(Rename { name: name.clone(), owns, blocked_by }).await?;
    Ok(Done::new(format!("You are {name} now.")).with_data(json!({"NAME": name.as_str()})))
}

pub(in crate::commands) const USERS: Spec = Spec {
    name: "users",
    aliases: &["displayusers", "listall", "connections"],
    parameters: &[Parameter::optional("--all", ArgumentType::Text)],
    help: "Shows who is here; with --all, everybody who is registered as well (level 1).",
    example: "users",
    level: Level::GUEST,
    needs: None,
    data: r#"A table: `NAME`, `ONLINE`, `LEVEL` (null for who is not here)."#,
    run: |context, arguments| Box::pin(users(context, arguments)),
};

async fn users(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let all = match arguments.text(0).as_deref() {
        None => false,
        Some("--all" | "all") => true,
        Some(_) => {
            return Err(context.misused());
        }
    };
    let here = context.session.port.users();
    let mut rows: Vec<Value> = here
        .iter()
        .take(ROWS)
        .map(|user| json!([user.name.as_str(), true, user.actor().level.number()]))
        .collect();
    let names: Vec<_> = here.iter().take(ROWS).map(|user| user.name.as_str()).collect();
    let mut info = format!("{} here: {}", here.len(), names.join(", "));
    if all {
        context.authorise(Permission::ListAccounts, Target::Oneself)?;
        let away: Vec<_> = context
            .desk
            .accounts
            .list(ROWS)
            .await?
            .into_iter()
            .map(|account| account.name)
            .filter(|name| context.session.port.find(name).is_none())
            .collect();
        let names: Vec<_> = away.iter().map(Username::as_str).collect();
        info = format!("{info}\n{} away: {}", away.len(), names.join(", "));
        rows.extend(away.iter().map(|name| json!([name.as_str(), false, null])));
    }
    Ok(Done::new(info).with_table(&["NAME", "ONLINE", "LEVEL"], rows))
}

pub(in crate::commands) const USER_COUNT: Spec = Spec {
    name: "user-count",
    aliases: &["count"],
    parameters: &[],
    help: "Shows how many are here.",
    example: "user-count",
    level: Level::GUEST,
    needs: None,
    data: r#"`{"COUNT"}`."#,
    run: |context, _| {
        Box::pin(async move {
            let count = context.session.port.user_count();
            Ok(Done::new(format!("{count} here.")).with_data(json!({"COUNT": count})))
        })
    },
};

pub(in crate::commands) const COMMAND_HISTORY: Spec = Spec {
    name: "command-history",
    aliases: &["history"],
    parameters: &[Parameter::optional("n", ArgumentType::Integer)],
    help: "Shows your last commands in this session, without secrets.",
    example: "command-history 5",
    level: Level::GUEST,
    needs: None,
    data: r#"A table: `COMMAND`, the oldest first."#,
    run: |context, arguments| Box::pin(async move { command_history(context, arguments) }),
};

fn command_history(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let count = arguments.integer(0).unwrap_or(20);
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| Rejection::new(OutcomeCode::BadArguments, "n has to be 1 or more."))?;
    let lines = context.session.remembered(count);
    let rows = lines.iter().map(|line| json!([line])).collect();
    Ok(Done::new(lines.join("\n")).with_table(&["COMMAND"], rows))
}
