//! Levels in a room, for `perm` and `set-perm`.

use chatterbox_hub::{AccountRef, Level, Permission, RoomChange, RoomView, Target};
use chatterbox_proto::Username;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::OutcomeCode;
use serde_json::{Value, json};

use crate::commands::arguments::RoomArgument;
use crate::commands::context::Context;
use crate::commands::family::rooms::place::{
    as_member, audited_change, authorise_in, find_room, name_of,
};
use crate::commands::family::subject::Subject;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::moderation::Act;

/// The level of somebody in a room: the greater of server level and room level (RL-1).
pub(in crate::commands::family) fn level_in(
    context: &Context<'_>,
    room: &RoomView,
    found: &Subject,
) -> Level {
    let number = room.definition.number;
    let lasting = found
        .account
        .as_ref()
        .map(|login| context.caller.port.level_in(number, &AccountRef::from(login)));
    lasting.map_or(found.level, |lasting| lasting.max(found.level))
}

/// Who did not agree to rooms never sees one (RM-4).
fn speaks_rooms(context: &Context<'_>) -> Result<(), Rejection> {
    if context.caller.agreed.has(Capability::Rooms) {
        return Ok(());
    }
    let text = "Levels in rooms need a client that speaks rooms.";
    Err(Rejection::new(OutcomeCode::NeedsCapability, text))
}

const LOBBY: &str = "The lobby has the levels of the server.";

fn data(room: &RoomView, found: &Subject, level: Level) -> Value {
    json!({
        "NAME": found.name.as_str(),
        "LEVEL": level.number(),
        "ACCOUNT": found.account.as_ref().map(|login| login.account.as_str()),
        "ROOM": name_of(room),
    })
}

/// `perm` with a room.
pub(in crate::commands::family) async fn perm(
    context: &Context<'_>,
    room: RoomArgument,
    name: &Username,
) -> Reply {
    speaks_rooms(context)?;
    let room = find_room(context, Some(room), LOBBY)?;
    let found = Subject::find(context, name).await?;
    // Who is who in a room is its members' affair; what one may do oneself is not.
    if !found.is_caller(context) && room.level < Level::OPERATOR {
        as_member(&room)?;
    }
    let level = level_in(context, &room, &found);
    let info = format!("{} has level {level} in {}.", found.name, name_of(&room));
    Ok(Done::new(info).with_data(data(&room, &found, level)))
}

/// `set-perm` with a room.
pub(in crate::commands::family) async fn set_perm(
    context: &Context<'_>,
    room: RoomArgument,
    name: &Username,
    level: &str,
) -> Reply {
    speaks_rooms(context)?;
    let room = find_room(context, Some(room), LOBBY)?;
    authorise_in(context, &room, Permission::Use(Level::OPERATOR), Target::Oneself)?;
    let level = Level::parse(level).filter(|level| *level <= Level::OPERATOR).ok_or_else(|| {
        Rejection::new(OutcomeCode::BadArguments, "In a room the level has to be between 0 and 4.")
    })?;
    let found = Subject::find(context, name).await?;
    let Some(login) = &found.account else {
        let text = format!("{} is a guest: only a registered user keeps a level.", found.name);
        return Err(Rejection::new(OutcomeCode::NoSuchUser, text));
    };
    let target = if found.is_caller(context) {
        Target::Oneself
    } else {
        Target::User(level_in(context, &room, &found))
    };
    authorise_in(context, &room, Permission::GiveRoomLevel(level), target)?;
    let account = AccountRef::from(login);
    let shown = name_of(&room);
    let (to, detail) = (room.definition.to_ref(), level.number().to_string());
    let written = (Act::SetLevel, Some(&login.account), detail.as_str());
    let wish = RoomChange::SetLevel(room.definition.number, account, level);
    audited_change(context, shown, wish, written, Some(to)).await?;
    let account = &login.account;
    let by = context.who().name;
    tracing::info!(%by, %account, room = shown, level = level.number(), "level given in a room");
    let info = match level {
        Level::GUEST => format!("{account} has no level of their own in {shown} any more."),
        level => format!("{account} has level {level} in {shown} now."),
    };
    Ok(Done::new(info).with_data(data(&room, &found, level)))
}
