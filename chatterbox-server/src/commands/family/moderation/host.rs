//! The house itself: `guests`, `reload`, `shutdown`.

use std::sync::Arc;

use chatterbox_hub::Level;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use serde_json::json;

use crate::access::House;
use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::moderation::{Act, AuditEntry};
use crate::ops::clock::unix_now;
use crate::ops::operator::{ChangedSetting, LONGEST_STOP};

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
        demo: false,
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

pub(in crate::commands) const RELOAD: Command = Command {
    spec: Spec {
        name: "reload",
        aliases: &["reload-commands"],
        parameters: &[],
        help: "Reads the server's settings and certificates again, and says what changed and what waits for a restart.",
        example: "reload",
        level: Level::ADMIN,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"CHANGED": [setting...], "WAITING": [setting...], "PROBLEMS": number}`."#,
    },
    run: |context, _| Box::pin(reload(context)),
};

async fn reload(context: &Context<'_>) -> Reply {
    let house = house(context)?;
    context.audit(Act::Reload, None, None, "").await?;
    let read = house.reload().await.ok_or_else(unable)?;
    tracing::info!(by = %context.who().name, changed = read.changed.len(), "settings read again");
    // Values are not told: a path, or a text for others, is nobody's business here.
    let keys = |settings: &[ChangedSetting]| {
        settings.iter().map(|setting| setting.key.clone()).collect::<Vec<_>>()
    };
    let (changed, waiting) = (keys(&read.changed), keys(&read.waiting));
    let listed =
        |keys: &[String]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
    let mut info =
        format!("Changed: {}. Waiting for a restart: {}.", listed(&changed), listed(&waiting));
    if !read.certificate.is_empty() {
        info = format!("{info} The certificate: {}.", read.certificate.join("; "));
    }
    let data = json!({"CHANGED": changed, "WAITING": waiting, "PROBLEMS": read.problems.len()});
    if !read.problems.is_empty() {
        let text = format!("Not all could be read, the log says why. {info}");
        return Err(Rejection::new(OutcomeCode::Failed, text));
    }
    Ok(Done::new(info).with_data(data))
}

pub(in crate::commands) const SHUTDOWN: Command = Command {
    spec: Spec {
        name: "shutdown",
        aliases: &[],
        parameters: &[Parameter::optional("seconds", ArgumentType::Integer)
            .help("until then; the server's grace without it")],
        help: "Stops the server; everybody is told.",
        example: "shutdown 60",
        level: Level::ADMIN,
        needs: None,
        confirm: true,
        demo: false,
        stays_on: false,
        data: r#"`{"SECONDS"}`."#,
    },
    run: |context, arguments| Box::pin(shutdown(context, arguments)),
};

async fn shutdown(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let given = arguments.integer(0);
    let asked = given.and_then(|given| u64::try_from(given).ok());
    if given.is_some() && asked.is_none_or(|asked| asked > LONGEST_STOP) {
        let text = format!("The seconds have to be between 0 and {LONGEST_STOP}.");
        return Err(Rejection::new(OutcomeCode::BadArguments, text));
    }
    let house = house(context)?;
    let detail = given.map(|given| given.to_string()).unwrap_or_default();
    context.audit(Act::Shutdown, None, None, &detail).await?;
    let seconds = house.stop(asked);
    tracing::info!(by = %context.who().name, seconds, "shutdown asked for");
    Ok(Done::new(format!("The server stops in {seconds} s."))
        .with_data(json!({"SECONDS": seconds})))
}

fn house(context: &Context<'_>) -> Result<Arc<dyn House>, Rejection> {
    context.state.house().ok_or_else(unable)
}

fn unable() -> Rejection {
    Rejection::new(OutcomeCode::Failed, "This server can't do that from here.")
}
