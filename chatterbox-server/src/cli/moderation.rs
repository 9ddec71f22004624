//! `chatterbox-server audit` and `bans`: what is stored of moderation, read from the database, which a running server shares.
//!
//! Whoever has the database sees addresses. Reasons and names are text from the network: people get them with whatever acts on a
//! terminal spelled out, programs get ASCII.

use std::io::{self, Write};

use chatterbox_hub::{RoomRef, Sanction, SanctionKind, SanctionSubject};
use chatterbox_proto::json::push_value;
use chatterbox_proto::{RoomName, ScreenText};
use chatterbox_server::moderation::{
    AUDIT_PAGE, About, AuditEntry, AuditFilter, AuditRoom, ModerationError, ModerationStore as _,
};
use chatterbox_server::ops::clock::unix_now;
use chatterbox_server::store::SqliteModeration;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::cli::data_folder;
use crate::cli::exit::{self, Failure};
use crate::cli::messages::Messages;
use crate::cli::moderation_command::{Audit, Bans};

/// Writes the entries that are asked for, the newest first. The inner result is that of writing to `out`, where a closed pipe is no
/// failure.
///
/// # Errors
/// A log that can't be read, and a name that no room can have.
pub fn audit(command: &Audit, out: &mut impl Write) -> Result<io::Result<()>, Failure> {
    let mut filter = AuditFilter { before: command.before, ..AuditFilter::default() };
    if let Some(user) = &command.user {
        filter = filter.about(user);
    }
    if let Some(by) = &command.by {
        filter = filter.by(by);
    }
    filter.room = command.room.as_deref().map(room).transpose()?.map(AuditRoom::Name);
    let mut store = open(&command.messages)?;
    let mut left = command.limit;
    let mut is_first = true;
    while left > 0 {
        filter.limit = left.min(AUDIT_PAGE);
        let page = store.audit(&filter)?;
        let Some(oldest) = page.last() else { break };
        filter.before = Some(oldest.id);
        left -= page.len();
        let written = if command.json {
            lines(page.iter().map(entry_json), out)
        } else {
            table(is_first.then_some(&AUDIT_COLUMNS), page.iter().map(entry_row), out)
        };
        if written.is_err() {
            return Ok(written);
        }
        is_first = false;
    }
    if is_first && !command.json {
        eprintln!("chatterbox-server: there is nothing of that in the audit log");
    }
    Ok(Ok(()))
}

/// Writes the bans and mutes that hold.
///
/// # Errors
/// Sanctions that can't be read.
pub fn bans(command: &Bans, out: &mut impl Write) -> Result<io::Result<()>, Failure> {
    let mut store = open(&command.messages)?;
    let mut all = Vec::new();
    for sanction in store.sanctions(unix_now())? {
        let room = match sanction.room {
            None => None,
            Some(number) => store
                .room_name(number)?
                .map(|name| RoomRef { number, name })
                .or_else(|| Some(RoomRef { number, name: RoomName::stored("") })),
        };
        all.push((sanction, room));
    }
    if command.json {
        return Ok(lines(
            all.iter().map(|(sanction, room)| ban_json(sanction, room.as_ref())),
            out,
        ));
    }
    if all.is_empty() {
        eprintln!("chatterbox-server: nobody is banned or muted");
        return Ok(Ok(()));
    }
    let rows = all.iter().map(|(sanction, room)| ban_row(sanction, room.as_ref()));
    Ok(table(Some(&BAN_COLUMNS), rows, out))
}

fn open(messages: &Messages) -> Result<SqliteModeration, Failure> {
    Ok(SqliteModeration::open(&data_folder::existing(messages)?)?)
}

fn room(text: &str) -> Result<RoomName, Failure> {
    let name = if RoomName::is_meant(text) { text.to_owned() } else { format!("#{text}") };
    RoomName::parse(&name).map_err(|error| Failure {
        message: format!("{}: {error}", ScreenText::shortened(text, 40)),
        hint: None,
        code: exit::DATA,
    })
}

const AUDIT_COLUMNS: [&str; 9] =
    ["NUMBER", "AT (UTC)", "BY", "ACT", "NAME", "ROOM", "UNTIL (UTC)", "DETAIL", "REASON"];

fn entry_row(entry: &AuditEntry) -> [String; 9] {
    [
        entry.id.to_string(),
        moment(entry.at),
        screen(&entry.by),
        entry.act.to_string(),
        entry.about.as_ref().map(|about| screen(about.text())).unwrap_or_default(),
        entry.room.as_ref().map(room_text).unwrap_or_default(),
        entry.until.map(moment).unwrap_or_default(),
        screen(&entry.detail),
        screen(&entry.reason),
    ]
}

fn entry_json(entry: &AuditEntry) -> Value {
    json!({
        "number": entry.id,
        "at": entry.at,
        "by": &*entry.by,
        "account": entry.by_account,
        "act": entry.act.word(),
        "name": entry.about.as_ref().map(About::text),
        "address": entry.about.as_ref().is_some_and(About::is_address),
        "room": entry.room.as_ref().map(room_json),
        "until": entry.until,
        "detail": &*entry.detail,
        "reason": &*entry.reason,
    })
}

const BAN_COLUMNS: [&str; 8] =
    ["NUMBER", "KIND", "ON", "SCOPE", "BY", "SINCE (UTC)", "UNTIL (UTC)", "REASON"];

fn ban_row(sanction: &Sanction, room: Option<&RoomRef>) -> [String; 8] {
    [
        sanction.id.0.to_string(),
        kind(sanction).to_owned(),
        subject(sanction),
        room.map_or_else(|| "server".to_owned(), room_text),
        screen(&sanction.by),
        moment(sanction.since),
        sanction.until.map_or_else(|| "for ever".to_owned(), moment),
        screen(&sanction.reason),
    ]
}

fn ban_json(sanction: &Sanction, room: Option<&RoomRef>) -> Value {
    let (on, account, name, network, guests_only) = match &sanction.subject {
        SanctionSubject::Account(account) => {
            ("account", Some(account.id), Some(account.name.as_str()), None, false)
        }
        SanctionSubject::Name(name) => ("name", None, Some(name.as_str()), None, false),
        SanctionSubject::Guest { name, .. } => ("guest", None, Some(name.as_str()), None, false),
        SanctionSubject::Network { network, guests_only } => {
            ("network", None, None, Some(network.to_string()), *guests_only)
        }
    };
    json!({
        "number": sanction.id.0,
        "kind": kind(sanction),
        "on": on,
        "account": account,
        "name": name,
        "network": network,
        "guests_only": guests_only,
        "about": &*sanction.about,
        "room": room.map(room_json),
        "by": &*sanction.by,
        "since": sanction.since,
        "until": sanction.until,
        "reason": &*sanction.reason,
    })
}

fn kind(sanction: &Sanction) -> &'static str {
    match sanction.kind {
        SanctionKind::Ban => "ban",
        SanctionKind::Mute => "mute",
    }
}

fn subject(sanction: &Sanction) -> String {
    match &sanction.subject {
        SanctionSubject::Account(account) => format!("account {}", screen(account.name.as_str())),
        SanctionSubject::Name(name) => format!("name {}", screen(name.as_str())),
        SanctionSubject::Guest { name, .. } => format!("guest {}", screen(name.as_str())),
        SanctionSubject::Network { network, guests_only: false } => network.to_string(),
        SanctionSubject::Network { network, guests_only: true } => format!("guests from {network}"),
    }
}

/// The name of a room; its number, where it has none.
fn room_text(room: &RoomRef) -> String {
    match room.name.as_str() {
        "" => format!("room {}", room.number),
        name => screen(name),
    }
}

fn room_json(room: &RoomRef) -> Value {
    let name = Some(room.name.as_str()).filter(|name| !name.is_empty());
    json!({"number": room.number.0, "name": name})
}

fn screen(text: &str) -> String {
    ScreenText::new(text).to_string()
}

fn moment(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| "?".to_owned(),
        |at| format!("{} {:02}:{:02}:{:02}", at.date(), at.hour(), at.minute(), at.second()),
    )
}

/// Columns as wide as what is in them; the last one has no end.
fn table<const COLUMNS: usize>(
    head: Option<&[&str; COLUMNS]>,
    rows: impl Iterator<Item = [String; COLUMNS]>,
    out: &mut impl Write,
) -> io::Result<()> {
    let head = head.map(|names| names.map(str::to_owned));
    let rows: Vec<_> = head.into_iter().chain(rows).collect();
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// One object a line, in ASCII.
fn lines(values: impl Iterator<Item = Value>, out: &mut impl Write) -> io::Result<()> {
    for value in values {
        let mut line = Vec::new();
        push_value(&mut line, &value);
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(())
}

impl From<ModerationError> for Failure {
    fn from(error: ModerationError) -> Self {
        let hint = match &error {
            ModerationError::Full => Some("make room; nothing was changed"),
            ModerationError::Disk => {
                Some("look at `ulimit -f` and at the disk; nothing was changed")
            }
            _ => None,
        };
        Self { message: error.to_string(), hint: hint.map(Into::into), code: exit::MESSAGES }
    }
}
