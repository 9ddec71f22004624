//! Putting somebody out: `kick`.

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::ArgumentType;
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::muted::may_say;
use crate::commands::family::moderation::scope::Scope;
use crate::commands::family::moderation::times::line;
use crate::commands::family::subject::Subject;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

/// The word with which nobody but the person is told (MO-7).
pub(super) const SILENT: Parameter = Parameter::optional("--silent", ArgumentType::Text)
    .help("nobody but the person is told")
    .values(&["--silent"]);

pub(super) const REASON: Parameter =
    Parameter::optional("reason", ArgumentType::Text).rest().help("what they are told");

pub(in crate::commands) const KICK: Command = Command {
    spec: Spec {
        name: "kick",
        aliases: &[],
        parameters: &[
            Parameter::required("user", ArgumentType::User).help("who has to go"),
            SILENT,
            REASON,
        ],
        help: "Ends all connections of somebody below your level, who may come back after 30 seconds.",
        example: "kick eve please calm down",
        level: Level::HELPER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NAME", "CONNECTIONS"}`: how many were ended."#,
    },
    run: |context, arguments| Box::pin(kick(context, arguments)),
};

async fn kick(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let silent = arguments.text(1).is_some();
    let reason = line(arguments.text(2), "reason")?;
    may_say(context, None, &reason)?;
    let subject = Subject::find(context, &name).await?;
    Scope::Server.authorise(context, Level::HELPER, &subject)?;
    let done = Scope::Server.acts(context).kick(&subject, &reason, silent).await?;
    let info = match done.removed.len() {
        0 => format!("{} is not here, and may not come for 30 s.", subject.name),
        _ => format!("{} had to go, and may come back after 30 s.", subject.name),
    };
    tracing::info!(by = %context.who().name, name = %subject.name, "kicked");
    let data = json!({"NAME": subject.name.as_str(), "CONNECTIONS": done.removed.len()});
    Ok(Done::new(info).with_data(data))
}
