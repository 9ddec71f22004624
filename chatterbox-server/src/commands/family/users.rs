//! Who is here, and who ever was: `users`, `user-count`, `hide-last-seen`.

use chatterbox_hub::{Identity, Level, Permission, Target};
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::{Refusal, Username};
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

/// The rows of one table; a longer one is of no use to a person.
const ROWS: usize = 1_000;

/// When somebody was here last is told no more exactly than this, in seconds.
const HOUR: i64 = 3_600;

pub(in crate::commands) const USERS: Command = Command {
    spec: Spec {
        name: "users",
        aliases: &["displayusers", "listall", "connections"],
        parameters: &[
            Parameter::optional("--all", ArgumentType::Text)
                .help("everybody who was ever here, too")
                .values(&["--all"]),
            Parameter::optional("after", ArgumentType::Text)
                .help("with --all: the last name of the page before"),
        ],
        help: "Shows who is here; with --all (level 1) everybody with an account and the guests of the last 30 days, 1,000 at a time.",
        example: "users",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"A table: `NAME`, `ONLINE`, `LEVEL`, `AWAY` (a text, or null). With --all: `NAME`, `ONLINE`, `SINCE` (seconds since 1970: since when they are here, or have not been, by the hour; null where nobody is told); and `MORE`, whether there is another page."#,
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
    let after = arguments.text(1);
    if all {
        return ever_seen(context, after).await;
    }
    if after.is_some() {
        return Err(context.misused());
    }
    let port = &context.caller.port;
    let here = port.users(ROWS);
    let row = |user: &Identity| {
        let level = user.actor().level.number();
        json!([user.name.as_str(), true, level, user.away.as_deref()])
    };
    let rows: Vec<Value> = here.iter().map(row).collect();
    let shown = |user: &Identity| match user.away.as_deref() {
        None => user.name.to_string(),
        Some("") => format!("{} (away)", user.name),
        Some(words) => format!("{} (away: {words})", user.name),
    };
    let names: Vec<_> = here.iter().map(shown).collect();
    let info = format!("{} here: {}", port.user_count(), names.join(", "));
    Ok(Done::new(info).with_table(&["NAME", "ONLINE", "LEVEL", "AWAY"], rows))
}

/// A row of the table of everybody.
struct Row {
    name: Username,
    online: bool,
    since: Option<i64>,
}

/// A page of everybody who is here or ever was (PR-3).
async fn ever_seen(context: &Context<'_>, after: Option<String>) -> Reply {
    context.authorise(Permission::ListAccounts, Target::Oneself)?;
    let after = after.map(|text| Username::parse_within(&text, context.state.max_name()));
    let after = after.transpose().map_err(Refusal::from)?;
    let tells = context.state.tells_last_seen();
    let exactly = context.who().actor().level >= Level::MODERATOR;
    let port = &context.caller.port;
    // What is known is asked for first: who goes in between is in both, and here.
    let known = context.state.accounts.ever_seen(after.clone(), ROWS + 1).await?;
    let last_known = known.get(ROWS).map(|one| one.name.clone());
    let mut rows = Vec::with_capacity(2 * (ROWS + 1));
    let parties = known.iter().map(|one| (one.name.clone(), one.account)).collect();
    for (one, is_here) in known.into_iter().zip(port.are_here(parties)) {
        // Who is here is listed under the name that they have now.
        if !is_here {
            let shows = tells && (exactly || !one.hides);
            let since = one.at.filter(|_| shows);
            let since = since.map(|at| if exactly { at } else { at - at.rem_euclid(HOUR) });
            rows.push(Row { name: one.name, online: false, since });
        }
    }
    let here = port.users_behind(after.as_ref(), ROWS + 1);
    rows.extend(here.into_iter().map(|user| Row {
        name: user.name,
        online: true,
        since: Some(user.since),
    }));
    rows.sort_by(|one, other| one.name.key().cmp(other.name.key()));
    // Behind the last name of what was read there may be others.
    if let Some(last) = &last_known {
        rows.retain(|row| row.name.key() <= last.key());
    }
    let more = rows.len() > ROWS || last_known.is_some();
    rows.truncate(ROWS);
    let names = |online| {
        let names = rows.iter().filter(|row| row.online == online).map(|row| row.name.as_str());
        names.collect::<Vec<_>>()
    };
    let (here, away) = (names(true), names(false));
    let mut info = format!(
        "{} here: {}\n{} away: {}",
        here.len(),
        here.join(", "),
        away.len(),
        away.join(", ")
    );
    if let (true, Some(last)) = (more, rows.last()) {
        let prefix = context.state.prefix();
        info.push_str(&format!("\nThere are more: {prefix}users --all {}", last.name));
    }
    let row = |row: &Row| json!([row.name.as_str(), row.online, row.since]);
    let rows: Vec<Value> = rows.iter().map(row).collect();
    Ok(Done::new(info).with_table(&["NAME", "ONLINE", "SINCE"], rows).with_more(more))
}

pub(in crate::commands) const HIDE_LAST_SEEN: Command = Command {
    spec: Spec {
        name: "hide-last-seen",
        aliases: &[],
        parameters: &[Parameter::required("on", ArgumentType::Text)
            .help("on hides it, off shows it by the hour")
            .values(&["on", "off"])],
        help: "Sets whether others are told in `users --all` when you were here last; level 3 and above are told.",
        example: "hide-last-seen on",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"HIDDEN"}`."#,
    },
    run: |context, arguments| Box::pin(hide_last_seen(context, arguments)),
};

async fn hide_last_seen(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let hides = match arguments.text(0).as_deref() {
        Some("on") => true,
        Some("off") => false,
        _ => return Err(context.misused()),
    };
    let login = context.login()?;
    if !context.state.accounts.hide_last_seen(login.account_key.id, hides).await? {
        return Err(Rejection::new(OutcomeCode::NoSuchUser, "There is no such account."));
    }
    let info = if hides {
        "Others are not told when you were here last."
    } else {
        "Others are told when you were here last, by the hour."
    };
    Ok(Done::new(info).with_data(json!({"HIDDEN": hides})))
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
        demo: false,
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
