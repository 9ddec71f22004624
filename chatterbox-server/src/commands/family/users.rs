//! Who is here: `users`, `user-count`.

use chatterbox_hub::{Level, Permission, Target};
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::ArgumentType;
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Reply};
use crate::commands::spec::Spec;

/// The rows of one table; a longer one is of no use to a person.
const ROWS: usize = 1_000;

pub(in crate::commands) const USERS: Command = Command {
    spec: Spec {
        name: "users",
        aliases: &["displayusers", "listall", "connections"],
        parameters: &[Parameter::optional("--all", ArgumentType::Text)
            .help("those who are registered and not here, too")
            .values(&["--all"])],
        help: "Shows who is here; with --all, everybody who is registered as well (level 1).",
        example: "users",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        stays_on: false,
        data: r#"A table: `NAME`, `ONLINE`, `LEVEL` (null for who is not here)."#,
    },
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
    let port = &context.caller.port;
    let here = port.users(ROWS);
    let mut rows: Vec<Value> = here
        .iter()
        .map(|user| json!([user.name.as_str(), true, user.actor().level.number()]))
        .collect();
    let names: Vec<_> = here.iter().map(|user| user.name.as_str()).collect();
    let mut info = format!("{} here: {}", port.user_count(), names.join(", "));
    if all {
        context.authorise(Permission::ListAccounts, Target::Oneself)?;
        let accounts = context.state.accounts.list(ROWS).await?;
        let away = port.absent(accounts.into_iter().map(|account| account.name).collect());
        let names: Vec<_> = away.iter().map(Username::as_str).collect();
        info = format!("{info}\n{} away: {}", away.len(), names.join(", "));
        rows.extend(away.iter().map(|name| json!([name.as_str(), false, null])));
    }
    Ok(Done::new(info).with_table(&["NAME", "ONLINE", "LEVEL"], rows))
}

pub(in crate::commands) const USER_COUNT: Command = Command {
    spec: Spec {
        name: "user-count",
        aliases: &["count"],
        parameters: &[],
        help: "Shows how many are here.",
        example: "user-count",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        stays_on: false,
        data: r#"`{"COUNT"}`."#,
    },
    run: |context, _| {
        Box::pin(async move {
            let count = context.caller.port.user_count();
            Ok(Done::new(format!("{count} here.")).with_data(json!({"COUNT": count})))
        })
    },
};
