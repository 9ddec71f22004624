//! What a room is like: `topic`, `set-room`.

use chatterbox_hub::{Level, RoomChange, RoomSetting};
use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::accounts::Secret;
use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::rooms::making::hashed;
use crate::commands::family::rooms::place::{Place, audited_change, costly};
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::config::{RoomSettingError, room_setting, room_text};
use crate::moderation::Act;

pub(in crate::commands) const TOPIC: Command = Command {
    spec: Spec {
        name: "topic",
        aliases: &[],
        parameters: &[
            Parameter::optional("room", ArgumentType::Room)
                .help("with its #; your default without it; ALL is the lobby"),
            Parameter::required("text", ArgumentType::Text)
                .rest()
                .help("up to 400 characters on one line"),
        ],
        help: "Says what is talked about in a room now; needs level 2 in it, in the lobby level 4.",
        example: "topic #lab exercise 3",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "TOPIC"}`."#,
    },
    run: |context, arguments| Box::pin(topic(context, arguments)),
};

async fn topic(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let place = Place::find(context, arguments.room(0))?;
    let text = arguments.text(1).ok_or_else(Rejection::missing)?;
    place.authorise(context, Level::HELPER, Level::OPERATOR)?;
    let topic = room_text(&text).map_err(|error| mistaken("topic", error))?;
    let name = place.name();
    let wish = set(&place, RoomSetting::Topic(topic.clone()));
    audited_change(context, name, wish, (Act::SetRoom, None, "topic"), place.to_ref()).await?;
    let info = match &*topic {
        "" => format!("{name} has no topic now."),
        topic => format!("The topic of {name} is now: {topic}"),
    };
    Ok(Done::new(info).with_data(json!({"ROOM": name, "TOPIC": &*topic})))
}

fn set(place: &Place, setting: RoomSetting) -> RoomChange {
    RoomChange::Set(place.number(), setting)
}

fn mistaken(setting: &str, error: RoomSettingError) -> Rejection {
    let code = match error {
        RoomSettingError::TooLong => OutcomeCode::TooLong,
        _ => OutcomeCode::BadArguments,
    };
    Rejection::new(code, format!("{}: {error}.", ScreenText::shortened(setting, 40)))
}

pub(in crate::commands) const SET_ROOM: Command = Command {
    spec: Spec {
        name: "set-room",
        aliases: &[],
        parameters: &[
            Parameter::required("room", ArgumentType::Room).help("its name; ALL is the lobby"),
            Parameter::required("setting", ArgumentType::Text).help("what to change").values(&[
                "description",
                "limit",
                "password",
                "hidden",
                "closed",
                "talk",
                "slow",
                "length",
                "keep",
                "show",
                "roster",
            ]),
            Parameter::optional("value", ArgumentType::Text).rest().masked().help(
                "description: a text; limit: members, 0 is none; password: \"\" is none, asked for if left out; \
                 hidden, closed, roster: on or off; talk: lowest level that may write, 0 to 4; \
                 slow: seconds between messages, to 3600; length: characters of a message, to 4000; \
                 keep: off, a number of messages, all; show: all or joined",
            ),
        ],
        help: "Changes a setting of a room; needs level 4 in it. The lobby has talk and slow.",
        example: "set-room #lab slow 10",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"ROOM", "SETTING", "VALUE": as it was given, null for a password}`."#,
    },
    run: |context, arguments| Box::pin(set_room(context, arguments)),
};

async fn set_room(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.room(0).ok_or_else(Rejection::missing)?;
    let place = Place::find(context, Some(given))?;
    let setting = arguments.text(1).ok_or_else(Rejection::missing)?.to_ascii_lowercase();
    let value = arguments.text(2);
    place.authorise(context, Level::OPERATOR, Level::OPERATOR)?;
    let of_lobby = ["talk", "slow"].contains(&setting.as_str());
    if matches!(place, Place::Lobby) && !of_lobby {
        let text = "The lobby has the settings talk and slow, and a topic.";
        return Err(Rejection::new(OutcomeCode::BadArguments, text));
    }
    let name = place.name();
    if setting == "password" {
        return set_password(context, &place, value).await;
    }
    let value = value.ok_or_else(|| context.misused())?;
    let wish = match room_setting(&setting, &value) {
        // It has a command of its own, for which less is needed.
        Ok(RoomSetting::Topic(_)) => return Err(mistaken(&setting, RoomSettingError::Unknown)),
        Ok(wish) => wish,
        Err(error) => return Err(mistaken(&setting, error)),
    };
    let written = (Act::SetRoom, None, setting.as_str());
    audited_change(context, name, set(&place, wish), written, place.to_ref()).await?;
    let info = format!("{name}: {setting} is now {}.", ScreenText::new(&value));
    Ok(Done::new(info).with_data(json!({"ROOM": name, "SETTING": setting, "VALUE": value})))
}

/// How a person types that there is to be none.
const QUOTED_NOTHING: &str = "\"\"";

async fn set_password(context: &Context<'_>, place: &Place, value: Option<String>) -> Reply {
    let name = place.name();
    let secret = match value.as_deref() {
        Some("" | QUOTED_NOTHING) => None,
        Some(text) => Some(Secret::given(text)),
        None => {
            let question = format!("The new password of {name}:");
            Some(context.secret(None, &question).await?)
        }
    };
    let hash = match secret {
        Some(secret) => {
            secret.is_for_a_room()?;
            // Before it is hashed, which others wait for, too.
            costly(context)?;
            Some(hashed(context, secret).await?)
        }
        None => None,
    };
    let info = match &hash {
        Some(_) => format!("{name} has another password. Who is in it stays."),
        None => format!("{name} has no password now."),
    };
    let wish = set(place, RoomSetting::Password(hash));
    audited_change(context, name, wish, (Act::SetRoom, None, "password"), place.to_ref()).await?;
    Ok(Done::new(info).with_data(json!({"ROOM": name, "SETTING": "password", "VALUE": null})))
}
