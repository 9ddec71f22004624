//! Who may write, and how often: `mute`, `unmute`, `slow`.

use chatterbox_hub::{Level, RoomChange, RoomSetting, SanctionKind};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::kicking::REASON;
use crate::commands::family::moderation::muted::may_say;
use crate::commands::family::moderation::scope::Scope;
use crate::commands::family::moderation::times::{line, until};
use crate::commands::family::rooms::place::{Place, audited_change};
use crate::commands::family::subject::Subject;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::span::Span;
use crate::commands::spec::Spec;
use crate::moderation::Act;

/// For how long somebody is muted where nothing is said.
const MUTED_FOR: Span = Span::Seconds(10 * 60);

/// The longest time between two messages of slow mode, in seconds.
const SLOWEST: i64 = 3_600;

const WHERE: Parameter = Parameter::optional("room", ArgumentType::Room)
    .help("only there; without it, or with ALL, on the server");

pub(in crate::commands) const MUTE: Command = Command {
    spec: Spec {
        name: "mute",
        aliases: &[],
        parameters: &[
            Parameter::required("user", ArgumentType::User).help("who may not write"),
            Parameter::optional("duration", ArgumentType::Duration)
                .help("30s, 10m, 2h, 7d or forever; 10 minutes without it"),
            WHERE,
            REASON,
        ],
        help: "Keeps somebody below your level from writing; needs level 3, on the server or in the room. They may still write to those who have level 3.",
        example: "mute eve 10m",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME", "ROOM": name or null, "UNTIL": seconds since 1970 or null}`."#,
    },
    run: |context, arguments| Box::pin(mute(context, arguments)),
};

async fn mute(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let span = arguments.span(1).unwrap_or(MUTED_FOR);
    let scope = Scope::find(context, arguments.room(2))?;
    let reason = line(arguments.text(3), "reason")?;
    scope.needs(context, Level::MODERATOR)?;
    may_say(context, scope.number(), &reason)?;
    let subject = Subject::find(context, &name).await?;
    scope.authorise(context, Level::MODERATOR, &subject)?;
    let room = scope.room();
    let end = scope.acts(context).mute(&subject, room.as_ref(), span, &reason).await?;
    tracing::info!(by = %context.who().name, name = %subject.name, room = scope.name(), "muted");
    let info = format!("{} is muted{}{}.", subject.name, scope.place(), until(end));
    let data = json!({"NAME": subject.name.as_str(), "ROOM": scope.name(), "UNTIL": end});
    Ok(Done::new(info).with_data(data))
}

pub(in crate::commands) const UNMUTE: Command = Command {
    spec: Spec {
        name: "unmute",
        aliases: &[],
        parameters: &[
            Parameter::required("user", ArgumentType::User).help("who may write again"),
            WHERE,
        ],
        help: "Lets somebody write again; needs level 3, on the server or in the room.",
        example: "unmute eve",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME", "ROOM": name or null}`."#,
    },
    run: |context, arguments| Box::pin(unmute(context, arguments)),
};

async fn unmute(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let scope = Scope::find(context, arguments.room(1))?;
    scope.needs(context, Level::MODERATOR)?;
    let (acts, room) = (scope.acts(context), scope.room());
    let mut held = acts.held(SanctionKind::Mute, room.as_ref(), &name);
    // Under another name than the one that they were muted with, they are found by who they are.
    let mut flooder = None;
    if let Ok(subject) = Subject::find(context, &name).await {
        scope.authorise(context, Level::MODERATOR, &subject)?;
        let here = subject.member().filter(|_| room.is_none());
        flooder = here.filter(|member| acts.port.is_muted_for_flood(*member));
        if held.is_empty() {
            held = acts.held_by(SanctionKind::Mute, room.as_ref(), |one| subject.is_under(one));
        }
    }
    scope.authorise_lift(context, &held).await?;
    if held.is_empty() && flooder.is_none() {
        return Ok(Done::already(format!("{name} is not muted{}.", scope.place())));
    }
    acts.lift(&held, room.as_ref()).await?;
    if let Some(member) = flooder {
        if held.is_empty() {
            context.audit(Act::Unmute, Some(&name), None, "flood").await?;
        }
        acts.port.pardon(member);
    }
    tracing::info!(by = %context.who().name, %name, room = scope.name(), "unmuted");
    let data = json!({"NAME": name.as_str(), "ROOM": scope.name()});
    Ok(Done::new(format!("{name} may write again{}.", scope.place())).with_data(data))
}

pub(in crate::commands) const SLOW: Command = Command {
    spec: Spec {
        name: "slow",
        aliases: &[],
        parameters: &[
            Parameter::required("seconds", ArgumentType::Integer)
                .help("between two messages of one user, up to 3600; 0 switches it off"),
            Parameter::optional("room", ArgumentType::Room)
                .help("your default without it; ALL is the lobby"),
        ],
        help: "Lets everybody below level 2 write only once in so many seconds; needs level 3 there.",
        example: "slow 10 #lab",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "SLOW"}`; the lobby is `"ALL"`."#,
    },
    run: |context, arguments| Box::pin(slow(context, arguments)),
};

async fn slow(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let seconds = arguments.integer(0).ok_or_else(Rejection::missing)?;
    let slow = u32::try_from(seconds).ok().filter(|_| seconds <= SLOWEST).ok_or_else(|| {
        let text = format!("The seconds have to be between 0 and {SLOWEST}.");
        Rejection::new(OutcomeCode::BadArguments, text)
    })?;
    let given = arguments.room(1);
    let place = match context.caller.agreed.has(Capability::Rooms) {
        true => Place::find(context, given)?,
        // Who does not speak rooms never sees one (RM-4).
        false => Place::Lobby,
    };
    place.authorise(context, Level::MODERATOR, Level::MODERATOR)?;
    let wish = RoomChange::Set(place.number(), RoomSetting::Slow(slow));
    let written = (Act::Slow, None, &*seconds.to_string());
    audited_change(context, place.name(), wish, written, place.to_ref()).await?;
    tracing::info!(by = %context.who().name, room = place.name(), slow, "slow mode");
    let info = match slow {
        0 => format!("Everybody may write in {} at any time.", place.name()),
        _ => format!("Everybody may write in {} once in {slow} s.", place.name()),
    };
    Ok(Done::new(info).with_data(json!({"ROOM": place.name(), "SLOW": slow})))
}
