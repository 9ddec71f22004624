//! Who is here: `users`, `user-count`.

use chatterbox_hub::Level;
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::ArgumentType;
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::permission::{Permission, Target};
use crate::commands::reply::{Done, Reply};
use crate::commands::spec::Spec;

/// The rows of one table; a longer one is of no use to a person.
const ROWS: usize = 1_000;

pub(in crate::commands) const USERS: Command = Command {
    spec: Spec {
        name: "users",
        aliases: &["displayusers", "listall", "connections"],
        parameters: &[Parameter::optional("--all", ArgumentType::Text)],
        help: "Shows who is here; with --all, everybody who is registered as well (level 1).",
        example: "users",
        level: Level::GUEST,
        needs: None,
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
    let here = context.session.port.users();
    let level = |name: &Username| {
        let session = context.desk.session_of(name);
        session.map_or(Level::GUEST, |session| session.who().actor().level).number()
    };
    let mut rows: Vec<Value> =
        here.iter().take(ROWS).map(|name| json!([name.as_str(), true, level(name)])).collect();
    let names: Vec<_> = here.iter().take(ROWS).map(Username::as_str).collect();
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
            .filter(|name| !here.contains(name))
            .collect();
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
        stays_on: false,
        data: r#"`{"COUNT"}`."#,
    },
    run: |context, _| {
        Box::pin(async move {
            let count = context.session.port.users().len();
            Ok(Done::new(format!("{count} here.")).with_data(json!({"COUNT": count})))
        })
    },
};
