//! What is said in the name of the server: `broadcast`, `server-broadcast` (MO-9).

use chatterbox_hub::{Level, RoomNumber};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::{Arguments, RoomArgument};
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::muted::may_say;
use crate::commands::family::rooms::place::Place;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::moderation::{Act, AuditEntry};
use crate::ops::clock::unix_now;

/// The longest announcement, in characters.
const LONGEST: usize = 2_000;

const TEXT: Parameter = Parameter::required("text", ArgumentType::Text).rest().help("what is said");

pub(in crate::commands) const BROADCAST: Command = Command {
    spec: Spec {
        name: "broadcast",
        aliases: &[],
        parameters: &[
            Parameter::required("room", ArgumentType::Room).help("its name; ALL is the lobby"),
            TEXT,
        ],
        help: "Says something in a room in the name of the server; needs level 4 in it, in the lobby on the server. It is not kept.",
        example: "broadcast #lab The lab closes in ten minutes.",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM"}`; the lobby is `"ALL"`."#,
    },
    run: |context, arguments| Box::pin(broadcast(context, arguments)),
};

async fn broadcast(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let text = said(arguments.text(1))?;
    let speaks_rooms = context.caller.agreed.has(Capability::Rooms);
    if given != RoomArgument::Lobby && !speaks_rooms {
        // Who does not speak rooms never sees one (RM-4).
        let text = "This needs a client that speaks rooms.";
        return Err(Rejection::new(OutcomeCode::NeedsCapability, text));
    }
    let place = Place::find(context, Some(given))?;
    place.authorise(context, Level::OPERATOR, Level::OPERATOR)?;
    announce(context, &place, &text).await
}

pub(in crate::commands) const SERVER_BROADCAST: Command = Command {
    spec: Spec {
        name: "server-broadcast",
        aliases: &["announce"],
        parameters: &[TEXT],
        help: "Says something to everybody in the name of the server. It is not kept.",
        example: "server-broadcast The server is updated at six.",
        level: Level::ADMIN,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM": "ALL"}`."#,
    },
    run: |context, arguments| Box::pin(server_broadcast(context, arguments)),
};

async fn server_broadcast(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let text = said(arguments.text(0))?;
    announce(context, &Place::Lobby, &text).await
}

async fn announce(context: &Context<'_>, place: &Place, text: &str) -> Reply {
    let room = Some(place.number()).filter(|number| *number != RoomNumber::LOBBY);
    may_say(context, room, text)?;
    let entry = AuditEntry { room: place.to_ref(), ..context.entry(unix_now(), Act::Broadcast) };
    context.state.moderation.note(entry).await?;
    context.caller.port.moderation().announce(room, text);
    tracing::info!(by = %context.who().name, room = place.name(), "announced");
    Ok(Done::new(format!("It was said in {}.", place.name()))
        .with_data(json!({"ROOM": place.name()})))
}

fn said(text: Option<String>) -> Result<String, Rejection> {
    let text = text.unwrap_or_default();
    let text = text.trim();
    if (1..=LONGEST).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    let text = format!("The text has to have 1 to {LONGEST} characters.");
    Err(Rejection::new(OutcomeCode::TooLong, text))
}
