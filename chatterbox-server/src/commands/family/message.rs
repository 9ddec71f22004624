//! Private messages: `msg`.

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::ArgumentType;

use crate::commands::arguments::Arguments;
use crate::commands::client_port::PostError;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const MSG: Command = Command {
    spec: Spec {
        name: "msg",
        aliases: &["dm", "private", "private-message", "w"],
        parameters: &[
            Parameter::required("user", ArgumentType::User).help("who is to read it"),
            Parameter::required("text", ArgumentType::Text).rest().help("what you say"),
        ],
        help: "Says something to one user only.",
        example: "msg bob see you at five",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: "",
    },
    run: |context, arguments| Box::pin(msg(context, arguments)),
};

async fn msg(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let to = arguments.user(0).ok_or_else(Rejection::missing)?;
    let text = arguments.text(1).ok_or_else(Rejection::missing)?;
    context.caller.port.post(&to, &text).await.map_err(|PostError(code)| Rejection::from(code))?;
    Ok(Done::new(format!("Sent to {to}.")))
}
