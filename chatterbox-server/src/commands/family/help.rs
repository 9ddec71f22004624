//! Which commands there are, and which were called: `help`, `command-history`.

use chatterbox_hub::{Level, Permission, Target, authorise};
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::commands::arguments::Arguments;
use crate::commands::catalogue;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;

pub(in crate::commands) const HELP: Command = Command {
    spec: Spec {
        name: "help",
        aliases: &["h", "?"],
        parameters: &[Parameter::optional("command", ArgumentType::Command)
            .help("the one to explain; all without it")],
        help: "Shows what you can use here, or how one command is used.",
        example: "help nick",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"A table: `COMMAND`, `USAGE`, `HELP`, `LEVEL`."#,
    },
    run: |context, arguments| Box::pin(async move { help(context, arguments) }),
};

fn help(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let actor = context.who().actor();
    let prefix = context.state.prefix();
    let row = |spec: &&Spec| json!([spec.name, spec.usage(), spec.help, spec.level.number()]);
    let columns = ["COMMAND", "USAGE", "HELP", "LEVEL"];
    let Some(spec) = arguments.command(0) else {
        let usable: Vec<_> =
            catalogue::usable(context.specs, context.state, actor, context.caller.agreed).collect();
        let lines: Vec<_> =
            usable.iter().map(|spec| format!("{prefix}{}  {}", spec.usage(), spec.help)).collect();
        let rows = usable.iter().map(row).collect();
        return Ok(Done::new(lines.join("\n")).with_table(&columns, rows));
    };
    authorise(actor, Permission::Use(spec.level), Target::Oneself)?;
    let mut lines = vec![format!("{prefix}{}  {}", spec.usage(), spec.help)];
    lines.push(format!("Example: {prefix}{}", spec.example));
    if !spec.aliases.is_empty() {
        lines.push(format!("Also: {}", spec.aliases.join(", ")));
    }
    if context.state.is_disabled(spec) {
        lines.push("It is switched off.".to_owned());
    }
    Ok(Done::new(lines.join("\n")).with_table(&columns, vec![row(&spec)]))
}

pub(in crate::commands) const COMMAND_HISTORY: Command = Command {
    spec: Spec {
        name: "command-history",
        aliases: &["history"],
        parameters: &[
            Parameter::optional("n", ArgumentType::Integer).help("how many, 20 without it")
        ],
        help: "Shows your last commands in this session, without secrets.",
        example: "command-history 5",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"A table: `COMMAND`, the oldest first."#,
    },
    run: |context, arguments| Box::pin(async move { command_history(context, arguments) }),
};

fn command_history(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let count = arguments.integer(0).unwrap_or(20);
    let count = usize::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| Rejection::new(OutcomeCode::BadArguments, "n has to be 1 or more."))?;
    let lines = context.caller.remembered(count);
    let rows = lines.iter().map(|line| json!([line])).collect();
    Ok(Done::new(lines.join("\n")).with_table(&["COMMAND"], rows))
}
