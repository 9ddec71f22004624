//! The nodes of a cluster that are up, as a table: the same for a node that is asked (`status`) and for the log (`cluster status`).

use std::io::{self, Write};

use chatterbox_server::control::Node;

use crate::cli::words::{count, screen, table, time_text};

/// Nodes are heard each second. One that was not for more seconds than this stands out.
const HEARD: u64 = 3;

/// Lists nodes, as somebody at a place of the order knows them.
pub fn show(nodes: &[Node], whose: &str, place: u64, out: &mut impl Write) -> io::Result<()> {
    let up = count(nodes.len() as u64, "node");
    writeln!(out, "{up} up, as {whose} at place {place} knows it")?;
    let newest = nodes.iter().map(|node| node.place).max().unwrap_or_default().max(place);
    let rows = nodes.iter().map(|node| {
        [
            screen(&node.name),
            screen(&node.life),
            heard(node.heard),
            node.place.to_string(),
            newest.saturating_sub(node.place).to_string(),
            node.users.to_string(),
            node.speaks.to_string(),
        ]
    });
    let heads = ["NODE", "LIFE", "HEARD", "PLACE", "BEHIND", "USERS", "FORMAT"];
    table(heads, &rows.collect::<Vec<_>>(), out)
}

fn heard(ago: Option<u64>) -> String {
    match ago {
        Some(seconds) if seconds <= HEARD => format!("{seconds} s ago"),
        Some(seconds) => format!("NOT HEARD for {}", time_text(seconds)),
        None => "NOT HEARD".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_listed_with_what_is_known_of_them() {
        let node = |name: &str, heard, place| Node {
            name: name.into(),
            life: "00000000000000ff".into(),
            speaks: 1,
            heard,
            place,
            users: 7,
        };
        let nodes = [
            node("a", Some(0), 100),
            node("\u{1b}[2Jb", Some(61), 90),
            node("c", Some(3), 99),
            node("d", None, 0),
        ];
        let mut out = Vec::new();
        show(&nodes, "a", 100, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("4 nodes up, as a at place 100 knows it\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines[2], "a 00000000000000ff 0 s ago 100 0 7 1");
        assert!(
            lines[3].ends_with("b 00000000000000ff NOT HEARD for 1 min 1 s 90 10 7 1"),
            "{text}"
        );
        assert_eq!(lines[4], "c 00000000000000ff 3 s ago 99 1 7 1");
        assert_eq!(lines[5], "d 00000000000000ff NOT HEARD 0 100 7 1");
    }
}
