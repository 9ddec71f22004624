//! What was done by those who keep order: `audit` (MO-10).

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::ArgumentType;
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::scope::Scope;
use crate::commands::family::moderation::times::at;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Reply};
use crate::commands::spec::Spec;
use crate::moderation::{About, AuditEntry, AuditFilter, AuditRoom, FoldedName};

/// The rows of one table.
const ROWS: usize = 200;

pub(in crate::commands) const AUDIT: Command = Command {
    spec: Spec {
        name: "audit",
        aliases: &[],
        parameters: &[
            Parameter::optional("user", ArgumentType::Text).help("what was done to them"),
            Parameter::optional("room", ArgumentType::Room).help("what was done in a room"),
        ],
        help: "Shows the newest acts of those who keep order; needs level 4, or level 3 in the room.",
        example: "audit eve",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: "A table: `AT` (seconds since 1970), `BY`, `ACT`, `NAME`, `ROOM`, `REASON`, `UNTIL`, `DETAIL`; the newest first.",
    },
    run: |context, arguments| Box::pin(audit(context, arguments)),
};

async fn audit(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let about = arguments.text(0);
    let scope = Scope::find(context, arguments.room(1))?;
    let room = scope.room();
    let needed = if room.is_some() { Level::MODERATOR } else { Level::OPERATOR };
    scope.needs(context, needed)?;
    let sees_addresses = Scope::Server.acts(context).author.sees_addresses();
    let filter = AuditFilter {
        about: about.as_deref().map(FoldedName::of),
        room: room.map(|room| AuditRoom::Number(room.number)),
        limit: ROWS,
        ..AuditFilter::default()
    };
    let entries = context.state.moderation.audit(filter).await?;
    let shown = |about: &About| {
        if sees_addresses { about.text().to_owned() } else { about.masked().to_owned() }
    };
    let name = |entry: &AuditEntry| entry.about.as_ref().map(shown);
    let row = |entry: &AuditEntry| -> Value {
        let room = entry.room.as_ref().map(|room| room.name.as_str());
        json!([
            entry.at,
            &*entry.by,
            entry.act.word(),
            name(entry),
            room,
            &*entry.reason,
            entry.until,
            &*entry.detail,
        ])
    };
    let text = |entry: &AuditEntry| {
        let about = name(entry).map(|name| format!(" {name}")).unwrap_or_default();
        let room = entry.room.as_ref().map(|room| format!(" in {}", room.name)).unwrap_or_default();
        let tail = |text: &str| if text.is_empty() { String::new() } else { format!(": {text}") };
        let (detail, reason) = (tail(&entry.detail), tail(&entry.reason));
        format!(
            "\n{} UTC {} {}{about}{room}{detail}{reason}",
            at(entry.at),
            &*entry.by,
            entry.act.word()
        )
    };
    let info = match entries.len() {
        0 => "There is nothing in the audit log about this.".to_owned(),
        _ => format!("The newest first:{}", entries.iter().map(text).collect::<String>()),
    };
    let columns = ["AT", "BY", "ACT", "NAME", "ROOM", "REASON", "UNTIL", "DETAIL"];
    Ok(Done::new(info).with_table(&columns, entries.iter().map(row).collect()))
}
