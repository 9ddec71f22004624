//! Who is in a room, and who is not any more: `list`, `kick-from`.

use chatterbox_hub::{Level, Permission, RoomChange, RoomMemberView, Target};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::muted::may_say;
use crate::commands::family::rooms::levels::level_in;
use crate::commands::family::rooms::place::{
    Place, audited_change, authorise_in, costly, find_room, name_of,
};
use crate::commands::family::rooms::refusal::refused;
use crate::commands::family::subject::Subject;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::config::room_text;
use crate::moderation::Act;

/// The rows of one page.
const ROWS: usize = 1_000;

pub(in crate::commands) const LIST: Command = Command {
    spec: Spec {
        name: "list",
        aliases: &["members"],
        parameters: &[
            Parameter::optional("room", ArgumentType::Room)
                .help("one of your rooms; your default without it; ALL is the lobby"),
            Parameter::optional("after", ArgumentType::User)
                .help("the last name of the page before"),
        ],
        help: "Shows the members of a room, 1,000 at a time.",
        example: "list #lab",
        level: Level::GUEST,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: "A table: `NAME`, `ONLINE`, `LEVEL` (in the room); and `MORE`, whether there is another page.",
    },
    run: |context, arguments| Box::pin(async move { list(context, arguments) }),
};

fn list(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    costly(context)?;
    let place = Place::find(context, arguments.room(0))?;
    let after = arguments.user(1);
    let port = &context.caller.port;
    let (mut members, count) = match &place {
        Place::Room(room) => {
            let members = port.members_of(room.definition.number, after.as_ref(), ROWS + 1);
            (members.map_err(|code| refused(code, name_of(room)))?, room.count)
        }
        Place::Lobby if after.is_some() => {
            let text = "The lobby has one page.";
            return Err(Rejection::new(OutcomeCode::BadArguments, text));
        }
        Place::Lobby => {
            let here = port.users(ROWS).into_iter().map(|user| RoomMemberView {
                level: user.actor().level,
                name: user.name,
                online: true,
            });
            (here.collect(), port.user_count())
        }
    };
    let more = members.len() > ROWS;
    members.truncate(ROWS);
    let shown: Vec<_> = members
        .iter()
        .map(|member| match member.online {
            true => member.name.to_string(),
            false => format!("{} (away)", member.name),
        })
        .collect();
    let name = place.name();
    let mut info = format!("{count} in {name}: {}", shown.join(", "));
    if let (true, Some(last)) = (more, members.last()) {
        let prefix = context.state.prefix();
        info.push_str(&format!("\nThere are more: {prefix}list {name} {}", last.name));
    }
    let row = |member: &RoomMemberView| {
        json!([member.name.as_str(), member.online, member.level.number()])
    };
    let rows: Vec<Value> = members.iter().map(row).collect();
    Ok(Done::new(info).with_table(&["NAME", "ONLINE", "LEVEL"], rows).with_more(more))
}

pub(in crate::commands) const KICK_FROM: Command = Command {
    spec: Spec {
        name: "kick-from",
        aliases: &[],
        parameters: &[
            Parameter::required("room", ArgumentType::Room).help("its name"),
            Parameter::required("user", ArgumentType::User).help("who has to go"),
            Parameter::optional("reason", ArgumentType::Text).rest().help("what they are told"),
        ],
        help: "Removes somebody from a room; needs level 2 in it, and more than they have.",
        example: "kick-from #lab eve spam",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "NAME"}`."#,
    },
    run: |context, arguments| Box::pin(kick_from(context, arguments)),
};

async fn kick_from(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let name = arguments.user(1).ok_or_else(Rejection::missing)?;
    let reason = arguments.text(2).unwrap_or_default();
    let room = find_room(context, Some(given), "Nobody can be removed from the lobby.")?;
    authorise_in(context, &room, Permission::Use(Level::HELPER), Target::Oneself)?;
    let reason = room_text(&reason).map_err(|error| {
        Rejection::new(OutcomeCode::BadArguments, format!("The reason: {error}."))
    })?;
    may_say(context, Some(room.definition.number), reason.as_ref())?;
    let found = Subject::find(context, &name).await?;
    let target = if found.is_caller(context) {
        Target::Oneself
    } else {
        Target::User(level_in(context, &room, &found))
    };
    authorise_in(context, &room, Permission::RemoveFromRoom, target)?;
    let who = found.as_room_member()?;
    let (number, shown) = (room.definition.number, name_of(&room));
    let wish = RoomChange::Remove {
        room: number,
        who,
        reason: reason.as_ref().to_owned(),
        banned: false,
        by: None,
    };
    let written = (Act::Kick, Some(&found.name), "");
    let to = room.definition.to_ref();
    let done = audited_change(context, shown, wish, written, Some(to)).await;
    done.map_err(|rejection| match rejection.code {
        // It is about them, not about the caller.
        OutcomeCode::NotAMember => refused(OutcomeCode::NoSuchUser, shown),
        _ => rejection,
    })?;
    let by = context.who().name;
    tracing::info!(%by, name = %found.name, room = shown, "kicked from a room");
    let notice = NewNotice {
        room: Some(shown),
        name: Some(found.name.as_str()),
        by: Some(by.as_str()),
        ..NewNotice::new(NoticeCode::Kicked, &reason)
    };
    context.caller.port.moderation().tell_staff(Some(number), Level::GUEST, &notice);
    Ok(Done::new(format!("{} is not in {shown} any more.", found.name))
        .with_data(json!({"ROOM": shown, "NAME": found.name.as_str()})))
}
