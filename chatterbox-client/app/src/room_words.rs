//! The words about rooms, notices and the server itself, for people.

use chatterbox_proto::ALL;
use chatterbox_proto::WireText;
use chatterbox_proto::capability::notices::{Closed, Notice};
use chatterbox_proto::capability::rooms::RoomLeft;

use crate::output::{GapState, RoomChange, RoomView, RoomWhy, UnreadRoom, Until, Wire};
use crate::plain_words::of_server;
use crate::words::{Role, Span, Words, line, plural};

/// A banner is shown up to this line.
const BANNER_LINES: usize = 12;

/// So many members of a room, or rooms, are named in one line.
const NAMES: usize = 20;

/// The name of the server, and its banner below.
pub(crate) fn server(name: Option<Wire>, banner: Option<&Wire>) -> Vec<Span> {
    let mut lines = Vec::new();
    if let Some(name) = name.filter(|name| !name.as_wire().trim().is_empty()) {
        lines.push(line(Role::Quiet, ["* this is ".into(), name.into()]));
    }
    let banner = banner.map(|banner| banner.as_wire().trim()).unwrap_or_default();
    let mut rest = banner.lines().filter(|text| !text.trim().is_empty());
    for text in rest.by_ref().take(BANNER_LINES) {
        let text = WireText::new(text.to_owned());
        lines.push(line(Role::Quiet, ["*   ".into(), text.into()]));
    }
    let more = rest.count();
    if more > 0 {
        lines.push(line(Role::Quiet, [format!("*   (and {more} more)").into()]));
    }
    lines.join(&Span { role: Role::Plain, words: "\n".into() })
}

/// The rooms that the user is in.
pub(crate) fn members(rooms: Vec<Wire>) -> Vec<Span> {
    let mut words = vec!["* your rooms: ".into()];
    push_names(&mut words, rooms);
    quiet(words)
}

/// A room, and why it is shown.
pub(crate) fn room(room: RoomView, why: &RoomWhy) -> Vec<Span> {
    let mut words: Vec<Words> = match why {
        RoomWhy::Member => vec!["* you are in ".into(), room.name.clone().into()],
        RoomWhy::Joined => vec!["* you are in ".into(), room.name.clone().into(), " now".into()],
        RoomWhy::Front => vec!["* you talk in ".into(), room.name.clone().into()],
        RoomWhy::Changed(changes) => return changed(&room, changes),
    };
    if !room.topic.as_wire().trim().is_empty() {
        words.extend([": ".into(), room.topic.into()]);
    }
    let count = usize::try_from(room.count).unwrap_or(usize::MAX);
    if count > 0 {
        words.push(format!(" ({}", plural(count, "member")).into());
        let named = room.users.filter(|users| !users.is_empty() && *why == RoomWhy::Front);
        if let Some(users) = named {
            words.push(": ".into());
            push_names(&mut words, users);
        }
        words.push(")".into());
    }
    if *why == RoomWhy::Joined {
        words.extend(["; /room ".into(), room.name.into(), " brings it to the front".into()]);
    }
    quiet(words)
}

fn changed(room: &RoomView, changes: &[RoomChange]) -> Vec<Span> {
    let mut lines = Vec::new();
    for change in changes {
        let (begin, end): (Words, Words) = match change {
            RoomChange::Topic if room.topic.as_wire().trim().is_empty() => {
                (" has no topic any more".into(), "".into())
            }
            RoomChange::Topic => (" has another topic: ".into(), room.topic.clone().into()),
            RoomChange::Talk if room.talk == 0 => (": everybody may write".into(), "".into()),
            RoomChange::Talk => {
                (format!(": only level {} and above may write", room.talk).into(), "".into())
            }
            RoomChange::Slow if room.slow == 0 => {
                (": one may write as often as one likes".into(), "".into())
            }
            RoomChange::Slow => (format!(": one message each {} s", room.slow).into(), "".into()),
            RoomChange::Floor => (": what was said before is gone".into(), "".into()),
        };
        let name: Words = match room.name.as_wire() {
            ALL => "the lobby".into(),
            _ => room.name.clone().into(),
        };
        lines.push(line(Role::Quiet, ["* ".into(), name, begin, end]));
    }
    lines.join(&Span { role: Role::Plain, words: "\n".into() })
}

/// The user is not a member of a room any more.
pub(crate) fn left(left: RoomLeft) -> Vec<Span> {
    let why = match left.code.as_ref().map(|code| code.as_wire()) {
        Some("kicked") => ": removed",
        Some("banned") => ": banned",
        Some("deleted") => ": it is deleted",
        _ => "",
    };
    let mut words: Vec<Words> = vec!["* you are not in ".into(), left.room.into()];
    words.extend([" any more".into(), why.into()]);
    if let Some(by) = left.by.filter(|_| !why.is_empty()) {
        words.extend([" by ".into(), by.into()]);
    }
    if let Some(info) = left.info {
        words.extend([" (".into(), info.into(), ")".into()]);
    }
    quiet(words)
}

/// Others came or left.
pub(crate) fn users(room: Wire, users: Vec<Wire>, joined: bool) -> Vec<Span> {
    let mut words = vec!["* ".into(), room.into(), ": ".into()];
    push_names(&mut words, users);
    words.push(if joined { " joined".into() } else { " left".into() });
    quiet(words)
}

/// What is unread elsewhere.
pub(crate) fn unread(rooms: Vec<UnreadRoom>) -> Vec<Span> {
    let mut words: Vec<Words> = vec!["* unread: ".into()];
    let first = rooms.first().map(|one| one.room.clone());
    let more = rooms.len().saturating_sub(NAMES);
    for (place, one) in rooms.into_iter().take(NAMES).enumerate() {
        if place > 0 {
            words.push(", ".into());
        }
        words.extend([one.room.into(), format!(" {}", one.count).into()]);
        match one.mentions {
            0 => {}
            1 => words.push(" (1 names you)".into()),
            more => words.push(format!(" ({more} name you)").into()),
        }
    }
    if more > 0 {
        words.push(format!(", and {more} more").into());
    }
    words.extend([" (/room ".into(), first.map_or("".into(), Words::from), ")".into()]);
    quiet(words)
}

/// What was missed in a room did not come with the welcome.
pub(crate) fn gap(room: Wire, state: GapState) -> Vec<Span> {
    let end = match state {
        GapState::Fetching => ": more was missed than came; fetching it".to_owned(),
        GapState::Filled(count) => format!(": {} had been missed", plural(count, "message")),
        GapState::Cut(count) => format!(
            ": {} had been missed before this, and others are not shown; /history goes back through them",
            plural(count, "message")
        ),
    };
    line(Role::Quiet, ["-- ".into(), room.into(), end.into()])
}

/// Something that the user should know.
pub(crate) fn notice(notice: Notice, until: Option<&Until>) -> Vec<Span> {
    let until = Until::words(until);
    let Notice { code, info, room, name, by, .. } = notice;
    let info = info.filter(|info| !info.as_wire().trim().is_empty());
    let somebody = |by: Option<Wire>| by.map_or("somebody".into(), Words::from);
    let mut words: Vec<Words> = match (code.as_wire(), room) {
        ("announcement", _) => {
            return quiet(vec!["* announcement: ".into(), info.map_or("".into(), Words::from)]);
        }
        ("invited", Some(room)) => {
            let join = [" (/join ".into(), room.clone().into(), ")".into()];
            let mut words = vec!["* ".into(), somebody(by), " invites you to ".into(), room.into()];
            words.extend(join);
            words
        }
        ("uninvited", Some(room)) => {
            vec![
                "* ".into(),
                somebody(by),
                " takes the invitation to ".into(),
                room.into(),
                " back".into(),
            ]
        }
        ("shutdown", _) => vec!["* the server shuts down".into()],
        ("report", room) => {
            let mut words: Vec<Words> = vec!["* ".into(), somebody(by), " reports ".into()];
            words.push(name.map_or("somebody".into(), Words::from));
            if let Some(room) = room {
                words.extend([" in ".into(), room.into()]);
            }
            words.push(" (/reports shows it)".into());
            words
        }
        (known, room) if personal(known).is_some() => {
            let (yours, theirs) = personal(known).unwrap_or_default();
            let mut words: Vec<Words> = match name {
                None => vec!["* ".into(), yours.into()],
                Some(name) => vec!["* ".into(), name.into(), theirs.into()],
            };
            if let Some(room) = room {
                words.extend([" in ".into(), room.into()]);
            }
            if let Some(by) = by {
                words.extend([" by ".into(), by.into()]);
            }
            words.push(until.into());
            words
        }
        (_, room) => {
            let mut words = vec!["* notice ".into(), code.into()];
            for (what, value) in [(" in ", room), (" of ", name), (" by ", by)] {
                if let Some(value) = value {
                    words.extend([what.into(), value.into()]);
                }
            }
            words.push(until.into());
            words
        }
    };
    if let Some(info) = info {
        words.extend([": ".into(), info.into()]);
    }
    quiet(words)
}

/// What has become of this user, or of another one whose name stands before it.
fn personal(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "muted" => ("you are muted", " is muted"),
        "unmuted" => ("you are not muted any more", " is not muted any more"),
        "kicked" => ("you are removed", " is removed"),
        "banned" => ("you are banned", " is banned"),
        "level" => ("your level was changed", " has another level"),
        "flood" => ("you have said too much", " has said too much"),
        _ => return None,
    })
}

/// Why the server ends the connection.
pub(crate) fn closed(closed: Closed) -> Vec<Span> {
    let Closed { code, info, .. } = closed;
    let what = info.filter(|info| !info.as_wire().trim().is_empty()).unwrap_or(code);
    line(Role::Alarm, ["! the server ends the connection: ".into(), of_server(what).into()])
}

fn push_names(words: &mut Vec<Words>, names: Vec<Wire>) {
    let more = names.len().saturating_sub(NAMES);
    for (place, name) in names.into_iter().take(NAMES).enumerate() {
        if place > 0 {
            words.push(", ".into());
        }
        words.push(name.into());
    }
    if more > 0 {
        words.push(format!(", and {more} more").into());
    }
}

fn quiet(words: Vec<Words>) -> Vec<Span> {
    words.into_iter().map(|words| Span { role: Role::Quiet, words }).collect()
}
