//! Letting somebody in: `invite`, `uninvite`.

use chatterbox_hub::{Level, Permission, RoomChange, RoomMember, RoomView, Target};
use chatterbox_proto::Username;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::rooms::place::{
    as_member, authorise_in, costly, find_room, name_of, paced,
};
use crate::commands::family::rooms::refusal::refused;
use crate::commands::family::subject::Subject;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

/// Users of one call: each is looked up, judged and stored.
const AT_ONCE: usize = 20;

/// The `DATA` of both.
const DATA: &str = "A table: `NAME`, those whom it has changed something for.";

const PARAMETERS: &[Parameter] = &[
    Parameter::required("room", ArgumentType::Room).help("its name"),
    Parameter::required("users", ArgumentType::Users).help("up to 20 names"),
];

pub(in crate::commands) const INVITE: Command = Command {
    spec: Spec {
        name: "invite",
        aliases: &[],
        parameters: PARAMETERS,
        help: "Lets users join a room once within 7 days, although it is closed or has a password; needs level 2 in it if it is closed.",
        example: "invite #lab ann bob",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: DATA,
    },
    run: |context, arguments| Box::pin(invite(context, arguments)),
};

async fn invite(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let room = inviting(context, &mut arguments)?;
    let invitees = named(context, arguments.users(1)).await?;
    let mut wishes = Vec::with_capacity(invitees.len());
    for invitee in invitees {
        if invitee.is_caller(context) {
            let text = "You can't invite yourself.";
            return Err(Rejection::new(OutcomeCode::BadArguments, text));
        }
        let who = invitee.as_room_member()?;
        if matches!(who, RoomMember::Guest(_)) && !context.state.room_guests() {
            let text = format!("{} is a guest: guests can't join rooms here.", invitee.name);
            return Err(Rejection::new(OutcomeCode::Forbidden, text));
        }
        if context.caller.port.refuses(&invitee.name) {
            return Err(refused(OutcomeCode::Blocked, name_of(&room)));
        }
        wishes.push((invitee.name, RoomChange::Invite(room.definition.number, who)));
    }
    let invited = wished(context, &room, wishes).await?;
    Ok(told(&invited, "Invited to", &room))
}

pub(in crate::commands) const UNINVITE: Command = Command {
    spec: Spec {
        name: "uninvite",
        aliases: &[],
        parameters: PARAMETERS,
        help: "Takes invitations to a room back; needs level 2 in it if it is closed.",
        example: "uninvite #lab ann",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: DATA,
    },
    run: |context, arguments| Box::pin(uninvite(context, arguments)),
};

async fn uninvite(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let room = inviting(context, &mut arguments)?;
    let mut wishes = Vec::new();
    for invitee in named(context, arguments.users(1)).await? {
        let who = invitee.as_room_member()?;
        wishes.push((invitee.name, RoomChange::Uninvite(room.definition.number, who)));
    }
    let uninvited = wished(context, &room, wishes).await?;
    Ok(told(&uninvited, "Not invited any more to", &room))
}

/// The room to invite to, if the caller may: its members, and those of level 4 who could join it.
fn inviting(context: &Context<'_>, arguments: &mut Arguments) -> Result<RoomView, Rejection> {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let room = find_room(context, Some(given), "Everybody is in the lobby.")?;
    if room.level < Level::OPERATOR {
        as_member(&room)?;
    }
    if room.definition.settings.closed {
        authorise_in(context, &room, Permission::Use(Level::HELPER), Target::Oneself)?;
    }
    // Each tells somebody something, so a storm of them is one of notices.
    paced(context)?;
    Ok(room)
}

/// The users that a call names.
async fn named(context: &Context<'_>, names: Vec<Username>) -> Result<Vec<Subject>, Rejection> {
    if names.len() > AT_ONCE {
        let text = format!("At most {AT_ONCE} users at a time.");
        return Err(Rejection::new(OutcomeCode::BadArguments, text));
    }
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(Subject::find(context, &name).await?);
    }
    Ok(found)
}

/// Makes the wishes one after the other, and gives the names for which something was changed. What was done stays done when a
/// later one is refused.
async fn wished(
    context: &Context<'_>,
    room: &RoomView,
    wishes: Vec<(Username, RoomChange)>,
) -> Result<Vec<Username>, Rejection> {
    let mut done = Vec::with_capacity(wishes.len());
    for (name, wish) in wishes {
        costly(context)?;
        match context.caller.port.change_room(wish).await {
            Ok(_) => done.push(name),
            Err(OutcomeCode::Already) => {}
            Err(code) => {
                let rejection = refused(code, name_of(room));
                let text = format!("{name}: {}", rejection.text);
                return Err(Rejection { text, ..rejection });
            }
        }
    }
    Ok(done)
}

fn told(names: &[Username], what: &str, room: &RoomView) -> Done {
    let texts: Vec<_> = names.iter().map(Username::as_str).collect();
    let done = match texts.as_slice() {
        [] => Done::already("It was so already."),
        texts => Done::new(format!("{what} {}: {}.", name_of(room), texts.join(", "))),
    };
    done.with_table(&["NAME"], texts.iter().map(|name| json!([name])).collect())
}
