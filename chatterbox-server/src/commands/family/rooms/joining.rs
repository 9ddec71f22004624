//! Coming and going: `join`, `leave`, `default`.

use std::sync::Arc;

use chatterbox_hub::{Level, RoomChange, RoomNumber, RoomView};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::{ALL, RoomName};
use serde_json::json;

use crate::accounts::{PasswordHash, Secret};
use crate::commands::arguments::{Arguments, RoomArgument};
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::times::until;
use crate::commands::family::rooms::place::{
    Place, as_member, change, costly, data, find_room, name_of, paced,
};
use crate::commands::family::rooms::refusal::{no_such_room, refused};
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const JOIN: Command = Command {
    spec: Spec {
        name: "join",
        aliases: &["j", "join-channel"],
        parameters: &[
            Parameter::required("room", ArgumentType::Room).help("its name, with or without #"),
            Parameter::optional("password", ArgumentType::Secret)
                .help("asked for if the room has one"),
        ],
        help: "Makes you a member of a room.",
        example: "join #lab",
        level: Level::GUEST,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NUMBER"}`."#,
    },
    run: |context, arguments| Box::pin(join(context, arguments)),
};

async fn join(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let secret = arguments.secret(1);
    let port = &context.caller.port;
    if context.who().login.is_none() && !context.state.room_guests() {
        let text = "Guests can't join rooms here: register first.";
        return Err(Rejection::new(OutcomeCode::Forbidden, text));
    }
    // Whoever is unsure may ask again (RM-6): nobody else is told of it.
    if let RoomArgument::Named(name) = &given
        && let Some(room) = port.room_named(name).filter(|room| room.is_member)
    {
        costly(context)?;
        return Ok(already(context, &room));
    }
    paced(context)?;
    let name = match given {
        RoomArgument::Named(name) => name,
        RoomArgument::Unusable { text, .. } => return Err(no_such_room(&text)),
        RoomArgument::Lobby => {
            port.tell_room(RoomNumber::LOBBY);
            return Ok(Done::already("Everybody is in the lobby."));
        }
    };
    let Some(room) = port.room_behind(&name) else {
        return Err(unknown(context, &name, secret).await);
    };
    let is_seen = port.room_named(&name).is_some();
    let shown = prove(context, &room, &name, secret, is_seen).await?;
    let wish = RoomChange::Enter { room: room.definition.number, shown };
    match port.change_room(wish).await {
        Ok(_) => Ok(Done::new(format!("You are in {}.", name_of(&room))).with_data(data(&room))),
        Err(OutcomeCode::Already) => Ok(already(context, &room)),
        // Whatever is the matter with a room that they may not know of, it is not there (RM-12).
        Err(_) if !is_seen => Err(no_such_room(name.as_str())),
        Err(OutcomeCode::Banned) => Err(banned(context, &room)),
        Err(code) => Err(refused(code, name_of(&room))),
    }
}

/// Whoever is banned is told until when and why whenever they try (MO-7).
fn banned(context: &Context<'_>, room: &RoomView) -> Rejection {
    let port = &context.caller.port;
    let ban = port.moderation().ban_of(port.id(), room.definition.number);
    let rejection = refused(OutcomeCode::Banned, name_of(room));
    let Some(ban) = ban else { return rejection };
    let reason = if ban.reason.is_empty() { String::new() } else { format!(": {}", ban.reason) };
    let text = format!("You are banned from {}{}{reason}", name_of(room), until(ban.until));
    Rejection { text, until: ban.until, ..rejection }
}

fn already(context: &Context<'_>, room: &RoomView) -> Done {
    context.caller.port.tell_room(room.definition.number);
    Done::already(format!("You are in {} already.", name_of(room))).with_data(data(room))
}

/// The password by which somebody may enter, verified, if they need one.
async fn prove(
    context: &Context<'_>,
    room: &RoomView,
    name: &RoomName,
    secret: Option<Secret>,
    is_seen: bool,
) -> Result<Option<Arc<str>>, Rejection> {
    let settings = &room.definition.settings;
    if room.is_invited || room.level >= Level::OPERATOR {
        return Ok(None);
    }
    if settings.closed {
        return Err(match is_seen {
            true => refused(OutcomeCode::Closed, name_of(room)),
            false => unknown(context, name, secret).await,
        });
    }
    let Some(hash) = settings.password.clone() else {
        return match unknown(context, name, secret.filter(|_| !is_seen)).await {
            // It has no password: what was given does not matter, only the time that it takes.
            Rejection { code: OutcomeCode::NoSuchRoom, .. } => Ok(None),
            rejection => Err(rejection),
        };
    };
    let secret = match secret {
        Some(secret) => secret,
        None if is_seen => {
            context.secret(None, &format!("The password of {}:", name_of(room))).await?
        }
        // A question would tell that there is something to know a password for.
        None => return Err(no_such_room(name.as_str())),
    };
    let stored = Some(PasswordHash::stored(hash.to_string()));
    match check(context, name, secret, stored).await {
        Ok(()) => Ok(Some(hash)),
        Err(Rejection { code: OutcomeCode::WrongPassword, .. }) => Err(match is_seen {
            true => refused(OutcomeCode::WrongPassword, name_of(room)),
            false => no_such_room(name.as_str()),
        }),
        Err(rejection) => Err(rejection),
    }
}

/// The answer for a room that there is not: with a password it takes as long as a wrong one, and counts as one.
async fn unknown(context: &Context<'_>, name: &RoomName, secret: Option<Secret>) -> Rejection {
    let Some(secret) = secret else { return no_such_room(name.as_str()) };
    match check(context, name, secret, None).await {
        Err(rejection) if rejection.code != OutcomeCode::WrongPassword => rejection,
        _ => no_such_room(name.as_str()),
    }
}

async fn check(
    context: &Context<'_>,
    name: &RoomName,
    secret: Secret,
    hash: Option<PasswordHash>,
) -> Result<(), Rejection> {
    let (accounts, who) = (&context.state.accounts, context.who());
    Ok(accounts.check_room_password(name, &who, context.peer(), secret, hash).await?)
}

pub(in crate::commands) const LEAVE: Command = Command {
    spec: Spec {
        name: "leave",
        aliases: &["l", "close", "leave-channel"],
        parameters: &[Parameter::optional("room", ArgumentType::Room)
            .help("the one to leave; your default without it")],
        help: "Ends your membership of a room.",
        example: "leave #lab",
        level: Level::GUEST,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NUMBER"}`."#,
    },
    run: |context, arguments| Box::pin(leave(context, arguments)),
};

async fn leave(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let room = find_room(context, arguments.room(0), "Nobody leaves the lobby.")?;
    as_member(&room)?;
    paced(context)?;
    change(context, name_of(&room), RoomChange::Leave(room.definition.number)).await?;
    Ok(Done::new(format!("You have left {}.", name_of(&room))).with_data(data(&room)))
}

pub(in crate::commands) const DEFAULT: Command = Command {
    spec: Spec {
        name: "default",
        aliases: &["cd"],
        parameters: &[Parameter::required("room", ArgumentType::Room)
            .help("one of your rooms, or ALL for the lobby")],
        help: "Makes a room the one that commands mean when you name none, and that your clients begin in.",
        example: "default #lab",
        level: Level::GUEST,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"DEFAULT": the name of the room, or "ALL"}`."#,
    },
    run: |context, arguments| Box::pin(default(context, arguments)),
};

async fn default(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let place = Place::find(context, Some(given))?;
    let number = match &place {
        Place::Lobby => None,
        Place::Room(room) => {
            as_member(room)?;
            Some(room.definition.number)
        }
    };
    let name = place.name();
    change(context, name, RoomChange::SetDefault(number)).await?;
    let info = if name == ALL {
        "You begin in the lobby from now on.".to_owned()
    } else {
        format!("You begin in {name} from now on.")
    };
    Ok(Done::new(info).with_data(json!({"DEFAULT": name})))
}
