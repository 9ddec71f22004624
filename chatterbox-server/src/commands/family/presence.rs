//! Whether the caller is away: `away`, `back`.

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::{ScreenText, limits};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::muted::may_say;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const AWAY: Command = Command {
    spec: Spec {
        name: "away",
        aliases: &["afk"],
        parameters: &[Parameter::optional("text", ArgumentType::Text)
            .rest()
            .help("what you leave behind")],
        help: "Says that you are away, until your next message or `back`; clients that speak `presence` show it.",
        example: "away back at two",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"AWAY"}`."#,
    },
    run: |context, arguments| Box::pin(away(context, arguments)),
};

async fn away(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.text(0).unwrap_or_default();
    let words = given.trim();
    if words.chars().count() > limits::AWAY_CHARS {
        let text = format!("This has more than {} characters.", limits::AWAY_CHARS);
        return Err(Rejection::new(OutcomeCode::TooLong, text));
    }
    // Whoever gets it shows it on one line, so what would act on a screen or hide there is refused, not changed.
    if ScreenText::new(words).as_str() != words {
        return Err(Rejection::new(OutcomeCode::BadArguments, "This is not one line of text."));
    }
    may_say(context, None, words)?;
    context.caller.port.set_away(Some(words)).await;
    let info = match words {
        "" => "You are away.".to_owned(),
        words => format!("You are away: {words}"),
    };
    Ok(Done::new(info).with_data(json!({"AWAY": words})))
}

pub(in crate::commands) const BACK: Command = Command {
    spec: Spec {
        name: "back",
        aliases: &[],
        parameters: &[],
        help: "Says that you are not away any more; any message of yours does so as well.",
        example: "back",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"AWAY": null}`."#,
    },
    run: |context, _| Box::pin(back(context)),
};

async fn back(context: &Context<'_>) -> Reply {
    let data = json!({"AWAY": null});
    if context.who().away.is_none() {
        return Ok(Done::already("You are not away.").with_data(data));
    }
    context.caller.port.set_away(None).await;
    Ok(Done::new("You are back.").with_data(data))
}
