//! Saying something in a room without being there with a client: `say`.

use chatterbox_hub::{Level, RoomNumber, RoomRef};
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::ArgumentType;
use chatterbox_proto::{ALL, RoomName};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::client_port::PostError;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::rooms::place::Place;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const SAY: Command = Command {
    spec: Spec {
        name: "say",
        aliases: &["public"],
        parameters: &[
            Parameter::required("room", ArgumentType::Room)
                .help("one of your rooms, or ALL for everybody"),
            Parameter::required("text", ArgumentType::Text).rest().help("what you say"),
        ],
        help: "Says something in a room.",
        example: "say #lab is anybody here?",
        level: Level::GUEST,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM"}`."#,
    },
    run: |context, arguments| Box::pin(say(context, arguments)),
};

async fn say(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let text = arguments.text(1).ok_or_else(Rejection::missing)?;
    let place = Place::find(context, Some(given))?;
    let room = match &place {
        Place::Lobby => RoomRef { number: RoomNumber::LOBBY, name: RoomName::stored(ALL) },
        Place::Room(view) => view.definition.to_ref(),
    };
    let said = context.caller.port.say_in(&room, &text).await;
    said.map_err(|PostError(code)| Rejection::from(code))?;
    let name = place.name();
    Ok(Done::new(format!("Said in {name}.")).with_data(json!({"ROOM": name})))
}
