//! `chatterbox-server status`: what a server has answered, for people and for programs.

use std::io::{self, Write};

use chatterbox_hub::Level;
use chatterbox_proto::ScreenText;
use chatterbox_server::control::{Minute, Reply, Room, Status, User};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// The parts of an answer, if it is one to `status`.
pub fn collect(replies: &[Reply]) -> Option<(&Status, Vec<&User>, Vec<&Room>)> {
    let (mut users, mut rooms) = (Vec::new(), Vec::new());
    for reply in replies {
        match reply {
            Reply::Users(some) => users.extend(some),
            Reply::Rooms(some) => rooms.extend(some),
            Reply::Status(status) => return Some((status, users, rooms)),
            _ => return None,
        }
    }
    None
}

/// One object for programs.
pub fn json(status: &Status, users: &[&User], rooms: &[&Room]) -> Value {
    let mut all = serde_json::to_value(status).unwrap_or_default();
    if let Some(members) = all.as_object_mut() {
        members.insert("users".to_owned(), json!(users));
        members.insert("rooms".to_owned(), json!(rooms));
    }
    all
}

/// Lines for people.
pub fn show(
    status: &Status,
    users: &[&User],
    rooms: &[&Room],
    out: &mut impl Write,
) -> io::Result<()> {
    let Status { version, process, .. } = status;
    let up = time_text(status.uptime);
    writeln!(out, "chatterbox-server {}, process {process}, up {up}", screen(version))?;
    if let Some(at) = status.stops {
        writeln!(out, "stops         at {}", moment(at))?;
    }
    let tls = match (status.tls, status.certificate_days) {
        (false, _) => "no TLS".to_owned(),
        (true, None) => "TLS".to_owned(),
        (true, Some(days)) if days < 0 => "TLS, and the certificate HAS ENDED".to_owned(),
        (true, Some(days)) => format!("TLS, certificate good for {}", count(days as u64, "day")),
    };
    writeln!(out, "listens on    {} ({tls})", screen(&status.addresses.join(", ")))?;
    for (what, addresses) in
        [("browsers at", &status.web), ("telnet at", &status.telnet), ("health at", &status.health)]
    {
        if !addresses.is_empty() {
            writeln!(out, "{what:<14}{}", screen(&addresses.join(", ")))?;
        }
    }
    // A server of an older version does not say it.
    if !status.readiness.is_empty() {
        writeln!(out, "readiness     {}", screen(&status.readiness))?;
    }
    writeln!(out, "connections   {} of {}", status.connections, status.max_connections)?;
    writeln!(out, "last minute   {}", minute(&status.minute))?;
    let memory = &status.memory;
    let resident = memory.resident.map_or_else(String::new, |bytes| format!("{}, ", size(bytes)));
    writeln!(
        out,
        "memory        {resident}{} wait for members (at most {})",
        size(memory.waiting),
        size(memory.waiting_limit)
    )?;
    let stored = &status.stored;
    let folder =
        stored.folder.as_deref().map_or_else(String::new, |at| format!(" in {}", screen(at)));
    match (stored.messages, stored.bytes) {
        (Some(messages), Some(bytes)) => {
            writeln!(out, "stored        {}, {}{folder}", count(messages, "message"), size(bytes))?;
        }
        _ => writeln!(out, "stored        can't be read{folder}")?,
    }
    let activity = status.log.activity.as_deref().map_or_else(|| "off".to_owned(), screen);
    writeln!(out, "log           {}; activity log: {activity}", screen(&status.log.what))?;
    show_cluster(status, out)?;
    show_users(status, users, out)?;
    show_rooms(status, rooms, out)
}

fn show_cluster(status: &Status, out: &mut impl Write) -> io::Result<()> {
    let Some(cluster) = &status.cluster else { return Ok(()) };
    let up = count(cluster.nodes.len() as u64, "node");
    writeln!(out, "\n{up} up, as {} at place {} knows it", screen(&cluster.node), cluster.place)?;
    let newest = cluster.nodes.iter().map(|node| node.place).max().unwrap_or_default();
    let rows = cluster.nodes.iter().map(|node| {
        [
            screen(&node.name),
            screen(&node.life),
            node.heard.map_or_else(|| "never".to_owned(), |at| format!("{} ago", time_text(at))),
            node.place.to_string(),
            newest.saturating_sub(node.place).to_string(),
            node.speaks.to_string(),
        ]
    });
    let heads = ["NODE", "LIFE", "HEARD", "PLACE", "BEHIND", "FORMAT"];
    table(heads, &rows.collect::<Vec<_>>(), out)
}

fn show_users(status: &Status, users: &[&User], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{}", here(status.user_count, users.len(), "user"))?;
    if users.is_empty() {
        return Ok(());
    }
    let rows = users.iter().map(|user| {
        [
            screen(&user.name),
            user.account.as_deref().map_or_else(|| "-".to_owned(), screen),
            Level::new(user.level.into()).unwrap_or_default().to_string(),
            user.address.as_deref().map_or_else(|| "-".to_owned(), screen),
            moment(user.since),
        ]
    });
    table(["NAME", "ACCOUNT", "LEVEL", "ADDRESS", "SINCE"], &rows.collect::<Vec<_>>(), out)
}

fn show_rooms(status: &Status, rooms: &[&Room], out: &mut impl Write) -> io::Result<()> {
    if rooms.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} beside the lobby", here(status.room_count, rooms.len(), "room"))?;
    let rows = rooms.iter().map(|room| {
        [
            screen(&room.name),
            room.owner.as_deref().map_or_else(|| "-".to_owned(), screen),
            room.members.to_string(),
            room.here.to_string(),
            if room.hidden { "hidden".to_owned() } else { String::new() },
        ]
    });
    table(["ROOM", "OWNER", "MEMBERS", "HERE", ""], &rows.collect::<Vec<_>>(), out)
}

fn here(all: usize, listed: usize, what: &str) -> String {
    let all = count(all as u64, what);
    if all.starts_with(&format!("{listed} ")) { all } else { format!("{all}, the first {listed}") }
}

fn table<const N: usize>(
    heads: [&str; N],
    rows: &[[String; N]],
    out: &mut impl Write,
) -> io::Result<()> {
    let heads = heads.map(str::to_owned);
    let mut widths = [0; N];
    for row in std::iter::once(&heads).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in std::iter::once(&heads).chain(rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn minute(minute: &Minute) -> String {
    let Minute { seconds, messages, joins, refused_joins, refused_frames } = *minute;
    let tenths = messages.saturating_mul(10) / seconds.max(1);
    let window = if seconds < 60 {
        format!(" (of {} so far)", count(seconds, "second"))
    } else {
        String::new()
    };
    format!(
        "{} ({}.{} a second), {}; refused: {}, {}{window}",
        count(messages, "message"),
        tenths / 10,
        tenths % 10,
        count(joins, "join"),
        count(refused_joins, "join"),
        count(refused_frames, "frame"),
    )
}

/// Nothing of the network is printed as it is: names may hold whatever a terminal obeys.
fn screen(text: &str) -> String {
    ScreenText::new(text).to_string()
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1024 => return format!("{bytes} B"),
        1024..1_048_576 => (1024, "KiB"),
        1_048_576..1_073_741_824 => (1_048_576, "MiB"),
        _ => (1_073_741_824, "GiB"),
    };
    let tenths = u128::from(bytes) * 10 / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

fn time_text(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} {} h", count(seconds / 86_400, "day"), seconds / 3600 % 24),
    }
}

/// A moment as people write it.
pub fn moment(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(
        |_| "?".to_owned(),
        |at| format!("{} {:02}:{:02}:{:02} UTC", at.date(), at.hour(), at.minute(), at.second()),
    )
}

#[cfg(test)]
mod tests {
    use chatterbox_server::control::{Cluster, Node};

    use super::*;

    fn user(name: &str) -> User {
        User { name: name.into(), account: None, level: 0, address: None, since: 0 }
    }

    fn shown(status: &Status, users: &[User], rooms: &[Room]) -> String {
        let mut out = Vec::new();
        let (users, rooms): (Vec<_>, Vec<_>) = (users.iter().collect(), rooms.iter().collect());
        show(status, &users, &rooms, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_can_not_move_the_cursor_or_make_lines() {
        let status = Status { user_count: 2, room_count: 1, ..Status::default() };
        let room = Room {
            name: "a\u{202e}b".into(),
            owner: Some("\u{9b}2J".into()),
            members: 3,
            here: 2,
            hidden: true,
        };
        let users = [user("\u{1b}[2Jred\nNAME"), user("bob")];
        let text = shown(&status, &users, &[room]);
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text:?}");
        assert_eq!(text.lines().filter(|line| line.starts_with("NAME")).count(), 1, "{text}");
        assert!(text.contains("2 users\n") && text.contains("1 room beside the lobby"), "{text}");
    }

    #[test]
    fn nodes_are_listed_with_what_is_known_of_them() {
        let node = |name: &str, heard, place| Node {
            name: name.into(),
            life: "00000000000000ff".into(),
            speaks: 1,
            heard,
            place,
        };
        let nodes =
            vec![node("a", Some(0), 100), node("\u{1b}[2Jb", Some(61), 90), node("c", None, 0)];
        let cluster = Some(Cluster { node: "a".into(), place: 100, nodes });
        let text = shown(&Status { cluster, ..Status::default() }, &[], &[]);
        assert!(text.contains("\n3 nodes up, as a at place 100 knows it\n"), "{text}");
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert!(lines.contains(&"a 00000000000000ff 0 s ago 100 0 1".to_owned()), "{text}");
        assert!(
            lines.iter().any(|line| line.ends_with("b 00000000000000ff 1 min 1 s ago 90 10 1")),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(!shown(&Status::default(), &[], &[]).contains("node"));
    }

    #[test]
    fn a_list_that_was_cut_says_so() {
        let status = Status { user_count: 1200, ..Status::default() };
        assert!(shown(&status, &[user("ann")], &[]).contains("1200 users, the first 1\n"));
        assert!(shown(&Status::default(), &[], &[]).contains("0 users"));
    }

    #[test]
    fn a_certificate_that_has_ended_stands_out() {
        let tls = |days| Status { tls: true, certificate_days: Some(days), ..Status::default() };
        assert!(shown(&tls(-1), &[], &[]).contains("HAS ENDED"));
        assert!(shown(&tls(1), &[], &[]).contains("good for 1 day)"));
        assert!(shown(&Status::default(), &[], &[]).contains("no TLS"));
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(
            (size(1023), size(1024), size(1_600_000)),
            ("1023 B".into(), "1.0 KiB".into(), "1.5 MiB".into())
        );
        assert_eq!((time_text(59), time_text(3661)), ("59 s".into(), "1 h 1 min".into()));
        assert_eq!(time_text(86_400 * 2 + 3600), "2 days 1 h");
        let rate = minute(&Minute { seconds: 60, messages: 90, joins: 1, ..Minute::default() });
        assert!(rate.starts_with("90 messages (1.5 a second), 1 join; "), "{rate}");
        assert!(minute(&Minute::default()).contains("of 0 seconds so far"));
    }
}
