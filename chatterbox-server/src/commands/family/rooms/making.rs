//! Rooms begin and end, and what was said in them: `create-room`, `delete-room`, `clear`.

use chatterbox_hub::{Level, RoomChange};
use chatterbox_proto::RoomName;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::accounts::Secret;
use crate::commands::arguments::{Arguments, RoomArgument};
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::rooms::place::{Place, audited_change, change, data, name_of, paced};
use crate::commands::family::rooms::refusal::refused;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::moderation::Act;

pub(in crate::commands) const CREATE_ROOM: Command = Command {
    spec: Spec {
        name: "create-room",
        aliases: &["c", "create-channel"],
        parameters: &[
            Parameter::required("room", ArgumentType::Room)
                .help("# and 1 to 32 characters without spaces"),
            Parameter::optional("password", ArgumentType::Secret)
                .help("without one, anybody may join"),
        ],
        help: "Makes a room, of which you are the owner and the first member.",
        example: "create-room #lab",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NUMBER"}`."#,
    },
    run: |context, arguments| Box::pin(create_room(context, arguments)),
};

async fn create_room(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = match arguments.room(0).ok_or_else(Rejection::missing)? {
        RoomArgument::Named(name) => name,
        RoomArgument::Lobby => {
            return Err(Rejection::new(OutcomeCode::Taken, "ALL is the lobby."));
        }
        RoomArgument::Unusable { error, .. } => {
            return Err(Rejection::new(OutcomeCode::BadName, error.to_string()));
        }
    };
    let secret = arguments.secret(1);
    if let Some(secret) = &secret {
        secret.is_for_a_room()?;
    }
    // It tells which names are in use, hidden rooms included (RM-12), so each try counts.
    paced(context)?;
    if context.caller.port.room_behind(&name).is_some() {
        return Err(refused(OutcomeCode::Taken, name.as_str()));
    }
    let password = match secret {
        Some(secret) => Some(hashed(context, secret).await?),
        None => None,
    };
    // Whoever judges it has a lock.
    name.looks();
    let shown = name.as_str().to_owned();
    let done = change(context, &shown, RoomChange::Create { name, password }).await?;
    let number = done.room.as_ref().map(|room| room.number.0);
    let spelling = done.room.as_ref().map_or(shown.as_str(), |room| room.name.as_str());
    tracing::info!(by = %context.who().name, room = spelling, number, "room made");
    Ok(Done::new(format!("You are in {spelling}, which is yours."))
        .with_data(json!({"ROOM": spelling, "NUMBER": number})))
}

/// Hashes the password of a room, on a thread for that.
pub(super) async fn hashed(
    context: &Context<'_>,
    secret: Secret,
) -> Result<std::sync::Arc<str>, Rejection> {
    let hash = context.state.accounts.make_room_password(secret).await?;
    Ok(hash.as_str().into())
}

pub(in crate::commands) const DELETE_ROOM: Command = Command {
    spec: Spec {
        name: "delete-room",
        aliases: &["delete-channel"],
        parameters: &[Parameter::required("room", ArgumentType::Room).help("its name")],
        help: "Deletes a room for good, with all that was said in it; needs level 4 in the room. Asks for its name once more.",
        example: "delete-room #lab",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: true,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NUMBER"}`."#,
    },
    run: |context, arguments| Box::pin(delete_room(context, arguments)),
};

async fn delete_room(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let Place::Room(room) = Place::find(context, Some(given))? else {
        return Err(Rejection::new(OutcomeCode::Forbidden, "The lobby can't be deleted."));
    };
    let name = name_of(&room);
    Place::Room(room.clone()).authorise(context, Level::OPERATOR, Level::ADMIN)?;
    if room.definition.configured {
        return Err(refused(OutcomeCode::Configured, name));
    }
    let question = format!("Type {name} once more to delete it for good:");
    let answer = context.ask(&question, false).await?;
    let typed = answer.reveal().trim();
    let typed = if RoomName::is_meant(typed) { typed.to_owned() } else { format!("#{typed}") };
    if RoomName::parse(&typed).ok().as_ref() != Some(&room.definition.name) {
        let text = format!("This was not its name: {name} is still there.");
        return Err(Rejection::new(OutcomeCode::Cancelled, text));
    }
    // By its number: while it was asked for, another room may have got the name.
    let number = room.definition.number;
    let (delete, to) = (RoomChange::Delete(number), Some(room.definition.to_ref()));
    audited_change(context, name, delete, (Act::DeleteRoom, None, ""), to).await?;
    if let Err(error) = context.state.moderation.forget_room(number).await {
        // The next look at what is old removes them.
        tracing::warn!(%error, %number, "sanctions of a deleted room are still stored");
    }
    tracing::info!(by = %context.who().name, room = name, %number, "room deleted");
    Ok(Done::new(format!("{name} is deleted.")).with_data(data(&room)))
}

pub(in crate::commands) const CLEAR: Command = Command {
    spec: Spec {
        name: "clear",
        aliases: &[],
        parameters: &[Parameter::optional("room", ArgumentType::Room)
            .help("your default without it; ALL is the lobby")],
        help: "Hides for good what was said in a room so far; needs level 4 in it, in the lobby level 5. Asks for a yes.",
        example: "clear #lab",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: true,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NUMBER"}`; the lobby is `"ALL"` and 0."#,
    },
    run: |context, arguments| Box::pin(clear(context, arguments)),
};

async fn clear(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let place = Place::find(context, arguments.room(0))?;
    place.authorise(context, Level::OPERATOR, Level::ADMIN)?;
    let (name, number) = (place.name(), place.number());
    let question =
        format!("Nobody will see again what was said in {name} so far. Type yes to go on:");
    let answer = context.ask(&question, false).await?;
    if !["yes", "y"].iter().any(|yes| answer.reveal().trim().eq_ignore_ascii_case(yes)) {
        return Err(Rejection::new(
            OutcomeCode::Cancelled,
            "This was no yes: nothing was changed.",
        ));
    }
    let clear = RoomChange::Clear(number);
    audited_change(context, name, clear, (Act::Clear, None, ""), place.to_ref()).await?;
    tracing::info!(by = %context.who().name, room = name, "room cleared");
    Ok(Done::new(format!("{name} begins anew."))
        .with_data(json!({"ROOM": name, "NUMBER": number.0})))
}
