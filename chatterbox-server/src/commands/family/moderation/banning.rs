//! Who may be here: `ban`, `ban-from`, `unban`, `banned-users`.

use std::collections::HashSet;

use chatterbox_hub::{Level, Network, Sanction, SanctionKind, SanctionSubject};
use chatterbox_proto::Username;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::kicking::{REASON, SILENT};
use crate::commands::family::moderation::muted::may_say;
use crate::commands::family::moderation::scope::Scope;
use crate::commands::family::moderation::times::{line, until};
use crate::commands::family::rooms::place::costly;
use crate::commands::family::subject::Subject;
use crate::commands::moderating::{BanPlan, Banned};
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::span::Span;
use crate::commands::spec::Spec;
use crate::moderation::MASKED;

/// The rows of one table.
const ROWS: usize = 1_000;

const FOR: Parameter = Parameter::optional("duration", ArgumentType::Duration)
    .help("30s, 10m, 2h, 7d or forever; for good without it");

pub(in crate::commands) const BAN: Command = Command {
    spec: Spec {
        name: "ban",
        aliases: &[],
        parameters: &[
            Parameter::required("user", ArgumentType::Text)
                .help("a name, an address, or a network such as 192.0.2.0/24"),
            FOR,
            SILENT,
            Parameter::optional("guests", ArgumentType::Text)
                .help("of an address: only those who are not logged in")
                .values(&["guests"]),
            REASON,
        ],
        help: "Keeps somebody below your level out: an account, a name with all that looks like it, or an address. Addresses need level 4. Asks first where others would have to go, too.",
        example: "ban eve 7d spam",
        level: Level::MODERATOR,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME": name or address, "CONNECTIONS", "UNTIL": seconds since 1970 or null}`."#,
    },
    run: |context, arguments| Box::pin(ban(context, arguments)),
};

async fn ban(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let text = arguments.text(0).ok_or_else(Rejection::missing)?;
    let span = arguments.span(1).unwrap_or(Span::Forever);
    let silent = arguments.text(2).is_some();
    let guests_only = arguments.text(3).is_some();
    let reason = line(arguments.text(4), "reason")?;
    may_say(context, None, &reason)?;
    let (mut whom, mut plan) = thought_through(context, &text, guests_only, span, &reason).await?;
    let mut agreed = HashSet::new();
    // Others may be here after the answer, or who asks may have another level: it is thought through again.
    while plan.asks && !plan.ends_only(&agreed) {
        agreed = plan.members();
        let question = format!(
            "This ends the connections of {} who are here. Type yes to go on:",
            match plan.connections() {
                1 => "somebody else".to_owned(),
                many => format!("{many} users"),
            }
        );
        let answer = context.ask(&question, false).await?;
        if !["yes", "y"].iter().any(|yes| answer.reveal().trim().eq_ignore_ascii_case(yes)) {
            let text = "This was no yes: nothing was changed.";
            return Err(Rejection::new(OutcomeCode::Cancelled, text));
        }
        (whom, plan) = thought_through(context, &text, guests_only, span, &reason).await?;
    }
    let end = plan.until;
    let name = match &whom {
        Banned::Subject(subject) => subject.name.to_string(),
        Banned::Name(name) => name.to_string(),
        Banned::Network { network, .. } => network.to_string(),
    };
    let done = Scope::Server.acts(context).ban(plan, silent).await?;
    let is_network = matches!(whom, Banned::Network { .. });
    let logged = if is_network { MASKED } else { name.as_str() };
    tracing::info!(by = %context.who().name, name = logged, "banned");
    let gone = match done.removed.len() {
        0 => String::new(),
        1 => " One connection was ended.".to_owned(),
        many => format!(" {many} connections were ended."),
    };
    let info = format!("{name} is banned{}.{gone}", until(end));
    let data = json!({"NAME": name, "CONNECTIONS": done.removed.len(), "UNTIL": end});
    Ok(Done::new(info).with_data(data))
}

/// Whom a text means, and what their ban would do, if the caller may ban them now.
async fn thought_through(
    context: &Context<'_>,
    text: &str,
    guests_only: bool,
    span: Span,
    reason: &str,
) -> Result<(Banned, BanPlan), Rejection> {
    let whom = whom(context, text, guests_only).await?;
    match &whom {
        Banned::Subject(subject) => Scope::Server.authorise(context, Level::MODERATOR, subject)?,
        Banned::Name(_) => Scope::Server.needs(context, Level::MODERATOR)?,
        // How many are behind an address is a part of what level 4 is told (MO-7).
        Banned::Network { .. } => Scope::Server.needs(context, Level::OPERATOR)?,
    }
    let plan = Scope::Server.acts(context).plan_ban(&whom, span, reason)?;
    Ok((whom, plan))
}

/// Whom a text means: a network, somebody who is here or has an account, or a name that nobody has now.
async fn whom(context: &Context<'_>, text: &str, guests_only: bool) -> Result<Banned, Rejection> {
    if let Some(network) = Network::parse(text) {
        return Ok(Banned::Network { network, guests_only });
    }
    let name = Username::parse(text).map_err(|_| {
        let text = "This is nobody's name, and no address.";
        Rejection::new(OutcomeCode::NoSuchUser, text)
    })?;
    match Subject::find(context, &name).await {
        Ok(subject) => Ok(Banned::Subject(subject)),
        Err(Rejection { code: OutcomeCode::NoSuchUser, .. }) => Ok(Banned::Name(name)),
        Err(rejection) => Err(rejection),
    }
}

pub(in crate::commands) const BAN_FROM: Command = Command {
    spec: Spec {
        name: "ban-from",
        aliases: &[],
        parameters: &[
            Parameter::required("room", ArgumentType::Room).help("its name"),
            Parameter::required("user", ArgumentType::User).help("who may not be in it"),
            FOR,
            REASON,
        ],
        help: "Keeps somebody out of a room; needs level 3 in it, and more than they have. No invitation helps.",
        example: "ban-from #lab eve 7d spam",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NAME", "UNTIL": seconds since 1970 or null}`."#,
    },
    run: |context, arguments| Box::pin(ban_from(context, arguments)),
};

async fn ban_from(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let name = arguments.user(1).ok_or_else(Rejection::missing)?;
    let span = arguments.span(2).unwrap_or(Span::Forever);
    let reason = line(arguments.text(3), "reason")?;
    let scope = Scope::find(context, Some(given))?;
    let Scope::Room(room) = &scope else {
        let text = "Nobody can be banned from the lobby only.";
        return Err(Rejection::new(OutcomeCode::Forbidden, text));
    };
    scope.needs(context, Level::MODERATOR)?;
    let subject = Subject::find(context, &name).await?;
    scope.authorise(context, Level::MODERATOR, &subject)?;
    may_say(context, scope.number(), &reason)?;
    costly(context)?;
    let (acts, to) = (scope.acts(context), room.definition.to_ref());
    let end = acts.ban_from(&to, &subject, span, &reason).await?;
    let by = context.who().name;
    tracing::info!(%by, name = %subject.name, room = scope.name(), "banned from a room");
    let notice = NewNotice {
        room: Some(to.name.as_str()),
        name: Some(subject.name.as_str()),
        by: Some(by.as_str()),
        until: end,
        ..NewNotice::new(NoticeCode::Banned, &reason)
    };
    context.caller.port.moderation().tell_staff(Some(to.number), Level::GUEST, &notice);
    let info = format!("{} is banned from {}{}.", subject.name, to.name, until(end));
    let data = json!({"ROOM": to.name.as_str(), "NAME": subject.name.as_str(), "UNTIL": end});
    Ok(Done::new(info).with_data(data))
}

pub(in crate::commands) const UNBAN: Command = Command {
    spec: Spec {
        name: "unban",
        aliases: &[],
        parameters: &[
            Parameter::required("user", ArgumentType::Text)
                .help("a name, an address, or a number of banned-users"),
            Parameter::optional("room", ArgumentType::Room)
                .help("the ban from there; without it, or with ALL, the one from the server"),
        ],
        help: "Lets somebody in again; needs level 3, on the server or in the room, and 4 for an address.",
        example: "unban eve",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NUMBERS": [number...]}`: the bans that were lifted."#,
    },
    run: |context, arguments| Box::pin(unban(context, arguments)),
};

async fn unban(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let text = arguments.text(0).ok_or_else(Rejection::missing)?;
    let scope = Scope::find(context, arguments.room(1))?;
    scope.needs(context, Level::MODERATOR)?;
    let (acts, room) = (scope.acts(context), scope.room());
    let held = acts.bans_meant(room.as_ref(), &text);
    if held.is_empty() {
        return Ok(Done::already(format!("Nobody like this is banned{}.", scope.place())));
    }
    scope.authorise_lift(context, &held).await?;
    acts.lift(&held, room.as_ref()).await?;
    let numbers: Vec<_> = held.iter().map(|ban| ban.id.0).collect();
    tracing::info!(by = %context.who().name, bans = ?numbers, room = scope.name(), "unbanned");
    let info = match numbers.len() {
        1 => format!("The ban is lifted{}.", scope.place()),
        many => format!("{many} bans are lifted{}.", scope.place()),
    };
    Ok(Done::new(info).with_data(json!({"NUMBERS": numbers})))
}

pub(in crate::commands) const BANNED_USERS: Command = Command {
    spec: Spec {
        name: "banned-users",
        aliases: &["bans"],
        parameters: &[Parameter::optional("room", ArgumentType::Room)
            .help("those of a room; without it, or with ALL, those of the server")],
        help: "Shows who is banned or muted, and until when; needs level 3, on the server or in the room. Addresses are for level 4.",
        example: "banned-users",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: "A table: `NUMBER`, `KIND` (`account`, `name`, `address`, `guests`, `mute`), `VALUE`, `SCOPE` (a room, or null), `BY`, `UNTIL`, `REASON`.",
    },
    run: |context, arguments| Box::pin(async move { banned_users(context, arguments) }),
};

fn banned_users(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let scope = Scope::find(context, arguments.room(0))?;
    scope.needs(context, Level::MODERATOR)?;
    let (acts, room) = (scope.acts(context), scope.room());
    let sees_addresses = Scope::Server.acts(context).author.sees_addresses();
    let mut held = acts.held_by(SanctionKind::Ban, room.as_ref(), |_| true);
    held.extend(acts.held_by(SanctionKind::Mute, room.as_ref(), |_| true));
    let rows: Vec<Value> =
        held.iter().take(ROWS).map(|one| row(one, &scope, sees_addresses)).collect();
    let shown = held.iter().take(ROWS).map(|one| {
        let (kind, value) = kind_and_value(one, sees_addresses);
        let reason =
            if one.reason.is_empty() { String::new() } else { format!(": {}", one.reason) };
        format!("\n{}. {kind} {value}, by {}{}{reason}", one.id.0, one.by, until(one.until))
    });
    let info = match held.len() {
        0 => format!("Nobody is banned or muted{}.", scope.place()),
        many => format!("{many} banned or muted{}:{}", scope.place(), shown.collect::<String>()),
    };
    let columns = ["NUMBER", "KIND", "VALUE", "SCOPE", "BY", "UNTIL", "REASON"];
    Ok(Done::new(info).with_table(&columns, rows))
}

fn row(sanction: &Sanction, scope: &Scope, sees_addresses: bool) -> Value {
    let (kind, value) = kind_and_value(sanction, sees_addresses);
    let Sanction { id, by, until, reason, .. } = sanction;
    json!([id.0, kind, value, scope.name(), **by, until, **reason])
}

/// What a sanction is on; of an address only who may see it learns it (MO-7).
fn kind_and_value(sanction: &Sanction, sees_addresses: bool) -> (&'static str, String) {
    let (kind, value) = match &sanction.subject {
        SanctionSubject::Account(account) => ("account", account.name.to_string()),
        SanctionSubject::Name(name) | SanctionSubject::Guest { name, .. } => {
            ("name", name.to_string())
        }
        SanctionSubject::Network { network, guests_only } => {
            let kind = if *guests_only { "guests" } else { "address" };
            let shown = if sees_addresses { network.to_string() } else { MASKED.to_owned() };
            (kind, shown)
        }
    };
    let is_mute = sanction.kind == SanctionKind::Mute;
    (if is_mute { "mute" } else { kind }, value)
}
