//! Whatever a server sends, the client's reader takes it, no text of it acts on a terminal, and what is kept of it is bounded.
#![no_main]

use chatterbox_proto::session::{ClientSession, Event};
use chatterbox_proto::{Capabilities, Capability, WireText};
use libfuzzer_sys::fuzz_target;

fn harmless(text: &WireText<'_>) {
    let shown = text.screen();
    assert!(!shown.as_str().chars().any(char::is_control), "{shown:?}");
}

fn told(event: &Event) {
    match event {
        Event::Message(message) | Event::History(message) | Event::Missed(message) => {
            harmless(&message.source);
            harmless(&message.content);
        }
        Event::Info(text) | Event::Error(text) => harmless(text),
        Event::Joined(name) | Event::Left(name) | Event::RoomJoined(name) => harmless(name),
        Event::RoomChanged(told) => harmless(&told.room),
        Event::RoomLeft(left) => harmless(&left.room),
        Event::RoomUsersJoined { room, users } | Event::RoomUsersLeft { room, users } => {
            harmless(room);
            users.iter().for_each(harmless);
        }
        Event::Notice(notice) => harmless(&notice.code),
        Event::Closed(closed) => harmless(&closed.code),
        _ => {}
    }
}

/// A session of the base protocol, and one that speaks everything and has a room; both may be resumed in between, at an empty
/// body.
fn play(mut session: ClientSession, data: &[u8]) {
    for body in data.split(|byte| *byte == 0) {
        if body.is_empty() {
            session.disconnected();
            let _ = session.resume(None);
            continue;
        }
        for event in session.receive(body) {
            told(&event);
        }
        assert!(session.rooms().count() <= 200 && session.user_count() <= 100_000);
        for room in session.rooms() {
            harmless(&room.name);
            let members = room.users().map_or(0, Iterator::count);
            assert!(members <= 100_000 && session.room(room.name.as_wire()).is_some());
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut base = ClientSession::new();
    let _ = base.join("ann");
    play(base, data);
    let all = Capability::EVERY.iter().copied().collect::<Capabilities>();
    let mut session = ClientSession::offering(all).with_recent(Some(200));
    let _ = session.join("ann");
    session.receive(
        format!(
            r##"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "CAPABILITIES": "{all}", "RESUME": "t",
                "DEFAULT": "#lab", "ROOMS": [{{"ROOM": "#lab", "NUMBER": 12, "ROSTER": true, "USERS": ["ann"], "COUNT": 1, "LAST": 5}}]}}"##
        )
        .as_bytes(),
    );
    play(session, data);
});
