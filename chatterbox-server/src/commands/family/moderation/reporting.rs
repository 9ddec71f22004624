//! Telling those who keep order: `report`, `reports`, `close-report` (MO-11).

use chatterbox_hub::Level;
use chatterbox_proto::Username;
use chatterbox_proto::capability::commands::{ArgumentType, OutcomeCode};
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use serde_json::{Value, json};

use crate::commands::arguments::Arguments;
use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::moderation::scope::Scope;
use crate::commands::family::moderation::times::{at, line};
use crate::commands::family::subject::Subject;
use crate::commands::parameter::Parameter;
use crate::commands::reply::{Done, Rejection, Reply};
use crate::commands::spec::Spec;
use crate::moderation::{About, Act, AuditEntry, NewReport, Report, ReportFilter};
use crate::ops::clock::unix_now;

/// The rows of one page.
const ROWS: usize = 100;

/// The bytes of one page, with what is shown of it, where each character is escaped that may be.
const PAGE: usize = 512 * 1024;

/// The characters that are shown of a reason, or of a message. Programs get all of them.
const SHOWN: usize = 80;

pub(in crate::commands) const REPORT: Command = Command {
    spec: Spec {
        name: "report",
        aliases: &[],
        parameters: &[
            Parameter::required("user", ArgumentType::User).help("who has done something"),
            Parameter::optional("id", ArgumentType::Integer)
                .help("the id of a message of theirs that you can read"),
            Parameter::optional("reason", ArgumentType::Text).rest().help("what is wrong with it"),
        ],
        help: "Tells those who keep order about somebody, or a message of theirs; ten times an hour at most. They read it as the server has it.",
        example: "report eve 8123 insults",
        level: Level::GUEST,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NUMBER"}`."#,
    },
    run: |context, arguments| Box::pin(report(context, arguments)),
};

async fn report(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let name = arguments.user(0).ok_or_else(Rejection::missing)?;
    let id = arguments.integer(1);
    let reason = line(arguments.text(2), "reason")?;
    context
        .state
        .reports
        .try_take(context.caller.port.id(), &context.who())
        .map_err(Rejection::throttled)?;
    let found = match id {
        None => {
            // Of who is not here and has no account, there has to be a message.
            Subject::find(context, &name).await?;
            None
        }
        Some(id) => {
            let id = u64::try_from(id).ok();
            let port = &context.caller.port;
            let message = match id {
                Some(id) => port.message_of(&name, id).await,
                None => Ok(None),
            };
            let message = message.map_err(|_| {
                Rejection::new(OutcomeCode::Busy, "The server can't read its history now.")
            })?;
            let message = message.ok_or_else(|| {
                let text = format!("There is no message of {name} with this id that you can read.");
                Rejection::new(OutcomeCode::NoSuchMessage, text)
            })?;
            Some((id, message))
        }
    };
    let who = context.who();
    let (message, text, room) = match &found {
        None => (None, None, None),
        Some((id, message)) => (*id, Some(message.text.as_str().into()), message.room.clone()),
    };
    let new = NewReport {
        reporter: who.name.as_str().into(),
        reporter_account: who.login.as_ref().map(|login| login.account_key.id),
        subject: name.as_str().into(),
        message,
        text,
        room: room.clone(),
        reason: reason.as_str().into(),
        at: unix_now(),
    };
    let number = context.state.moderation.report(new, who.address).await?;
    tracing::info!(by = %who.name, %name, number, "reported");
    let notice = NewNotice {
        name: Some(name.as_str()),
        by: Some(who.name.as_str()),
        room: room.as_ref().map(|room| room.name.as_str()),
        id: message,
        ..NewNotice::new(NoticeCode::Report, &reason)
    };
    let place = room.as_ref().map(|room| room.number);
    context.caller.port.tell_report(place, &name, &notice);
    let info = "Thank you. Those who keep order were told.";
    Ok(Done::new(info).with_data(json!({"NUMBER": number})))
}

pub(in crate::commands) const REPORTS: Command = Command {
    spec: Spec {
        name: "reports",
        aliases: &[],
        parameters: &[
            Parameter::optional("before", ArgumentType::Integer)
                .help("the last number of the page before"),
            Parameter::optional("room", ArgumentType::Room)
                .help("only those of a room; without it, or with ALL, all of them"),
        ],
        help: "Shows what was reported and is not closed, the newest first, 100 at most; needs level 3, on the server or in the room.",
        example: "reports",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: "A table: `NUMBER`, `NAME`, `BY`, `ROOM`, `ID`, `TEXT`, `REASON`, `AT` (seconds since 1970); `MORE`: whether there are older ones.",
    },
    run: |context, arguments| Box::pin(reports(context, arguments)),
};

async fn reports(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let before = arguments.integer(0);
    let scope = Scope::find(context, arguments.room(1))?;
    scope.needs(context, Level::MODERATOR)?;
    let room = scope.room();
    let number = room.as_ref().map(|room| room.number);
    let filter = ReportFilter { room: number, before, closed_too: false, limit: ROWS + 1 };
    let open = context.state.moderation.reports(filter).await?;
    let (mut rows, mut list, mut bytes, mut last) = (Vec::new(), String::new(), 0, None);
    for report in open.iter().take(ROWS) {
        let (row, line) = (row(report), shown(report));
        bytes += escaped(&row.to_string()) + escaped(&line);
        // One is always less.
        if bytes > PAGE {
            break;
        }
        rows.push(row);
        list.push_str(&line);
        last = Some(report.number);
    }
    let more = rows.len() < open.len();
    let mut info = match rows.len() {
        0 => "There are no open reports.".to_owned(),
        1 => format!("One open report:{list}"),
        many => format!("{many} open reports:{list}"),
    };
    if let (true, Some(last)) = (more, last) {
        let prefix = context.state.prefix();
        let room = room.map(|room| format!(" {}", room.name)).unwrap_or_default();
        info.push_str(&format!("\nThere are more: {prefix}reports {last}{room}"));
    }
    let columns = ["NUMBER", "NAME", "BY", "ROOM", "ID", "TEXT", "REASON", "AT"];
    Ok(Done::new(info).with_table(&columns, rows).with_more(more))
}

/// The bytes of a text on the wire at most.
fn escaped(text: &str) -> usize {
    let bytes = |char: char| match char {
        '"' | '\\' => 2,
        ' '..='~' => 1,
        other => 6 * other.len_utf16(),
    };
    text.chars().map(bytes).sum()
}

/// The beginning of a text.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn row(Report { number, what, .. }: &Report) -> Value {
    json!([
        number,
        &*what.subject,
        &*what.reporter,
        what.room.as_ref().map(|room| room.name.as_str()),
        what.message,
        what.text.as_deref(),
        &*what.reason,
        what.at,
    ])
}

fn shown(Report { number, what, .. }: &Report) -> String {
    let text = what.text.as_deref().map(|text| format!(" \"{}\"", short(text))).unwrap_or_default();
    let reason =
        if what.reason.is_empty() { String::new() } else { format!(": {}", short(&what.reason)) };
    format!(
        "\n{number}. {} UTC, {} by {}{reason}{text}",
        at(what.at),
        &*what.subject,
        &*what.reporter
    )
}

pub(in crate::commands) const CLOSE_REPORT: Command = Command {
    spec: Spec {
        name: "close-report",
        aliases: &[],
        parameters: &[Parameter::required("number", ArgumentType::Integer).help("as in reports")],
        help: "Closes a report; needs level 3, on the server or in the room that it is about.",
        example: "close-report 7",
        level: Level::USER,
        needs: None,
        confirm: false,
        demo: false,
        stays_on: false,
        data: r#"`{"NUMBER"}`."#,
    },
    run: |context, arguments| Box::pin(close_report(context, arguments)),
};

async fn close_report(context: &Context<'_>, mut arguments: Arguments) -> Reply {
    let number = arguments.integer(0).ok_or_else(Rejection::missing)?;
    let none = || {
        let text = "There is no open report of this number that you may close.";
        Rejection::new(OutcomeCode::Failed, text)
    };
    // Nobody else learns which reports there are.
    let report = context.state.moderation.report_of(number).await?.ok_or_else(none)?;
    if report.closed.is_some() {
        return Err(none());
    }
    let on_server = Scope::Server.needs(context, Level::MODERATOR);
    if on_server.is_err() {
        let room = report.what.room.as_ref().ok_or_else(none)?;
        let view = context.caller.port.room_named(&room.name);
        let view = view.filter(|view| view.definition.number == room.number).ok_or_else(none)?;
        Scope::Room(Box::new(view)).needs(context, Level::MODERATOR).map_err(|_| none())?;
    }
    let about = Username::parse(&report.what.subject).ok();
    // Nobody decides about themselves, by the name that they have now or that of their account.
    let who = context.who();
    if about.is_some() && (about.as_ref() == Some(&who.name) || about.as_ref() == who.account()) {
        return Err(none());
    }
    let entry = AuditEntry {
        about: about.as_ref().map(About::user),
        room: report.what.room.clone(),
        detail: number.to_string().as_str().into(),
        ..context.entry(unix_now(), Act::CloseReport)
    };
    if !context.state.moderation.close_report(entry, number).await? {
        return Err(none());
    }
    Ok(Done::new(format!("Report {number} is closed.")).with_data(json!({"NUMBER": number})))
}
