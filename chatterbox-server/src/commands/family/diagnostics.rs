//! Diagnostics: `ping`, `test`, `input-test`.

use chatterbox_hub::Level;
use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::Capability;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const PING: Command = Command {
    spec: Spec {
        name: "ping",
        aliases: &["latency"],
        parameters: &[],
        help: "Answers Pong, with the time that your client takes to answer if it speaks `ping`.",
        example: "ping",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: true,
        stays_on: false,
        data: r#"`{"MILLISECONDS": number or null}`."#,
    },
    run: |context, _| Box::pin(ping(context)),
};

async fn ping(context: &Context<'_>) -> Reply {
    if !context.caller.agreed.has(Capability::Ping) {
        return Ok(Done::new("Pong!").with_data(json!({"MILLISECONDS": null})));
    }
    let taken = context.caller.port.ping().await.ok_or_else(|| {
        Rejection::new(OutcomeCode::Timeout, "Your client did not answer a PING in time.")
    })?;
    let milliseconds = taken.as_secs_f64() * 1000.0;
    let rounded = (milliseconds * 100.0).round() / 100.0;
    Ok(Done::new(format!("Pong! {rounded} ms")).with_data(json!({"MILLISECONDS": rounded})))
}

pub(in crate::commands) const TEST: Command = Command {
    spec: Spec {
        name: "test",
        aliases: &[],
        parameters: &[Parameter::optional("x", ArgumentType::Text).rest().help("anything")],
        help: "Shows what it is given: a demonstration.",
        example: "test one two",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: true,
        stays_on: false,
        data: r#"`{"X": text or null}`."#,
    },
    run: |context, arguments| Box::pin(async move { Ok(test(context, arguments)) }),
};

fn test(_: &Context<'_>, mut arguments: Arguments) -> Done {
    let text = arguments.text(0);
    let info = match &text {
        Some(text) => format!("It works: {}", ScreenText::shortened(text, 200)),
        None => "It works.".to_owned(),
    };
    Done::new(info).with_data(json!({"X": text}))
}

pub(in crate::commands) const INPUT_TEST: Command = Command {
    spec: Spec {
        name: "input-test",
        aliases: &[],
        parameters: &[],
        help: "Asks you something, and shows what you answered.",
        example: "input-test",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: true,
        stays_on: false,
        data: r#"`{"ANSWER": text}`."#,
    },
    run: |context, _| Box::pin(input_test(context)),
};

async fn input_test(context: &Context<'_>) -> Reply {
    let answer = context.ask("Say something:", false).await?;
    let text = answer.reveal();
    let info = format!("You said: {}", ScreenText::shortened(text, 200));
    Ok(Done::new(info).with_data(json!({"ANSWER": text})))
}
