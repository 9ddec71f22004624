//! `chatterbox-server status`: what a server has answered, for people and for programs.

use std::io::{self, Write};

use chatterbox_hub::Level;
use chatterbox_server::control::{Minute, Reply, Room, Status, User};
use serde_json::{Value, json};

use crate::cli::nodes;
use crate::cli::words::{count, moment, screen, size, table, time_text};

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
        (true, Some(_)) if status.certificate_early => {
            "TLS, and the certificate is NOT VALID YET".to_owned()
        }
        (true, Some(days)) if days < 0 => "TLS, and the certificate HAS ENDED".to_owned(),
        (true, Some(days)) => format!("TLS, certificate good for {}", count(days as u64, "day")),
    };
    writeln!(out, "listens on    {} ({tls})", screen(&status.addresses.join(", ")))?;
    for warning in &status.certificate_warnings {
        writeln!(out, "certificate   {}", screen(warning))?;
    }
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
    writeln!(out)?;
    nodes::show(&cluster.nodes, &screen(&cluster.node), cluster.place, out)
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
    fn a_node_of_several_lists_those_that_are_up() {
        let node = Node { name: "a".into(), users: 2, ..Node::default() };
        let cluster = Some(Cluster { node: "a".into(), place: 100, nodes: vec![node] });
        let text = shown(&Status { cluster, ..Status::default() }, &[], &[]);
        assert!(text.contains("\n1 node up, as a at place 100 knows it\nNODE"), "{text}");
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
        let early = Status { certificate_early: true, ..tls(400) };
        assert!(shown(&early, &[], &[]).contains("is NOT VALID YET)"));
        assert!(shown(&Status::default(), &[], &[]).contains("no TLS"));
        let certificate_warnings = vec!["it has expired\u{1b}[2J".to_owned()];
        let text = shown(&Status { certificate_warnings, ..tls(-1) }, &[], &[]);
        assert!(text.contains("\ncertificate   it has expired"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
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
