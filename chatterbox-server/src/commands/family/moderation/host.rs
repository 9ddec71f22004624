//! The house itself: `guests`, `reload`, `shutdown`.

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::ArgumentType;
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Reply};
use crate::commands::spec::Spec;
use crate::moderation::{Act, AuditEntry};
use crate::ops::clock::unix_now;

pub(in crate::commands) const GUESTS: Command = Command {
    spec: Spec {
        name: "guests",
        aliases: &[],
        parameters: &[Parameter::required("switch", ArgumentType::Text)
            .help("whether people without an account may join")
            .values(&["on", "off"])],
        help: "Lets people without an account join, or not any more; who is here stays.",
        example: "guests off",
        level: Level::OPERATOR,
        needs: None,
        confirm: false,
        stays_on: false,
        data: r#"`{"GUESTS": boolean}`."#,
    },
    run: |context, arguments| Box::pin(guests(context, arguments)),
};

async fn guests(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let (allowed, word) = match arguments.text(0).as_deref() {
        Some("on") => (true, "on"),
        Some("off") => (false, "off"),
        _ => return Err(context.misused()),
    };
    let entry = AuditEntry { detail: word.into(), ..context.entry(unix_now(), Act::Guests) };
    context.state.moderation.note(entry).await?;
    context.state.accounts.set_guests(allowed).await?;
    context.state.change_settings(|settings| settings.guests = Some(allowed));
    tracing::info!(by = %context.who().name, guests = word, "guests switched");
    let info = match allowed {
        true => "People without an account may join.",
        false => "Only people with an account may join now.",
    };
    Ok(Done::new(info).with_data(json!({"GUESTS": allowed})))
}
