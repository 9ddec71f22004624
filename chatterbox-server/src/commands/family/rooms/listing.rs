//! Which rooms there are: `rooms`, `invitations`.

use chatterbox_hub::{Level, RoomDefinition, RoomView};
use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::Capability;
use serde_json::{Value, json};

use crate::commands::command::Command;
use crate::commands::context::Context;
use crate::commands::family::rooms::place::name_of;
use crate::commands::reply::Done;
use crate::commands::spec::Spec;

/// The rows of one table: as many as there can be rooms.
const ROWS: usize = 1_000;

pub(in crate::commands) const ROOMS: Command = Command {
    spec: Spec {
        name: "rooms",
        aliases: &["channels", "channel"],
        parameters: &[],
        help: "Shows the rooms that there are; hidden ones to their members only.",
        example: "rooms",
        level: Level::GUEST,
        // Who speaks no rooms may see what another client could join; base clients have one lobby.
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: "A table: `NAME`, `COUNT` (members), `LIMIT` (0: none), `DESCRIPTION`, `FLAGS` (a list of `hidden`, `closed`, `password`, `configured`), `MEMBER` (whether you are one).",
    },
    run: |context, _| Box::pin(async move { Ok(rooms(context)) }),
};

/// The words of FLAGS.
fn flags(room: &RoomDefinition) -> Vec<&'static str> {
    let all = [
        (room.settings.hidden, "hidden"),
        (room.settings.closed, "closed"),
        (room.settings.password.is_some(), "password"),
        (room.configured, "configured"),
    ];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect()
}

fn rooms(context: &Context<'_>) -> Done {
    let seen = context.caller.port.rooms_seen();
    let row = |room: &RoomView| {
        let settings = &room.definition.settings;
        json!([
            name_of(room),
            room.count,
            settings.limit,
            &*settings.description,
            flags(&room.definition),
            room.is_member
        ])
    };
    let line = |room: &RoomView| {
        let member = if room.is_member { ", you are in it" } else { "" };
        let description = ScreenText::new(&room.definition.settings.description);
        let count =
            if room.count == 1 { "1 member".to_owned() } else { format!("{} members", room.count) };
        let line = format!("{}  {count}{member}  {description}", name_of(room));
        line.trim_end().to_owned()
    };
    let rows: Vec<Value> = seen.iter().take(ROWS).map(row).collect();
    let columns = ["NAME", "COUNT", "LIMIT", "DESCRIPTION", "FLAGS", "MEMBER"];
    Done::new(lines(&seen, line, "There are no rooms.")).with_table(&columns, rows)
}

fn lines(rooms: &[RoomView], line: impl Fn(&RoomView) -> String, none: &str) -> String {
    if rooms.is_empty() {
        return none.to_owned();
    }
    rooms.iter().take(ROWS).map(line).collect::<Vec<_>>().join("\n")
}

pub(in crate::commands) const INVITATIONS: Command = Command {
    spec: Spec {
        name: "invitations",
        aliases: &[],
        parameters: &[],
        help: "Shows the rooms that you are invited to.",
        example: "invitations",
        level: Level::USER,
        needs: Some(Capability::Rooms),
        confirm: false,
        demo: false,
        stays_on: false,
        data: "A table: `NAME`, `DESCRIPTION`.",
    },
    run: |context, _| Box::pin(async move { Ok(invitations(context)) }),
};

fn invitations(context: &Context<'_>) -> Done {
    let mut invited = context.caller.port.rooms_seen();
    invited.retain(|room| room.is_invited);
    let rows =
        invited.iter().map(|room| json!([name_of(room), &*room.definition.settings.description]));
    let rows = rows.collect();
    let info = lines(&invited, |room| name_of(room).to_owned(), "You are not invited anywhere.");
    Done::new(info).with_table(&["NAME", "DESCRIPTION"], rows)
}
